from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.catalogue import CATALOGUE, UnknownAsset, instrument_for, split_symbol
from simulator.units import ONE, parse_quanta, trim_quanta


def test_the_known_symbols_have_the_venues_rules() -> None:
    spot, futures = CATALOGUE["spot", "BTCUSDT"], CATALOGUE["futures", "BTCUSDT"]
    rules = [spot.filters.tick, spot.filters.lot, spot.filters.minimum_notional]
    assert [trim_quanta(rule) for rule in rules] == ["0.01", "0.00001", "5"]
    rules = [futures.filters.tick, futures.filters.lot, futures.filters.minimum_notional]
    assert [trim_quanta(rule) for rule in rules] == ["0.1", "0.001", "100"]
    assert (futures.price_decimals, futures.quantity_decimals) == (2, 3)


def test_a_known_symbol_keeps_its_rules_whatever_price_is_hinted() -> None:
    assert instrument_for("spot", "BTCUSDT", 3 * ONE) is CATALOGUE["spot", "BTCUSDT"]


def test_a_symbol_is_parted_at_its_quote_asset() -> None:
    assert split_symbol("PEPEUSDT") == ("PEPE", "USDT")
    assert split_symbol("SOLBTC") == ("SOL", "BTC")
    with pytest.raises(UnknownAsset, match="use one of USDT"):
        split_symbol("NONSENSE")


@given(price=st.integers(1, 10**15), symbol=st.sampled_from(["FOOUSDT", "FOOBTC", "FOOBNB"]))
def test_derived_rules_let_an_order_near_the_hinted_price_through(price: int, symbol: str) -> None:
    instrument = instrument_for("spot", symbol, price)
    filters = instrument.filters
    assert filters.minimum_price <= max(price, filters.tick) <= filters.maximum_price
    assert filters.minimum_quantity <= filters.maximum_quantity
    assert filters.tick * filters.lot % ONE == 0
    assert filters.tick <= max(price // 10_000, 1)


def test_derived_lots_are_worth_little_against_the_smallest_notional() -> None:
    for price in ("0.01", "1.2345", "250", "40000"):
        filters = instrument_for("spot", "FOOUSDT", parse_quanta(price)).filters
        assert parse_quanta(price) * filters.lot // ONE * 100 <= filters.minimum_notional
