from __future__ import annotations

import pytest

from simulator.errors import VenueError
from simulator.spot.types import CancelReplaceResult, ExecutionReport, SpotOrder
from simulator.units import parse_quanta
from tests.simulator.spot.floor import Floor, refusal

UNKNOWN = (-2011, "Unknown order sent.")
SYMBOL = "BTCUSDT"


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def order(floor: Floor) -> SpotOrder:
    return floor.place(floor.alice, "BUY", quantity="2", price="99", client_order_id="first")


def test_a_cancel_unlocks_and_gives_the_order_a_new_client_id(floor: Floor, order: SpotOrder) -> None:
    cancelled = floor.exchange.cancel(floor.alice, SYMBOL, order.order_id, new_client_order_id="gone")
    assert cancelled is order
    assert (order.status, order.client_order_id, order.original_client_order_id) == ("CANCELED", "gone", "first")
    assert floor.balance(floor.alice, "USDT") == ("100000", "0")
    assert floor.exchange.open_orders(floor.alice) == []
    report = floor.taken(ExecutionReport)[-1]
    assert (report.execution, report.request_client_id) == ("CANCELED", "gone")


def test_a_cancel_without_a_new_id_gets_one_from_the_venue(floor: Floor, order: SpotOrder) -> None:
    floor.exchange.cancel(floor.alice, SYMBOL, client_order_id="first")
    assert len(order.client_order_id) == 22


def test_a_partly_filled_order_keeps_its_fills_when_cancelled(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="2", price="100.01")
    floor.exchange.cancel(floor.alice, SYMBOL, order.order_id)
    assert (order.status, floor.executed(order)) == ("CANCELED", "1")


def test_what_is_unknown_or_finished_cannot_be_cancelled(floor: Floor, order: SpotOrder) -> None:
    assert refusal(lambda: floor.exchange.cancel(floor.alice, SYMBOL, 99)) == UNKNOWN
    assert refusal(lambda: floor.exchange.cancel(floor.alice, SYMBOL, client_order_id="nobody")) == UNKNOWN
    assert refusal(lambda: floor.exchange.cancel(floor.bob, SYMBOL, order.order_id)) == UNKNOWN
    floor.exchange.cancel(floor.alice, SYMBOL, order.order_id)
    assert refusal(lambda: floor.exchange.cancel(floor.alice, SYMBOL, order.order_id)) == UNKNOWN


def test_a_cancel_needs_an_id_and_two_ids_that_agree(floor: Floor, order: SpotOrder) -> None:
    found = refusal(lambda: floor.exchange.cancel(floor.alice, SYMBOL))
    assert found == (-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    assert refusal(lambda: floor.exchange.cancel(floor.alice, SYMBOL, order.order_id, "other")) == UNKNOWN
    assert floor.exchange.cancel(floor.alice, SYMBOL, order.order_id, "first").status == "CANCELED"


def test_a_restricted_cancel_looks_at_the_status(floor: Floor, order: SpotOrder) -> None:
    exchange = floor.exchange
    text = "Order was not canceled due to cancel restrictions."
    found = refusal(lambda: exchange.cancel(floor.alice, SYMBOL, 1, restriction="ONLY_PARTIALLY_FILLED"))
    assert found == (-2011, text)
    partly = floor.place(floor.alice, "BUY", quantity="2", price="100.01")
    found = refusal(lambda: exchange.cancel(floor.alice, SYMBOL, partly.order_id, restriction="ONLY_NEW"))
    assert found == (-2011, text)
    assert exchange.cancel(floor.alice, SYMBOL, 1, restriction="ONLY_NEW").status == "CANCELED"


def test_a_waiting_stop_can_be_cancelled(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "STOP_LOSS", quantity="1", stop_price="95")
    floor.exchange.cancel(floor.alice, SYMBOL, order.order_id)
    floor.print("90", "1", "SELL")
    assert (order.status, floor.balance(floor.alice, "BTC")) == ("CANCELED", ("100", "0"))


def test_cancelling_all_takes_the_orders_of_one_symbol_and_refuses_when_there_are_none(
    floor: Floor, order: SpotOrder
) -> None:
    waiting = floor.place(floor.alice, "SELL", "STOP_LOSS", quantity="1", stop_price="95")
    other = floor.place(floor.bob, "BUY", quantity="1", price="99")
    assert floor.exchange.cancel_all(floor.alice, SYMBOL) == [order, waiting]
    assert other.status == "NEW"
    assert refusal(lambda: floor.exchange.cancel_all(floor.alice, SYMBOL)) == UNKNOWN


def test_an_order_is_found_by_either_id_and_both_must_agree(floor: Floor, order: SpotOrder) -> None:
    exchange = floor.exchange
    assert exchange.order(floor.alice, SYMBOL, order.order_id) is order
    assert exchange.order(floor.alice, SYMBOL, None, "first") is order
    assert exchange.order(floor.alice, SYMBOL, order.order_id, "first") is order
    found = refusal(lambda: exchange.order(floor.alice, SYMBOL, order.order_id, "second"))
    assert found == (-2039, "Client order ID is not correct for this order ID.")
    assert refusal(lambda: exchange.order(floor.alice, SYMBOL, 77)) == (-2013, "Order does not exist.")
    exchange.cancel(floor.alice, SYMBOL, order.order_id)
    assert exchange.order(floor.alice, SYMBOL, None, "first") is order


def test_a_reused_client_id_finds_the_open_order(floor: Floor, order: SpotOrder) -> None:
    floor.exchange.cancel(floor.alice, SYMBOL, order.order_id)
    again = floor.place(floor.alice, "BUY", quantity="1", price="98", client_order_id="first")
    assert floor.exchange.order(floor.alice, SYMBOL, None, "first") is again


def replace(floor: Floor, mode: str, order_id: int, quantity: str) -> CancelReplaceResult:
    new = floor.request("BUY", quantity=quantity, price="98")
    allow = mode == "ALLOW_FAILURE"
    return floor.exchange.cancel_replace(
        floor.alice, "ALLOW_FAILURE" if allow else "STOP_ON_FAILURE", order_id, None, None, new
    )


def test_a_cancel_replace_does_both(floor: Floor, order: SpotOrder) -> None:
    result = replace(floor, "STOP_ON_FAILURE", order.order_id, "3")
    assert result.cancelled is order
    assert isinstance(result.placed, SpotOrder)
    assert floor.exchange.open_orders(floor.alice) == [result.placed]


def test_a_replacement_may_use_the_funds_that_the_cancel_freed(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="1000", price="99")
    result = replace(floor, "STOP_ON_FAILURE", order.order_id, "1010")
    assert isinstance(result.placed, SpotOrder)


def test_a_failed_cancel_stops_the_replacement_or_not_as_asked(floor: Floor) -> None:
    stopped = replace(floor, "STOP_ON_FAILURE", 99, "3")
    assert isinstance(stopped.cancelled, VenueError)
    assert (stopped.cancelled.code, stopped.placed) == (-2011, None)
    allowed = replace(floor, "ALLOW_FAILURE", 99, "3")
    assert isinstance(allowed.cancelled, VenueError)
    assert isinstance(allowed.placed, SpotOrder)


def test_a_failed_replacement_does_not_undo_the_cancel(floor: Floor, order: SpotOrder) -> None:
    result = replace(floor, "STOP_ON_FAILURE", order.order_id, "8000")
    assert result.cancelled is order
    assert isinstance(result.placed, VenueError)
    assert (result.placed.code, order.status) == (-2010, "CANCELED")


def test_both_halves_may_fail(floor: Floor) -> None:
    result = replace(floor, "ALLOW_FAILURE", 99, "8000")
    assert isinstance(result.cancelled, VenueError)
    assert isinstance(result.placed, VenueError)


def test_a_replacement_that_a_filter_refuses_cancels_nothing(floor: Floor, order: SpotOrder) -> None:
    found = refusal(lambda: replace(floor, "STOP_ON_FAILURE", order.order_id, "0.001"))
    assert (found, order.status) == ((-1013, "Filter failure: NOTIONAL"), "NEW")


def amend(floor: Floor, quantity: str, order_id: int = 1, client_id: str | None = None) -> tuple[int, str]:
    return refusal(lambda: floor.exchange.amend(floor.alice, SYMBOL, order_id, None, parse_quanta(quantity), client_id))


def test_an_amend_lowers_the_quantity_and_keeps_the_place_in_the_queue(floor: Floor, order: SpotOrder) -> None:
    behind = floor.place(floor.bob, "BUY", quantity="1", price="99")
    amended, amendment = floor.exchange.amend(floor.alice, SYMBOL, 1, None, parse_quanta("1"), "smaller")
    assert amended is order
    assert (amendment.original_quantity, amendment.new_quantity) == (parse_quanta("2"), parse_quanta("1"))
    assert (amendment.original_client_order_id, amendment.new_client_order_id) == ("first", "smaller")
    assert floor.balance(floor.alice, "USDT") == ("99901", "99")
    assert list(floor.exchange.book(SYMBOL).user_orders()) == [order, behind]
    assert floor.exchange.amendments(floor.alice, SYMBOL, 1) == [amendment]
    report = floor.taken(ExecutionReport)[-1]
    assert (report.execution, report.execution_id) == ("REPLACED", amendment.execution_id)
    assert floor.exchange.order(floor.alice, SYMBOL, None, "first") is order


def test_an_amend_may_keep_the_client_id(floor: Floor, order: SpotOrder) -> None:
    floor.exchange.amend(floor.alice, SYMBOL, None, "first", parse_quanta("1"), "first")
    assert order.client_order_id == "first"
    assert floor.exchange.cancel(floor.alice, SYMBOL, client_order_id="first") is order


def test_an_amend_that_changes_nothing_or_increases_is_rejected(floor: Floor, order: SpotOrder) -> None:
    assert amend(floor, "2") == (-2038, "The requested action would change no state; rejecting.")
    assert amend(floor, "3") == (-2038, "Order amend (quantity increase) is not supported.")
    assert amend(floor, "1", order_id=99) == (-2038, "Unknown order sent.")
    assert order.quantity == parse_quanta("2")


def test_an_amend_passes_the_filters(floor: Floor, order: SpotOrder) -> None:
    assert amend(floor, "0.05") == (-1013, "Filter failure: NOTIONAL")
    assert amend(floor, "0.5000001") == (-1013, "Filter failure: LOT_SIZE")


def test_an_amend_below_what_is_executed_is_rejected(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="2", price="100.01")
    assert amend(floor, "1", order.order_id)[0] == -2038
    floor.exchange.amend(floor.alice, SYMBOL, order.order_id, None, parse_quanta("1.5"))
    assert order.remaining == parse_quanta("0.5")


def test_an_order_is_amended_no_oftener_than_allowed(floor: Floor, order: SpotOrder) -> None:
    for step in range(1, 11):
        floor.exchange.amend(floor.alice, SYMBOL, 1, None, parse_quanta("2") - step * parse_quanta("0.01"))
    assert amend(floor, "1") == (-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")


def test_all_orders_come_by_id_by_time_or_latest_first_cut(floor: Floor) -> None:
    exchange = floor.exchange
    for step in range(6):
        floor.clock.move_to(floor.clock.now_ms() + 10)
        floor.place(floor.alice, "BUY", quantity="1", price=str(90 + step))
    start = exchange.order(floor.alice, SYMBOL, 1).time_ms

    def ids(**bounds: int) -> list[int]:
        return [order.order_id for order in exchange.all_orders(floor.alice, SYMBOL, **bounds)]

    assert ids(limit=2) == [5, 6]
    assert ids(order_id=3, limit=2) == [3, 4]
    assert ids(start_ms=start + 10, limit=2) == [2, 3]
    assert ids(end_ms=start + 30, limit=2) == [3, 4]
    assert ids(start_ms=start + 10, end_ms=start + 20) == [2, 3]


def test_trades_come_by_order_by_trade_id_or_by_time(floor: Floor) -> None:
    first = floor.place(floor.alice, "BUY", "MARKET", quantity="2")
    floor.place(floor.bob, "BUY", "MARKET", quantity="1")
    floor.clock.move_to(floor.clock.now_ms() + 50)
    floor.place(floor.alice, "SELL", "MARKET", quantity="2")
    trades = floor.exchange.trades

    def ids(**bounds: int) -> list[int]:
        return [fill.trade_id for fill in trades(floor.alice, SYMBOL, **bounds)]

    assert ids() == [1, 2, 4, 5]
    assert ids(order_id=first.order_id) == [1, 2]
    assert ids(from_id=2, limit=2) == [2, 4]
    assert ids(start_ms=floor.clock.now_ms()) == [4, 5]
    assert ids(end_ms=floor.clock.now_ms() - 1, limit=1) == [2]
