"""Reserved and spent stay within the limit whatever comes when; nothing stays reserved once all has ended (I-12)."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as some

from domain import ledger
from domain.capital import fill_entry, locked
from domain.client_order_id import OrderKey, encode
from domain.fill import Fill
from domain.instance import Instance
from domain.order import BUY, CANCELLED, ENTRY, EXIT, LIMIT, OPEN, REJECTED, SELL, Order, OrderReport, is_terminal
from domain.risk_manager import APPROVED, RiskLimits, check
from engine.books import Books, LastPrice
from tests.law_harness import BTCUSDT

PRICE = 6_000_000
CAPITAL = 300 * 10**8
LIMITS = RiskLimits(max_price_age_ms=10**15, max_messages=0, max_rejections=0, collar_ppm=0, capital=CAPITAL)
VERBS = some.lists(
    some.tuples(some.sampled_from(["buy", "sell", "trade", "trade", "end", "refuse", "hear", "hear"]),
                some.integers(0, 99), some.integers(1, 200)), max_size=80)  # fmt: skip


class Desk:
    """One instance's law and books, a venue that knows the truth, and news of it that come whenever they like."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        price = LastPrice()
        price.see(PRICE, 0)
        self.instance = Instance(1, 1, 0, BTCUSDT, lambda *_: 0, None)
        self.instance.begin(6, 0)
        self.books = Books(1, BTCUSDT, price, is_margin=False)
        start = ledger.transfer("capital", 0, "USDT", 2 * CAPITAL, ledger.UNALLOCATED, ledger.cash(1))
        self.books.ledger.post(start)
        self.truth: dict[str, Order] = {}
        self.news: list[OrderReport | Fill] = []
        self.trades = 0
        self.cycle = 0

    def wish(self, side: int, pick: int, lots: int) -> None:
        slot = pick % 6
        if not self.instance.is_free(slot):
            return
        self.cycle += 1
        leg = ENTRY if side == BUY else EXIT
        key = OrderKey(1, 1, 0, slot, self.cycle, leg, 0)
        ticks = PRICE + side * -1_000 * (pick % 5)
        order = Order(key, encode(key), "BTCUSDT", side, LIMIT, ticks, lots, reduce_only=side == SELL)
        view = self.books.risk_view(self.instance, 0, 0)
        if check(LIMITS, view, self.books.intent_of(order)) == APPROVED:
            self.instance.track(order)
            self.truth[order.client_order_id] = order._replace(status=OPEN)

    def trade(self, pick: int, lots: int) -> None:
        live = [order for order in self.truth.values() if not is_terminal(order)]
        if not live:
            return
        order = live[pick % len(live)]
        lots = min(lots, order.lots - order.filled)
        self.trades += 1
        ticks = order.ticks - order.side * (pick % 3)
        received = lots * (BTCUSDT.base_per_lot if order.side == BUY else ticks * BTCUSDT.tick_lot)
        asset = "BTC" if order.side == BUY else "USDT"
        name = order.client_order_id
        fill = Fill("BTCUSDT", str(self.trades), name, order.side, ticks, lots, received // 1_000, asset, True, 0)
        filled = order.filled + lots
        status = 5 if filled == order.lots else OPEN
        self.truth[name] = order._replace(filled=filled, status=status)
        self.news += [fill, OrderReport(name, "9", status, filled, 0)]

    def end(self, pick: int, status: int) -> None:
        live = [order for order in self.truth.values() if not is_terminal(order)]
        if status == REJECTED:
            live = [order for order in live if not order.filled]
        if live:
            order = live[pick % len(live)]
            self.truth[order.client_order_id] = order._replace(status=status)
            self.news.append(OrderReport(order.client_order_id, "9", status, order.filled, 0))

    def hear(self, pick: int, *, again: bool) -> None:
        if not self.news:
            return
        item = self.news[pick % len(self.news)] if again else self.news.pop(pick % len(self.news))
        if isinstance(item, OrderReport):
            self.instance.on_report(item, 0)
        elif not self.instance.has_booked(item.symbol, item.trade_id):
            self.instance.on_fill(item, 0)
            self.books.post(fill_entry(1, BTCUSDT, item), item)

    def do(self, verb: str, pick: int, lots: int) -> None:
        if verb in ("buy", "sell"):
            self.wish(BUY if verb == "buy" else SELL, pick, lots)
        elif verb == "trade":
            self.trade(pick, lots)
        elif verb in ("end", "refuse"):
            self.end(pick, CANCELLED if verb == "end" else REJECTED)
        else:
            self.hear(pick, again=lots % 3 == 0)

    def check(self) -> None:
        counted = self.instance.working.locked(BTCUSDT, PRICE)
        assert counted == locked(BTCUSDT, self.instance.orders.values(), PRICE), "the running sums are off"
        view = self.books.risk_view(self.instance, 0, 0)
        assert view.committed <= CAPITAL, f"{view.committed} are reserved and spent; {CAPITAL} may"
        assert view.free_quote >= 0
        assert view.free_lots >= 0
        live = [order for order in self.truth.values() if not is_terminal(order)]
        could = sum((order.lots - order.filled) * order.ticks * BTCUSDT.tick_lot for order in live if order.side == BUY)
        assert could <= locked(BTCUSDT, self.instance.orders.values(), PRICE).quote, "the venue could spend more"

    def settle(self) -> None:
        while any(not is_terminal(order) for order in self.truth.values()):
            self.end(0, CANCELLED)
        while self.news:
            self.hear(self.chance.randrange(len(self.news)), again=False)


@settings(max_examples=60)
@given(verbs=VERBS, seed=some.integers(0, 999))
def test_reserved_and_spent_stay_within_the_limit_and_nothing_stays_reserved(
    verbs: list[tuple[str, int, int]], seed: int
) -> None:
    desk = Desk(seed)
    for verb in verbs:
        desk.do(*verb)
        desk.check()
    desk.settle()
    desk.check()
    assert locked(BTCUSDT, desk.instance.orders.values(), PRICE) == (0, 0)
    view = desk.books.view(desk.instance, 0)
    assert view.free_quote == desk.books.ledger.balance(ledger.cash(1), "USDT")
    assert view.free_base == desk.books.ledger.balance(ledger.cash(1), "BTC") == desk.instance.position.lots
    assert set(desk.books.ledger.proof().values()) <= {0}
    if desk.instance.position.lots == 0:
        assert desk.books.risk_view(desk.instance, 0, 0).committed == 0


def test_the_limit_is_reached() -> None:
    desk = Desk(0)
    for slot in range(6):
        desk.wish(BUY, slot, 200)
    assert len(desk.truth) == 2
