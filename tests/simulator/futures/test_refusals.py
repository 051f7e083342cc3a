from __future__ import annotations

from typing import Any

import pytest

from simulator.futures.types import NewOrder
from simulator.units import ONE, parse_quanta
from tests.simulator.futures.floor import SYMBOL, Floor, refusal

LIMIT: dict[str, Any] = {"quantity": "1", "price": "49000"}
STOP: dict[str, Any] = {"quantity": "1", "trigger_price": "51000"}


@pytest.mark.parametrize(
    ("fields", "code", "text"),
    [
        ({"quantity": "0"}, -4003, "Quantity less than or equal to zero."),
        ({"quantity": "0.0001"}, -1111, "Precision is over the maximum defined for this asset."),
        ({"quantity": "1001"}, -4005, "Quantity greater than max quantity."),
        ({"price": "0"}, -4001, "Price less than 0."),
        ({"price": "500"}, -4013, "Price less than min price."),
        ({"price": "5000000"}, -4002, "Price greater than max price."),
        ({"price": "49000.05"}, -4014, "Price not increased by tick size."),
        ({"price": "49000.005"}, -1111, "Precision is over the maximum defined for this asset."),
        ({"price": "52500.1"}, -4016, "Limit price can't be higher than 52500.00."),
        ({"quantity": "0.002"}, -4164, "Order's notional must be no smaller than 100 (unless you choose reduce only)."),
        ({"quantity": "100"}, -2019, "Margin is insufficient."),
        ({"client_order_id": "x" * 37}, -4015, "Client order id is not valid."),
        ({"client_order_id": "bad id"}, -4015, "Client order id is not valid."),
        ({"position_side": "LONG"}, -4061, "Order's position side does not match user's setting."),
        ({"reduce_only": True}, -2022, "ReduceOnly Order is rejected."),
        (
            {"price": None},
            -1102,
            "Mandatory parameter 'price' was not sent, was empty/null, or malformed.",
        ),
        (
            {"quantity": None},
            -1102,
            "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.",
        ),
        ({"price_match": "OPPONENT"}, -1106, "Parameter 'price' sent when not required."),
        ({"price_match": "BEST", "price": None}, -5037, "Invalid price match"),
        ({"good_till_ms": 1}, -1106, "Parameter 'goodtilldate' sent when not required."),
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
    ],
)
def test_a_limit_order_is_refused_with_the_venues_code_and_text(fields: dict[str, Any], code: int, text: str) -> None:
    floor = Floor()
    chosen = {name: value for name, value in {**LIMIT, **fields}.items() if value is not None}

    assert refusal(lambda: floor.place(floor.alice, "BUY", **chosen)) == (code, text)
    assert floor.exchange.history.open_orders(floor.alice) == []


def test_a_sell_below_the_floor_is_refused() -> None:
    floor = Floor()

    assert refusal(lambda: floor.limit(floor.alice, "SELL", "1", "47499.9")) == (
        -4024,
        "Limit price can't be lower than 47500.00.",
    )


@pytest.mark.parametrize(
    ("fields", "code", "text"),
    [
        ({"price": "50000"}, -1106, "Parameter 'price' sent when not required."),
        ({"tif": "GTC"}, -1106, "Parameter 'timeinforce' sent when not required."),
        ({"quantity": "121"}, -4005, "Quantity greater than max quantity."),
        ({"price_match": "OPPONENT"}, -5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT"),
    ],
)
def test_a_market_order_is_refused_with_the_venues_code_and_text(fields: dict[str, Any], code: int, text: str) -> None:
    floor = Floor()

    assert refusal(lambda: floor.place(floor.alice, "BUY", "MARKET", **{"quantity": "1", **fields})) == (code, text)


def test_a_limit_order_needs_a_time_in_force() -> None:
    floor = Floor()
    new = NewOrder(SYMBOL, "BUY", "LIMIT", quantity=ONE, price=parse_quanta("49000"))

    assert refusal(lambda: floor.exchange.place(floor.alice, new))[1] == (
        "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."
    )


def test_a_quantity_off_the_step_is_refused() -> None:
    floor = Floor()
    floor.filters(lot=ONE // 100)

    assert refusal(lambda: floor.limit(floor.alice, "BUY", "1.005", "49000")) == (
        -4023,
        "Qty not increased by step size.",
    )


def test_a_quantity_below_the_least_is_refused() -> None:
    floor = Floor()
    floor.filters(minimum_quantity=ONE // 10)

    assert refusal(lambda: floor.limit(floor.alice, "BUY", "0.05", "49000")) == (
        -4004,
        "Quantity less than min quantity.",
    )


@pytest.mark.parametrize("kind", ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
def test_conditional_types_are_sent_to_the_algo_service(kind: Any) -> None:
    floor = Floor()

    assert refusal(lambda: floor.place(floor.alice, "BUY", kind, **STOP)) == (
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    )


@pytest.mark.parametrize(
    ("tif", "code", "text"),
    [
        (
            "GTX",
            -5022,
            "Due to the order could not be executed as maker, the Post Only order will be rejected. "
            "The order will not be recorded in the order history",
        ),
        (
            "FOK",
            -5021,
            "Due to the order could not be filled immediately, the FOK order has been rejected. "
            "The order will not be recorded in the order history",
        ),
    ],
)
def test_orders_that_cannot_keep_their_promise_are_refused(tif: Any, code: int, text: str) -> None:
    floor = Floor(levels=1)

    assert refusal(lambda: floor.limit(floor.alice, "BUY", "1.5", "50000.1", tif=tif)) == (code, text)


def test_good_till_date_must_be_ten_minutes_ahead() -> None:
    floor = Floor()
    soon = floor.clock.now_ms() + 600_000

    assert refusal(lambda: floor.place(floor.alice, "BUY", tif="GTD", good_till_ms=soon, **LIMIT)) == (
        -5040,
        "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than "
        "253402300799000 (UTC 9999-12-31 23:59:59)",
    )
    assert refusal(lambda: floor.place(floor.alice, "BUY", tif="GTD", **LIMIT))[0] == -1102


def test_a_market_order_against_a_price_far_from_mark_is_refused() -> None:
    floor = Floor()
    floor.market.liquidity.anchor_at(parse_quanta("60000"))

    assert refusal(lambda: floor.buy(floor.alice, "1")) == (
        -4131,
        "The counterparty's best price does not meet the PERCENT_PRICE filter limit.",
    )


def test_the_number_of_open_orders_is_bounded() -> None:
    floor = Floor()
    floor.filters(maximum_orders=1)
    floor.place(floor.alice, "BUY", **LIMIT)

    assert refusal(lambda: floor.place(floor.alice, "BUY", **LIMIT)) == (-2025, "Reach max open order limit.")


def test_a_position_may_not_outgrow_its_leverage() -> None:
    floor = Floor()
    floor.exchange.settings.set_leverage(floor.alice, SYMBOL, 125)

    assert refusal(lambda: floor.limit(floor.alice, "BUY", "7", "49000")) == (
        -2027,
        "Exceeded the maximum allowable position at current leverage.",
    )


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("HALT", -4141, "Symbol is closed."),
        ("CLOSE", -4141, "Symbol is closed."),
        ("SETTLING", -4140, "Invalid symbol status for opening position."),
    ],
)
def test_a_symbol_that_does_not_trade_takes_no_orders(name: Any, code: int, text: str) -> None:
    floor = Floor()
    floor.exchange.set_instrument(floor.instrument().with_status(name))

    assert refusal(lambda: floor.place(floor.alice, "BUY", **LIMIT)) == (code, text)


def test_an_account_that_may_not_trade_is_refused() -> None:
    floor = Floor()
    floor.accounts.account(floor.alice).can_trade = False

    assert refusal(lambda: floor.place(floor.alice, "BUY", **LIMIT))[0] == -4088


@pytest.mark.parametrize(
    ("kind", "fields", "code", "text"),
    [
        ("STOP_MARKET", {"trigger_price": "49000"}, -2021, "Order would immediately trigger."),
        ("TAKE_PROFIT_MARKET", {"trigger_price": "51000"}, -2021, "Order would immediately trigger."),
        ("STOP_MARKET", {"trigger_price": "0"}, -4006, "Stop price less than zero."),
        ("STOP_MARKET", {"trigger_price": "5000000"}, -4007, "Stop price greater than max price."),
        (
            "STOP_MARKET",
            {"trigger_price": None},
            -1102,
            "Mandatory parameter 'triggerPrice' was not sent, was empty/null, or malformed.",
        ),
        ("STOP_MARKET", {"price": "51000"}, -1106, "Parameter 'price' sent when not required."),
        (
            "STOP",
            {},
            -1102,
            "Mandatory parameter 'price' was not sent, was empty/null, or malformed.",
        ),
        ("STOP_MARKET", {"close_position": True}, -4137, "Quantity must be zero with closePosition equals true."),
        (
            "STOP",
            {"close_position": True, "quantity": None, "price": "51000"},
            -4136,
            "Target strategy invalid for orderType STOP,closePosition true",
        ),
        (
            "TRAILING_STOP_MARKET",
            {"trigger_price": None},
            -1102,
            "Mandatory parameter 'callbackRate' was not sent, was empty/null, or malformed.",
        ),
        ("TRAILING_STOP_MARKET", {"trigger_price": None, "callback_rate": "11"}, -2007, "Invalid callBack rate."),
        (
            "TRAILING_STOP_MARKET",
            {"trigger_price": None, "callback_rate": "1", "activate_price": "51000"},
            -2021,
            "Order would immediately trigger.",
        ),
        ("STOP_MARKET", {"quantity": "0.001"}, -4164, None),
    ],
)
def test_a_conditional_order_is_refused_with_the_venues_code_and_text(
    kind: Any, fields: dict[str, Any], code: int, text: str | None
) -> None:
    floor = Floor()
    chosen = {name: value for name, value in {**STOP, **fields}.items() if value is not None}

    refused = refusal(lambda: floor.algo(floor.alice, "BUY", kind, **chosen))

    assert refused[0] == code
    assert text is None or refused[1] == text
    assert floor.exchange.algo.open_orders(floor.alice) == []


def test_conditional_orders_are_bounded_and_their_ids_unique() -> None:
    floor = Floor()
    floor.filters(maximum_algo_orders=1)
    floor.algo(floor.alice, "BUY", "STOP_MARKET", client_order_id="mine", **STOP)

    assert refusal(lambda: floor.algo(floor.alice, "BUY", "STOP_MARKET", client_order_id="mine", **STOP))[0] == -4116
    assert refusal(lambda: floor.algo(floor.alice, "BUY", "STOP_MARKET", **STOP)) == (
        -4045,
        "Reach max stop order limit.",
    )


def test_one_close_position_stop_per_direction() -> None:
    floor = Floor()
    floor.algo(floor.alice, "BUY", "STOP_MARKET", trigger_price="51000", close_position=True)

    assert refusal(
        lambda: floor.algo(floor.alice, "BUY", "STOP_MARKET", trigger_price="52000", close_position=True)
    ) == (-4130, "An open stop or take profit order with GTE and closePosition in the direction is existing.")


@pytest.mark.parametrize(
    ("price", "quantity", "code", "text"),
    [
        ("49000", "1", -5027, "No need to modify the order."),
        ("49000.05", "1", -4014, "Price not increased by tick size."),
        ("49000", "0", -4003, "Quantity less than or equal to zero."),
        ("52500.1", "1", -4016, "Limit price can't be higher than 52500.00."),
        ("49000", "0.001", -4164, "Order's notional must be no smaller than 100 (unless you choose reduce only)."),
    ],
)
def test_a_modification_is_refused_and_leaves_the_order_alone(price: str, quantity: str, code: int, text: str) -> None:
    floor = Floor()
    order = floor.place(floor.alice, "BUY", **LIMIT)

    assert refusal(
        lambda: floor.exchange.modify(
            floor.alice, SYMBOL, order.order_id, None, "BUY", parse_quanta(quantity), parse_quanta(price)
        )
    ) == (code, text)
    assert (order.price, order.quantity, order.status) == (parse_quanta("49000"), ONE, "NEW")


def test_modifying_while_the_symbol_is_halted_or_the_order_is_over_is_refused() -> None:
    floor = Floor()
    order = floor.place(floor.alice, "BUY", **LIMIT)
    change: tuple[Any, ...] = (floor.alice, SYMBOL, order.order_id, None, "BUY", 2 * ONE, parse_quanta("49000"))
    floor.exchange.set_instrument(floor.instrument().with_status("HALT"))
    assert refusal(lambda: floor.exchange.modify(*change)) == (
        -5024,
        "Symbol is not in trading status. Order amendment is not permitted.",
    )

    floor.exchange.cancel_all(floor.alice, SYMBOL)

    assert refusal(lambda: floor.exchange.modify(*change)) == (-2013, "Order does not exist.")


def test_cancels_and_queries_of_unknown_conditional_orders() -> None:
    floor = Floor()

    assert refusal(lambda: floor.exchange.algo.cancel(floor.alice, 7, None)) == (-2011, "Unknown order sent.")
    assert refusal(lambda: floor.exchange.algo.order(floor.alice, None, "x")) == (-2013, "Order does not exist.")


def test_a_withdrawal_beyond_what_is_free_is_refused() -> None:
    floor = Floor()
    floor.place(floor.alice, "BUY", **LIMIT)

    assert refusal(lambda: floor.exchange.withdraw(floor.alice, "USDT", parse_quanta("97550.01"))) == (
        -2018,
        "Balance is insufficient.",
    )
    floor.exchange.withdraw(floor.alice, "USDT", parse_quanta("97550"))
    assert floor.wallet(floor.alice) == "2450"
