"""When an order that is held back is tried again: when what holds it back can have changed, and now and then anyway.

An instance whose orders wait for capital, or for another day, is not woken by every price.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from domain.risk_manager import outside_collar, stale_price, throttled, too_many_open_orders
from engine.engine_status import EngineSettings
from engine.gate import OUTSIDE_PRICE_RANGE, PAUSING, TOO_MANY_NEW_ORDERS

#: What holds an order back that no rule has looked at yet.
NOT_PLACED: Final = "not placed yet"
#: A price may end these. Where too many orders rest, the nearest to the price go first.
_BY_PRICE: Final = frozenset(
    {stale_price.__name__, outside_collar.__name__, too_many_open_orders.__name__, OUTSIDE_PRICE_RANGE}
)
#: Nobody tells when these are over: a moment passes.
_BY_TIME: Final = frozenset({throttled.__name__, stale_price.__name__, PAUSING, NOT_PLACED})


def hears_prices(held: Collection[str]) -> bool:
    """Whether any price may free what is held back."""
    return not _BY_PRICE.isdisjoint(held)


def retry_seconds(held: Collection[str], settings: EngineSettings) -> float | None:
    """How long until it is tried again although nothing has happened; None when nothing is held back."""
    if not held:
        return None
    if not _BY_TIME.isdisjoint(held):
        return settings.parked_retry
    return settings.parked_longest if TOO_MANY_NEW_ORDERS not in held else settings.paced_retry
