"""What the parts of the futures exchange share: clock, bus, tape, accounts, and the listed symbols."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from simulator.futures.refusals import refuse
from simulator.futures.types import FuturesOrder
from simulator.market.types import Side, Trade
from simulator.matching.book import Book

if TYPE_CHECKING:
    from simulator.accounts import AccountBook
    from simulator.clock import MarketClock
    from simulator.events import Bus
    from simulator.instruments import Instrument
    from simulator.market.symbol_market import SymbolMarket
    from simulator.tape import Tape


class Listing:
    """One listed symbol. The mark price is the last print of the market, which customers' own trades do not move."""

    __slots__ = ("_mark", "_own_price", "book", "instrument", "market")

    def __init__(self, instrument: Instrument, market: SymbolMarket) -> None:
        self.instrument = instrument
        self.market = market
        self.book: Book[FuturesOrder] = Book(market.liquidity, market.prints_skipped)
        self._mark = market.last_price
        self._own_price: int | None = None
        """Price of the customers' latest trade, while it is the market's last."""

    @property
    def mark(self) -> int:
        """Mark price (and index price) now."""
        last = self.market.last_price
        if self._own_price is None or last != self._own_price:
            self._mark, self._own_price = last, None
        return self._mark

    def printed(self, price: int) -> None:
        """The market has printed: that is the mark price now."""
        self._mark, self._own_price = price, self.market.last_price

    def record(self, time_ms: int, price: int, quantity: int, taker: Side, maker: int = 0, order: int = 0) -> Trade:
        """Record a customer's trade, which does not move the mark price."""
        held = self.mark
        trade = self.market.record(time_ms, price, quantity, taker, maker, order)
        self._mark, self._own_price = held, price
        return trade

    @property
    def trades_freely(self) -> bool:
        """Whether orders may match."""
        return self.instrument.status == "TRADING"


class Core:
    """Shared ground of the parts, and the list of what must be looked at again after a change."""

    def __init__(self, clock: MarketClock, bus: Bus, tape: Tape, accounts: AccountBook) -> None:
        self.clock = clock
        self.bus = bus
        self.tape = tape
        self.accounts = accounts
        self.listings: dict[str, Listing] = {}
        self.order_ids = count(1)
        self.transaction_ids = count(1)
        self.moved_symbols: dict[str, None] = {}
        """Symbols whose price changed since triggers were last looked at."""
        self.touched_accounts: dict[int, None] = {}
        """Accounts whose margin changed since liquidation was last looked at."""

    def listing(self, symbol: str) -> Listing:
        """A listed symbol; raises -1121 when there is none."""
        try:
            return self.listings[symbol]
        except KeyError:
            raise refuse(-1121) from None

    def now(self) -> int:
        """Market time in milliseconds."""
        return self.clock.now_ms()


def ceiling(numerator: int, denominator: int) -> int:
    """Division rounded up, for margins: never in the customer's favour."""
    return -(-numerator // denominator)
