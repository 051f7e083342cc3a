"""The order book of one symbol: users' orders in price-time order, laid over the background's liquidity.

Nothing of the background is an order. A user's order rests behind the background quantity that stood at its price when
it came (`ahead`), and a taker eats a price level from the front: that quantity, the order, and so on to the level's
end. The book decides who trades next; the exchange settles the trade and then says so with `execute`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Generic, TypeVar

from simulator.market.types import Liquidity, Print, Side
from simulator.matching.half import Half, Match, Resting, Slice
from simulator.units import ONE

__all__ = ["Book", "Match", "Resting"]

O = TypeVar("O", bound=Resting)  # noqa: E741  (an order)


class Book(Generic[O]):
    """Users' orders of one symbol over its `Liquidity`.

    `moves_unseen` counts the moves of the background of which nobody told the book, because nobody was looking.
    """

    __slots__ = ("_asks", "_bids", "_changes", "_liquidity", "_moves_unseen", "readers")

    def __init__(self, liquidity: Liquidity, moves_unseen: Callable[[], int] = lambda: 0) -> None:
        self._liquidity = liquidity
        self._moves_unseen = moves_unseen
        self._bids: Half[O] = Half("BUY")
        self._asks: Half[O] = Half("SELL")
        self._changes = 1
        self.readers: list[Callable[[], None]] = []
        """Told before a snapshot is given out, so that a stream of changes can start from what it shows."""

    @property
    def update_id(self) -> int:
        """Grows by one at every visible change, seen or not: one id never stands for two books."""
        return self._changes + self._moves_unseen()

    def add(self, order: O, visible: int = 0) -> None:
        """Rest an order behind everything that stands at its price, and set its `ahead`.

        An iceberg order shows `visible` of its quantity at a time (0: all of it). Once that has traded, the next slice
        goes to the end of the queue at its price.
        """
        side = order.side
        order.ahead = self._liquidity.quantity(side, order.price)
        half = self._bids if side == "BUY" else self._asks
        half.add(order)
        if 0 < visible < order.remaining:
            half.slices[order.order_id] = Slice(visible, visible)
        self._changes += 1

    def remove(self, order: O) -> None:
        """Take a resting order away; raises KeyError when it does not rest here."""
        (self._bids if order.side == "BUY" else self._asks).remove(order)
        self._changes += 1

    def changed(self) -> None:
        """Say that a resting order's quantity was changed in place (an amend that keeps its priority)."""
        self._changes += 1

    def next_match(self, side: Side, limit: int | None, quantity: int) -> Match[O] | None:
        """The piece a taker on `side` gets next, at most `quantity` and not beyond `limit`; None when there is none.

        Nothing changes until `execute`.
        """
        half = self._asks if side == "BUY" else self._bids
        resting, sign = half.side, half.sign
        background = self._liquidity.best(resting)
        if half.keys and (background is None or half.keys[0] <= background * sign):
            key = half.keys[0]
            if limit is not None and key > limit * sign:
                return None
            price = key * sign
            order = half.first()
            if order.ahead and background == price:
                return Match(price, min(order.ahead, quantity), None, resting)
            return Match(price, min(half.shown(order), quantity), order, resting)
        if background is None or (limit is not None and background * sign > limit * sign):
            return None
        return Match(background, min(self._liquidity.quantity(resting, background), quantity), None, resting)

    def execute(self, match: Match[O]) -> None:
        """Take the piece off the book; a maker's `executed` must have been raised before."""
        self._changes += 1
        maker = match.maker
        half = self._bids if match.side == "BUY" else self._asks
        if maker is None:
            self._liquidity.consume(match.side, match.price, match.quantity)
            half.advance(match.price, match.quantity)
        elif maker.remaining <= 0:
            half.remove(maker)
        elif half.slices and half.use_slice(maker, match.quantity):
            maker.ahead = self._liquidity.quantity(match.side, match.price)

    def available(self, side: Side, limit: int | None, quantity: int, besides: int = 0) -> tuple[int, int]:
        """(quantity, quote) a taker on `side` could get now, up to `quantity`; orders of account `besides` left out.

        What iceberg orders hide counts: a taker reaches it.
        """
        sign = 1 if side == "BUY" else -1
        got = quote = 0
        for price, offered in self.levels(side, besides):
            if got >= quantity or (limit is not None and price * sign > limit * sign):
                break
            piece = min(offered, quantity - got)
            got += piece
            quote += price * piece // ONE
        return got, quote

    def levels(self, side: Side, besides: int = 0) -> Iterator[tuple[int, int]]:
        """(price, quantity) that a taker on `side` would meet, best first; orders of account `besides` left out.

        What iceberg orders hide is part of it.
        """
        return (self._asks if side == "BUY" else self._bids).merged(self._liquidity, besides, hidden=True)

    def on_print(self, p: Print) -> list[Match[O]]:
        """The users' orders that a market print fills, in price-time order; settle and `execute` each.

        Orders better than the print's price fill whole at their own prices. At its price the print's quantity first
        eats what stands ahead, then the orders; `ahead` is lowered here.
        """
        half = self._asks if p.taker == "BUY" else self._bids
        limit = p.price * half.sign
        matches: list[Match[O]] = []
        for key in half.keys:
            if key > limit:
                break
            if key == limit:
                half.eat(p, matches)
            else:
                price = key * half.sign
                matches.extend(Match(price, order.remaining, order, half.side) for order in half.at(key))
        return matches

    def background_moved(self) -> list[O]:
        """Take note that the background stands elsewhere now: queues shrink to what is shown.

        Gives the users' orders that now stand at or through the opposite best of the background, best price first:
        the market has traded through them, so the exchange fills them at their own prices.
        """
        self._changes += 1
        crossed: list[O] = []
        for half, other in ((self._bids, self._asks), (self._asks, self._bids)):
            if not half.keys:
                continue
            half.shrink(self._liquidity)
            opposite = self._liquidity.best(other.side)
            if opposite is not None:
                crossed.extend(half.up_to(opposite * half.sign))
        return crossed

    def best(self, side: Side) -> tuple[int, int] | None:
        """Best price of the resting `side` with all that is shown there, users and background."""
        half = self._bids if side == "BUY" else self._asks
        return next(half.merged(self._liquidity), None)

    def depth(self, limit: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Up to `limit` levels (price, quantity shown) of each side: bids from high to low, asks from low to high."""
        if limit > 1:
            for reader in self.readers:
                reader()
        liquidity = self._liquidity
        return (
            list(islice(self._bids.merged(liquidity), limit)),
            list(islice(self._asks.merged(liquidity), limit)),
        )

    def user_orders(self, side: Side | None = None) -> Iterator[O]:
        """Users' resting orders in price-time order, bids first when no side is given."""
        if side != "SELL":
            yield from self._bids.orders()
        if side != "BUY":
            yield from self._asks.orders()

    @property
    def nearest_orders(self) -> tuple[int, int]:
        """Prices of the best bid and the best ask that a user has resting; 0, and beyond every price, without one."""
        bids, asks = self._bids.keys, self._asks.keys
        return (-bids[0] if bids else 0), (asks[0] if asks else 2**62)

    @property
    def has_orders(self) -> bool:
        """Whether any user's order rests here."""
        return bool(self._bids.keys or self._asks.keys)
