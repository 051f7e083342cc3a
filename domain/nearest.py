"""More levels than orders allowed: the nearest to the price work, the others wait."""

from __future__ import annotations

from collections.abc import Iterable

from domain.lawful import lawful
from domain.order import ENTRY, OPEN, Order
from domain.slots import Wish


@lawful
def distance(ticks: int, last_ticks: int) -> int:
    """How far a price is from the last price, in ticks; a market order (0 ticks) is nearest of all."""
    return abs(ticks - last_ticks) if ticks else -1


def nearest_first(wishes: Iterable[Wish], last_ticks: int) -> list[Wish]:
    """Wishes by distance, ties by slot."""
    return sorted(wishes, key=lambda wish: (distance(wish.ticks, last_ticks), wish.slot))


def to_make_room(waiting: Iterable[Wish], working: Iterable[Order], last_ticks: int) -> Order | None:
    """The working entry to cancel so that a nearer waiting one can work; None when none is farther.

    The farthest must be farther than the nearest waiting one by more than a tenth, so that two levels at about the
    same distance do not take turns. Exits are never given up.
    """
    nearest = next(iter(nearest_first(waiting, last_ticks)), None)
    entries = [order for order in working if order.key.leg == ENTRY and order.status == OPEN and order.filled == 0]
    if nearest is None or not entries:
        return None
    farthest = max(entries, key=lambda order: (distance(order.ticks, last_ticks), order.key.slot))
    gained = distance(farthest.ticks, last_ticks) * 10 > distance(nearest.ticks, last_ticks) * 11
    return farthest if gained else None
