"""The API lists venues without loading their adapters; what it says of them has to be what the adapters say."""

from __future__ import annotations

import ccxt
import pytest

import exchanges
from api import venues
from core.base_exchange import EXCHANGES, VenueSettings
from core.clock import system_clock
from exchanges.bybit_spot import TABLE as BYBIT
from exchanges.okx_spot import TABLE as OKX

CCXT_NAMES = {"binance": "binance", "bybit": BYBIT.ccxt_id, "okx": OKX.ccxt_id}


def test_every_adapter_is_listed_and_nothing_else() -> None:
    EXCHANGES.scan(exchanges)
    assert list(venues.exchanges()) == list(EXCHANGES)


@pytest.mark.parametrize("name", [name for name in venues.exchanges() if name != venues.PAPER])
def test_market_and_passphrase_are_what_the_adapter_says(name: str) -> None:
    EXCHANGES.scan(exchanges)
    listed, venue = venues.exchanges()[name], name.rpartition("_")[0]
    assert EXCHANGES.get(name)(VenueSettings(), system_clock()).capabilities.market == listed.market
    wanted = getattr(ccxt, CCXT_NAMES[venue])().requiredCredentials
    assert bool(wanted.get("password")) == listed.needs_passphrase
