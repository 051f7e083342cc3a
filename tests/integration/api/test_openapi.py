"""Requests drawn from our own description, valid and not: never a 5xx, always answered as described."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok

from tests.api_node import CHANGE, GRID, ApiNode
from tests.belongings import NAMES, Belongings, make_room

pytestmark = [pytest.mark.services, pytest.mark.timeout(7200)]

Operation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[Any]
#: Of each operation: some in CI, thousands in all in the exhaustive run.
EXAMPLES: Final = settings().max_examples // 20
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
#: A stream never ends; signing out would end the session of all that follows.
LEFT_OUT: Final = {"stream_events", "delete_session"}
#: Operations of administrators, and what they are only tried on: whoever asks is not to be shut out meanwhile.
ADMINS_ONLY: Final = {"list_users", "update_user"}
ALWAYS_OWN: Final = {"user_id"}
OWN: Final = {*NAMES, *ALWAYS_OWN}
PLAUSIBLE: Final[dict[str, list[Any]]] = {
    "create_backtest": [{"history_id": 1, "strategy": "grid", "params": GRID}],
    "create_optimisation": [
        {"history_id": 1, "strategy": "ma_cross", "space": {"fast": "5:9:2", "slow": "20", "size": "1"}},
        {"history_id": 1, "strategy": "ma_cross", "space": {"fast": "5,9", "slow": "20", "size": "1"}, "method": "tpe"},
    ],
    "create_account_backtest": [
        {"capital": "1000", "instances": [{"history_id": 1, "strategy": "grid", "params": GRID}]},
    ],
    "create_account_optimisation": [
        {
            "capital": "1000",
            "space": {"trend.fast": "5:9:2", "trend.slow": "20", "grid.levels": "5"},
            "instances": [
                {"name": "trend", "history_id": 1, "strategy": "ma_cross", "params": {"size": "1"}},
                {"history_id": 1, "strategy": "grid", "params": GRID},
            ],
        },
    ],
    "create_history_import": [
        {"name": "one", "file_name": "bars.csv", "symbol": "BTC/USDT", "size": 40},
        {"name": "two", "file_name": "trades.zip", "symbol": "ETH/USDT", "size": 600_000, "prints": True},
    ],
    "create_account": [
        {"name": "one", "exchange": "paper"},
        {"name": "two", "exchange": "binance_spot", "api_key": "k" * 20, "api_secret": "s" * 20},
        {"name": "three", "exchange": "paper", "settings": {"venue": "okx_spot", "balances": {"USDT": 5}}},
    ],
    "update_account": [{"name": "other"}, {"disabled": False}, {"api_key": "k" * 20, "api_secret": "s" * 20}],
    "create_strategy": [
        {"name": "s", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": 1, "parameters": GRID},
        {"name": "t", "strategy_type": "dca", "symbol": "ETHUSDT", "account_id": 1, "parameters": {}},
    ],
    "update_strategy": [{"revision": 0, "parameters": GRID}, {"revision": 0, "name": "new", "limits": {}}],
    "preview_strategy": [{"revision": 0, "parameters": GRID}, {"revision": 0}],
    "create_master": [{"name": "m", "kind": "manual"}, {"name": "a", "kind": "account", "account_id": 1}],
    "update_master": [{"revision": 0, "shared": True}, {"revision": 0, "state": "paused"}],
    "set_master_position": [
        {"symbol": "BTC/USDT", "position_size": 1.0, "entry_price": 50000.0},
        {"symbol": "ETHUSDT", "position_size": "-0.5"},
    ],
    "create_relationship": [
        {"account_id": 1, "master_user_id": 1, "follow_ratio": 0.1},
        {"follower_credential_id": 1, "master_id": 1, "follow_ratio": "0.2", "slippage_collar": "0.005"},
    ],
    "update_relationship": [{"revision": 0, "follow_ratio": "0.5"}, {"revision": 0, "max_notional": None}],
    "update_follower_account": [{"revision": 0, "max_notional": 1000}, {"revision": 0, "max_leverage": "2.5"}],
    "update_user": [
        {"role": "viewer"},
        {"disabled": True},
        {"disabled": False, "role": "trader", "forget_email": True},
    ],
    "set_kill_switch": [{"on": True, "scope": "mine"}, {"on": False}],
}
#: Amounts at the edges of what can be written.
EDGES: Final[tuple[Any, ...]] = (
    0,
    -1,
    1,
    "1e400",
    "-0",
    "NaN",
    "0.0000000000000000001",
    10**30,
    "",
    "x" * 200,
    None,
    [],
    {},
    True,
    1.5,
)


def cases(operation: Operation, own: Belongings, *, is_plain: bool = False) -> st.SearchStrategy[AnyCase]:
    """Requests: as the description allows, or not, often about something that is there; always, when `is_plain`."""
    # Made once: to read the description again for every request takes longer than to draw it.
    drawn = {mode: operation.as_strategy(generation_mode=mode) for mode in MODES}
    return _cases(operation, drawn, own, is_plain)


@st.composite
def _cases(
    draw: st.DrawFn,
    operation: Operation,
    drawn_by: Mapping[GenerationMode, st.SearchStrategy[AnyCase]],
    own: Belongings,
    is_plain: bool,
) -> AnyCase:
    case: AnyCase = draw(drawn_by[GenerationMode.POSITIVE if is_plain else draw(st.sampled_from(MODES))])
    for name in case.path_parameters or {}:
        if name in OWN and (is_plain or name in ALWAYS_OWN or draw(st.integers(1, 4)) > 1):
            case.path_parameters[name] = own[name]
    name = operation.definition.raw["operationId"]
    if name in PLAUSIBLE and (is_plain or draw(st.integers(1, 3)) > 1):
        body = json.loads(json.dumps(draw(st.sampled_from(PLAUSIBLE[name]))))
        for field in {"account_id", "follower_credential_id"} & set(body if name == "create_relationship" else ()):
            body[field] = own["account_id"]
        if not is_plain and draw(st.booleans()):
            _disturb(draw, body)
        case.body = body
    return case


def _disturb(draw: st.DrawFn, body: dict[str, Any]) -> None:
    inner = body.get("parameters")
    where = inner if isinstance(inner, dict) and inner and draw(st.booleans()) else body
    where[draw(st.sampled_from(sorted(where)))] = draw(st.sampled_from(EDGES))


class Caller:
    """Sends cases as somebody who is signed in, and looks at what comes back."""

    def __init__(self, node: ApiNode, who: str) -> None:
        self._node = node
        self._address = str(node.client.base_url).rstrip("/")
        self._cookie = {"Cookie": f"ares_session={node.tokens[who]}"}
        self.statuses: Counter[int] = Counter()
        self.succeeded: set[str] = set()

    def send(self, operation: Operation, case: AnyCase) -> None:
        case.headers.pop("Cookie", None)
        headers = {**self._cookie, **CHANGE}
        answer = case.call(base_url=self._address, headers=headers, cookies={}, timeout=180, allow_redirects=False)
        self.statuses[answer.status_code] += 1
        assert answer.status_code < 500, f"{operation.label}: {answer.status_code} {answer.text[:500]}"
        operation.validate_response(answer)
        if answer.status_code < 300:
            self.succeeded.add(operation.definition.raw["operationId"])
        else:
            problem = json.loads(answer.text) if answer.text else {}
            assert {"code", "detail", "next_step", "errors"} <= set(problem) or answer.status_code == 303, answer.text


def tried(operation: Operation, own: Belongings, send: Callable[[Operation, AnyCase], None]) -> None:
    def run(drawn: st.SearchStrategy[AnyCase], examples: int) -> None:
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(drawn)
        def each(case: AnyCase) -> None:
            send(operation, case)

        each()

    if operation.definition.raw["operationId"] in PLAUSIBLE:  # chance alone may pass by what can be carried out
        run(cases(operation, own, is_plain=True), 1)
    run(cases(operation, own), EXAMPLES)


def test_requests_of_any_shape_are_answered_as_described(node: ApiNode, subtests: pytest.Subtests) -> None:
    callers = {who: Caller(node, who) for who in ("olga", "adam")}
    schema = schemathesis.openapi.from_dict(node.app.openapi())
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    names = {one.definition.raw["operationId"] for one in operations}
    assert len(operations) >= 80
    Belongings(node).complete()  # what stays, so that no list is empty
    for operation in operations:
        name = operation.definition.raw["operationId"]
        if name in LEFT_OUT:
            continue
        make_room(node)  # what earlier operations have begun and nobody ends
        # Made anew for every operation: an earlier one may have removed them.
        own = Belongings(node)
        own["user_id"] = node.people["vera"]
        with subtests.test(operation.label):
            tried(operation, own, callers["adam" if name in ADMINS_ONLY else "olga"].send)
    assert sum(one.statuses.total() for one in callers.values()) >= EXAMPLES * len(operations) // 3
    # Each has been carried out at least once, save those that need what is not there: a link, a price, a running state,
    # a run that has come to its end.
    rarely = {"login", "preview_strategy", "pause_strategy", "resume_strategy", "delete_account", "reset_strategy"}
    rarely |= {"delete_master", "delete_relationship"}
    rarely |= {
        "get_backtest_file",
        "list_backtest_fills",
        "get_optimisation_file",
        "get_account_backtest_file",
        "list_account_backtest_fills",
        "put_history_import_part",
    }
    succeeded = set().union(*(one.succeeded for one in callers.values()))
    assert names - succeeded <= LEFT_OUT | rarely


def test_an_answer_that_is_not_as_described_is_noticed(node: ApiNode) -> None:
    operation = schemathesis.openapi.from_dict(node.app.openapi())["/api/kill-switch"]["GET"]
    answer = requests.Response()
    answer.status_code, answer._content = 200, b'{"on":"perhaps"}'
    answer.headers["Content-Type"] = "application/json"
    answer.request = requests.Request("GET", "http://127.0.0.1/api/kill-switch").prepare()
    with pytest.raises((Failure, FailureGroup)):
        operation.validate_response(answer)


def test_every_operation_is_described_for_people_and_programs(node: ApiNode) -> None:
    schema = node.get("/openapi.json").json()
    assert schema == json.loads(json.dumps(node.app.openapi()))
    page = node.get("/docs").text
    for path, ways in schema["paths"].items():
        for method, one in ways.items():
            assert one["operationId"].isidentifier()
            assert one["description"], (method, path)
            assert one["operationId"] in page
            assert "<script" not in page
            good = [status for status in one["responses"] if status.startswith(("2", "3"))]
            assert len(good) == 1
            assert one["responses"]["422"]["content"].keys() == {"application/problem+json"}
    assert "HTTPValidationError" not in schema["components"]["schemas"]
