from __future__ import annotations

import random

import pytest

from simulator.accounts import AccountBook
from simulator.clock import MarketClock
from simulator.errors import VenueError
from simulator.events import Bus, Event, TradeHappened
from simulator.market import open_market
from simulator.market.types import Print, Side
from simulator.spot.exchange import SpotExchange
from simulator.spot.types import NewOrder
from simulator.tape import Tape
from simulator.units import ONE
from tests.simulator.spot.oracle import replayed_balances

SYMBOL = "BTCUSDT"


class Run:
    """One customer trading at random on the generated market, some minutes long."""

    def __init__(self, seed: int, turns: int = 60) -> None:
        source = open_market("generated:1", symbols=(SYMBOL,))
        self.clock = MarketClock(source.start_ms)
        bus, accounts = Bus(), AccountBook()
        bus.join(self._hear)
        self.tape = Tape(self.clock)
        self.exchange = SpotExchange(self.clock, bus, self.tape, accounts)
        self.account = accounts.create("one").account_id
        for instrument, market in source.listings("spot"):
            self.exchange.list_symbol(instrument, market)
        self.market = self.exchange.market(SYMBOL)
        self.exchange.deposit(self.account, "BTC", 1000 * ONE)
        self.exchange.deposit(self.account, "USDT", 100_000_000 * ONE)
        self.prints: list[Print] = []
        self.trades: list[TradeHappened] = []
        self.began_ms = self.clock.now_ms()
        chance = random.Random(seed)
        for _ in range(turns):
            self._turn(chance)

    def _hear(self, event: Event) -> None:
        if isinstance(event, TradeHappened):
            self.trades.append(event)

    def _turn(self, chance: random.Random) -> None:
        tick = self.exchange.instrument(SYMBOL).filters.tick
        side: Side = "BUY" if chance.random() < 0.5 else "SELL"
        price = (self.market.last_price // tick + chance.randrange(-300, 300)) * tick
        quantity = chance.randrange(1, 300) * ONE // 1000
        orders = [
            NewOrder(SYMBOL, side, "LIMIT", "GTC", quantity=quantity, price=price),
            NewOrder(SYMBOL, side, "MARKET", quote_quantity=chance.randrange(10, 90_000) * ONE),
            NewOrder(SYMBOL, side, "STOP_LOSS", quantity=quantity, stop_price=price),
        ]
        try:
            self.exchange.place(self.account, chance.choice(orders))
        except VenueError as refusal:
            assert refusal.code in (-1013, -2010), refusal  # noqa: PT017  (any other refusal is a bug)
        for due in self.market.due(self.clock.now_ms() + 3_000):
            self.clock.move_to(max(self.clock.now_ms(), due.time_ms))
            self.prints.append(due)
            self.exchange.on_print(SYMBOL, due)


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(seed=5)


def test_the_same_seed_and_requests_give_the_same_tape_byte_for_byte(run: Run) -> None:
    assert list(Run(seed=5).tape.lines()) == list(run.tape.lines())
    assert list(Run(seed=6).tape.lines()) != list(run.tape.lines())


def test_money_is_kept_and_the_tape_replays_to_it(run: Run) -> None:
    assert run.exchange.totals() == {"BTC": 1000 * ONE, "USDT": 100_000_000 * ONE}
    replayed = replayed_balances(run.tape)
    for asset, held in run.exchange.balances(run.account).items():
        assert replayed[run.account, asset] == (held.free, held.locked)


def test_the_bars_hold_every_trade_and_nothing_else(run: Run) -> None:
    bars = [bar for bar in run.market.bars("1m", run.began_ms // 60_000 * 60_000, None, 1000) if bar.trades]
    late = [event.trade for event in run.trades]
    assert len(late) > len(run.prints)
    last = bars[-1]
    inside = [trade for trade in late if last.open_ms <= trade.time_ms <= last.close_ms]
    assert last.volume == sum(trade.quantity for trade in inside)
    assert (last.high, last.low) == (max(t.price for t in inside), min(t.price for t in inside))


def test_every_fill_of_the_customer_is_a_public_trade(run: Run) -> None:
    public = {event.trade.trade_id: event.trade for event in run.trades}
    fills = run.exchange.trades(run.account, SYMBOL, limit=100_000)
    assert len(fills) > 20
    for fill in fills:
        trade = public[fill.trade_id]
        assert (trade.price, trade.quantity, trade.quote) == (fill.price, fill.quantity, fill.quote)
        assert fill.order_id in (trade.maker_order_id, trade.taker_order_id)
