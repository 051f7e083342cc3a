from __future__ import annotations

from typing import Any

import pytest

from simulator.instruments import Status
from simulator.spot.types import NewOrder
from simulator.units import parse_quanta
from tests.simulator.spot.floor import Floor, refusal

LIMIT = {"quantity": "1", "price": "99"}
STOP = {"quantity": "1", "stop_price": "95"}
MANDATORY = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
SURPLUS = "Parameter '{}' sent when not required."
NEITHER = "Param '{}' or '{}' must be sent, but both were empty/null!"


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("LIMIT", {"tif": None, **LIMIT}, (-1102, MANDATORY.format("timeInForce"))),
        ("LIMIT", {"tif": "GTC", "price": "99"}, (-1102, MANDATORY.format("quantity"))),
        ("LIMIT", {"tif": "GTC", "quantity": "1"}, (-1102, MANDATORY.format("price"))),
        ("LIMIT", {"tif": "GTC", **LIMIT, "stop_price": "98"}, (-1106, SURPLUS.format("stopPrice"))),
        ("LIMIT", {"tif": "GTC", **LIMIT, "trailing_delta": 100}, (-1106, SURPLUS.format("trailingDelta"))),
        ("LIMIT", {"tif": "GTC", **LIMIT, "quote_quantity": "9"}, (-1106, SURPLUS.format("quoteOrderQty"))),
        ("LIMIT", {"tif": "IOC", **LIMIT, "iceberg_quantity": "0.5"}, (-1014, "Unsupported order combination.")),
        ("LIMIT", {"tif": "GTC", **LIMIT, "iceberg_quantity": "2"}, (-1013, "IcebergQty exceeds QTY.")),
        ("LIMIT", {"tif": "GTC", "quantity": "0", "price": "99"}, (-1013, "Invalid quantity.")),
        ("LIMIT", {"tif": "GTC", "quantity": "1", "price": "0"}, (-1013, "Invalid price.")),
        ("LIMIT", {"tif": "GTC", **LIMIT, "strategy_type": 5}, (-1134, "strategyType was less than 1000000.")),
        ("MARKET", {}, (-1102, NEITHER.format("quantity", "quoteOrderQty"))),
        ("MARKET", {"quantity": "1", "quote_quantity": "9"}, (-1106, SURPLUS.format("quoteOrderQty"))),
        ("MARKET", {"quantity": "1", "price": "99"}, (-1106, SURPLUS.format("price"))),
        ("MARKET", {"quantity": "1", "tif": "GTC"}, (-1106, SURPLUS.format("timeInForce"))),
        ("MARKET", {"quote_quantity": "0"}, (-1013, "Invalid quoteOrderQty.")),
        ("LIMIT_MAKER", {"tif": "GTC", **LIMIT}, (-1106, SURPLUS.format("timeInForce"))),
        ("LIMIT_MAKER", {"quantity": "1"}, (-1102, MANDATORY.format("price"))),
        ("STOP_LOSS", {"quantity": "1"}, (-1102, NEITHER.format("stopPrice", "trailingDelta"))),
        ("STOP_LOSS", {**STOP, "price": "94"}, (-1106, SURPLUS.format("price"))),
        ("STOP_LOSS", {"quantity": "1", "stop_price": "0"}, (-1013, "Invalid stopPrice.")),
        ("TAKE_PROFIT", {"stop_price": "95"}, (-1102, MANDATORY.format("quantity"))),
        ("STOP_LOSS_LIMIT", {"tif": None, **STOP, "price": "94"}, (-1102, MANDATORY.format("timeInForce"))),
        ("TAKE_PROFIT_LIMIT", {"tif": "GTC", **STOP}, (-1102, MANDATORY.format("price"))),
    ],
)
def test_parameters_that_do_not_go_with_the_type_are_refused(
    floor: Floor, kind: Any, fields: dict[str, Any], expected: tuple[int, str]
) -> None:
    tif = fields.pop("tif", None) if "tif" in fields else None
    new = floor.request("SELL", kind, None, **fields)
    new.time_in_force = tif
    assert refusal(lambda: floor.exchange.place(floor.alice, new)) == expected
    assert refusal(lambda: floor.exchange.test(floor.alice, new)) == expected


@pytest.mark.parametrize(
    ("kind", "fields", "name"),
    [
        ("LIMIT", {"quantity": "1", "price": "99.001"}, "PRICE_FILTER"),
        ("LIMIT", {"quantity": "1", "price": "2000000"}, "PRICE_FILTER"),
        ("STOP_LOSS", {"quantity": "1", "stop_price": "95.001"}, "PRICE_FILTER"),
        ("LIMIT", {"quantity": "0.000001", "price": "99"}, "LOT_SIZE"),
        ("LIMIT", {"quantity": "1.000001", "price": "99"}, "LOT_SIZE"),
        ("LIMIT", {"quantity": "9001", "price": "99"}, "LOT_SIZE"),
        ("LIMIT", {"quantity": "1", "price": "99", "iceberg_quantity": "0.000001"}, "LOT_SIZE"),
        ("MARKET", {"quantity": "122"}, "MARKET_LOT_SIZE"),
        ("LIMIT", {"quantity": "1", "price": "500.01"}, "PERCENT_PRICE_BY_SIDE"),
        ("LIMIT", {"quantity": "1", "price": "19.99"}, "PERCENT_PRICE_BY_SIDE"),
        ("LIMIT", {"quantity": "0.05", "price": "99"}, "NOTIONAL"),
        ("MARKET", {"quantity": "0.04999"}, "NOTIONAL"),
        ("MARKET", {"quote_quantity": "4.99"}, "NOTIONAL"),
        ("LIMIT", {"quantity": "1.01", "price": "99", "iceberg_quantity": "0.01"}, "ICEBERG_PARTS"),
        ("STOP_LOSS", {"quantity": "1", "trailing_delta": 9}, "TRAILING_DELTA"),
        ("STOP_LOSS", {"quantity": "1", "trailing_delta": 2001}, "TRAILING_DELTA"),
    ],
)
def test_each_filter_refuses_by_its_own_name(floor: Floor, kind: Any, fields: dict[str, Any], name: str) -> None:
    new = floor.request("SELL", kind, **fields)
    expected = (-1013, f"Filter failure: {name}")
    assert refusal(lambda: floor.exchange.place(floor.alice, new)) == expected
    assert refusal(lambda: floor.exchange.test(floor.alice, new)) == expected
    assert len(floor.exchange.all_orders(floor.alice, "BTCUSDT")) == 0


def test_values_just_inside_the_filters_pass(floor: Floor) -> None:
    floor.exchange.test(floor.alice, floor.request("BUY", quantity="0.05", price="100"))
    floor.exchange.test(floor.alice, floor.request("SELL", quantity="1", price="500"))
    floor.exchange.test(floor.alice, floor.request("BUY", quantity="1", price="20"))
    floor.exchange.test(floor.alice, floor.request("BUY", quantity="1", price="99", iceberg_quantity="0.01"))


def test_percent_price_looks_at_the_average_and_not_at_the_last_price(floor: Floor) -> None:
    floor.market.average = parse_quanta("10")
    found = refusal(lambda: floor.place(floor.alice, "BUY", quantity="1", price="51"))
    assert found == (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")


def test_a_market_order_is_valued_at_the_average_price(floor: Floor) -> None:
    floor.market.average = parse_quanta("4")
    found = refusal(lambda: floor.place(floor.alice, "BUY", "MARKET", quantity="1"))
    assert found == (-1013, "Filter failure: NOTIONAL")


def test_no_more_orders_than_the_symbol_allows(floor: Floor) -> None:
    floor.filters(maximum_orders=2)
    for price in ("98", "97"):
        floor.place(floor.alice, "BUY", quantity="1", price=price)
    found = refusal(lambda: floor.place(floor.alice, "BUY", quantity="1", price="96"))
    assert found == (-1013, "Filter failure: MAX_NUM_ORDERS")
    floor.place(floor.bob, "BUY", quantity="1", price="96")


def test_no_more_waiting_orders_than_the_symbol_allows(floor: Floor) -> None:
    for stop in range(91, 96):
        floor.place(floor.alice, "SELL", "STOP_LOSS", quantity="1", stop_price=str(stop))
    found = refusal(lambda: floor.place(floor.alice, "SELL", "STOP_LOSS", quantity="1", stop_price="90"))
    assert found == (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")
    floor.place(floor.alice, "SELL", quantity="1", price="101")


def test_a_buy_above_the_maximum_position_is_refused_and_a_sell_is_not(floor: Floor) -> None:
    floor.filters(maximum_position=parse_quanta("102"))
    floor.place(floor.alice, "BUY", quantity="1", price="99")
    found = refusal(lambda: floor.place(floor.alice, "BUY", quantity="1.5", price="99"))
    assert found == (-1013, "Filter failure: MAX_POSITION")
    floor.place(floor.alice, "SELL", quantity="1.5", price="101")


def test_an_order_without_funds_is_refused_and_changes_nothing(floor: Floor) -> None:
    before = len(floor.tape)
    found = refusal(lambda: floor.place(floor.alice, "BUY", quantity="1100", price="99"))
    assert found == (-2010, "Account has insufficient balance for requested action.")
    assert (len(floor.tape), floor.story()) == (before, [])
    assert floor.exchange.all_orders(floor.alice, "BTCUSDT") == []


def test_a_market_order_without_funds_for_all_of_it_is_refused_and_not_cut(floor: Floor) -> None:
    poor = floor.open_account("poor", usdt="100", btc="1")
    found = refusal(lambda: floor.place(poor, "BUY", "MARKET", quantity="2"))
    assert found == (-2010, "Account has insufficient balance for requested action.")
    assert floor.balance(poor, "USDT") == ("100", "0")


def test_a_quote_order_against_too_thin_a_book_is_refused() -> None:
    empty = Floor(levels=0)
    found = refusal(lambda: empty.place(empty.alice, "BUY", "MARKET", quote_quantity="50"))
    assert found == (-2010, "Order book liquidity is less than symbol minimum quantity.")
    thin = Floor(size="0.000001", levels=1)
    found = refusal(lambda: thin.place(thin.alice, "BUY", "MARKET", quote_quantity="50"))
    assert found == (-2010, "Order book liquidity is less than LOT_SIZE filter minimum quantity.")


def test_a_client_id_that_an_open_order_has_is_refused_and_may_be_used_again_afterwards(floor: Floor) -> None:
    floor.place(floor.alice, "BUY", quantity="1", price="99", client_order_id="mine")
    found = refusal(lambda: floor.place(floor.alice, "BUY", quantity="1", price="98", client_order_id="mine"))
    assert found == (-2010, "Duplicate order sent.")
    floor.place(floor.bob, "BUY", quantity="1", price="98", client_order_id="mine")
    floor.exchange.cancel(floor.alice, "BTCUSDT", client_order_id="mine")
    floor.place(floor.alice, "BUY", quantity="1", price="98", client_order_id="mine")


def test_a_client_id_is_free_again_once_its_order_is_filled(floor: Floor) -> None:
    for _ in range(2):
        order = floor.place(floor.alice, "BUY", "MARKET", quantity="1", client_order_id="again")
        assert order.status == "FILLED"


def test_an_unknown_symbol_is_refused(floor: Floor) -> None:
    new = NewOrder("NOPEUSDT", "BUY", "MARKET", quantity=1)
    assert refusal(lambda: floor.exchange.place(floor.alice, new)) == (-1121, "Invalid symbol.")


def test_an_account_that_may_not_trade_is_refused(floor: Floor) -> None:
    floor.accounts.account(floor.alice).can_trade = False
    found = refusal(lambda: floor.place(floor.alice, "BUY", quantity="1", price="99"))
    assert found == (-2010, "This action is disabled on this account.")


@pytest.mark.parametrize("status", ["HALT", "BREAK", "SETTLING", "PENDING_TRADING", "CLOSE"])
def test_on_a_closed_symbol_nothing_is_placed_cancelled_or_traded(floor: Floor, status: Status) -> None:
    order = floor.place(floor.alice, "BUY", quantity="1", price="99")
    floor.exchange.set_instrument(floor.instrument().with_status(status))
    assert refusal(lambda: floor.place(floor.alice, "BUY", quantity="1", price="98")) == (-1013, "Market is closed.")
    found = refusal(lambda: floor.exchange.cancel(floor.alice, "BTCUSDT", order.order_id))
    assert found == (-2011, "Market is closed.")
    floor.print("90", "5", "SELL")
    assert (order.status, floor.market.recorded) == ("NEW", [])


def test_a_cancel_only_symbol_lets_orders_go_but_takes_none(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", quantity="1", price="99")
    floor.exchange.set_instrument(floor.instrument().with_status("CANCEL_ONLY"))
    assert refusal(lambda: floor.place(floor.alice, "BUY", quantity="1", price="98")) == (-1013, "Market is closed.")
    assert floor.exchange.cancel(floor.alice, "BTCUSDT", order.order_id).status == "CANCELED"


def test_a_withdrawal_of_more_than_is_free_is_refused(floor: Floor) -> None:
    floor.place(floor.alice, "SELL", quantity="60", price="101")
    found = refusal(lambda: floor.exchange.withdraw(floor.alice, "BTC", parse_quanta("50")))
    assert found == (-2010, "Account has insufficient balance for requested action.")
    floor.exchange.withdraw(floor.alice, "BTC", parse_quanta("40"))
    assert floor.balance(floor.alice, "BTC") == ("0", "60")
