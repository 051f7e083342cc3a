"""The part of the venue that the streams look at; `simulator.venue.Venue` has it, and so do the fakes of tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from simulator.accounts import AccountBook
    from simulator.clock import MarketClock, ProtocolClock
    from simulator.events import Bus
    from simulator.faults import FaultBoard
    from simulator.instruments import Instrument, Market
    from simulator.market.symbol_market import SymbolMarket
    from simulator.streams.listen_keys import ListenKeys


class DepthBook(Protocol):
    """An order book, as its streams read it."""

    @property
    def readers(self) -> list[Callable[[], None]]:
        """Told before a snapshot of more than the best level is given out."""

    @property
    def update_id(self) -> int:
        """Grows with every change of the visible book."""

    def depth(self, limit: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Bids high to low and asks low to high, (price, quantity)."""


class Exchange(Protocol):
    """Either exchange: its symbols, books and markets."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Listed symbols."""

    def book(self, symbol: str) -> DepthBook:
        """The book of a symbol."""

    def market(self, symbol: str) -> SymbolMarket:
        """Trades and bars of a symbol."""


class FundingView(Protocol):
    """Funding, as markPrice shows it."""

    def rate(self, symbol: str) -> int:
        """Rate of the period that runs, in quanta of a fraction."""

    def next_ms(self, now_ms: int) -> int:
        """Market time of the next settlement."""


class FuturesExchangeView(Exchange, Protocol):
    """What only USD-M has."""

    @property
    def funding(self) -> FundingView:
        """Rates and times of funding."""

    def mark_price(self, symbol: str) -> int:
        """Mark price in quanta."""


class StreamVenue(Protocol):
    """Clocks, books, faults and accounts."""

    @property
    def clock(self) -> MarketClock:
        """Market time."""

    @property
    def protocol(self) -> ProtocolClock:
        """Protocol time."""

    @property
    def bus(self) -> Bus:
        """Where the exchanges publish."""

    @property
    def accounts(self) -> AccountBook:
        """Accounts and their keys."""

    @property
    def faults(self) -> FaultBoard:
        """Injected trouble."""

    @property
    def listen_keys(self) -> ListenKeys:
        """Keys of USD-M user data."""

    @property
    def futures(self) -> FuturesExchangeView:
        """The USD-M exchange."""

    def exchange(self, market: Market) -> Exchange:
        """Either exchange."""
