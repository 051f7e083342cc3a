"""Making the simulated market do what an order's life needs, on a venue that is stepped by its operator."""

from __future__ import annotations

from decimal import Decimal

from tests.simulator_process import SimulatorProcess

MINUTE_MS = 60_000
BTC = "BTCUSDT"


def pass_minute(venue: SimulatorProcess, minutes: int = 1) -> None:
    """A minute of market time."""
    venue.post("advance", {"ms": MINUTE_MS * minutes})


def shift(venue: SimulatorProcess, percent: str, symbol: str = BTC) -> None:
    """The price jumps, and a minute of prints happens at the new one."""
    venue.post("market/gap", {"symbol": symbol, "percent": percent})
    pass_minute(venue)


def off(price: str | Decimal, percent: int, tick: str = "0.01") -> str:
    """A price so many percent off another one, on the grid."""
    return str((Decimal(price) * (100 + percent) / 100).quantize(Decimal(tick)))


def more_than(quantity: str, extra: str = "0.5", step: str = "0.001") -> str:
    """A quantity that a level of the book cannot fill alone."""
    return str((Decimal(quantity) + Decimal(extra)).quantize(Decimal(step)))
