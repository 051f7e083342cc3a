from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import VenueError
from simulator.instruments import Market
from simulator.units import ONE
from simulator.wire.params import Params, load_exact, merge, texts_of

SIDES = ("BUY", "SELL")


def refusal(read: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(VenueError) as caught:
        read()
    return caught.value.code, caught.value.message


def params(market: Market = "spot", **values: str) -> Params:
    return Params(values, market)


def test_a_missing_parameter_is_named() -> None:
    text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
    assert refusal(lambda: params().symbol()) == (-1102, text)


def test_an_empty_parameter_is_named() -> None:
    assert refusal(lambda: params(price="").optional_decimal("price")) == (-1105, "Parameter 'price' was empty.")


def test_a_lower_case_symbol_is_illegal_on_spot() -> None:
    text = r"Illegal characters found in parameter 'symbol'; legal range is '^[\w\-._&&[^a-z]]{1,50}$'."
    assert refusal(lambda: params(symbol="btcusdt").symbol()) == (-1100, text)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "1000CAT-X_Y.Z", "币安人生USDT"])
def test_symbols_of_the_venue_are_read(symbol: str) -> None:
    assert params(symbol=symbol).symbol() == symbol


def test_usdm_reads_symbols_in_any_case() -> None:
    assert params("futures", symbol="btcusdt").symbol() == "BTCUSDT"


def test_decimals_become_quanta_exactly() -> None:
    assert params(price="60000.01000000").decimal("price") == 60000 * ONE + ONE // 100


@pytest.mark.parametrize("text", ["-1", "1e3", "1.", ".5", "abc", " 1", "1,5", "NaN", "١"])
def test_a_decimal_of_other_characters_is_illegal_on_spot(text: str) -> None:
    code, message = refusal(lambda: params(price=text).decimal("price"))
    assert code == -1100
    assert message == (
        r"Illegal characters found in parameter 'price'; legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'."
    )


def test_a_malformed_decimal_reads_as_not_sent_on_usdm() -> None:
    assert refusal(lambda: params("futures", quantity="x").decimal("quantity"))[0] == -1102


def test_nine_decimals_are_too_precise_in_the_words_of_each_market() -> None:
    spot = refusal(lambda: params(price="0.000000001").decimal("price"))
    futures = refusal(lambda: params("futures", price="0.000000001").decimal("price"))
    assert spot == (-1111, "Parameter 'price' has too much precision.")
    assert futures == (-1111, "Precision is over the maximum defined for this asset.")


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("side", -1117, "Invalid side."),
        ("type", -1116, "Invalid orderType."),
        ("timeInForce", -1115, "Invalid timeInForce."),
        ("interval", -1120, "Invalid interval."),
        ("other", -1130, "Data sent for parameter 'other' is not valid."),
    ],
)
def test_a_wrong_word_has_the_refusal_of_its_parameter(name: str, code: int, message: str) -> None:
    assert refusal(lambda: Params({name: "WRONG"}).choice(name, SIDES)) == (code, message)


def test_integers_have_bounds_and_sixty_three_bits() -> None:
    assert params(limit="500").integer("limit", 1, 1000) == 500
    assert refusal(lambda: params(limit="0").integer("limit", 1, 1000))[0] == -1130
    assert refusal(lambda: params(limit="1.5").integer("limit"))[0] == -1100
    assert refusal(lambda: params(limit="-5").integer("limit"))[0] == -1100
    assert refusal(lambda: params(limit="9223372036854775808").integer("limit"))[0] == -1108
    assert params(offset="-8").integer("offset", -12, 14) == -8


def test_spot_refuses_parameters_that_nobody_read() -> None:
    sent = params(symbol="BTCUSDT", surprise="1", timestamp="1", signature="x")
    sent.symbol()
    text = "Not all sent parameters were read; read '3' parameter(s) but was sent '4'."
    assert refusal(sent.finish) == (-1104, text)


def test_usdm_ignores_parameters_that_nobody_read() -> None:
    params("futures", subType="None").finish()


def test_a_parameter_without_a_place_is_refused() -> None:
    assert refusal(lambda: params(price="1").refuse("price")) == (-1106, "Parameter 'price' sent when not required.")


def test_client_ids_keep_to_the_range_of_their_market() -> None:
    assert params(id="x-1_A").client_id("id") == "x-1_A"
    assert refusal(lambda: params(id="x.1").client_id("id"))[0] == -1100
    assert params("futures", id="x.1:/").client_id("id") == "x.1:/"
    assert refusal(lambda: params("futures", newClientOrderId="x y").client_id("newClientOrderId")) == (
        -1100,
        r"Illegal characters found in parameter 'newclientorderid'; legal range is '^[\.A-Z\:/a-z0-9_-]{1,36}$'.",
    )


@pytest.mark.parametrize("text", ["[", "{}", "1", "nul", "[NaN]", "[" * 100_000])
def test_a_list_that_is_no_json_array_is_refused(text: str) -> None:
    assert refusal(lambda: params(symbols=text).json_list("symbols"))[0] == -1135


def test_numbers_of_json_stay_as_they_were_written() -> None:
    read = load_exact('{"a": 1.10, "b": 12345678901234567890.0, "c": true, "d": null, "e": ["X", 1.50]}')
    assert isinstance(read, dict)
    assert texts_of(read) == {"a": "1.10", "b": "12345678901234567890.0", "c": "true", "e": '["X","1.50"]'}


def test_the_query_wins_over_the_body() -> None:
    assert merge("a=1&b=2", "b=3&c=4%2B") == {"a": "1", "b": "2", "c": "4+"}


@pytest.mark.parametrize(("query", "body"), [("a=1&a=2", ""), ("", "a=1&a=1")])
def test_a_repeated_parameter_is_refused(query: str, body: str) -> None:
    assert refusal(lambda: merge(query, body)) == (-1101, "Duplicate values for a parameter detected.")


def test_nothing_secret_is_shown() -> None:
    shown = params(symbol="A", apiKey="k", signature="s", timestamp="1", recvWindow="2").shown()
    assert shown == {"symbol": "A"}


@given(st.text(), st.sampled_from(["spot", "futures"]))
def test_any_text_is_read_or_refused_by_the_venues_codes(text: str, market: Market) -> None:
    sent = Params({"x": text}, market)
    readers: list[Callable[[], object]] = [
        lambda: sent.optional_symbol("x"),
        lambda: sent.optional_decimal("x"),
        lambda: sent.optional_integer("x"),
        lambda: sent.client_id("x"),
        lambda: sent.json_list("x"),
        lambda: sent.boolean("x"),
        lambda: sent.optional_choice("x", SIDES),
    ]
    refusals = []
    for reader in readers:
        try:
            reader()
        except VenueError as error:
            refusals.append(error.code)
    assert all(-1200 < code <= -1100 for code in refusals)
