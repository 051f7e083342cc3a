from __future__ import annotations

from dataclasses import dataclass

import pytest

from simulator.market.types import Print, Side
from simulator.matching.book import Book
from tests.simulator.fakes import FakeLiquidity


@dataclass(slots=True, eq=False)
class Order:
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


def book(anchor: int = 100, size: int = 10, levels: int = 3) -> tuple[Book[Order], FakeLiquidity]:
    """Background of 10 at 100, 99, 98 bid and 101, 102, 103 asked."""
    liquidity = FakeLiquidity(anchor, 1, size, levels)
    return Book(liquidity), liquidity


def take(book: Book[Order], side: Side, quantity: int, limit: int | None = None) -> list[tuple[int, int, int]]:
    """Trade through the book; gives (price, quantity, maker id or 0)."""
    pieces = []
    while quantity and (match := book.next_match(side, limit, quantity)) is not None:
        if match.maker is not None:
            match.maker.executed += match.quantity
        book.execute(match)
        quantity -= match.quantity
        pieces.append((match.price, match.quantity, match.maker.order_id if match.maker else 0))
    return pieces


def test_an_order_rests_behind_the_background_at_its_price() -> None:
    orders, _ = book()
    order = Order(1, "BUY", 100, 5)
    orders.add(order)
    assert order.ahead == 10
    assert orders.best("BUY") == (100, 15)


def test_a_taker_eats_what_stands_ahead_then_the_order_then_the_rest_of_the_level() -> None:
    orders, liquidity = book()
    orders.add(Order(1, "BUY", 100, 5))
    liquidity.set_level("BUY", 100, 30)
    assert take(orders, "SELL", 45) == [(100, 10, 0), (100, 5, 1), (100, 20, 0), (99, 10, 0)]


def test_two_orders_at_one_price_trade_in_the_order_they_came() -> None:
    orders, _ = book(levels=0)
    for number in (1, 2):
        orders.add(Order(number, "SELL", 105, 4))
    assert take(orders, "BUY", 6) == [(105, 4, 1), (105, 2, 2)]


def test_a_better_price_trades_before_an_earlier_order() -> None:
    orders, _ = book(levels=0)
    orders.add(Order(1, "SELL", 106, 4))
    orders.add(Order(2, "SELL", 105, 4))
    assert take(orders, "BUY", 8) == [(105, 4, 2), (106, 4, 1)]


def test_a_taker_goes_no_further_than_its_limit() -> None:
    orders, _ = book()
    assert take(orders, "BUY", 100, limit=102) == [(101, 10, 0), (102, 10, 0)]


def test_an_order_inside_the_spread_trades_before_the_background() -> None:
    orders, liquidity = book()
    liquidity.set_level("SELL", 101, 0)
    orders.add(Order(1, "SELL", 101, 3))
    assert take(orders, "BUY", 5) == [(101, 3, 1), (102, 2, 0)]


def test_a_print_through_an_order_fills_it_whole_at_its_own_price() -> None:
    orders, _ = book()
    orders.add(Order(1, "BUY", 99, 50))
    matches = orders.on_print(Print(0, 98, 1, "SELL"))
    assert [(match.price, match.quantity) for match in matches] == [(99, 50)]


def test_a_print_at_the_price_of_an_order_eats_its_queue_first() -> None:
    orders, _ = book()
    order = Order(1, "BUY", 100, 5)
    orders.add(order)
    assert orders.on_print(Print(0, 100, 7, "SELL")) == []
    assert order.ahead == 3
    matches = orders.on_print(Print(0, 100, 6, "SELL"))
    assert [(match.maker, match.quantity) for match in matches] == [(order, 3)]
    assert order.ahead == 0


def test_a_print_is_shared_by_orders_in_turn_with_the_background_between_them() -> None:
    orders, liquidity = book(levels=0)
    first, second = Order(1, "SELL", 101, 5), Order(2, "SELL", 101, 5)
    liquidity.set_level("SELL", 101, 4)
    orders.add(first)
    liquidity.set_level("SELL", 101, 7)
    orders.add(second)
    matches = orders.on_print(Print(0, 101, 14, "BUY"))
    assert [(match.maker, match.quantity) for match in matches] == [(first, 5), (second, 2)]


def test_the_other_side_is_not_touched_by_a_print() -> None:
    orders, _ = book()
    orders.add(Order(1, "SELL", 102, 5))
    assert orders.on_print(Print(0, 104, 5, "SELL")) == []


def test_a_queue_shrinks_to_what_is_shown_and_never_grows() -> None:
    orders, liquidity = book()
    order = Order(1, "BUY", 100, 5)
    orders.add(order)
    liquidity.set_level("BUY", 100, 4)
    assert orders.background_moved() == []
    assert order.ahead == 4
    liquidity.set_level("BUY", 100, 40)
    orders.background_moved()
    assert order.ahead == 4


def test_the_background_moving_through_an_order_gives_it_up_for_a_fill() -> None:
    orders, liquidity = book()
    crossed, spared = Order(1, "BUY", 100, 5), Order(2, "BUY", 97, 5)
    orders.add(crossed)
    orders.add(spared)
    liquidity.anchor_at(98)
    assert orders.background_moved() == [crossed]


def test_depth_merges_users_and_background_level_by_level() -> None:
    orders, _ = book()
    orders.add(Order(1, "BUY", 99, 5))
    orders.add(Order(2, "BUY", 96, 7))
    orders.add(Order(3, "SELL", 102, 1))
    assert orders.depth(4) == ([(100, 10), (99, 15), (98, 10), (96, 7)], [(101, 10), (102, 11), (103, 10)])
    assert orders.depth(1) == ([(100, 10)], [(101, 10)])


def test_what_is_available_counts_up_to_the_limit_and_the_quantity() -> None:
    orders, _ = book()
    one = 10**8
    liquidity = FakeLiquidity(100 * one, one, 10 * one, 3)
    whole: Book[Order] = Book(liquidity)
    assert whole.available("BUY", 102 * one, 100 * one) == (20 * one, 2030 * one)
    assert whole.available("BUY", None, 5 * one) == (5 * one, 505 * one)
    assert orders.available("BUY", 100, 5) == (0, 0)


def test_available_leaves_the_orders_of_one_account_out() -> None:
    orders, _ = book(levels=0)
    orders.add(Order(1, "SELL", 105, 4, account_id=7))
    orders.add(Order(2, "SELL", 105, 3, account_id=8))
    assert orders.available("BUY", None, 10)[0] == 7
    assert orders.available("BUY", None, 10, besides=7)[0] == 3


def test_every_visible_change_has_its_own_update_id() -> None:
    orders, _ = book()
    order = Order(1, "BUY", 100, 5)
    before = orders.update_id
    orders.add(order)
    orders.changed()
    orders.remove(order)
    orders.background_moved()
    assert orders.update_id == before + 4


def test_removing_an_order_that_does_not_rest_is_an_error() -> None:
    orders, _ = book()
    with pytest.raises(KeyError):
        orders.remove(Order(1, "BUY", 100, 5))


def test_user_orders_come_in_price_time_order_and_an_empty_book_has_none() -> None:
    orders, _ = book()
    assert not orders.has_orders
    for number, (side, price) in enumerate([("BUY", 97), ("BUY", 98), ("SELL", 103), ("BUY", 98)], start=1):
        orders.add(Order(number, "SELL" if side == "SELL" else "BUY", price, 1))
    assert [order.order_id for order in orders.user_orders()] == [2, 4, 1, 3]
    assert [order.order_id for order in orders.user_orders("SELL")] == [3]
    assert orders.has_orders
