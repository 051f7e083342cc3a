"""Other tests of this process load the whole of ccxt, so these look at processes of their own."""

from __future__ import annotations

import subprocess
import sys

from tests.simulator_process import ROOT

LEAN = """
import sys
import exchanges
from core.base_exchange import EXCHANGES
from exchanges._ccxt import lean
EXCHANGES.scan(exchanges)
lean.venue("binanceusdm")
"""


def said(code: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", LEAN + code], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_a_venue_is_loaded_without_the_hundred_others() -> None:
    venues = said("print(*[n for n in sys.modules if n.startswith('ccxt.async_support.') and n.count('.') == 2])")
    assert {"ccxt.async_support.binance", "ccxt.async_support.binanceusdm"} <= set(venues)
    assert "ccxt.async_support.kraken" not in venues
    assert said("print('ccxt.kraken' in sys.modules, 'ccxt.binance' in sys.modules)") == ["False", "False"]


def test_whoever_asks_for_more_gets_all_of_it() -> None:
    code = """
import ccxt
import ccxt.pro
ours, whole = lean.venue("binance"), ccxt.async_support
print(whole.binance is ours, issubclass(ccxt.pro.binance, ours), issubclass(ours, whole.Exchange))
print(*[n for part in (ccxt, whole, ccxt.pro) for n in part.exchanges if not isinstance(getattr(part, n), type)])
print(ccxt.kraken().id, whole.kraken().id, ccxt.NetworkError is whole.NetworkError, len(ccxt.exchanges) > 90)
print(ccxt.__version__ == whole.__version__)
"""
    assert said(code) == ["True", "True", "True", "kraken", "kraken", "True", "True", "True"]


def test_what_is_asked_of_the_package_first_is_there() -> None:
    code = "import ccxt\nprint(len(ccxt.exchanges) > 90, isinstance(ccxt.async_support.okx, type))"
    assert said(code) == ["True", "True"]
    assert said("from ccxt import *\nprint(okx.__module__)") == ["ccxt.okx"]
