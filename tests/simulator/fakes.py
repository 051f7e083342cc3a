"""A market whose prices the test sets by hand, with the real one's words and none of its data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from simulator.market.types import Print, Side, Trade
from simulator.units import ONE, notional

if TYPE_CHECKING:
    from simulator.market.symbol_market import SymbolMarket


class FakeLiquidity:
    """`levels` price levels of `size` on each side, one tick apart, from the anchor outward.

    The best bid stands at the anchor, the best ask one tick above it. With `levels=0` the book is empty.
    """

    def __init__(self, anchor: int, tick: int, size: int, levels: int = 10) -> None:
        self.tick = tick
        self.size = size
        self.levels = levels
        self._sides: dict[Side, dict[int, int]] = {}
        self.anchor_at(anchor)

    def anchor_at(self, price: int) -> None:
        """Stand around another price, everything consumed put back."""
        count = range(self.levels)
        bids = {price - step * self.tick: self.size for step in count if price > step * self.tick}
        asks = {price + (step + 1) * self.tick: self.size for step in count}
        self._sides = {"BUY": bids, "SELL": asks}

    def set_level(self, side: Side, price: int, quantity: int) -> None:
        """Put a quantity at a price by hand; 0 takes the level away."""
        levels = self._sides[side]
        levels[price] = quantity
        if not quantity:
            del levels[price]
        self._sides[side] = dict(sorted(levels.items(), reverse=side == "BUY"))

    def best(self, side: Side) -> int | None:
        return next(iter(self._sides[side]), None)

    def quantity(self, side: Side, price: int) -> int:
        return self._sides[side].get(price, 0)

    def walk(self, side: Side) -> Iterator[tuple[int, int]]:
        return iter(list(self._sides[side].items()))

    def consume(self, side: Side, price: int, quantity: int) -> None:
        levels = self._sides[side]
        left = levels[price] - quantity
        if left < 0:
            raise AssertionError(f"consumed {quantity} of {levels[price]} at {price}")
        if left:
            levels[price] = left
        else:
            del levels[price]


class FakeSymbolMarket:
    """Records trades and tells the price; prints come from the test through the exchange's `on_print`."""

    def __init__(self, symbol: str, price: int, tick: int, size: int = ONE, levels: int = 10) -> None:
        self.symbol = symbol
        self.liquidity = FakeLiquidity(price, tick, size, levels)
        self.last_price = price
        self.has_ended = False
        self.average: int | None = None
        """Overrides the average price; None takes the last price."""
        self.recorded: list[Trade] = []

    def prints_skipped(self) -> int:
        return 0

    def settle_print(self, p: Print) -> None:
        """A seller got the best bid, a buyer paid the best ask."""
        self.liquidity.anchor_at(p.price if p.taker == "SELL" else p.price - self.liquidity.tick)

    def record(
        self, time_ms: int, price: int, quantity: int, taker: Side, maker_order_id: int = 0, taker_order_id: int = 0
    ) -> Trade:
        trade = Trade(
            len(self.recorded) + 1,
            time_ms,
            price,
            quantity,
            notional(price, quantity),
            taker,
            maker_order_id,
            taker_order_id,
        )
        self.recorded.append(trade)
        self.last_price = price
        return trade

    def average_price(self, minutes: int = 5) -> int:
        return self.last_price if self.average is None else self.average

    def as_market(self) -> SymbolMarket:
        """The same object under the real market's type."""
        return cast("SymbolMarket", self)
