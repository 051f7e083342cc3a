from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.base_strategy import STRATEGIES
from db.models import StrategyState
from db.unit_of_work import committed
from domain import slots
from domain.learning import layout, model
from strategies import self_learning_strategy as law
from tests.api_node import ApiNode
from tests.law_harness import BTCUSDT

pytestmark = pytest.mark.services
LEARNS: dict[str, Any] = {"strategy_type": "self_learning", "parameters": {"stake": "500"}}


def remember(node: ApiNode, number: int) -> None:
    """What a strategy that has seen a label and chosen a proposal leaves in its row."""
    plan = law.prepare(law.Params.model_validate({"stake": "500"}), BTCUSDT, 6_000_000)
    state, memory = [0] * slots.size_of(plan.slots), [0.0] * plan.memory
    state[law.WAITS] = law.FEW_SAMPLES
    model.count_label(memory, 1)
    model.calibrate(memory, layout.CHAMPION, 0.55, 1)
    memory[layout.CHOSEN : layout.CHOSEN + 5] = [1.0 + layout.SURGE, 1.0, 1_777_636_800_000.0, 0.61, 0.004]
    with committed(node.engine) as unit:
        unit.session.add(
            StrategyState(
                strategy_instance_id=number, owner_id=node.people["olga"], version=1,
                state_data=json.dumps([state, memory]), updated_at=datetime.now(UTC),
            )
        )  # fmt: skip


def test_a_strategy_shows_what_it_has_learned(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account(), **LEARNS)
    assert node.get(f"/api/strategies/{number}/model").json()["card"] is None, "it was never started"
    remember(node, number)
    answer = node.get(f"/api/strategies/{number}/model").json()
    assert answer["is_frozen"] is False
    assert answer["waits_for"] == STRATEGIES.get("self_learning").reasons[law.FEW_SAMPLES]
    card = answer["card"]
    assert card["labels"] == 1
    assert card["champion"]["calibration"] == [{"low": 0.5, "high": 0.6, "count": 1, "predicted": 0.55, "won": 1.0}]
    assert (card["choice"]["signal"], card["choice"]["time"]) == ("surge", "2026-05-01T12:00:00Z")
    assert [one["name"] for one in card["signals"]] == list(layout.SIGNALS)


def test_a_strategy_that_does_not_learn_has_no_card(node: ApiNode) -> None:
    number = node.add_strategy(node.add_account())
    assert node.get(f"/api/strategies/{number}/model").json()["card"] is None
    kinds = {one["name"]: one["learns"] for one in node.get("/api/strategy-kinds").json()}
    assert kinds["self_learning"]
    assert not kinds["grid"]
