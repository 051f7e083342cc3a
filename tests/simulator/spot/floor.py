"""A spot exchange with hand-made prices, and short words for what customers do on it. Amounts are decimal texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from simulator.accounts import AccountBook
from simulator.catalogue import instrument_for
from simulator.clock import MarketClock
from simulator.errors import VenueError
from simulator.events import BookMoved, Bus, Event, TradeHappened
from simulator.instruments import Instrument
from simulator.market.types import Print, Side
from simulator.spot.exchange import SpotExchange
from simulator.spot.types import (
    AccountPosition,
    BalanceUpdate,
    ExecutionReport,
    ListStatus,
    NewOrder,
    OrderType,
    SpotOrder,
    TimeInForce,
)
from simulator.tape import Tape
from simulator.units import format_quanta, parse_quanta, trim_quanta
from tests.simulator.fakes import FakeSymbolMarket

SYMBOL = "BTCUSDT"
START_MS = 1_700_000_000_000
_QUANTA = ("quantity", "quote_quantity", "price", "stop_price", "iceberg_quantity")
E = TypeVar("E")


class Floor:
    """BTCUSDT at 100.00, tick 0.01; background of 1 BTC on each of ten levels, bids from 100.00, asks from 100.01.

    Accounts `alice` and `bob` hold 100,000 USDT and 100 BTC each.
    """

    def __init__(self, price: str = "100", size: str = "1", levels: int = 10) -> None:
        self.clock = MarketClock(START_MS)
        self.bus = Bus()
        self.tape = Tape(self.clock)
        self.accounts = AccountBook()
        self.exchange = SpotExchange(self.clock, self.bus, self.tape, self.accounts)
        self.markets: dict[str, FakeSymbolMarket] = {}
        self.market = self.list_symbol(SYMBOL, price, size, levels)
        self.deposits: dict[str, int] = {}
        self.alice = self.open_account("alice")
        self.bob = self.open_account("bob")
        self.events: list[Event] = []
        self.bus.join(self.events.append)

    def list_symbol(self, symbol: str, price: str, size: str = "1", levels: int = 10) -> FakeSymbolMarket:
        instrument = instrument_for("spot", symbol)
        market = FakeSymbolMarket(symbol, parse_quanta(price), instrument.filters.tick, parse_quanta(size), levels)
        self.markets[symbol] = market
        self.exchange.list_symbol(instrument, market.as_market())
        return market

    def open_account(self, name: str, usdt: str = "100000", btc: str = "100") -> int:
        account_id = self.accounts.create(name).account_id
        self.deposit(account_id, "USDT", usdt)
        self.deposit(account_id, "BTC", btc)
        return account_id

    def deposit(self, account_id: int, asset: str, amount: str) -> None:
        quanta = parse_quanta(amount)
        self.exchange.deposit(account_id, asset, quanta)
        self.deposits[asset] = self.deposits.get(asset, 0) + quanta

    def instrument(self) -> Instrument:
        return self.exchange.instrument(SYMBOL)

    def filters(self, **changes: int) -> None:
        self.exchange.set_instrument(self.instrument().with_filters(**changes))

    def request(self, side: Side, kind: OrderType = "LIMIT", tif: TimeInForce | None = None, **fields: Any) -> NewOrder:
        """A request; LIMIT types are GTC unless told otherwise."""
        if tif is None and kind in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"):
            tif = "GTC"
        amounts: dict[str, Any] = {
            name: parse_quanta(value) if name in _QUANTA else value for name, value in fields.items()
        }
        return NewOrder(SYMBOL, side, kind, tif, **amounts)

    def place(
        self, account_id: int, side: Side, kind: OrderType = "LIMIT", tif: TimeInForce | None = None, **fields: Any
    ) -> SpotOrder:
        return self.exchange.place(account_id, self.request(side, kind, tif, **fields))

    def print(self, price: str, quantity: str, taker: Side, after_ms: int = 100) -> None:
        """A background trade `after_ms` later."""
        self.clock.move_to(self.clock.now_ms() + after_ms)
        p = Print(self.clock.now_ms(), parse_quanta(price), parse_quanta(quantity), taker)
        self.exchange.on_print(SYMBOL, p)

    def balance(self, account_id: int, asset: str) -> tuple[str, str]:
        """(free, locked) as short decimal texts."""
        held = self.exchange.balances(account_id).get(asset)
        return ("0", "0") if held is None else (trim_quanta(held.free), trim_quanta(held.locked))

    def taken(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def story(self) -> list[str]:
        """What was published, one short line each: reports, trades, positions, list states."""
        return [line for event in self.events if (line := _line(event))]

    def fills(self, order: SpotOrder) -> list[tuple[str, str]]:
        return [(trim_quanta(fill.price), trim_quanta(fill.quantity)) for fill in order.fills]

    def executed(self, order: SpotOrder) -> str:
        return trim_quanta(order.executed)


def _line(event: Event) -> str:
    if isinstance(event, ExecutionReport):
        return f"{event.execution} {event.order.order_id} of {event.order.account_id}"
    if isinstance(event, TradeHappened):
        return f"trade {trim_quanta(event.trade.quantity)} at {trim_quanta(event.trade.price)}"
    if isinstance(event, AccountPosition):
        return f"position of {event.account_id}: {' '.join(event.balances)}"
    if isinstance(event, BalanceUpdate):
        return f"balance of {event.account_id}: {event.asset} {format_quanta(event.delta)}"
    if isinstance(event, ListStatus):
        return f"list {event.order_list.order_list_id}"
    return "book" if isinstance(event, BookMoved) else ""


def refusal(action: Callable[[], object]) -> tuple[int, str]:
    """Code and text of the refusal that an action must meet."""
    with pytest.raises(VenueError) as caught:
        action()
    return caught.value.code, caught.value.message
