"""Every answer and user event through the strict models of the official client."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

import pytest
from binance_sdk_derivatives_trading_usds_futures.rest_api import api as rest_api
from binance_sdk_derivatives_trading_usds_futures.rest_api import models as rest_models
from binance_sdk_derivatives_trading_usds_futures.websocket_streams import models as stream_models

from tests.simulator.futures_api.harness import FuturesVenue
from tests.simulator.futures_api.story import STOP, Story, tell
from tests.simulator.futures_api.test_conformance import REQUESTS, call_of

ABSENT: dict[str, dict[str, str]] = {
    "orders": {
        "activatePrice": "goes with orders that began as trailing stops",
        "priceRate": "goes with orders that began as trailing stops",
        "modifyId": "given back where it was sent",
    },
    "batches": {"code": "present in refused items instead", "msg": "present in refused items instead"},
    "algo orders": {"activatePrice": "goes with trailing stops", "callbackRate": "goes with trailing stops"},
    "filters": {"*": "each filter has the fields of its own type"},
    "positions": {"HEDGE": "one-way positions have BOTH instead"},
    "indicators": {"*": "this venue watches no indicators"},
    "income": {"S": "names the symbol of a funding fee only"},
    "configuration": {"ac": "one of the two", "ai": "one of the two"},
    "events": {
        "M": "pushed when a modification carried a modifyId",
        "AP": "pushed with trailing stops",
        "cr": "pushed with trailing stops",
    },
}
_EXCUSED = {name for reasons in ABSENT.values() for name in reasons}


def _models() -> dict[str, str]:
    """Response model of each request, read from the source of the client's methods."""
    found = {}
    for name, member in inspect.getmembers(rest_api):
        if not (inspect.isclass(member) and name.endswith("Api")):
            continue
        for _, function in inspect.getmembers(member, inspect.isfunction):
            source = inspect.getsource(function)
            path, method = re.search(r'"(/[a-z][^"]*)"', source), re.search(r'method="(\w+)"', source)
            model = re.search(r"response_model=(\w+)", source)
            if path and method and model and model[1] != "None":
                found[f"{method[1]} {path[1]}"] = model[1]
    return found


MODELS = _models()
WITHOUT_NAMES = {
    f"GET /fapi/v1/{name}"
    for name in ("klines", "continuousKlines", "indexPriceKlines", "markPriceKlines", "premiumIndexKlines")
}
"""Answers of bare rows, for which the client has no model of fields."""


def _model_of(name: str, body: object) -> Any:
    """The model of one object: several shapes are numbered, items of lists are inner."""
    suffixes = ("Inner", "1Inner", "2Inner", "") if isinstance(body, list) else ("", "1", "2")
    for suffix in suffixes:
        model = getattr(rest_models, name + suffix, None)
        if model is not None and "actual_instance" not in model.model_fields and len(model.model_fields) > 1:
            return model
    return None


def _missing(model: Any, item: dict[str, Any], where: str) -> list[str]:
    """Fields of the model, at every depth, that the item lacks without an excuse."""
    found = []
    for name, field in model.model_fields.items():
        wire = field.alias or name
        if name == "additional_properties" or wire in _EXCUSED:
            continue
        if wire not in item:
            found.append(f"{where}.{wire}")
            continue
        inner = _inner_model(field.annotation)
        values = item[wire] if isinstance(item[wire], list) else [item[wire]]
        if inner is not None and "Filters" not in inner.__name__ and "Indicators" not in inner.__name__:
            for value in values:
                found += _missing(inner, value, f"{where}.{wire}")
    return sorted(set(found))


def _inner_model(annotation: Any) -> Any:
    if hasattr(annotation, "model_fields"):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner_model(part)) is not None), None)


@pytest.fixture
def story() -> Story:
    told = tell()
    told.anna.post("/fapi/v1/listenKey")
    return told


@pytest.mark.parametrize("request_name", [name for name in REQUESTS if name in MODELS and name not in WITHOUT_NAMES])
def test_the_official_client_reads_the_answer(story: Story, request_name: str) -> None:
    body = call_of(story, request_name).body
    model = _model_of(MODELS[request_name], body)
    assert model is not None
    items: list[Any] = body if isinstance(body, list) else [body]
    for item in items:
        model.model_validate(item)
        assert _missing(model, item, "$") == []


def _events(venue: FuturesVenue) -> None:
    """Make every kind of user event happen."""
    anna = venue.customer("anna")
    ben = venue.customer("ben", usdt="600")
    anna.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage="50")
    anna.post("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")
    anna.order("BUY", "0.01")
    anna.post("/fapi/v1/algoOrder", **STOP, type="STOP_MARKET", triggerPrice="49500")
    anna.post("/fapi/v1/algoOrder", **STOP, type="TRAILING_STOP_MARKET", callbackRate="5", activatePrice="60000")
    ben.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage="100")
    ben.order("SELL", "0.5")
    for price in ("50600", "50700", "50800", "50900", "50940", "51000", "51500", "49000"):
        venue.print_at(price)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("ORDER_TRADE_UPDATE", stream_models.OrderTradeUpdate),
        ("ACCOUNT_UPDATE", stream_models.AccountUpdate),
        ("ALGO_UPDATE", stream_models.AlgoUpdate),
        ("ACCOUNT_CONFIG_UPDATE", stream_models.AccountConfigUpdate),
        ("MARGIN_CALL", stream_models.MarginCall),
    ],
)
def test_the_official_client_reads_the_user_event(venue: FuturesVenue, kind: str, model: Any) -> None:
    _events(venue)
    events = venue.of_kind(kind)
    assert events
    for event in events:
        model.model_validate(event)
        assert _missing(model, event, kind) == []
