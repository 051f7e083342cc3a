"""Whatever comes in, every endpoint answers: a refusal at worst, never an exception."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import simulator.spot_api
from simulator.wire.endpoint import Endpoint, registry
from simulator.wire.params import Params
from simulator.wire.pipeline import Incoming, execute
from tests.simulator.spot_api.harness import Customer, WholeVenue

ENDPOINTS = sorted(
    {
        *(one for methods in registry().rest.values() for one in methods.values() if one.market == "spot"),
        *(one for (market, _), one in registry().ws.items() if market == "spot" and one.path),
    },
    key=lambda one: one.name,
)
NAMES = sorted(
    {
        name
        for file in Path(simulator.spot_api.__file__).parent.glob("*.py")
        for name in re.findall(r'"([a-z]+[A-Za-z]*)"', file.read_text())
    }
    | {f"{leg}{name}" for leg in ("above", "below", "working", "pending") for name in ("Price", "StopPrice", "Type")}
)
"""Everything that looks like a parameter in the package's source."""

WORDS = [
    *("BTCUSDT", "ETHUSDT", "USDT", "BUY", "SELL", "LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"),
    *("LIMIT_MAKER", "GTC", "IOC", "FOK", "FULL", "ACK", "MINI", "STOP_ON_FAILURE", "ALLOW_FAILURE", "CANCEL_ONLY"),
    *("EXPIRE_BOTH", "MAIN_UMFUTURE", "UMFUTURE_MAIN", "TRADING", "SPOT", "1m", "1M", "3d", "7d", "true", "false"),
    *("0", "1", "2", "-1", "0.1", "1.5", "95000", "9223372036854775807", "99999999999999999999", "0.00000001"),
    *("1e5", "NaN", "+8:00", "-12:00", "[]", '["BTCUSDT"]', "[1]", "{}", "\x00", "é"),
]
VALUES = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=12))
def test_no_request_breaks_an_endpoint(
    carol: Customer, whole: WholeVenue, endpoint: Endpoint, fields: dict[str, str]
) -> None:
    refusal_or_answer(whole, carol, endpoint, fields)


NEEDED = {
    "order": {"symbol", "side", "type", "timeInForce", "quantity", "price"},
    "replace": {"symbol", "side", "type", "timeInForce", "quantity", "price", "cancelReplaceMode"},
    "pair": {"symbol", "side", "quantity", "aboveType", "belowType"},
    "chain": {"symbol", "workingType", "workingSide", "workingPrice", "workingQuantity", "workingTimeInForce"}
    | {"pendingSide", "pendingType", "pendingQuantity"},
}
PLACEMENTS: list[str] = [one.name for one in ENDPOINTS if one.method in ("POST", "PUT", "DELETE") and one.is_signed]


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_nearly_right_order_breaks_an_endpoint(
    carol: Customer, whole: WholeVenue, name: str, data: st.DataObject
) -> None:
    fields = {part: data.draw(VALUES) for part in data.draw(st.sets(st.sampled_from(NAMES), max_size=5))}
    nearly = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "90000",
        "cancelReplaceMode": "ALLOW_FAILURE",
        "aboveType": "STOP_LOSS_LIMIT",
        "belowType": "LIMIT_MAKER",
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingPrice": "90000",
        "workingQuantity": "0.01",
        "workingTimeInForce": "GTC",
        "pendingSide": "SELL",
        "pendingType": "MARKET",
        "pendingQuantity": "0.01",
    }
    names = data.draw(st.sampled_from(sorted(NEEDED)))
    nearly = {part: value for part, value in nearly.items() if part in NEEDED[names]}
    endpoint = next(one for one in ENDPOINTS if one.name == name)
    refusal_or_answer(whole, carol, endpoint, nearly | fields)


def refusal_or_answer(whole: WholeVenue, carol: Customer, endpoint: Endpoint, fields: dict[str, str]) -> None:
    """Run a request as a logged-on session would send it; its totals stay what was paid in."""
    before = whole.venue.spot.totals()
    params = Params(fields | {"timestamp": str(whole.protocol.now_ms())})
    reply = execute(whole.venue, Incoming(endpoint, params, "ws", "127.0.0.1", session_key=carol.key))
    assert reply.status in (200, 400, 409, 410, 429)
    if "transfer" not in endpoint.path:
        assert whole.venue.spot.totals() == before
