from __future__ import annotations

import subprocess
import sys

from tests.simulator_process import ROOT

HEAVY = ("numpy", "aiohttp", "uvloop", "cryptography")


def loaded(code: str) -> list[str]:
    """Which of the heavy libraries a program has imported in the end."""
    tell = f"import sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}"], cwd=ROOT, capture_output=True, text=True, timeout=180, check=True
    )
    return ran.stdout.splitlines()[-1].split() if ran.stdout.strip() else []


def test_help_and_wrong_options_load_nothing_heavy() -> None:
    code = "from simulator.cli import main\ntry:\n    main({})\nexcept SystemExit: pass"
    assert loaded(code.format(["--help"])) == []
    assert loaded(code.format(["--speed", "fast"])) == []


def test_a_venue_whose_keys_are_all_hmac_loads_no_cryptography() -> None:
    code = """
import asyncio
from simulator.config import SimulatorConfig
from simulator.server import running
async def main():
    async with running(SimulatorConfig(symbols=("BTCUSDT",))): pass
asyncio.run(main())
"""
    assert "cryptography" not in loaded(code)
