"""How fast the simulator's matching is, in one process on one core: the book alone, then the whole spot exchange.

    python -m benchmarks.bench_simulator_matching [--seconds 2]

The market is the generated one (seed 1). Every action of the exchange writes its postings and reports to a tape in
memory and publishes its events to one listener. Nothing is asserted: read the table.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from simulator.accounts import AccountBook
from simulator.clock import MarketClock
from simulator.errors import VenueError
from simulator.events import Bus, Event
from simulator.market import MarketSource, SymbolMarket, open_market
from simulator.market.types import Side
from simulator.matching.book import Book
from simulator.spot.exchange import SpotExchange
from simulator.spot.types import NewOrder
from simulator.tape import Tape
from simulator.units import ONE

SYMBOL = "BTCUSDT"
Action = Callable[[], int]
"""Does some operations and gives how many."""


@dataclass(slots=True, eq=False)
class BareOrder:
    """An order with no more than the book needs."""

    order_id: int
    side: Side
    price: int
    quantity: int
    account_id: int = 1
    executed: int = 0
    ahead: int = 0

    @property
    def remaining(self) -> int:
        return self.quantity - self.executed


class BookMix:
    """300 resting orders around the price; then one add, one cancel, and every fifth time one taker that matches."""

    def __init__(self, market: SymbolMarket, tick: int, lot: int) -> None:
        self._book: Book[BareOrder] = Book(market.liquidity)
        self._price, self._tick, self._lot = market.last_price // tick * tick, tick, lot
        self._chance = random.Random(1)
        self._number = 0
        self._resting: dict[int, BareOrder] = {}
        for _ in range(300):
            self._add()

    def _add(self) -> None:
        self._number += 1
        offset = 1 + self._chance.randrange(200)
        side: Side = "BUY" if self._number % 2 else "SELL"
        price = self._price + (-offset if side == "BUY" else offset) * self._tick
        order = BareOrder(self._number, side, price, self._lot * 50)
        self._book.add(order)
        self._resting[order.order_id] = order

    def run(self) -> int:
        book, resting = self._book, self._resting
        for turn in range(100):
            self._add()
            book.remove(resting.pop(next(iter(resting))))
            if turn % 5 == 0:
                self._take(book, "SELL" if turn % 2 else "BUY")
        return 220

    def _take(self, book: Book[BareOrder], side: Side) -> None:
        match = book.next_match(side, None, self._lot * 20)
        if match is None:
            return
        if match.maker is not None:
            match.maker.executed += match.quantity
            if not match.maker.remaining:
                del self._resting[match.maker.order_id]
        book.execute(match)


class Floor:
    """A spot exchange with one funded account and one listener on its bus."""

    def __init__(self, source: MarketSource) -> None:
        self.heard = 0
        self.clock = MarketClock(source.start_ms)
        bus, accounts = Bus(), AccountBook()
        bus.join(self._hear)
        self.exchange = SpotExchange(self.clock, bus, Tape(self.clock), accounts)
        self.account = accounts.create("bench").account_id
        for instrument, market in source.listings("spot"):
            self.exchange.list_symbol(instrument, market)
        self.filters = self.exchange.instrument(SYMBOL).filters
        self.market = self.exchange.market(SYMBOL)
        for asset in ("BTC", "USDT"):
            self.exchange.deposit(self.account, asset, 10**9 * ONE)
        self._chance = random.Random(2)

    def _hear(self, _: Event) -> None:
        self.heard += 1

    def near(self, ticks: int) -> int:
        return (self.market.last_price // self.filters.tick + ticks) * self.filters.tick

    def place_and_cancel(self) -> int:
        new = NewOrder(SYMBOL, "BUY", "LIMIT", "GTC", quantity=ONE // 100, price=self.near(-500))
        for _ in range(50):
            order = self.exchange.place(self.account, new)
            self.exchange.cancel(self.account, SYMBOL, order.order_id)
        return 100

    def mix(self) -> int:
        """Six placements near the price, two cancels, one market order, one print of the market."""
        exchange, chance = self.exchange, self._chance
        for turn in range(6):
            side: Side = "BUY" if turn % 2 else "SELL"
            price = self.near(chance.randrange(-100, 20) * (1 if side == "BUY" else -1))
            self._place(NewOrder(SYMBOL, side, "LIMIT", "GTC", quantity=ONE // 100, price=price))
        for order in exchange.open_orders(self.account, SYMBOL)[:2]:
            exchange.cancel(self.account, SYMBOL, order.order_id)
        self._place(NewOrder(SYMBOL, "BUY" if chance.random() < 0.5 else "SELL", "MARKET", quantity=ONE // 50))
        due = self.market.next_print_ms() or self.clock.now_ms()
        for trade_print in self.market.due(due):
            self.clock.move_to(max(self.clock.now_ms(), trade_print.time_ms))
            exchange.on_print(SYMBOL, trade_print)
        return 10

    def _place(self, new: NewOrder) -> None:
        try:
            self.exchange.place(self.account, new)
        except VenueError:
            self.exchange.cancel_all(self.account, SYMBOL)


def measure(name: str, action: Action, seconds: float) -> None:
    """Repeat an action for a while and print one line of the table."""
    action()
    operations, began, processor = 0, time.perf_counter(), time.process_time()
    while (spent := time.perf_counter() - began) < seconds:
        operations += action()
    processor = time.process_time() - processor
    print(f"{name:<44}{operations:>12,}{operations / spent:>14,.0f}{operations / processor:>14,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="time for each line of the table")
    parser.add_argument("--quick", action="store_true", help="a tenth of a second for each line")
    options = parser.parse_args()
    seconds = 0.1 if options.quick else options.seconds
    source = open_market("generated:1", symbols=(SYMBOL,))
    floor = Floor(source)
    book = BookMix(next(market for _, market in source.listings("spot")), floor.filters.tick, floor.filters.lot)
    print(f"{'what':<44}{'operations':>12}{'per second':>14}{'per cpu s':>14}")
    measure("book: add, cancel, match", book.run, seconds)
    measure("exchange: place a resting limit, cancel it", floor.place_and_cancel, seconds)
    measure("exchange: limits, cancels, market, prints", floor.mix, seconds)
    measure("exchange: average price (of each placement)", lambda: floor.market.average_price() and 1, seconds / 4)


if __name__ == "__main__":
    main()
