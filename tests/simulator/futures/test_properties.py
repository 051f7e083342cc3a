"""Whatever customers and markets do: no money is made or lost, and the tape alone tells every wallet and position."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from simulator.errors import VenueError
from simulator.futures.positions import apply_fill
from simulator.futures.types import Position
from simulator.units import ONE, parse_quanta, trim_quanta
from tests.simulator.futures.floor import HOUR_MS, SYMBOL, Floor

SIDES: Any = st.sampled_from(["BUY", "SELL"])
LOTS = st.integers(3, 4_000)
SIDE_NAMES: list[Any] = ["BUY", "SELL"]
TICKS = st.integers(-15_000, 15_000)


def signed(text: object) -> int:
    """Quanta of a decimal text that may have a sign."""
    value = str(text)
    return -parse_quanta(value[1:]) if value.startswith("-") else parse_quanta(value)


def wallets_on_tape(floor: Floor) -> dict[tuple[object, str, str], int]:
    """(account or place, bucket, asset) -> balance from postings alone, each checked by the balance it tells."""
    found: dict[tuple[object, str, str], int] = {}
    for line in floor.tape.records(kind="posting"):
        key = (line["account"], str(line["bucket"]), str(line["asset"]))
        found[key] = found.get(key, 0) + signed(line["delta"])
        assert found[key] == signed(line["balance"])
    return found


def code_of(action: Callable[[], object]) -> int:
    """The code of the refusal an action met, 0 when it was carried out."""
    try:
        action()
    except VenueError as refused:
        return refused.code
    return 0


def check(floor: Floor, accounts: list[int]) -> None:
    """Everything that must hold between two requests."""
    assert floor.is_conserved()
    postings = wallets_on_tape(floor)
    for account in accounts:
        wallets = floor.exchange.wallets
        assert postings.get((account, "cross", "USDT"), 0) == wallets.cross(account, "USDT")
        own = sum(amount for (owner, _, asset), amount in postings.items() if (owner, asset) == (account, "USDT"))
        assert own == wallets.balance(account, "USDT") >= 0
        check_cash(floor, account)
        check_orders(floor, account)
    for place in ("market", "fees", "insurance"):
        assert postings.get((place, place, "USDT"), 0) == floor.exchange.wallets.place(place, "USDT")
    check_book(floor)


def check_cash(floor: Floor, account: int) -> None:
    """Realised profit is exactly the cash flow of all fills plus the cost of what is held."""
    fills = floor.exchange.history.trades(account, SYMBOL, limit=10_000_000)
    cash = sum(-fill.quote if fill.side == "BUY" else fill.quote for fill in fills)
    size = sum(fill.quantity if fill.side == "BUY" else -fill.quantity for fill in fills)
    lines = floor.exchange.reports.positions(account, SYMBOL)
    mark = floor.exchange.mark_price(SYMBOL)
    assert sum(line.quantity for line in lines) == size
    cost = sum(line.quantity * mark // ONE - line.unrealized_profit for line in lines)
    assert sum(fill.realized_pnl for fill in fills) == cash + cost


def check_orders(floor: Floor, account: int) -> None:
    """Open orders have something left, exposures are theirs, and reduce-only orders fit their position."""
    orders = floor.exchange.history.open_orders(account, SYMBOL)
    for order in orders:
        assert order.is_open
        assert order.remaining > 0
        if order.reduce_only:
            held = floor.position(account, order.position_side).quantity
            assert held * (1 if order.side == "SELL" else -1) >= order.remaining
    lines = floor.exchange.reports.positions(account, SYMBOL)
    bids = sum(
        order.price * order.remaining // ONE for order in orders if order.side == "BUY" and not order.reduce_only
    )
    asks = sum(
        order.price * order.remaining // ONE for order in orders if order.side == "SELL" and not order.reduce_only
    )
    assert (sum(line.bid_notional for line in lines), sum(line.ask_notional for line in lines)) == (bids, asks)


def check_book(floor: Floor) -> None:
    """The book is not crossed, and every order on it is open."""
    book = floor.exchange.book(SYMBOL)
    bid, ask = book.best("BUY"), book.best("SELL")
    assert bid is None or ask is None or bid[0] < ask[0]
    assert all(order.is_open for order in book.user_orders())


@given(st.lists(st.tuples(SIDES, st.integers(1, 10**9), st.integers(1, 10**13)), max_size=60))
def test_cost_is_conserved_over_any_fills(fills: list[tuple[Any, int, int]]) -> None:
    position = Position(1, SYMBOL, "BOTH")
    cash = realized = 0
    for side, quantity, price in fills:
        quote = quantity * price // ONE
        cash += -quote if side == "BUY" else quote
        realized += apply_fill(position, side, quantity, quote, 0).realized
        assert realized == cash + position.cost
        assert position.quantity or not position.cost


class Trading(RuleBasedStateMachine):
    """Two rich customers and one poor, in either mode, with any margin type, under any market."""

    floor: Floor
    accounts: list[int]

    @initialize(hedge=st.booleans(), isolated=st.booleans(), leverage=st.sampled_from([1, 20, 125]))
    def open(self, hedge: bool, isolated: bool, leverage: int) -> None:
        self.floor = Floor(levels=3)
        poor = self.floor.open_account("poor", "2000")
        self.accounts = [self.floor.alice, self.floor.bob, poor]
        choices = self.floor.exchange.settings
        if hedge:
            choices.set_hedge_mode(poor, True)
        if isolated:
            choices.set_margin_type(poor, SYMBOL, "ISOLATED")
        choices.set_leverage(poor, SYMBOL, leverage)

    def try_place(self, who: int, **fields: Any) -> None:
        account = self.accounts[who]
        if self.floor.exchange.settings.hedge_mode(account):
            fields["position_side"] = "LONG" if fields.pop("long") else "SHORT"
            fields["reduce_only"] = False
        else:
            fields.pop("long")
        code = code_of(lambda: self.floor.place(account, fields.pop("side"), fields.pop("kind"), **fields))
        assert code in (0, -2019, -2022, -2027, -4164, -5021, -5022, -4016, -4024, -4131, -2025)

    def price(self, ticks: int) -> str:
        mark = self.floor.exchange.mark_price(SYMBOL)
        return trim_quanta(max(mark + ticks * ONE // 10, ONE * 600))

    @rule(
        who=st.integers(0, 2),
        side=SIDES,
        lots=LOTS,
        ticks=TICKS,
        tif=st.sampled_from(["GTC", "IOC", "FOK", "GTX"]),
        reduce_only=st.booleans(),
        long=st.booleans(),
        prevention=st.sampled_from(["NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH"]),
        spread=st.sampled_from([50, 2_000]),
    )
    def limit(
        self,
        who: int,
        side: str,
        lots: int,
        ticks: int,
        tif: str,
        reduce_only: bool,
        long: bool,
        prevention: str,
        spread: int,
    ) -> None:
        self.try_place(
            who,
            side=side,
            kind="LIMIT",
            quantity=f"{lots // 1000}.{lots % 1000:03d}",
            price=self.price(ticks // spread),
            tif=tif,
            reduce_only=reduce_only,
            long=long,
            self_trade_prevention=prevention,
        )

    @rule(who=st.integers(0, 2), side=SIDES, lots=LOTS, reduce_only=st.booleans(), long=st.booleans())
    def market(self, who: int, side: str, lots: int, reduce_only: bool, long: bool) -> None:
        quantity = f"{lots // 1000}.{lots % 1000:03d}"
        self.try_place(who, side=side, kind="MARKET", quantity=quantity, reduce_only=reduce_only, long=long)

    @rule(who=st.integers(0, 2), side=SIDES, lots=LOTS, ticks=TICKS, long=st.booleans(), close=st.booleans())
    def stop(self, who: int, side: Any, lots: int, ticks: int, long: bool, close: bool) -> None:
        account = self.accounts[who]
        fields: dict[str, Any] = {"trigger_price": self.price(ticks)}
        if self.floor.exchange.settings.hedge_mode(account):
            fields["position_side"] = "LONG" if long else "SHORT"
        fields |= {"close_position": True} if close else {"quantity": f"{lots // 1000}.{lots % 1000:03d}"}
        code = code_of(lambda: self.floor.algo(account, side, "STOP_MARKET", **fields))
        assert code in (0, -2021, -4130, -4045, -4164)

    @rule(who=st.integers(0, 2), pick=st.integers(0, 9))
    def cancel(self, who: int, pick: int) -> None:
        account = self.accounts[who]
        orders = self.floor.exchange.history.open_orders(account)
        if orders:
            self.floor.exchange.cancel(account, SYMBOL, orders[pick % len(orders)].order_id, None)

    @rule(who=st.integers(0, 2), pick=st.integers(0, 9), lots=LOTS, ticks=TICKS)
    def modify(self, who: int, pick: int, lots: int, ticks: int) -> None:
        account = self.accounts[who]
        orders = self.floor.exchange.history.open_orders(account)
        if not orders:
            return
        order = orders[pick % len(orders)]
        price = parse_quanta(self.price(ticks // 50))
        code = code_of(
            lambda: self.floor.exchange.modify(
                account, SYMBOL, order.order_id, None, order.side, lots * ONE // 1000, price
            )
        )
        assert code in (0, -2019, -2027, -4164, -5027, -4016, -4024)

    @rule(ticks=TICKS, lots=LOTS, side=SIDES)
    def market_prints(self, ticks: int, lots: int, side: Any) -> None:
        self.floor.print(self.price(ticks), f"{lots // 1000}.{lots % 1000:03d}", side)

    @rule(percent=st.integers(-40, 60))
    def market_jumps(self, percent: int) -> None:
        mark = self.floor.exchange.mark_price(SYMBOL)
        self.floor.print(trim_quanta(max(mark * (100 + percent) // 100 // (ONE // 10) * (ONE // 10), ONE * 600)))

    @rule(hours=st.integers(1, 20))
    def time_passes(self, hours: int) -> None:
        self.floor.wait(hours * HOUR_MS)

    @rule(amount=st.integers(1, 10**12), kind=st.sampled_from([1, 2]))
    def margin(self, amount: int, kind: int) -> None:
        code = code_of(
            lambda: self.floor.exchange.settings.adjust_margin(self.accounts[2], SYMBOL, "BOTH", amount, kind)
        )
        assert code in (0, -4049, -4050, -4051, -4054, -4061)

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "floor"):
            check(self.floor, self.accounts)


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def act(seed: int, steps: int) -> Floor:
    """A seeded crowd trades for a while."""
    chance = random.Random(seed)
    floor = Floor(levels=5)
    crowd = [floor.alice, floor.bob, floor.open_account("poor", "2000"), floor.open_account("poorer", "300")]
    floor.list_symbol("BNBUSDT", "600")
    floor.exchange.deposit(floor.alice, "BNB", ONE // 100)
    floor.exchange.settings.set_fee_burn(floor.alice, True)
    for account in crowd[1::2]:
        floor.exchange.settings.set_margin_type(account, SYMBOL, "ISOLATED")
    for _ in range(steps):
        account, side = chance.choice(crowd), chance.choice(SIDE_NAMES)
        lots = chance.randint(3, 900)
        mark = floor.exchange.mark_price(SYMBOL)
        price = trim_quanta(mark + chance.randint(-40, 40) * ONE // 10)
        kind: Any = chance.choice(["LIMIT", "LIMIT", "MARKET"])
        fields: dict[str, Any] = {"price": price} if kind == "LIMIT" else {}
        quantity = f"0.{lots:03d}"
        code_of(partial(floor.place, account, side, kind, quantity=quantity, **fields))
        jump = chance.choice([0, 0, 1, 5, -5, -1, 900, -900])
        floor.print(trim_quanta(mark + jump * ONE), quantity, chance.choice(SIDE_NAMES))
        if chance.random() < 0.02:
            floor.wait(9 * HOUR_MS)
    return floor


def test_a_long_seeded_market_with_liquidations_and_funding_conserves_everything() -> None:
    floor = act(seed=7, steps=1_500)

    check(floor, [1, 2, 3, 4])
    kinds = {str(line["kind"]) for line in floor.tape.records()}
    assert {"order", "trade", "posting", "funding", "liquidation"} <= kinds


def test_the_same_seed_gives_the_same_tape_byte_for_byte() -> None:
    first, second = act(seed=3, steps=300), act(seed=3, steps=300)

    assert list(first.tape.lines()) == list(second.tape.lines())
