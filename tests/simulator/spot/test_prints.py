from __future__ import annotations

import pytest

from simulator.units import parse_quanta
from tests.simulator.spot.floor import Floor


@pytest.fixture
def floor() -> Floor:
    return Floor()


def volume(floor: Floor) -> int:
    return sum(trade.quantity for trade in floor.market.recorded)


def test_a_print_that_reaches_no_order_is_recorded_as_it_is(floor: Floor) -> None:
    floor.print("100.05", "0.7", "BUY")
    (trade,) = floor.market.recorded
    assert (trade.price, trade.quantity, trade.taker) == (parse_quanta("100.05"), parse_quanta("0.7"), "BUY")
    assert floor.market.liquidity.best("SELL") == parse_quanta("100.05")


def test_an_order_waits_until_the_queue_before_it_has_traded(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="2", price="100")
    floor.print("100", "0.6", "SELL")
    assert order.status == "NEW"
    floor.print("100", "0.9", "SELL")
    assert (order.status, floor.executed(order)) == ("PARTIALLY_FILLED", "0.5")


def test_what_orders_take_of_a_print_is_part_of_its_volume(floor: Floor) -> None:
    floor.place(floor.alice, "BUY", quantity="0.5", price="100")
    floor.print("100", "4", "SELL")
    assert volume(floor) == parse_quanta("4")
    assert [trade.maker_order_id for trade in floor.market.recorded] == [1, 0]


def test_a_print_through_an_order_fills_it_whole_at_its_own_price_as_an_extra_trade(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="20", price="99")
    floor.print("98", "1", "SELL")
    assert floor.fills(order) == [("99", "20")]
    assert volume(floor) == parse_quanta("21")
    assert floor.market.last_price == parse_quanta("98")


def test_the_maker_of_a_print_pays_the_maker_fee_and_has_no_taker_flag(floor: Floor) -> None:
    floor.accounts.account(floor.alice).maker_fee = 200_000
    order = floor.place(floor.alice, "SELL", quantity="1", price="101")
    floor.print("102", "1", "BUY")
    (fill,) = order.fills
    assert (fill.is_maker, fill.is_buyer, fill.commission_asset) == (True, False, "USDT")
    assert fill.commission == parse_quanta("0.202")
    assert floor.market.recorded[0].taker == "BUY"


def test_an_order_that_the_background_moves_through_fills_at_its_own_price(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", quantity="3", price="100.5")
    floor.print("100.5", "0.1", "SELL")
    assert floor.fills(order) == [("100.5", "3")]
    assert floor.market.recorded[-1].taker == "BUY"


def test_orders_fill_in_price_then_time_order_across_accounts(floor: Floor) -> None:
    floor.market.liquidity.levels = 0
    floor.market.liquidity.anchor_at(parse_quanta("100"))
    late = floor.place(floor.alice, "BUY", quantity="1", price="99")
    better = floor.place(floor.bob, "BUY", quantity="1", price="99.5")
    later = floor.place(floor.bob, "BUY", quantity="1", price="99")
    floor.print("99", "1.5", "SELL")
    assert [trade.maker_order_id for trade in floor.market.recorded] == [better.order_id, late.order_id, later.order_id]
    assert (late.status, later.status, floor.executed(later)) == ("FILLED", "PARTIALLY_FILLED", "0.5")


def test_a_taker_consumes_the_background_until_the_market_moves(floor: Floor) -> None:
    first = floor.place(floor.alice, "BUY", "MARKET", quantity="1")
    second = floor.place(floor.alice, "BUY", "MARKET", quantity="1")
    assert (floor.fills(first), floor.fills(second)) == ([("100.01", "1")], [("100.02", "1")])
    floor.print("100", "1", "BUY")
    third = floor.place(floor.alice, "BUY", "MARKET", quantity="1")
    assert floor.fills(third) == [("100", "1")]


def test_a_symbol_is_hot_while_an_order_rests_or_waits(floor: Floor) -> None:
    assert not floor.exchange.is_hot("BTCUSDT")
    resting = floor.place(floor.alice, "BUY", quantity="1", price="99")
    assert floor.exchange.is_hot("BTCUSDT")
    floor.exchange.cancel(floor.alice, "BTCUSDT", resting.order_id)
    assert not floor.exchange.is_hot("BTCUSDT")
    floor.place(floor.alice, "SELL", "STOP_LOSS", quantity="1", stop_price="90")
    assert floor.exchange.is_hot("BTCUSDT")
