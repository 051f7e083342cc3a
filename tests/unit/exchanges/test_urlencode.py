from __future__ import annotations

import ccxt.async_support as ccxt
import pytest

from exchanges._ccxt.client import urlencode


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"symbol": "BTCUSDT", "price": "60000.12", "timestamp": 1_767_225_600_000},
        {"symbol": "币安人生USDT", "side": "BUY"},
        {"origQty": "0.001", "reduceOnly": True},
        {"a": "1&b=2", "c": "x y+z/%", "d": ""},
        {"batchOrders": '[{"symbol":"BTCUSDT"}]'},
        {"none": None, "amount": 1.5, "many": ["a", "b"]},
    ],
)
def test_parameters_become_what_ccxt_makes_of_them(params: dict[str, object]) -> None:
    assert urlencode(params) == ccxt.Exchange.urlencode(params)
    assert urlencode(params, True) == ccxt.Exchange.urlencode(params, True)
