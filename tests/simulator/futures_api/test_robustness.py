"""No request, however strange, may raise anything but a refusal in the venue's words."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.accounts import ApiKey
from simulator.config import SimulatorConfig, Speed, parse_account
from simulator.venue import Venue
from simulator.wire.endpoint import registry
from tests.simulator.futures_api.harness import Customer, FuturesVenue

NAMES = [
    "symbol",
    "side",
    "type",
    "quantity",
    "price",
    "timeInForce",
    "orderId",
    "origClientOrderId",
    "newClientOrderId",
    "reduceOnly",
    "positionSide",
    "priceMatch",
    "stopPrice",
    "closePosition",
    "workingType",
    "selfTradePreventionMode",
    "goodTillDate",
    "newOrderRespType",
    "modifyId",
    "batchOrders",
    "orderIdList",
    "origClientOrderIdList",
    "countdownTime",
    "startTime",
    "endTime",
    "limit",
    "fromId",
    "algoType",
    "triggerPrice",
    "callbackRate",
    "activatePrice",
    "clientAlgoId",
    "algoId",
    "priceProtect",
    "leverage",
    "marginType",
    "amount",
    "dualSidePosition",
    "multiAssetsMargin",
    "incomeType",
    "page",
    "pair",
    "contractType",
    "interval",
    "period",
    "asset",
    "downloadId",
    "feeBurn",
    "autoCloseType",
]
LIKELY = [
    "BTCUSDT",
    "ETHUSDT",
    "BTCUSD",
    "BUY",
    "SELL",
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TRAILING_STOP_MARKET",
    "GTC",
    "IOC",
    "FOK",
    "GTX",
    "GTD",
    "LONG",
    "SHORT",
    "BOTH",
    "true",
    "false",
    "QUEUE",
    "OPPONENT_5",
    "MARK_PRICE",
    "NONE",
    "EXPIRE_BOTH",
    "RESULT",
    "CONDITIONAL",
    "ISOLATED",
    "CROSSED",
    "PERPETUAL",
    "1m",
    "1M",
    "1w",
    "1d",
    "5m",
    "COMMISSION",
    "LIQUIDATION",
    "0",
    "1",
    "2",
    "5",
    "10",
    "100",
    "0.01",
    "0.1",
    "1.5",
    "90000",
    "94000.1",
    "1735689600000",
    "1735693200000",
    "abc",
]
STRANGE = (
    "",
    " ",
    "-1",
    "1e9",
    "NaN",
    "null",
    "[]",
    "{}",
    "[1,2]",
    '[{"symbol":"BTCUSDT"}]',
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999",
    "0.000000001",
    "92233720368547758070000.1",
    "٣",
    "½",
    "\x00",
    "é" * 40,
    "x" * 4000,
)
REQUESTS = [
    f"{item.method} {item.path}"
    for methods in registry().rest.values()
    for item in methods.values()
    if item.market == "futures"
]


class _RealVenue(Venue):
    def as_venue(self) -> Venue:
        return self


@cache
def _customer() -> Customer:
    account = parse_account("key:secret:USDT=1000000")
    config = SimulatorConfig(
        market="generated:1",
        symbols=("BTCUSDT", "ETHUSDT"),
        speed=Speed(Fraction(0)),
        accounts=(account,),
        lift_limits=True,
    )
    venue = _RealVenue(config)
    venue.advance_to(venue.clock.now_ms() + 60_000)
    return Customer(cast("FuturesVenue", venue), cast("ApiKey", venue.accounts.key("key")))


_values = st.one_of(st.sampled_from(LIKELY), st.sampled_from(STRANGE), st.text(max_size=20))
_sound: list[dict[str, str]] = [
    {},
    {
        "symbol": "BTCUSDT",
        "pair": "BTCUSDT",
        "interval": "1m",
        "period": "5m",
        "contractType": "PERPETUAL",
        "algoType": "CONDITIONAL",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "90000",
        "orderId": "1",
        "algoId": "1",
    },
]
_params = st.builds(
    lambda sound, more: sound | more,
    st.sampled_from(_sound),
    st.dictionaries(st.sampled_from(NAMES), _values, max_size=8),
)


@pytest.mark.parametrize("request_name", REQUESTS)
@settings(max_examples=40, deadline=None)
@given(params=_params)
def test_strange_parameters_get_an_answer(request_name: str, params: dict[str, str]) -> None:
    method, _, path = request_name.partition(" ")
    answer = _customer().rest(method, path, **params)
    if answer.status != 200:
        code, text = answer.refusal
        assert answer.status < 500
        assert isinstance(code, int)
        assert text


_orders = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(("BTCUSDT", "ETHUSDT")),
        "side": st.sampled_from(("BUY", "SELL")),
        "type": st.sampled_from(("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TRAILING_STOP_MARKET")),
        "algoType": st.just("CONDITIONAL"),
    },
    optional={
        "quantity": st.sampled_from(("0.001", "0.01", "1", "5", "1000")),
        "price": st.sampled_from(("90000", "94000", "3300", "100000.1", "0.1")),
        "triggerPrice": st.sampled_from(("80000", "94000", "120000", "3000")),
        "timeInForce": st.sampled_from(("GTC", "IOC", "FOK", "GTX", "GTD")),
        "goodTillDate": st.sampled_from(("1735699600000", "1")),
        "reduceOnly": st.sampled_from(("true", "false")),
        "closePosition": st.sampled_from(("true", "false")),
        "callbackRate": st.sampled_from(("0.1", "1", "10")),
        "priceMatch": st.sampled_from(("QUEUE", "OPPONENT", "OPPONENT_20")),
        "newOrderRespType": st.sampled_from(("ACK", "RESULT")),
    },
)


@given(chosen=st.lists(st.tuples(st.sampled_from(("/fapi/v1/order", "/fapi/v1/algoOrder")), _orders), max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_run_of_orders_keeps_the_books_balanced(chosen: list[tuple[str, dict[str, str]]]) -> None:
    customer = _customer()
    venue = customer.venue.as_venue()
    for path, params in chosen:
        customer.post(path, **params)
        venue.advance_to(venue.clock.now_ms() + 3_000)
    assert venue.futures.totals() == venue.futures.wallets.paid_in()
    assert customer.get("/fapi/v3/account").status == 200
