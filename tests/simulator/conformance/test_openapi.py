"""Thousands of requests drawn from the venue's OpenAPI documents, over HTTP to a process of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok

from tests.simulator.conformance.cases import AnyCase, Operation, cases
from tests.simulator.conformance.description import ENDED, NEVER, ORDERS, load
from tests.simulator.conformance.signing import Signed
from tests.simulator_process import SimulatorProcess, simulator_process

pytestmark = [pytest.mark.recorded, pytest.mark.timeout(7200)]

KEY, SECRET = "conformance", "conformance-secret"
ROOTS = {"spot": "/api/v3", "futures": "/fapi/v1"}
EXAMPLES = settings().max_examples // 4
"""Cases of each operation: 25 in CI, 1,250 in the exhaustive run."""
UNLUCKY = 3 if EXAMPLES < 250 else 0
"""Operations of which no request may succeed by chance: where the recorded market stands decides over a few cases."""
OPERATIONS = {"spot": 42, "futures": 80}
EXPLAINED = range(400, 500)


@dataclass
class Customer:
    """Sends cases with one account's key, and keeps score."""

    venue: SimulatorProcess
    session: requests.Session = field(default_factory=requests.Session)
    signed: Signed = field(default_factory=lambda: Signed(KEY, SECRET))
    statuses: Counter[int] = field(default_factory=Counter)
    succeeded: set[str] = field(default_factory=set)

    def send(self, operation: Operation, case: AnyCase) -> None:
        """Any answer but the venue's own words for a refusal, or the described content, is an error."""
        answer = case.call(base_url=self.venue.rest, session=self.session, auth=self.signed)
        self.statuses[answer.status_code] += 1
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, f"{answer.status_code}: {case.as_curl_command()}"
        if answer.status_code == HTTPStatus.OK:
            self.succeeded.add(operation.label)
            operation.validate_response(answer)
        elif operation.path in ENDED and answer.status_code == HTTPStatus.GONE:
            assert not answer.content.startswith(b"{")
        else:
            refusal = answer.json()
            assert answer.status_code in EXPLAINED
            assert refusal["code"] < 0
            assert refusal["msg"]

    def do(self, method: str, path: str, **params: object) -> Any:
        """One proper request, for setting the scene."""
        values = {name: str(value) for name, value in params.items()} | {"timestamp": "0"}
        answer = self.session.request(method, self.venue.rest + path, params=values, auth=self.signed)
        return answer.json()

    def set_the_scene(self, market: Literal["spot", "futures"]) -> None:
        """Three open orders, a fill, and on spot an order list; whatever earlier cases left is cancelled."""
        root = ROOTS[market]
        for symbol in ("BTCUSDT", "ETHUSDT"):
            self.do("DELETE", f"{root}/{'openOrders' if market == 'spot' else 'allOpenOrders'}", symbol=symbol)
        if market == "futures":
            self.do("POST", "/fapi/v1/multiAssetsMargin", multiAssetsMargin="false")
            self.do("POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=0)
            self.do("POST", "/fapi/v1/listenKey")
        for side in ("BUY", "SELL"):
            self.do("POST", f"{root}/order", symbol="BTCUSDT", side=side, type="MARKET", quantity="0.01")
        price = self.do("GET", f"{root}/ticker/price", symbol="BTCUSDT")["price"].partition(".")[0]
        resting = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "price": int(price) * 99 // 100}
        for name in ORDERS:
            limit = {"type": "LIMIT", "timeInForce": "GTC", "newClientOrderId": name}
            self.do("POST", f"{root}/order", **resting, **limit)
        if market == "spot":
            stops = {"price": int(price) * 101 // 100, "stopPrice": int(price) * 99 // 100}
            ids = {"listClientOrderId": "list-1"}
            self.do("POST", f"{root}/order/oco", symbol="BTCUSDT", side="SELL", quantity="0.01", **stops, **ids)


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    account = f"{KEY}:{SECRET}:USDT=1000000000,BTC=100000,ETH=100000"
    options = ("--speed", "0", "--symbols", "BTCUSDT,ETHUSDT", "--lift-limits", "--account", account)
    with simulator_process(tmp_path_factory.mktemp("conformance"), *options) as process:
        yield process


def _tried(operation: Operation, send: Callable[[Operation, AnyCase], None]) -> None:
    """Run one operation's cases; the shortest failing one is raised."""

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(cases(operation))
    def run(case: AnyCase) -> None:
        send(operation, case)

    run()


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_requests_of_any_shape_are_answered_as_described(
    venue: SimulatorProcess, recorded_data: Path, market: Literal["spot", "futures"], subtests: pytest.Subtests
) -> None:
    customer = Customer(venue)
    found = schemathesis.openapi.from_dict(load(recorded_data, market)).get_all_operations()
    operations = [operation.ok() for operation in found if isinstance(operation, Ok)]
    assert len(operations) == OPERATIONS[market]
    is_set = False
    for operation in operations:
        if not is_set:
            customer.set_the_scene(market)
        is_set = operation.method.upper() == "GET"  # what only asks leaves it as it is
        with subtests.test(operation.label):
            _tried(operation, customer.send)
    assert customer.statuses.total() >= EXAMPLES * len(operations) * 4 // 5
    unlucky = {operation.label for operation in operations} - customer.succeeded - set(NEVER)
    assert len(unlucky) <= UNLUCKY, unlucky


def test_what_is_not_as_described_is_noticed(recorded_data: Path) -> None:
    operation = schemathesis.openapi.from_dict(load(recorded_data, "spot"))["/api/v3/time"]["GET"]
    answer = requests.Response()
    answer.status_code, answer._content = 200, b'{"serverTime":"soon"}'
    answer.headers["Content-Type"] = "application/json"
    answer.request = requests.Request("GET", "http://127.0.0.1/api/v3/time").prepare()
    with pytest.raises((Failure, FailureGroup)):
        operation.validate_response(answer)
