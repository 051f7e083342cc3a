"""A futures exchange with hand-made prices, and short words for what customers do on it. Amounts are decimal texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from simulator.accounts import AccountBook
from simulator.catalogue import instrument_for
from simulator.clock import MarketClock
from simulator.errors import VenueError
from simulator.events import Bus, Event
from simulator.futures.exchange import FuturesExchange
from simulator.futures.funding import FundingSchedule
from simulator.futures.reports import PositionRisk
from simulator.futures.types import (
    AccountUpdate,
    AlgoOrder,
    AlgoUpdate,
    FuturesOrder,
    Liquidation,
    MarginCall,
    NewOrder,
    OrderType,
    OrderUpdate,
    Position,
    PositionSide,
    TimeInForce,
)
from simulator.instruments import Instrument
from simulator.market.types import Print, Side
from simulator.tape import Tape
from simulator.units import parse_quanta, trim_quanta
from tests.simulator.fakes import FakeSymbolMarket

SYMBOL = "BTCUSDT"
HOUR_MS = 3_600_000
START_MS = 1_700_006_400_000 // (8 * HOUR_MS) * (8 * HOUR_MS) + HOUR_MS
"""One hour after a funding time."""
_QUANTA = ("quantity", "price", "trigger_price", "activate_price", "callback_rate")
E = TypeVar("E")


class Floor:
    """BTCUSDT at 50000.0, tick 0.1, lot 0.001; ten background levels of 1 BTC: bids from 50000.0, asks from 50000.1.

    Accounts `alice` and `bob` hold 100,000 USDT each; makers pay 0.02 %, takers 0.05 %.
    """

    def __init__(self, schedule: FundingSchedule | None = None, size: str = "1", levels: int = 10) -> None:
        self.clock = MarketClock(START_MS)
        self.bus = Bus()
        self.tape = Tape(self.clock)
        self.accounts = AccountBook()
        self.exchange = FuturesExchange(self.clock, self.bus, self.tape, self.accounts, schedule)
        self.market = self.list_symbol(SYMBOL, "50000", size, levels)
        self.alice = self.open_account("alice")
        self.bob = self.open_account("bob")
        self.events: list[Event] = []
        self.bus.join(self.events.append)

    def list_symbol(self, symbol: str, price: str, size: str = "1", levels: int = 10) -> FakeSymbolMarket:
        instrument = instrument_for("futures", symbol)
        market = FakeSymbolMarket(symbol, parse_quanta(price), instrument.filters.tick, parse_quanta(size), levels)
        self.exchange.list_symbol(instrument, market.as_market())
        return market

    def open_account(self, name: str, usdt: str = "100000") -> int:
        account_id = self.accounts.create(name).account_id
        if parse_quanta(usdt):
            self.exchange.deposit(account_id, "USDT", parse_quanta(usdt))
        return account_id

    def instrument(self) -> Instrument:
        return self.exchange.instrument(SYMBOL)

    def filters(self, **changes: int) -> None:
        self.exchange.set_instrument(self.instrument().with_filters(**changes))

    def request(self, side: Side, kind: OrderType = "LIMIT", tif: TimeInForce | None = None, **fields: Any) -> NewOrder:
        """A request; LIMIT orders are GTC unless told otherwise."""
        if tif is None and kind == "LIMIT":
            tif = "GTC"
        amounts: dict[str, Any] = {
            name: parse_quanta(value) if name in _QUANTA else value for name, value in fields.items()
        }
        return NewOrder(amounts.pop("symbol", SYMBOL), side, kind, time_in_force=tif, **amounts)

    def place(
        self, account_id: int, side: Side, kind: OrderType = "LIMIT", tif: TimeInForce | None = None, **fields: Any
    ) -> FuturesOrder:
        return self.exchange.place(account_id, self.request(side, kind, tif, **fields))

    def limit(self, account_id: int, side: Side, quantity: str, price: str, **fields: Any) -> FuturesOrder:
        return self.place(account_id, side, quantity=quantity, price=price, **fields)

    def buy(self, account_id: int, quantity: str, **fields: Any) -> FuturesOrder:
        return self.place(account_id, "BUY", "MARKET", quantity=quantity, **fields)

    def sell(self, account_id: int, quantity: str, **fields: Any) -> FuturesOrder:
        return self.place(account_id, "SELL", "MARKET", quantity=quantity, **fields)

    def algo(self, account_id: int, side: Side, kind: OrderType, **fields: Any) -> AlgoOrder:
        return self.exchange.algo.place(account_id, self.request(side, kind, **fields))

    def print(self, price: str, quantity: str = "0.001", taker: Side = "BUY", after_ms: int = 100) -> None:
        """A background trade `after_ms` later."""
        self.clock.move_to(self.clock.now_ms() + after_ms)
        p = Print(self.clock.now_ms(), parse_quanta(price), parse_quanta(quantity), taker)
        self.exchange.on_print(SYMBOL, p)

    def wait(self, milliseconds: int) -> None:
        """Let market time pass without a trade."""
        self.clock.move_to(self.clock.now_ms() + milliseconds)
        self.exchange.on_time(self.clock.now_ms())

    def position(self, account_id: int, side: PositionSide = "BOTH", symbol: str = SYMBOL) -> PositionRisk:
        lines = self.exchange.reports.positions(account_id, symbol)
        return next(line for line in lines if line.position_side == side)

    def held(self, account_id: int, side: PositionSide = "BOTH") -> str:
        return trim_quanta(self.position(account_id, side).quantity)

    def wallet(self, account_id: int, asset: str = "USDT") -> str:
        return trim_quanta(self.exchange.wallets.balance(account_id, asset))

    def cross(self, account_id: int, asset: str = "USDT") -> str:
        return trim_quanta(self.exchange.wallets.cross(account_id, asset))

    def available(self, account_id: int) -> str:
        return trim_quanta(self.exchange.reports.account(account_id).available_balance)

    def taken(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def incomes(self, account_id: int, kind: str) -> list[str]:
        return [trim_quanta(line.amount) for line in self.exchange.wallets.income(account_id, income_type=kind)]

    def is_conserved(self) -> bool:
        """Whether all money is where it should be: nothing made, nothing lost."""
        return self.exchange.totals() == self.exchange.wallets.paid_in()


class Story:
    """What the bus tells an account's owner, one short line each, read when it happens (events are live)."""

    def __init__(self, floor: Floor) -> None:
        self.lines: list[str] = []
        floor.bus.join(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, OrderUpdate):
            self.lines.append(f"{event.execution} {event.order.status} {trim_quanta(event.order.executed)}")
        elif isinstance(event, AccountUpdate):
            sizes = " ".join(_size(position) for position in event.positions)
            self.lines.append(f"account {event.reason} {sizes}".strip())
        elif isinstance(event, AlgoUpdate):
            self.lines.append(f"algo {event.algo.status}")
        elif isinstance(event, Liquidation):
            self.lines.append("forceOrder")
        elif isinstance(event, MarginCall):
            self.lines.append("margin call")


def _size(position: Position) -> str:
    return f"{position.position_side}={trim_quanta(position.quantity)}"


def status(order: FuturesOrder | AlgoOrder) -> str:
    """Status as it is now (a type checker would remember an earlier look)."""
    return order.status


def refusal(action: Callable[[], object]) -> tuple[int, str]:
    """Code and text of the refusal that an action must meet."""
    with pytest.raises(VenueError) as caught:
        action()
    return caught.value.code, caught.value.message
