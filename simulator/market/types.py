"""What the market side tells the exchanges: prints, trades, bars, and the port of the background book."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Side = Literal["BUY", "SELL"]


class Print(NamedTuple):
    """A trade of the background market that is about to happen; amounts in quanta, time in market milliseconds."""

    time_ms: int
    price: int
    quantity: int
    taker: Side


@dataclass(frozen=True, slots=True)
class Trade:
    """A public trade as it happened; user order ids are 0 where the background market was the party."""

    trade_id: int
    time_ms: int
    price: int
    quantity: int
    quote: int
    taker: Side
    maker_order_id: int = 0
    taker_order_id: int = 0

    @property
    def buyer_is_maker(self) -> bool:
        """The venue's `m`: true when the seller was the taker."""
        return self.taker == "SELL"


@dataclass(slots=True)
class Bar:
    """One kline; amounts in quanta, times in market milliseconds (close = open + interval - 1)."""

    open_ms: int
    close_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trades: int
    taker_volume: int
    taker_quote_volume: int
    first_trade_id: int = -1
    last_trade_id: int = -1


class Liquidity(Protocol):
    """The background book of one symbol: what the rest of the world offers now.

    `side` is the side of the resting liquidity: "SELL" is the ask side, that a buying taker consumes.
    """

    def best(self, side: Side) -> int | None:
        """Best price of that side, None when it is empty."""

    def quantity(self, side: Side, price: int) -> int:
        """Quantity offered at exactly this price, 0 when none."""

    def walk(self, side: Side) -> Iterator[tuple[int, int]]:
        """(price, quantity) from the best price outward, finite."""

    def consume(self, side: Side, price: int, quantity: int) -> None:
        """Take away what a user's taker order has just traded; it refills when the market next moves."""
