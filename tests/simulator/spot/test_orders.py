from __future__ import annotations

import pytest

from simulator.spot.engine import INSUFFICIENT_LIQUIDITY, REJECTED, UNFILLED_FOK, UNFILLED_IOC
from simulator.spot.types import OrderType
from simulator.units import parse_quanta
from tests.simulator.spot.floor import START_MS, Floor, refusal


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_a_limit_order_that_does_not_cross_rests_and_locks_its_notional(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="2", price="99")
    assert (order.status, order.is_working, order.working_ms) == ("NEW", True, START_MS)
    assert floor.balance(floor.alice, "USDT") == ("99802", "198")


def test_a_selling_limit_order_locks_its_quantity(floor: Floor) -> None:
    floor.place(floor.alice, "SELL", quantity="2", price="101")
    assert floor.balance(floor.alice, "BTC") == ("98", "2")


def test_a_crossing_limit_order_takes_level_by_level_and_rests_with_the_remainder(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="3", price="100.02")
    assert floor.fills(order) == [("100.01", "1"), ("100.02", "1")]
    assert order.status == "PARTIALLY_FILLED"
    assert floor.balance(floor.alice, "USDT") == ("99699.95", "100.02")
    assert floor.exchange.book("BTCUSDT").best("BUY") == (parse_quanta("100.02"), parse_quanta("1"))


def test_a_taker_gets_the_better_price_and_the_surplus_of_its_lock_back(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="1", price="110")
    assert order.status == "FILLED"
    assert floor.balance(floor.alice, "USDT") == ("99899.99", "0")


def test_an_ioc_order_expires_with_what_the_book_did_not_give(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", tif="IOC", quantity="2", price="100.01")
    assert (order.status, floor.executed(order), order.expiry_reason) == ("EXPIRED", "1", UNFILLED_IOC)
    assert floor.balance(floor.alice, "USDT") == ("99899.99", "0")


def test_a_fok_order_fills_whole_or_not_at_all(floor: Floor) -> None:
    killed = floor.place(floor.alice, "BUY", tif="FOK", quantity="2", price="100.01")
    assert (killed.status, killed.fills, killed.expiry_reason) == ("EXPIRED", [], UNFILLED_FOK)
    filled = floor.place(floor.alice, "BUY", tif="FOK", quantity="2", price="100.02")
    assert (filled.status, floor.executed(filled)) == ("FILLED", "2")


def test_a_market_order_takes_the_best_prices(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "MARKET", quantity="1.5")
    assert order.status == "FILLED"
    assert floor.fills(order) == [("100", "1"), ("99.99", "0.5")]


def test_a_market_order_that_runs_out_of_book_expires_after_its_trades(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "MARKET", quantity="12")
    assert (order.status, floor.executed(order), order.expiry_reason) == ("EXPIRED", "10", INSUFFICIENT_LIQUIDITY)
    reports = [line for line in floor.story() if " of " in line]
    assert reports[0] == "NEW 1 of 1"
    assert reports[1:11] == ["TRADE 1 of 1"] * 10
    assert reports[11] == "EXPIRED 1 of 1"
    assert floor.balance(floor.alice, "BTC") == ("90", "0")


def test_a_market_order_on_an_empty_book_expires_unfilled() -> None:
    floor = Floor(levels=0)
    order = floor.place(floor.alice, "BUY", "MARKET", quantity="1")
    assert (order.status, order.executed) == ("EXPIRED", 0)


def test_a_quote_amount_buys_the_closest_allowed_quantity_below_it(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", "MARKET", quote_quantity="50")
    assert order.status == "FILLED"
    assert floor.executed(order) == "0.49995"
    assert order.quantity == order.executed
    assert floor.balance(floor.alice, "USDT")[1] == "0"


def test_a_quote_amount_sells_enough_to_receive_at_most_that_amount(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "MARKET", quote_quantity="150")
    assert order.status == "FILLED"
    assert floor.fills(order) == [("100", "1"), ("99.99", "0.50005")]
    assert order.executed_quote <= parse_quanta("150")


def test_a_quote_order_larger_than_the_book_expires_with_what_there_was(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", "MARKET", quote_quantity="5000")
    assert (order.status, floor.executed(order)) == ("EXPIRED", "10")
    assert order.quantity == order.executed
    assert floor.balance(floor.alice, "USDT")[1] == "0"


def test_a_limit_maker_rests(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "LIMIT_MAKER", quantity="1", price="100.01")
    assert (order.status, order.is_working) == ("NEW", True)


def test_a_limit_maker_that_would_take_is_refused(floor: Floor) -> None:
    found = refusal(lambda: floor.place(floor.alice, "SELL", "LIMIT_MAKER", quantity="1", price="100"))
    assert found == (-2010, "Order would immediately match and take.")
    assert floor.balance(floor.alice, "BTC") == ("100", "0")


def test_a_stop_loss_waits_off_the_book_and_sells_at_market_when_the_price_falls(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "STOP_LOSS", quantity="1", stop_price="95")
    assert (order.status, order.is_working, order.working_ms) == ("NEW", False, -1)
    floor.print("95.01", "1", "SELL")
    assert not order.fills
    floor.print("95", "1", "SELL")
    assert order.status == "FILLED"
    assert floor.fills(order) == [("95", "1")]
    assert order.working_ms == START_MS + 200


def test_a_stop_loss_limit_rests_at_its_limit_when_the_market_is_past_it(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "STOP_LOSS_LIMIT", quantity="1", price="96", stop_price="95")
    floor.print("94", "1", "SELL")
    assert (order.status, order.is_working) == ("NEW", True)
    assert list(floor.exchange.book("BTCUSDT").user_orders()) == [order]


def test_a_take_profit_buys_when_the_price_falls(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", "TAKE_PROFIT", quantity="1", stop_price="90")
    assert floor.balance(floor.alice, "USDT") == ("99910", "90")
    floor.print("90", "1", "SELL")
    assert order.status == "FILLED"
    assert floor.fills(order) == [("90.01", "1")]


def test_a_take_profit_limit_sells_when_the_price_rises(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "TAKE_PROFIT_LIMIT", quantity="1", price="104", stop_price="105")
    floor.print("105", "1", "BUY")
    assert floor.fills(order) == [("104.99", "1")]


@pytest.mark.parametrize(
    ("kind", "side", "stop"),
    [("STOP_LOSS", "SELL", "100"), ("STOP_LOSS", "BUY", "99"), ("TAKE_PROFIT", "SELL", "99")],
)
def test_a_stop_that_has_been_reached_already_is_refused(floor: Floor, kind: OrderType, side: str, stop: str) -> None:
    found = refusal(
        lambda: floor.place(floor.alice, "BUY" if side == "BUY" else "SELL", kind, quantity="1", stop_price=stop)
    )
    assert found == (-2010, "Stop price would trigger immediately.")


def test_a_stop_without_funds_when_triggered_expires_as_rejected(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", "STOP_LOSS", quantity="900", stop_price="110")
    floor.place(floor.alice, "BUY", quantity="10", price="99")
    floor.market.liquidity.size = parse_quanta("1000")
    floor.print("111", "1", "BUY")
    assert (order.status, order.expiry_reason) == ("EXPIRED", REJECTED)
    assert floor.balance(floor.alice, "USDT") == ("99010", "990")


def test_a_trade_of_a_stop_can_set_off_the_next_stop(floor: Floor) -> None:
    first = floor.place(floor.alice, "SELL", "STOP_LOSS", quantity="3", stop_price="99")
    second = floor.place(floor.bob, "SELL", "STOP_LOSS", quantity="1", stop_price="98.98")
    floor.print("99", "1", "SELL")
    assert floor.fills(first) == [("99", "1"), ("98.99", "1"), ("98.98", "1")]
    assert floor.fills(second) == [("98.97", "1")]


def test_a_trailing_stop_follows_the_best_price_and_sells_when_it_comes_back_by_the_delta(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "STOP_LOSS", quantity="1", trailing_delta=1000)
    assert order.trailing_time_ms == START_MS
    for price in ("110", "120", "108.01"):
        floor.print(price, "1", "BUY")
    assert not order.fills
    floor.print("108", "1", "BUY")
    assert order.status == "FILLED"


def test_a_trailing_stop_with_a_stop_price_begins_to_follow_there(floor: Floor) -> None:
    order = floor.place(
        floor.alice, "BUY", "STOP_LOSS_LIMIT", quantity="1", price="115", stop_price="110", trailing_delta=500
    )
    floor.print("92.5", "1", "SELL")
    floor.print("105", "1", "BUY")
    assert (order.status, order.extreme_price, order.trailing_time_ms) == ("NEW", 0, -1)
    for price in ("112.5", "105", "110.24"):
        floor.print(price, "1", "BUY")
    assert order.fills == []
    floor.print("110.25", "1", "BUY")
    assert floor.fills(order) == [("110.25", "1")]


def test_an_iceberg_is_accepted_and_shows_one_slice_on_the_book(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="5", price="99.5", iceberg_quantity="1")
    assert order.iceberg_quantity == parse_quanta("1")
    assert floor.exchange.book("BTCUSDT").depth(50)[0][-1] == (parse_quanta("99.5"), parse_quanta("1"))


def test_two_customers_trade_with_each_other(floor: Floor) -> None:
    maker = floor.place(floor.alice, "SELL", quantity="1", price="100.01")
    floor.market.liquidity.set_level("SELL", parse_quanta("100.01"), 0)
    maker.ahead = 0
    taker = floor.place(floor.bob, "BUY", quantity="1", price="100.01")
    assert (maker.status, taker.status) == ("FILLED", "FILLED")
    assert maker.fills[0].trade_id == taker.fills[0].trade_id
    assert (maker.fills[0].is_maker, taker.fills[0].is_maker) == (True, False)


def test_orders_without_a_client_id_get_distinct_ones_that_every_run_repeats() -> None:
    runs = []
    for _ in range(2):
        floor = Floor()
        runs.append([floor.place(floor.alice, "BUY", quantity="1", price="99").client_order_id for _ in range(50)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 50
    assert all(len(client_id) == 22 and client_id.isalnum() for client_id in runs[0])
