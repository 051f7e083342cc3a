from __future__ import annotations

from tests.simulator.matching.test_book import Order, book, take


def test_an_iceberg_shows_one_slice_and_a_taker_reaches_the_rest() -> None:
    orders, _ = book(levels=0)
    orders.add(Order(1, "SELL", 105, 10), visible=3)
    assert orders.best("SELL") == (105, 3)
    assert orders.depth(10)[1] == [(105, 3)]
    assert orders.available("BUY", 105, 100) == (10, 0)
    assert take(orders, "BUY", 100) == [(105, 3, 1), (105, 3, 1), (105, 3, 1), (105, 1, 1)]
    assert not orders.has_orders


def test_every_new_slice_goes_behind_the_others_at_its_price() -> None:
    orders, _ = book(levels=0)
    orders.add(Order(1, "SELL", 105, 6), visible=2)
    orders.add(Order(2, "SELL", 105, 3))
    orders.add(Order(3, "SELL", 105, 4), visible=3)
    assert take(orders, "BUY", 12) == [
        (105, 2, 1), (105, 3, 2), (105, 3, 3), (105, 2, 1), (105, 1, 3), (105, 1, 1),
    ]  # fmt: skip
    assert orders.depth(10)[1] == [(105, 1)]


def test_a_new_slice_goes_behind_the_background_too() -> None:
    orders, _ = book()
    orders.add(Order(1, "BUY", 100, 6), visible=2)
    assert take(orders, "SELL", 12) == [(100, 10, 0), (100, 2, 1)]
    iceberg = next(orders.user_orders())
    assert iceberg.ahead == 0
    orders, liquidity = book()
    orders.add(Order(1, "BUY", 100, 6), visible=2)
    liquidity.set_level("BUY", 100, 15)
    assert take(orders, "SELL", 19) == [(100, 10, 0), (100, 2, 1), (100, 5, 0), (100, 2, 1)]


def test_a_part_of_a_slice_keeps_its_place() -> None:
    orders, _ = book(levels=0)
    orders.add(Order(1, "SELL", 105, 9), visible=4)
    orders.add(Order(2, "SELL", 105, 3))
    assert take(orders, "BUY", 1) == [(105, 1, 1)]
    assert orders.depth(10)[1] == [(105, 6)]
    assert take(orders, "BUY", 4) == [(105, 3, 1), (105, 1, 2)]
    assert orders.depth(10)[1] == [(105, 6)]


def test_an_iceberg_made_smaller_hides_less() -> None:
    orders, _ = book(levels=0)
    order = Order(1, "SELL", 105, 9)
    orders.add(order, visible=4)
    order.quantity = 6
    orders.changed()
    assert orders.depth(10)[1] == [(105, 4)]
    assert take(orders, "BUY", 4) == [(105, 4, 1)]
    assert orders.depth(10)[1] == [(105, 2)]


def test_every_slice_is_a_change_of_the_book() -> None:
    orders, _ = book(levels=0)
    orders.add(Order(1, "SELL", 105, 9), visible=4)
    before = orders.update_id
    assert take(orders, "BUY", 8) == [(105, 4, 1), (105, 4, 1)]
    assert orders.update_id == before + 2
