"""Whatever customers and the market do, in any order: money is kept, queues are just, the tape tells all."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from simulator.errors import VenueError
from simulator.market.types import Print, Side
from simulator.matching.book import Book
from simulator.spot.ledger import amount_text
from simulator.spot.types import NewList, NewOrder, SelfTradePrevention, SpotOrder, TimeInForce
from simulator.units import ONE, parse_quanta
from tests.simulator.fakes import FakeLiquidity
from tests.simulator.matching.test_book import Order, take
from tests.simulator.spot.floor import SYMBOL, Floor
from tests.simulator.spot.oracle import replayed_balances

TICK, LOT = ONE // 100, ONE // 100_000
sides = cast("st.SearchStrategy[Side]", st.sampled_from(["BUY", "SELL"]))
prices = st.integers(9_950, 10_050).map(lambda ticks: ticks * TICK)
quantities = st.integers(5_100, 400_000).map(lambda lots: lots * LOT)
tifs = cast("st.SearchStrategy[TimeInForce]", st.sampled_from(["GTC", "GTC", "GTC", "IOC", "FOK"]))
modes = cast(
    "st.SearchStrategy[SelfTradePrevention]",
    st.sampled_from(["NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"]),
)


class Exchange(RuleBasedStateMachine):
    """Two customers and the market, at random."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = Floor()
        self.floor.list_symbol("BNBUSDT", "500")
        self.floor.filters(maximum_algo_orders=50)
        for account_id in (self.floor.alice, self.floor.bob):
            self.floor.deposit(account_id, "BNB", "0.01")
        self.floor.accounts.account(self.floor.bob).pay_fees_in_bnb = True

    def _try(self, account_id: int, new: NewOrder) -> None:
        """Place; a refusal must leave no trace."""
        before = (len(self.floor.tape), len(self.floor.events))
        try:
            self.floor.exchange.place(account_id, new)
        except VenueError:
            assert (len(self.floor.tape), len(self.floor.events)) == before

    @rule(account=st.sampled_from([1, 2]), side=sides, price=prices, quantity=quantities, tif=tifs, mode=modes)
    def place_limit(
        self, account: int, side: Side, price: int, quantity: int, tif: TimeInForce, mode: SelfTradePrevention
    ) -> None:
        new = NewOrder(SYMBOL, side, "LIMIT", tif, quantity=quantity, price=price, self_trade_prevention=mode)
        self._try(account, new)

    @rule(account=st.sampled_from([1, 2]), side=sides, quantity=quantities, by_quote=st.booleans(), mode=modes)
    def place_market(self, account: int, side: Side, quantity: int, by_quote: bool, mode: SelfTradePrevention) -> None:
        amount: dict[str, Any] = {"quote_quantity": quantity * 100} if by_quote else {"quantity": quantity * 4}
        self._try(account, NewOrder(SYMBOL, side, "MARKET", self_trade_prevention=mode, **amount))

    @rule(account=st.sampled_from([1, 2]), side=sides, price=prices, quantity=quantities, trailing=st.booleans())
    def place_stop(self, account: int, side: Side, price: int, quantity: int, trailing: bool) -> None:
        trigger: dict[str, Any] = {"trailing_delta": 20} if trailing else {"stop_price": price}
        self._try(account, NewOrder(SYMBOL, side, "STOP_LOSS", quantity=quantity, **trigger))
        limit: dict[str, Any] = {"time_in_force": "GTC", "price": price, "quantity": quantity}
        self._try(account, NewOrder(SYMBOL, side, "TAKE_PROFIT_LIMIT", **limit, **trigger))

    @rule(account=st.sampled_from([1, 2]), quantity=quantities, width=st.integers(1, 40), kind=st.booleans())
    def place_list(self, account: int, quantity: int, width: int, kind: bool) -> None:
        last = self.floor.market.last_price
        pair = [
            NewOrder(SYMBOL, "SELL", "LIMIT_MAKER", quantity=quantity, price=last + width * TICK),
            NewOrder(SYMBOL, "SELL", "STOP_LOSS", quantity=quantity, stop_price=last - width * TICK),
        ]
        working = NewOrder(SYMBOL, "BUY", "LIMIT", "GTC", quantity=quantity, price=last - TICK)
        new = NewList(SYMBOL, "OCO", pair) if kind else NewList(SYMBOL, "OTOCO", [working, *pair])
        before = len(self.floor.tape)
        try:
            self.floor.exchange.place_list(account, new)
        except VenueError:
            assert len(self.floor.tape) == before

    def _open(self) -> list[SpotOrder]:
        return self.floor.exchange.open_orders(1) + self.floor.exchange.open_orders(2)

    @precondition(lambda self: self._open())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self._open()))
        self.floor.exchange.cancel(order.account_id, SYMBOL, order.order_id)
        assert not order.is_open

    @precondition(lambda self: self._open())
    @rule(data=st.data(), percent=st.integers(1, 110))
    def amend(self, data: st.DataObject, percent: int) -> None:
        order = data.draw(st.sampled_from(self._open()))
        quantity = order.quantity * percent // 100 // LOT * LOT
        before = len(self.floor.tape)
        try:
            self.floor.exchange.amend(order.account_id, SYMBOL, order.order_id, None, quantity)
        except VenueError:
            assert len(self.floor.tape) == before

    @rule(price=prices, quantity=quantities, taker=sides)
    def market_print(self, price: int, quantity: int, taker: Side) -> None:
        self.floor.clock.move_to(self.floor.clock.now_ms() + 50)
        self.floor.exchange.on_print(SYMBOL, Print(self.floor.clock.now_ms(), price, quantity, taker))

    @rule(steps=st.integers(-300, 300))
    def steer(self, steps: int) -> None:
        """The market jumps by an operator's hand: prints go on elsewhere."""
        self.market_print(max(self.floor.market.last_price + steps * TICK, 50 * ONE), LOT * 1000, "BUY")

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert self.floor.exchange.totals() == self.floor.deposits

    @invariant()
    def what_is_locked_is_locked_by_orders(self) -> None:
        exchange = self.floor.exchange
        for account_id in (1, 2):
            locked = {asset: held.locked for asset, held in exchange.balances(account_id).items()}
            for order in exchange.open_orders(account_id):
                locked["USDT" if order.side == "BUY" else "BTC"] -= order.locked
            for order_list in exchange.open_order_lists(account_id):
                locked["USDT" if order_list.orders[-1].side == "BUY" else "BTC"] -= order_list.locked
            assert not any(locked.values())

    @invariant()
    def the_book_is_never_crossed(self) -> None:
        book = self.floor.exchange.book(SYMBOL)
        bid, ask = book.best("BUY"), book.best("SELL")
        assert bid is None or ask is None or bid[0] < ask[0]

    @invariant()
    def orders_and_fills_agree(self) -> None:
        for account_id in (1, 2):
            for order in self.floor.exchange.all_orders(account_id, SYMBOL, limit=10_000):
                assert order.executed == sum(fill.quantity for fill in order.fills)
                assert order.executed_quote == sum(fill.quote for fill in order.fills)
                assert order.is_open or not order.locked
                assert (order.status == "FILLED") <= (order.remaining == 0)
                if order.price:
                    sign = 1 if order.side == "BUY" else -1
                    assert all(fill.price * sign <= order.price * sign for fill in order.fills)

    def teardown(self) -> None:
        balances = replayed_balances(self.floor.tape)
        for account_id in (1, 2):
            for asset, held in self.floor.exchange.balances(account_id).items():
                assert balances[account_id, asset] == (held.free, held.locked)
        again = [amount_text(parse_quanta(amount_text(held))) for held in self.floor.exchange.totals().values()]
        assert again == [amount_text(held) for held in self.floor.exchange.totals().values()]


Exchange.TestCase.settings = settings(
    max_examples=min(settings().max_examples, 60) if settings().max_examples <= 100 else settings().max_examples,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
TestExchange = Exchange.TestCase


@given(
    placed=st.lists(st.tuples(st.integers(101, 106), st.integers(1, 9)), min_size=1, max_size=12),
    quantity=st.integers(1, 60),
)
def test_takers_are_served_by_price_and_then_by_time(placed: list[tuple[int, int]], quantity: int) -> None:
    book: Book[Order] = Book(FakeLiquidity(100, 1, 1, 0))
    for number, (price, size) in enumerate(placed, start=1):
        book.add(Order(number, "SELL", price, size))
    pieces = take(book, "BUY", quantity)
    line = sorted((price, number, size) for number, (price, size) in enumerate(placed, start=1))
    expected, left = [], quantity
    for price, number, size in line:
        if left:
            expected.append((price, min(size, left), number))
            left -= min(size, left)
    assert pieces == expected


@given(prints=st.lists(st.tuples(st.integers(9_990, 10_010), st.integers(1, 300_000), sides), max_size=12))
def test_an_order_never_trades_more_at_its_price_than_the_market_did(prints: list[tuple[int, int, Side]]) -> None:
    floor = Floor()
    order = floor.place(floor.alice, "BUY", quantity="2", price="100")
    traded = 0
    for ticks, lots, taker in prints:
        with suppress(VenueError):
            floor.exchange.on_print(SYMBOL, Print(floor.clock.now_ms(), ticks * TICK, lots * LOT, taker))
        if ticks < 10_000 or (taker == "BUY" and ticks <= 10_000):
            return
        if taker == "SELL" and ticks == 10_000:
            traded += lots * LOT
        assert order.executed <= max(traded, 0)
