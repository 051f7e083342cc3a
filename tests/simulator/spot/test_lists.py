from __future__ import annotations

from typing import Any

import pytest

from simulator.spot.engine import OCO_TRIGGER, PHASE_ONE_EXPIRED, REJECTED
from simulator.spot.types import ListStatus, NewList, NewOrder, OrderList
from simulator.units import parse_quanta
from tests.simulator.spot.floor import SYMBOL, Floor, refusal


@pytest.fixture
def floor() -> Floor:
    return Floor()


def pair(floor: Floor, side: Any = "SELL", **changes: Any) -> list[NewOrder]:
    """[above, below] around 100: a resting order at 105 (95) and a stop at 95 (105)."""
    fields: dict[str, Any] = {"quantity": "2", **changes}
    rest = floor.request(side, "LIMIT_MAKER", price="105" if side == "SELL" else "95", **fields)
    stop_price, price = ("95", "94") if side == "SELL" else ("105", "106")
    stop = floor.request(side, "STOP_LOSS_LIMIT", price=price, stop_price=stop_price, quantity="2")
    return [rest, stop] if side == "SELL" else [stop, rest]


def oco(floor: Floor, side: Any = "SELL", client_id: str | None = None) -> OrderList:
    return floor.exchange.place_list(floor.alice, NewList(SYMBOL, "OCO", pair(floor, side), client_id))


def oto(floor: Floor, pending: list[NewOrder], price: str = "99", **working: Any) -> OrderList:
    first = floor.request("BUY", price=price, quantity="1", **working)
    return floor.exchange.place_list(
        floor.alice, NewList(SYMBOL, "OTO" if len(pending) == 1 else "OTOCO", [first, *pending])
    )


def statuses(placed: OrderList) -> list[str]:
    return [order.status for order in placed.orders]


def test_a_selling_oco_locks_its_quantity_once(floor: Floor) -> None:
    placed = oco(floor)
    assert (placed.contingency, placed.order_status, placed.status_type) == ("OCO", "EXECUTING", "EXEC_STARTED")
    assert [order.order_list_id for order in placed.orders] == [placed.order_list_id] * 2
    assert floor.balance(floor.alice, "BTC") == ("98", "2")


def test_a_buying_oco_locks_the_larger_of_its_two_notionals(floor: Floor) -> None:
    oco(floor, "BUY")
    assert floor.balance(floor.alice, "USDT") == ("99788", "212")


def test_when_the_limit_order_of_an_oco_trades_even_in_part_the_stop_expires(floor: Floor) -> None:
    placed = oco(floor)
    floor.print("105", "0.5", "BUY")
    assert statuses(placed) == ["PARTIALLY_FILLED", "EXPIRED"]
    assert placed.orders[1].expiry_reason == OCO_TRIGGER
    assert floor.balance(floor.alice, "BTC") == ("98", "1.5")
    assert placed.order_status == "EXECUTING"
    floor.print("106", "0.5", "BUY")
    assert (placed.order_status, placed.status_type) == ("ALL_DONE", "ALL_DONE")


def test_when_the_stop_of_an_oco_is_triggered_the_limit_order_expires(floor: Floor) -> None:
    placed = oco(floor)
    floor.print("95", "1", "SELL")
    assert statuses(placed) == ["EXPIRED", "FILLED"]
    assert floor.balance(floor.alice, "BTC") == ("98", "0")
    assert not floor.exchange.book(SYMBOL).has_orders
    assert floor.exchange.open_order_lists(floor.alice) == []


def test_the_half_of_a_buying_oco_that_goes_on_gives_the_surplus_lock_back(floor: Floor) -> None:
    placed = oco(floor, "BUY")
    floor.print("95", "0.5", "SELL")
    floor.print("95", "0.5", "SELL")
    assert statuses(placed)[0] == "EXPIRED"
    assert floor.balance(floor.alice, "USDT")[1] == "95"


def test_cancelling_one_half_cancels_the_list_and_unlocks(floor: Floor) -> None:
    placed = oco(floor)
    floor.exchange.cancel(floor.alice, SYMBOL, placed.orders[1].order_id)
    assert statuses(placed) == ["CANCELED", "CANCELED"]
    assert floor.balance(floor.alice, "BTC") == ("100", "0")
    assert len({order.client_order_id for order in placed.orders}) == 2


def test_a_list_is_cancelled_by_its_id_or_client_id(floor: Floor) -> None:
    first, second = oco(floor), oco(floor, client_id="second")
    assert floor.exchange.cancel_list(floor.alice, SYMBOL, first.order_list_id) is first
    assert floor.exchange.cancel_list(floor.alice, SYMBOL, client_id="second") is second
    assert statuses(first) == statuses(second) == ["CANCELED", "CANCELED"]
    found = refusal(lambda: floor.exchange.cancel_list(floor.alice, SYMBOL, first.order_list_id))
    assert found == (-2011, "Unknown order list sent.")
    assert refusal(lambda: floor.exchange.cancel_list(floor.alice, SYMBOL))[0] == -1102


def test_cancelling_all_names_the_list_once(floor: Floor) -> None:
    single, placed = floor.place(floor.alice, "BUY", quantity="1", price="90"), oco(floor)
    assert floor.exchange.cancel_all(floor.alice, SYMBOL) == [single, placed]


def test_lists_are_found_by_id_client_id_and_time(floor: Floor) -> None:
    first, second = oco(floor, client_id="a"), oco(floor, client_id="b")
    exchange = floor.exchange
    assert exchange.order_list(floor.alice, first.order_list_id) is first
    assert exchange.order_list(floor.alice, client_id="b") is second
    assert exchange.all_order_lists(floor.alice) == exchange.open_order_lists(floor.alice) == [first, second]
    assert exchange.all_order_lists(floor.alice, from_id=second.order_list_id) == [second]
    assert refusal(lambda: exchange.order_list(floor.bob, first.order_list_id)) == (
        -2018,
        "Order list does not exist.",
    )
    assert refusal(lambda: exchange.order_list(floor.alice))[0] == -1102


@pytest.mark.parametrize(
    ("side", "above", "below", "expected"),
    [
        ("SELL", "LIMIT_MAKER", "LIMIT_MAKER", (-1168, "At least one OCO order must be contingent.")),
        ("BUY", "LIMIT_MAKER", "STOP_LOSS", (-1165, "A limit order in a buy OCO must be below.")),
        ("SELL", "STOP_LOSS", "LIMIT_MAKER", (-1166, "A limit order in a sell OCO must be above.")),
        ("BUY", "STOP_LOSS", "STOP_LOSS", (-1196, "A stop loss order in a buy OCO must be above.")),
        ("SELL", "STOP_LOSS", "STOP_LOSS", (-1197, "A stop loss order in a sell OCO must be below.")),
        ("BUY", "TAKE_PROFIT", "LIMIT_MAKER", (-1198, "A take profit order in a buy OCO must be below.")),
        ("SELL", "LIMIT_MAKER", "TAKE_PROFIT", (-1199, "A take profit order in a sell OCO must be above.")),
        ("SELL", "MARKET", "STOP_LOSS", (-1158, "Order type not supported in OCO.")),
    ],
)
def test_halves_of_an_oco_that_stand_wrong_are_refused(
    floor: Floor, side: Any, above: Any, below: Any, expected: tuple[int, str]
) -> None:
    def half(kind: Any, price: str) -> NewOrder:
        if kind == "MARKET":
            return floor.request(side, kind, quantity="1")
        fields: dict[str, Any] = {"price" if kind == "LIMIT_MAKER" else "stop_price": price}
        return floor.request(side, kind, quantity="1", **fields)

    new = NewList(SYMBOL, "OCO", [half(above, "105"), half(below, "95")])
    assert refusal(lambda: floor.exchange.place_list(floor.alice, new)) == expected
    assert floor.exchange.open_orders(floor.alice) == []


@pytest.mark.parametrize(("limit", "stop"), [("100", "95"), ("105", "100"), ("105", "106")])
def test_the_last_price_must_stand_between_the_halves_of_an_oco(floor: Floor, limit: str, stop: str) -> None:
    above = floor.request("SELL", "LIMIT_MAKER", quantity="1", price=limit)
    below = floor.request("SELL", "STOP_LOSS", quantity="1", stop_price=stop)
    found = refusal(lambda: floor.exchange.place_list(floor.alice, NewList(SYMBOL, "OCO", [above, below])))
    assert found == (-2010, "The relationship of the prices for the orders is not correct.")


def test_a_list_without_funds_or_with_a_known_client_id_changes_nothing(floor: Floor) -> None:
    before = len(floor.tape)
    big = NewList(SYMBOL, "OCO", pair(floor, "SELL", quantity="101"))
    assert refusal(lambda: floor.exchange.place_list(floor.alice, big))[0] == -2010
    assert len(floor.tape) == before
    oco(floor, client_id="same")
    assert refusal(lambda: oco(floor, client_id="same")) == (-2010, "Duplicate order sent.")


def test_no_more_lists_than_the_symbol_allows(floor: Floor) -> None:
    floor.filters(maximum_order_lists=1)
    oco(floor)
    assert refusal(lambda: oco(floor)) == (-1013, "Filter failure: MAX_NUM_ORDER_LISTS")


def test_an_oto_starts_its_pending_order_when_the_working_order_is_filled(floor: Floor) -> None:
    placed = oto(floor, [floor.request("SELL", quantity="0.5", price="101")])
    assert (placed.contingency, statuses(placed)) == ("OTO", ["NEW", "PENDING_NEW"])
    assert floor.balance(floor.alice, "BTC") == ("100", "0")
    floor.print("98.5", "1", "SELL")
    assert statuses(placed) == ["FILLED", "NEW"]
    assert floor.balance(floor.alice, "BTC") == ("100.499", "0.5")
    floor.print("102", "1", "BUY")
    assert (statuses(placed), placed.order_status) == (["FILLED", "FILLED"], "ALL_DONE")


def test_a_working_order_that_fills_at_once_starts_the_pending_order_in_the_same_action(floor: Floor) -> None:
    placed = oto(floor, [floor.request("SELL", "MARKET", quantity="0.5")], price="100.01")
    assert statuses(placed) == ["FILLED", "FILLED"]


def test_a_partly_filled_working_order_starts_nothing(floor: Floor) -> None:
    placed = oto(floor, [floor.request("SELL", quantity="0.5", price="101")])
    floor.print("99", "0.4", "SELL")
    floor.market.liquidity.set_level("BUY", parse_quanta("99"), 0)
    placed.orders[0].ahead = 0
    floor.print("99", "0.3", "SELL")
    assert statuses(placed) == ["PARTIALLY_FILLED", "PENDING_NEW"]


def test_a_working_order_that_expires_takes_its_pending_order_with_it(floor: Floor) -> None:
    placed = oto(floor, [floor.request("SELL", quantity="0.5", price="101")], tif="IOC")
    assert statuses(placed) == ["EXPIRED", "EXPIRED"]
    assert placed.orders[1].expiry_reason == PHASE_ONE_EXPIRED


@pytest.mark.parametrize("index", [0, 1])
def test_cancelling_either_order_of_an_oto_cancels_both(floor: Floor, index: int) -> None:
    placed = oto(floor, [floor.request("SELL", quantity="0.5", price="101")])
    floor.exchange.cancel(floor.alice, SYMBOL, placed.orders[index].order_id)
    assert (statuses(placed), placed.order_status) == (["CANCELED", "CANCELED"], "ALL_DONE")
    assert floor.balance(floor.alice, "USDT") == ("100000", "0")


def test_a_pending_order_that_the_engine_refuses_expires_as_rejected(floor: Floor) -> None:
    placed = oto(floor, [floor.request("SELL", quantity="200", price="101")])
    floor.print("98.5", "1", "SELL")
    assert statuses(placed) == ["FILLED", "EXPIRED"]
    assert (placed.orders[1].expiry_reason, placed.order_status) == (REJECTED, "ALL_DONE")


def test_an_otoco_starts_a_pair_of_which_one_goes_when_the_other_trades(floor: Floor) -> None:
    placed = oto(floor, pair(floor))
    assert statuses(placed) == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    floor.print("98.5", "1", "SELL")
    assert statuses(placed) == ["FILLED", "NEW", "NEW"]
    assert floor.balance(floor.alice, "BTC") == ("98.999", "2")
    floor.print("105.5", "1", "BUY")
    assert (statuses(placed), placed.order_status) == (["FILLED", "FILLED", "EXPIRED"], "ALL_DONE")
    assert floor.balance(floor.alice, "BTC") == ("98.999", "0")


def test_the_working_order_of_a_list_must_be_a_limit_order(floor: Floor) -> None:
    working = floor.request("BUY", "MARKET", quantity="1")
    pending = floor.request("SELL", quantity="1", price="101")
    found = refusal(lambda: floor.exchange.place_list(floor.alice, NewList(SYMBOL, "OTO", [working, pending])))
    assert found == (-1130, "Data sent for parameter 'workingType' is not valid.")


def test_a_pending_order_by_quote_amount_is_refused(floor: Floor) -> None:
    found = refusal(lambda: oto(floor, [floor.request("SELL", "MARKET", quote_quantity="50")]))
    assert found == (-1106, "Parameter 'quoteOrderQty' sent when not required.")


def test_amending_one_half_of_an_oco_amends_both_and_unlocks(floor: Floor) -> None:
    placed = oco(floor, "BUY")
    floor.exchange.amend(floor.alice, SYMBOL, placed.orders[1].order_id, None, parse_quanta("1"))
    assert [order.quantity for order in placed.orders] == [parse_quanta("1")] * 2
    assert floor.balance(floor.alice, "USDT") == ("99894", "106")
    assert placed.status_type == "UPDATED"


def test_a_list_is_told_of_when_it_starts_and_when_it_is_done(floor: Floor) -> None:
    oco(floor)
    floor.print("95", "1", "SELL")
    assert len(floor.taken(ListStatus)) == 2
    assert [record["status"] for record in floor.tape.records(kind="list")] == ["EXECUTING", "ALL_DONE"]


def test_self_trade_prevention_of_one_half_ends_the_whole_pair(floor: Floor) -> None:
    placed = oco(floor)
    floor.market.liquidity.levels = 0
    floor.market.liquidity.anchor_at(parse_quanta("100"))
    floor.place(floor.alice, "BUY", quantity="1", price="105")
    assert statuses(placed) == ["EXPIRED_IN_MATCH", "EXPIRED"]
    assert floor.balance(floor.alice, "BTC") == ("100", "0")
