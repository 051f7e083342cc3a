from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import redis

from core import redis_names
from core.base_strategy import STRATEGIES
from db.models import OrderRow, StrategyState
from db.queries import instances
from db.unit_of_work import committed
from domain import events, slots
from domain.events import Event, View
from domain.instance import Instance, Place
from domain.order import OPEN
from tests.api_node import GRID, ApiNode
from tests.law_harness import BTCUSDT

pytestmark = pytest.mark.services
PRICE = 6_500_000
RULES = {
    "base": "BTC", "quote": "USDT", "tick_size": "0.01", "lot_size": "0.00001", "max_price": "1000000",
    "max_position": "1000", "min_notional": "5", "min_quantity": "0.00001", "max_quantity": "100",
}  # fmt: skip
RANGE = GRID | {"levels": 10, "split_at_start": False}


@pytest.fixture
def market(redis_url: str, node: ApiNode) -> None:
    """What a worker publishes of BTCUSDT."""
    bar = [1_777_636_800_000, "65000", "65000", "65000", "65000", "1"]
    with redis.Redis.from_url(redis_url) as client:
        client.hset(redis_names.symbols("binance_spot"), "BTCUSDT", json.dumps(RULES))
        client.set(redis_names.bars("binance_spot", "BTCUSDT", "1m"), json.dumps([bar]))


def preview(node: ApiNode, number: int, **change: object) -> dict[str, list[dict[str, str]]]:
    answer = node.post(f"/api/strategies/{number}/preview", {"revision": 0, **change})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.usefixtures("market")
def test_what_a_new_strategy_would_place_is_shown_and_nothing_is_kept(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account(), parameters=RANGE, limits={"capital": {"USDT": "1000"}})
    found = preview(node, number)
    assert (found["kept"], found["cancelled"]) == ([], [])
    prices = [float(one["price"]) for one in found["placed"]]
    assert prices
    assert all(30_000 <= price < 65_000 for price in prices)
    assert {one["side"] for one in found["placed"]} == {"buy"}
    assert node.get(f"/api/strategies/{number}/orders").json()["items"] == []
    assert node.get(f"/api/strategies/{number}").json()["revision"] == 0


@pytest.mark.usefixtures("market")
def test_parameters_that_the_strategy_itself_refuses_are_named_by_field(node: ApiNode) -> None:
    account = node.add_account()
    number = node.add_strategy(account, parameters=RANGE)
    upside_down = RANGE | {"lower_price": "130000"}
    answer = node.post(f"/api/strategies/{number}/preview", {"revision": 0, "parameters": upside_down})
    said = "it must be below upper_price."
    words = {"code": "not_below_upper_price", "text": said, "field": "", "values": {}}
    assert (answer.status_code, answer.json()["errors"]) == (
        422, [{"field": "parameters.lower_price", "reason": said, "words": words}],
    )  # fmt: skip
    for method, path, extra in (
        ("PUT", f"/api/strategies/{number}", {"revision": 0}),
        ("POST", "/api/strategies", {"name": "n", "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account}),
    ):
        refused = node.call(method, path, json={"parameters": upside_down, **extra})
        assert refused.json()["errors"][0]["field"] == "parameters.lower_price", refused.text


@pytest.mark.usefixtures("market")
def test_an_edit_of_a_running_grid_moves_only_what_has_to_move(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account(), parameters=RANGE, limits={"capital": {"USDT": "1000"}})
    resting = lay_out(node, number)
    same = preview(node, number)
    assert (len(same["kept"]), same["cancelled"], same["placed"]) == (resting, [], [])
    smaller = preview(node, number, parameters=RANGE | {"total_investment": "500"})
    assert len(smaller["cancelled"]) == len(smaller["placed"]) == resting
    before = {one["slot"]: one for one in smaller["cancelled"]}
    for one in smaller["placed"]:
        assert one["price"] == before[one["slot"]]["price"]
        assert float(one["quantity"]) < float(before[one["slot"]]["quantity"])
    stale = node.post(f"/api/strategies/{number}/preview", {"revision": 7})
    assert stale.json()["code"] == "edited_meanwhile"


def test_without_a_price_it_says_that_it_cannot_know(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    answer = node.post(f"/api/strategies/{number}/preview", {"revision": 0})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_price")


def lay_out(node: ApiNode, number: int) -> int:
    """Put a grid's first orders and state into the database as its engine would; gives how many rest."""
    kind = STRATEGIES.get("grid")
    plan = kind.prepare(kind.params.model_validate(RANGE), BTCUSDT, PRICE)
    twin = Instance(1, number, 0, BTCUSDT, kind.decide, plan.params)
    twin.begin(plan.slots, plan.memory)
    view = View(
        now_ms=0, last_ticks=PRICE, tick_lot=BTCUSDT.tick_lot, base_per_lot=BTCUSDT.base_per_lot, min_notional=0,
        min_lots=1, max_lots=BTCUSDT.max_lots, free_quote=10**12, free_base=0,
    )  # fmt: skip
    proposal = twin.propose(Event(events.START, 0), view)
    twin.adopt(proposal)
    assert slots.count_of(twin.state) == plan.slots
    now, owner = datetime.now(UTC), node.people["olga"]
    with committed(node.engine) as unit:
        row = instances.get(unit, number, owner)
        row.base_asset, row.quote_asset, row.tick_size, row.lot_size = (
            "BTC",
            "USDT",
            BTCUSDT.tick_size,
            BTCUSDT.lot_size,
        )
        row.base_quantum, row.quote_quantum = BTCUSDT.base_quantum, BTCUSDT.quote_quantum
        state = json.dumps([twin.state, twin.memory])
        unit.session.add(
            StrategyState(strategy_instance_id=number, owner_id=owner, version=1, state_data=state, updated_at=now)
        )
        placed = [action.order for action in proposal.actions if isinstance(action, Place)]
        for one in placed:
            unit.session.add(
                OrderRow(
                    account_id=row.account_id, client_order_id=one.client_order_id, strategy_instance_id=number,
                    owner_id=owner, deployment=1, generation=0, slot=one.key.slot, cycle=one.key.cycle,
                    leg=one.key.leg, attempt=one.key.attempt, symbol="BTCUSDT", side=one.side, type=one.type,
                    ticks=one.ticks, lots=one.lots, reduce_only=one.reduce_only, reason=1, epoch=1, state_version=1,
                    committed_at=now, status=OPEN, filled=0, booked=0, venue_order_id="1", complete=False,
                    live_slot=one.key.slot, updated_at=now,
                )
            )  # fmt: skip
    shown = node.get(f"/api/strategies/{number}/orders?state=open").json()["items"]
    assert len(shown) == len(placed)
    assert {(one["status"], one["leg"], one["reason"]) for one in shown} == {("open", "entry", kind.reasons[1])}
    return len(placed)
