"""The running sums of working orders are what counting them anew gives, whatever happens to them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from domain import slots
from domain.capital import locked
from domain.client_order_id import OrderKey, encode
from domain.instance import Instance
from domain.order import BUY, ENTRY, EXIT, LIMIT, MARKET, SELL, Order, is_complete, unbooked
from domain.working import Tally
from engine.books import Books, LastPrice
from tests.law_harness import BTCUSDT

PRICE = 6_000_000
SLOTS = 4
NUMBERS = some.integers(0, 5)
ORDERS = some.builds(
    lambda slot, side, kind, lots, status, filled, booked: Order(
        key := OrderKey(1, 1, 0, slot, lots, EXIT if side == SELL else ENTRY, 0), encode(key), "BTCUSDT", side, kind,
        PRICE - lots if kind == LIMIT else 0, lots, status=status, filled=min(filled, lots),
        booked=min(booked, filled, lots),
    ),
    some.integers(0, SLOTS - 1), some.sampled_from([BUY, SELL]), some.sampled_from([LIMIT, MARKET]),
    some.integers(1, 5), NUMBERS, NUMBERS, NUMBERS,
)  # fmt: skip
#: An instance and what happens to it: an order, or it joins one of two symbols, or it leaves.
HAPPENS = some.lists(
    some.tuples(some.integers(0, 2), some.one_of(ORDERS, some.sampled_from([0, 1, None]))), max_size=60
)


@given(happens=HAPPENS, held=some.lists(some.integers(0, 1), min_size=SLOTS, max_size=SLOTS))
def test_running_sums_are_those_of_counting_anew(
    happens: list[tuple[int, Order | int | None]], held: list[int]
) -> None:
    instances = [Instance(1, number, 0, BTCUSDT, lambda *_: 0, None) for number in range(3)]
    for instance in instances:
        instance.begin(SLOTS, 0)
        for slot, one in enumerate(held):
            instance.state[slots.HEADER + slot * slots.WIDTH + slots.HELD] = one
    tallies, places = [Tally(), Tally()], dict.fromkeys(range(3), -1)
    for number, what in happens:
        instance = instances[number]
        if isinstance(what, Order):
            instance.track(what)
        elif what is None:
            instance.working.leave()
            places[number] = -1
        else:
            instance.working.join(tallies[what])
            places[number] = what
        require_exact(instance, held)
        for at, tally in enumerate(tallies):
            mine = [one for one in instances if places[one.instance] == at]
            assert tally.count == sum(len(one.live_orders()) for one in mine)


def require_exact(instance: Instance, held: list[int]) -> None:
    orders = [order for order in instance.orders.values() if not is_complete(order)]
    assert sorted(instance.live_orders()) == sorted(orders)
    assert instance.working.locked(BTCUSDT, PRICE) == locked(BTCUSDT, orders, PRICE)
    price = LastPrice()
    price.see(PRICE, 0)
    view = Books(1, BTCUSDT, price).risk_view(instance, 0, 0)
    taken = {order.key.slot for order in orders if order.key.leg == ENTRY}
    assert view.positions == len(taken | {slot for slot, one in enumerate(held) if one})
    assert view.open_orders == len(orders)
    assert view.open_buy_lots == sum(unbooked(order) for order in orders if order.side == BUY)
    assert view.open_sell_lots == sum(unbooked(order) for order in orders if order.side == SELL)
