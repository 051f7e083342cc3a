"""One side of a book: price levels of users' orders, best price first.

Levels are keyed by price on the ask side and by minus price on the bid side, so that the best key is the lowest on
both and one code serves them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from simulator.market.types import Liquidity, Print, Side


class Resting(Protocol):
    """What the book must know of an order."""

    order_id: int
    account_id: int
    side: Side
    price: int
    ahead: int

    @property
    def remaining(self) -> int:
        """Quantity that can still trade."""


O = TypeVar("O", bound=Resting)  # noqa: E741  (an order)


@dataclass(slots=True)
class Match(Generic[O]):
    """A piece of a trade that is next in line: what rests, on which side, and whose it is."""

    price: int
    quantity: int
    maker: O | None
    """None is the background."""
    side: Side
    """Side of what rests, the opposite of the taker's."""


@dataclass(slots=True)
class Slice:
    """What an iceberg order shows: `left` of its present slice, `size` of every new one."""

    size: int
    left: int


class Half(Generic[O]):
    """Users' orders of one side. A level is a dict in order of arrival: first in, first out, removal by id."""

    __slots__ = ("_levels", "keys", "side", "sign", "slices")

    def __init__(self, side: Side) -> None:
        self.side: Side = side
        self.sign = 1 if side == "SELL" else -1
        self.keys: list[int] = []
        self._levels: dict[int, dict[int, O]] = {}
        self.slices: dict[int, Slice] = {}
        """Iceberg orders by id; all others show everything."""

    def add(self, order: O) -> None:
        """Rest an order at the end of its level."""
        key = order.price * self.sign
        level = self._levels.get(key)
        if level is None:
            insort(self.keys, key)
            self._levels[key] = {order.order_id: order}
        else:
            level[order.order_id] = order

    def remove(self, order: O) -> None:
        """Take an order away; raises KeyError when it is not here."""
        key = order.price * self.sign
        level = self._levels[key]
        del level[order.order_id]
        self.slices.pop(order.order_id, None)
        if not level:
            del self._levels[key]
            del self.keys[bisect_left(self.keys, key)]

    def shown(self, order: O) -> int:
        """How much of an order can be seen, and trades before it must queue again."""
        part = self.slices.get(order.order_id) if self.slices else None
        return order.remaining if part is None else min(part.left, order.remaining)

    def use_slice(self, order: O, quantity: int) -> bool:
        """Some of an order has traded; True when that was all it showed: its next slice waits at the level's end."""
        part = self.slices.get(order.order_id)
        if part is None:
            return False
        part.left -= quantity
        if part.left > 0:
            return False
        part.left = part.size
        level = self._levels[order.price * self.sign]
        level[order.order_id] = level.pop(order.order_id)
        return True

    def first(self) -> O:
        """The order that is first in line; there must be one."""
        return next(iter(self._levels[self.keys[0]].values()))

    def at(self, key: int) -> Iterable[O]:
        """Orders of one level, oldest first."""
        return self._levels[key].values()

    def orders(self) -> Iterator[O]:
        """Every order in price-time order."""
        for key in self.keys:
            yield from self._levels[key].values()

    def up_to(self, key: int) -> Iterator[O]:
        """Orders at or better than a key, in price-time order."""
        for own in self.keys:
            if own > key:
                return
            yield from self._levels[own].values()

    def advance(self, price: int, quantity: int) -> None:
        """Move the queue at a price forward: `quantity` of the background in front has traded."""
        for order in self._levels.get(price * self.sign, {}).values():
            order.ahead = max(order.ahead - quantity, 0)

    def eat(self, p: Print, matches: list[Match[O]]) -> None:
        """Let a print trade through the level at its own price: background ahead first, then orders, up to its size.

        An iceberg order trades what it shows; its next slice stands behind everything, for later prints.
        """
        left, eaten = p.quantity, 0
        for order in self.at(p.price * self.sign):
            background = min(max(order.ahead - eaten, 0), left)
            eaten += background
            left -= background
            piece = min(self.shown(order), left)
            if piece <= 0:
                break
            left -= piece
            matches.append(Match(p.price, piece, order, self.side))
        if eaten:
            self.advance(p.price, eaten)

    def shrink(self, liquidity: Liquidity) -> None:
        """Lower `ahead` to what the background shows now; it never grows."""
        for key, level in self._levels.items():
            last = next(reversed(level.values()))
            if not last.ahead:
                continue  # the last order of a level waits longest, so nobody waits here
            shown = liquidity.quantity(self.side, key * self.sign)
            if last.ahead > shown:
                for order in level.values():
                    order.ahead = min(order.ahead, shown)

    def merged(self, liquidity: Liquidity, besides: int = 0, hidden: bool = False) -> Iterator[tuple[int, int]]:
        """(price, quantity) of users and background together, best first; orders of account `besides` left out.

        Of iceberg orders what they show counts, or all with `hidden`.
        """
        hidden = hidden or not self.slices
        sign = self.sign
        background = liquidity.walk(self.side)
        there = next(background, None)
        for key in self.keys:
            while there is not None and there[0] * sign < key:
                yield there
                there = next(background, None)
            orders = self._levels[key].values()
            if hidden:
                total = sum(order.remaining for order in orders if order.account_id != besides)
            else:
                total = sum(self.shown(order) for order in orders if order.account_id != besides)
            if there is not None and there[0] * sign == key:
                total += there[1]
                there = next(background, None)
            if total:
                yield key * sign, total
        if there is not None:
            yield there
            yield from background
