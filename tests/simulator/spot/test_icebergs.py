from __future__ import annotations

import pytest

from simulator.units import trim_quanta
from tests.simulator.spot.floor import SYMBOL, Floor, refusal


@pytest.fixture
def floor() -> Floor:
    """Without a background, so that only customers' orders are on the book."""
    return Floor(levels=0)


def asks(floor: Floor) -> list[tuple[str, str]]:
    """What the book shows to everybody, best first."""
    _, levels = floor.exchange.book(SYMBOL).depth(5)
    return [(trim_quanta(price), trim_quanta(quantity)) for price, quantity in levels]


def test_the_book_shows_one_slice_and_the_next_behind_the_others(floor: Floor) -> None:
    iceberg = floor.place(floor.alice, "SELL", quantity="1", price="101", iceberg_quantity="0.3")
    other = floor.place(floor.alice, "SELL", quantity="0.5", price="101")
    assert asks(floor) == [("101", "0.8")]
    floor.place(floor.bob, "BUY", "LIMIT", "IOC", quantity="0.4", price="101")
    assert (floor.executed(iceberg), floor.executed(other)) == ("0.3", "0.1")
    assert asks(floor) == [("101", "0.7")]
    floor.place(floor.bob, "BUY", "LIMIT", "IOC", quantity="0.5", price="101")
    assert (floor.executed(iceberg), floor.executed(other)) == ("0.4", "0.5")
    assert asks(floor) == [("101", "0.2")]
    floor.place(floor.bob, "BUY", "LIMIT", "IOC", quantity="5", price="101")
    assert floor.fills(iceberg) == [("101", "0.3"), ("101", "0.1"), ("101", "0.2"), ("101", "0.3"), ("101", "0.1")]
    assert (iceberg.status, asks(floor)) == ("FILLED", [])
    assert floor.balance(floor.alice, "BTC") == ("98.5", "0")


def test_a_print_at_its_price_fills_what_is_shown_and_one_beyond_it_fills_all(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", quantity="1", price="100.5", iceberg_quantity="0.4")
    floor.print("100.5", "50", "BUY")
    assert floor.executed(order) == "0.4"
    floor.print("101", "1", "BUY")
    assert floor.executed(order) == "1"


def test_a_taker_that_must_fill_whole_counts_what_is_hidden(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", quantity="2", price="100", iceberg_quantity="0.5")
    taker = floor.place(floor.bob, "BUY", "LIMIT", "FOK", quantity="1.5", price="100")
    assert (taker.status, floor.executed(order)) == ("FILLED", "1.5")


def test_a_cancelled_iceberg_gives_everything_back(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", quantity="2", price="101", iceberg_quantity="0.5")
    floor.place(floor.bob, "BUY", "LIMIT", "IOC", quantity="0.6", price="101")
    floor.exchange.cancel(floor.alice, SYMBOL, order.order_id)
    assert asks(floor) == []
    assert floor.balance(floor.alice, "BTC") == ("99.4", "0")


def test_too_many_parts_are_refused(floor: Floor) -> None:
    assert refusal(lambda: floor.place(floor.alice, "SELL", quantity="1.01", price="101", iceberg_quantity="0.01")) == (
        -1013,
        "Filter failure: ICEBERG_PARTS",
    )
