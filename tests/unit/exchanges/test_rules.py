from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.client_order_id import OrderKey, encode
from domain.instrument import LARGEST_PRODUCT
from domain.order import BUY, LIMIT, Order
from exchanges._binance.rules import bounds, parse_rules, weight_limit
from exchanges._binance.words import cancel_name, original_name, place_params, quanta

_KEY = OrderKey(1, 2, 3, 4, 5, 0, 0)


def symbol(
    tick: str, step: str, *, highest: str = "1000000", largest: str = "9000", name: str = "ABCUSDT"
) -> dict[str, Any]:
    return {
        "symbol": name,
        "baseAsset": "ABC",
        "quoteAsset": "USDT",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": highest, "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": largest, "stepSize": step},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
    }


def test_filters_become_an_instrument() -> None:
    rules = parse_rules([symbol("0.01000000", "0.00001000")])
    instrument = rules.instruments["ABCUSDT"]
    assert (instrument.base, instrument.quote) == ("ABC", "USDT")
    assert (instrument.base_per_lot, instrument.tick_lot) == (1000, 10)
    assert instrument.min_notional == 5
    assert instrument.to_lots(Decimal("9000")) == 900_000_000
    assert {name: each.max_open_orders for name, each in rules.trading.items()} == {"ABCUSDT": 200}


@pytest.mark.parametrize(
    ("tick", "step", "highest", "largest"),
    [
        ("0.00000001", "1", "1", "92141578.00"),
        ("0.00000001", "1", "1000", "1000000000000"),
        ("0.0000001", "1", "200", "40000000"),
        ("0.10", "0.001", "4529764", "1000"),
        ("1000000", "0.00000001", "100000000000", "9000"),
    ],
)
def test_coins_of_any_size_fit_the_laws_integers(tick: str, step: str, highest: str, largest: str) -> None:
    rules = parse_rules([symbol(tick, step, highest=highest, largest=largest)])
    instrument = rules.instruments["ABCUSDT"]
    assert instrument.max_ticks * instrument.max_lots <= LARGEST_PRODUCT
    assert instrument.to_lots(instrument.max_quantity) > 0


@pytest.mark.parametrize(("tick", "step"), [("0.00001", "0.0001"), ("0.01", "0.000000001"), ("0", "1"), ("x", "1")])
def test_steps_that_cannot_be_booked_exactly_are_refused_with_the_reason(tick: str, step: str) -> None:
    rules = parse_rules([symbol(tick, step), symbol("0.01", "0.001", name="GOOD")])
    assert set(rules.instruments) == {"GOOD"}
    assert rules.refused["ABCUSDT"].startswith("ABCUSDT cannot be traded here: ")


def test_a_symbol_without_its_filters_is_refused_and_harms_no_other() -> None:
    rules = parse_rules([{"symbol": "ABCUSDT", "filters": []}, {}, symbol("0.01", "0.001", name="GOOD")])
    assert set(rules.instruments) == {"GOOD"}


@pytest.mark.parametrize("largest", [1, 10**6, 10**12, 2**59])
@pytest.mark.parametrize("highest", [1, 10**6, 10**14, 2**59])
def test_bounds_always_fit(highest: int, largest: int) -> None:
    ticks, lots = bounds(highest, largest)
    assert ticks * lots <= LARGEST_PRODUCT
    assert 0 < ticks <= highest
    assert lots > 0


def made(tick: str, step: str, ticks: int, lots: int, **wide: str) -> dict[str, str]:
    instrument = parse_rules([symbol(tick, step, **wide)]).instruments["ABCUSDT"]
    order = Order(_KEY, "ar1", "ABCUSDT", BUY, LIMIT, ticks, lots)
    return place_params(order, instrument, futures=False)


def test_amounts_are_sent_as_plain_decimal_text() -> None:
    tiny = made("0.00000001", "1", 1, 10**12, highest="1", largest="1000000000000")
    assert (tiny["price"], tiny["quantity"]) == ("0.00000001", "1000000000000")
    sum_of_floats = made("0.01", "0.1", 5_763_800, 3)
    assert (sum_of_floats["price"], sum_of_floats["quantity"]) == ("57638", "0.3")


def test_the_finest_amounts_are_counted_exactly() -> None:
    assert quanta("0.00000001") == 1
    assert quanta("1000000000000.12345678") == 100_000_000_000_012_345_678


def test_a_cancel_is_named_so_that_the_order_can_be_read_from_it() -> None:
    name = encode(_KEY)
    assert original_name(cancel_name(name)) == name
    assert original_name(name) == name
    assert original_name("cafe") == "cafe"
    assert len(cancel_name(name)) <= 36


def test_the_weight_limit_is_that_of_a_minute() -> None:
    rows = [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    ]
    assert weight_limit(rows) == 6000
    assert weight_limit([]) == 0
