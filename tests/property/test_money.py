from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.errors import Refused
from domain.instrument import LARGEST_PRODUCT, Instrument, OutOfRange, UnsafeInstrument
from domain.money import (
    NotAnAmount,
    NotDivisible,
    TooFine,
    check_storable,
    divmod_exact,
    exact,
    from_units,
    multiply,
    to_units,
    to_wire,
)

COUNTS = some.integers(-(10**30), 10**30)
UNITS = some.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), some.integers(1, 999), some.integers(-18, 3)
)
AMOUNTS = some.builds(
    lambda count, exponent: Decimal(count).scaleb(exponent), some.integers(-(10**27), 10**27), some.integers(-18, 0)
)


@given(COUNTS, UNITS)
def test_units_come_back_as_they_went(count: int, unit: Decimal) -> None:
    assert to_units(from_units(count, unit), unit) == count


@given(AMOUNTS, UNITS)
def test_whole_units_and_rest_make_up_the_amount_exactly(amount: Decimal, unit: Decimal) -> None:
    whole, rest = divmod_exact(amount, unit)
    assert whole * Fraction(unit) + Fraction(rest) == Fraction(amount)
    assert abs(Fraction(rest)) < Fraction(unit)
    assert rest == 0 or (rest < 0) == (amount < 0)


@given(AMOUNTS, UNITS)
def test_an_amount_is_divided_exactly_or_refused(amount: Decimal, unit: Decimal) -> None:
    if (Fraction(amount) / Fraction(unit)).denominator == 1:
        assert to_units(amount, unit) * Fraction(unit) == Fraction(amount)
    else:
        with pytest.raises(NotDivisible):
            to_units(amount, unit)


@given(AMOUNTS, AMOUNTS)
def test_a_product_is_exact_whatever_the_precision_of_the_program(left: Decimal, right: Decimal) -> None:
    with localcontext(prec=3):
        assert Fraction(multiply(left, right)) == Fraction(left) * Fraction(right)


@given(AMOUNTS)
def test_wire_text_is_plain_short_and_means_the_same(amount: Decimal) -> None:
    text = to_wire(amount)
    assert exact(text) == amount
    assert "E" not in text.upper()
    assert text == to_wire(exact(text))
    assert "." not in text or text[-1] not in "0."


@given(AMOUNTS)
def test_what_is_storable_is_unchanged_and_the_rest_is_refused(amount: Decimal) -> None:
    if abs(Fraction(amount)) < 10**18:
        stored = check_storable(amount)
        assert Fraction(stored) == Fraction(amount)
        assert stored.as_tuple().exponent == -18
    else:
        with pytest.raises(TooFine):
            check_storable(amount)


@given(some.one_of(some.floats(), some.booleans(), some.none(), some.just("1,5"), some.just("NaN"), some.just("inf")))
def test_what_is_not_exact_is_not_an_amount(value: object) -> None:
    with pytest.raises(NotAnAmount):
        exact(value)  # type: ignore[arg-type]


def test_zero_is_written_without_a_sign() -> None:
    assert [to_wire(Decimal(text)) for text in ("-0", "-0.000", "0E+3", "0E-9")] == ["0"] * 4


def test_a_unit_must_be_above_zero() -> None:
    for unit in ("0", "-1"):
        with pytest.raises(NotAnAmount, match="above zero"):
            to_units(Decimal(1), Decimal(unit))


def bitcoin(max_position: str = "1000") -> Instrument:
    return Instrument(
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        max_price=Decimal("1000000.00"),
        max_position=Decimal(max_position),
    )


@given(some.integers(0, 100_000_000), some.integers(-100_000_000, 100_000_000))
def test_ticks_and_lots_pass_the_doors_unchanged(ticks: int, lots: int) -> None:
    instrument = bitcoin()
    assert instrument.to_ticks(instrument.from_ticks(ticks)) == ticks
    assert instrument.to_lots(instrument.from_lots(lots)) == lots
    value = Fraction(instrument.from_ticks(ticks)) * Fraction(instrument.from_lots(lots))
    assert Fraction(instrument.notional(ticks, lots)) == value


@given(some.integers(1, 10**16), some.integers(1, 10**16))
def test_an_instrument_exists_only_when_its_largest_position_fits(ticks: int, lots: int) -> None:
    def make() -> Instrument:
        one = Decimal(1)
        return Instrument("X", "B", "Q", one, one, max_price=Decimal(ticks), max_position=Decimal(lots))

    if ticks * lots > LARGEST_PRODUCT:
        with pytest.raises(UnsafeInstrument):
            make()
    else:
        assert (make().max_ticks, make().max_lots) == (ticks, lots)
        assert ticks * lots * 4 <= 2**62


@pytest.mark.parametrize("price", ["-0.01", "1000000.01", "0.015", "1e-9"])
def test_a_price_off_the_grid_or_out_of_range_is_refused(price: str) -> None:
    with pytest.raises(Refused) as refused:
        bitcoin().to_ticks(Decimal(price))
    assert isinstance(refused.value, OutOfRange | NotDivisible)


@pytest.mark.parametrize("quantity", ["1000.00001", "-1000.00001", "0.000001"])
def test_a_quantity_off_the_grid_or_out_of_range_is_refused(quantity: str) -> None:
    with pytest.raises(Refused) as refused:
        bitcoin().to_lots(Decimal(quantity))
    assert isinstance(refused.value, OutOfRange | NotDivisible)


def test_an_instrument_that_could_overflow_says_what_to_lower() -> None:
    with pytest.raises(UnsafeInstrument, match="lower its highest price or its largest position"):
        bitcoin(max_position="1000000000")
