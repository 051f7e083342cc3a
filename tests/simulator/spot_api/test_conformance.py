"""Every answer against the official examples and the OpenAPI description: the same fields with the same JSON types."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.wire.endpoint import registry
from tests.simulator.spot_api.harness import SpotVenue, WholeVenue
from tests.simulator.spot_api.story import Story, whole_story

PREFIX = "clients_spot_tests_unit_"
NOT_ENDPOINTS = ("websocket_streams_", "websocket_api_test_auth_", "websocket_api_test_user_data_stream_")
"""Streams and sessions, which are not requests of this package."""

ROUTES = {
    "account_commission": "GET account/commission",
    "account_rate_limits_orders": "GET rateLimit/order",
    "all_order_list": "GET allOrderList",
    "all_orders": "GET allOrders",
    "avg_price": "GET avgPrice",
    "depth": "GET depth",
    "exchange_info": "GET exchangeInfo",
    "get_account": "GET account",
    "get_open_orders": "GET openOrders",
    "get_order": "GET order",
    "get_order_list": "GET orderList",
    "get_trades": "GET trades",
    "historical_trades": "GET historicalTrades",
    "klines": "GET klines",
    "my_prevented_matches": "GET myPreventedMatches",
    "my_trades": "GET myTrades",
    "new_order": "POST order",
    "open_order_list": "GET openOrderList",
    "open_orders_cancel_all": "DELETE openOrders",
    "order_amend_keep_priority": "PUT order/amend/keepPriority",
    "order_amendments": "GET order/amendments",
    "order_cancel": "DELETE order",
    "order_list_oco": "POST orderList/oco",
    "order_list_oto": "POST orderList/oto",
    "order_list_place_oco": "POST orderList/oco",
    "order_oco": "POST order/oco",
    "order_status": "GET order",
    "sor_order": "POST sor/order",
    "sor_order_place": "POST sor/order",
    "ticker": "GET ticker",
    "ticker_book": "GET ticker/bookTicker",
    "ticker_book_ticker": "GET ticker/bookTicker",
    "time": "GET time",
    "ui_klines": "GET uiKlines",
}
"""Test of the official SDK -> the route it asks."""

REFUSED = {
    "historical_block_trades": "nobody trades blocks here: the list is always empty",
    "order_list_place_opo": "no symbol allows OPO (opoAllowed is false in exchangeInfo): refused with -1013",
    "reference_price": "no symbol has a reference price: refused with -2043, as on the venue",
    "reference_price_calculation": "the same",
}
"""Examples whose endpoint exists but never answers with such content."""

NO_PEGS = "pegged orders are refused (pegInstructionsAllowed is false in exchangeInfo)"
DEVIATIONS = {
    "pegOffsetType": NO_PEGS,
    "pegOffsetValue": NO_PEGS,
    "pegPriceType": NO_PEGS,
    "peggedPrice": NO_PEGS,
    "allocId": "a routed order trades on its own book, so nothing is allocated",
    "matchType": "the same",
    "exchangeFilters[].filterType": "there are no filters for the whole venue, as on the real one",
    "exchangeFilters[].maxNumOrders": "the same",
    "symbols[].permissions[]": "empty since permissionSets replaced it; the example's content is 'undefined'",
    "priceExponent": "a field of the binary schema; the JSON filter has none",
    "exchangeFilters[].maxNumAlgoOrders": "described for exchangeFilters, of which there are none",
    "maxNumIcebergOrders": "symbols here limit orders, lists, algo orders and amends, not icebergs",
    "applyToMarket": "a field of MIN_NOTIONAL; symbols have NOTIONAL instead, as BTCUSDT has",
    "minNotionalValue": "a name that the venue does not use",
    "maxNotionalValue": "the same",
    "multiplierUp": "a field of PERCENT_PRICE; symbols have PERCENT_PRICE_BY_SIDE instead",
    "multiplierDown": "the same",
    "maxPosition": "no symbol of the catalogue limits positions",
    "$.cancelResponse.code": "refusals of halves stand under data",
    "$.cancelResponse.msg": "the same",
    "$.newOrderResponse.code": "the same",
    "$.newOrderResponse.msg": "the same",
    "allowAmend": "another name for amendAllowed, in the description of the WebSocket API only",
    "assetFilters[].asset": "there are no filters for assets",
    "assetFilters[].filterType": "the same",
    "assetFilters[].limit": "the same",
    "rateLimits[].count": "exchangeInfo shows limits without counts; the example shares a type with other answers",
}
"""Field, by the end of its path -> why it never appears."""

EVENT_DEVIATIONS = {
    "$.a": "nothing is allocated",
    "$.b": "the same",
    "$.gP": NO_PEGS,
    "$.gOT": NO_PEGS,
    "$.gOV": NO_PEGS,
    "$.gp": NO_PEGS,
}
"""The same for executionReport."""

CONDITIONAL = {
    "usedSor": "only routed orders",
    "workingFloor": "only routed orders",
    "preventedMatchId": "only orders that self-trade prevention stopped",
    "preventedQuantity": "the same",
    "expiryReason": "only expired orders",
    "trailingDelta": "only trailing stops",
    "trailingTime": "only trailing stops",
    "strategyId": "only if it was sent",
    "strategyType": "only if it was sent",
    "icebergQty": "only icebergs",
    "stopPrice": "only orders with a trigger",
}
"""Conditional fields: each appears in some answer of the story, but not in every kind of answer."""


def fields_of(value: Any, where: str = "$") -> set[tuple[str, str]]:
    """(path, JSON type) of every leaf; lists of one kind are one path."""
    if isinstance(value, dict):
        return {leaf for name, item in value.items() for leaf in fields_of(item, f"{where}.{name}")}
    if isinstance(value, list):
        return {leaf for item in value for leaf in fields_of(item, f"{where}[]")}
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return {(where, kinds.get(type(value), "null"))}


def described(document: Any, schema: Any, where: str = "$") -> set[tuple[str, str]]:
    """The same of an OpenAPI schema."""
    if "$ref" in schema:
        return described(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], where)
    options = schema.get("oneOf") or schema.get("anyOf")
    if options:
        return {leaf for option in options for leaf in described(document, option, where)}
    if schema.get("type") == "array":
        return described(document, schema["items"], f"{where}[]")
    if schema.get("type") == "object":
        return {
            leaf
            for name, item in schema.get("properties", {}).items()
            for leaf in described(document, item, f"{where}.{name}")
        }
    return {(where, schema.get("type", "any"))}


def unexplained(missing: set[tuple[str, str]], *reasons: dict[str, str]) -> list[tuple[str, str]]:
    """What no reason covers."""
    ends = [end for reason in reasons for end in reason]
    return sorted(leaf for leaf in missing if not any(leaf[0] == end or leaf[0].endswith(f".{end}") for end in ends))


@cache
def load_yaml(folder: Path, name: str) -> Any:
    with gzip.open(folder / name) as file:
        return yaml.load(file, yaml.CSafeLoader)


def load(folder: Path, name: str) -> Any:
    with gzip.open(folder / name) as file:
        return json.load(file)


@pytest.fixture(scope="module")
def story(whole: WholeVenue) -> Story:
    return whole_story(SpotVenue(), whole)


def answered(story: Story, route: str) -> set[tuple[str, str]]:
    return {leaf for answer in story.answers[route] for leaf in fields_of(answer)}


@pytest.mark.recorded
def test_every_field_of_the_official_examples_is_answered_with_its_type(recorded_data: Path, story: Story) -> None:
    cases = load(recorded_data, "fixtures/binance-sdk-example-payloads.json.gz")
    problems = {}
    checked = 0
    for name, case in cases.items():
        short = name.removeprefix(PREFIX)
        if short == name or short.startswith(NOT_ENDPOINTS):
            continue
        test = short.split("::test_")[1].removesuffix("_with_optional_params").removesuffix("_success")
        if test in REFUSED:
            continue
        for payload in case["payloads"]:
            example = payload["result"] if short.startswith("websocket_") else payload
            if test == "sor_order_place":
                example = example[0]
            missing = fields_of(example) - answered(story, ROUTES[test])
            missing = {(path, kind) for path, kind in missing if not conditional_elsewhere(story, path, kind)}
            if found := unexplained(missing, DEVIATIONS):
                problems[short] = found
            checked += 1
    assert checked > 80
    assert problems == {}


def conditional_elsewhere(story: Story, path: str, kind: str) -> bool:
    """Whether a conditional field that this answer lacks appears, with this type, in another answer."""
    name = path.rsplit(".", 1)[-1]
    return name in CONDITIONAL and any(
        seen.rsplit(".", 1)[-1] == name and found == kind
        for route in story.answers
        for seen, found in answered(story, route)
    )


@pytest.mark.recorded
def test_every_described_field_is_answered_with_its_type(recorded_data: Path, story: Story) -> None:
    document = load(recorded_data, "wire-spec/openxapi-openapi-spot-api-v3-only.json.gz")
    problems = {}
    for path, methods in document["paths"].items():
        if path.endswith("/userDataStream"):
            continue  # ended in February 2026, after this description was made
        for method, operation in methods.items():
            route = f"{method.upper()} {path.removeprefix('/api/v3/')}"
            assert route in story.answers, f"the story never asks {route}"
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            wanted, seen = described(document, schema), answered(story, route)
            if (found := differences(wanted, seen)) and story.answers[route] != [[]]:
                problems[route] = found
    assert problems == {}


def differences(
    wanted: set[tuple[str, str]], seen: set[tuple[str, str]], *reasons: dict[str, str]
) -> dict[str, list[tuple[str, str]]]:
    """Described fields that never appear, and fields that appear with another type than described."""
    kinds = {where: {kind for one, kind in wanted if one == where} for where, _ in wanted}
    wrong = sorted(
        leaf for leaf in seen if leaf[0] in kinds and not kinds[leaf[0]] & {leaf[1], "any"} and leaf[1] != "null"
    )
    paths = {where for where, _ in seen}
    missing = unexplained({leaf for leaf in wanted if leaf[0] not in paths}, DEVIATIONS, CONDITIONAL, *reasons)
    return {name: found for name, found in (("wrong type", wrong), ("missing", missing)) if found}


@pytest.mark.recorded
def test_every_described_field_of_the_websocket_api_is_answered(recorded_data: Path, story: Story) -> None:
    schemas = load_yaml(recorded_data, "wire-spec/openxapi-asyncapi-spot.yaml.gz")["components"]["schemas"]
    problems, checked = {}, 0
    for name, schema in schemas.items():
        request = schemas.get(name.replace("Response", "Request"))
        result = schema.get("properties", {}).get("result")
        if not name.endswith("Response") or request is None or result is None:
            continue
        method = request["properties"]["method"]["const"]
        endpoint = registry().ws.get(("spot", method))
        if endpoint is None or not endpoint.path:
            assert method.startswith(("session.", "userDataStream.")), method
            continue
        route = f"{endpoint.method} {endpoint.path.removeprefix('/api/v3/')}"
        seen = answered(story, route)
        if method == "sor.order.place":
            seen = {(where.replace("$", "$[]", 1), kind) for where, kind in seen}
        if (found := differences(described(schemas, result), seen)) and story.answers[route] != [[]]:
            problems[method] = found
        checked += 1
    assert checked > 40
    assert problems == {}


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("accountUpdateEvent", "outboundAccountPosition"),
        ("balanceUpdateEvent", "balanceUpdate"),
        ("listStatusEvent", "listStatus"),
        ("orderUpdateEvent", "executionReport"),
    ],
)
def test_every_described_field_of_an_event_is_sent(recorded_data: Path, story: Story, schema: str, kind: str) -> None:
    schemas = load_yaml(recorded_data, "wire-spec/openxapi-asyncapi-spot.yaml.gz")["components"]["schemas"]
    wanted = described(schemas, schemas[schema]["properties"]["event"])
    seen = {leaf for event in story.events if event["e"] == kind for leaf in fields_of(event)}
    assert differences(wanted, seen, EVENT_DEVIATIONS) == {}


@pytest.mark.parametrize("name", CONDITIONAL)
def test_every_conditional_field_appears_where_it_should(story: Story, name: str) -> None:
    assert any(path.endswith(f".{name}") for route in story.answers for path, _ in answered(story, route))


def test_no_deviation_is_listed_that_does_not_exist(story: Story) -> None:
    seen = {path for route in story.answers for path, _ in answered(story, route)}
    assert [end for end in DEVIATIONS if end in seen or any(path.endswith(f".{end}") for path in seen)] == []
