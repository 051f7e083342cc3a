"""The record of copying by the API: the log, distributions, drift and its causes, the leaderboard, previews."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.distributions import quantile
from db.models import (
    FollowRelationship,
    FollowResult,
    Master,
    StrategyInstance,
    TrackingError,
    TradeLog,
    VirtualPosition,
)
from db.unit_of_work import committed
from domain.copying import terms
from domain.copying.target import Track
from tests.api_node import ApiNode
from tests.integration.test_copy_queries import NOW

pytestmark = pytest.mark.services
ROOT = "/api/v1/follower"
MILLISECOND = timedelta(milliseconds=1)
#: What the ledger counts to one quote quantum: lots of 0.00001 at a base quantum of 0.00000001, in millionths.
UNITS = 1_000 * 10**6


class Scene:
    """A master long one bitcoin, a relationship at a tenth of it, and the instance that trades for it."""

    def __init__(self, node: ApiNode) -> None:
        self.node = node
        self.account = node.add_account()
        self.master, self.relationship, _ = node.add_following(self.account)
        body = {"master_id": self.master, "symbol": "BTCUSDT", "position_size": "1", "entry_price": "50000"}
        assert node.post(f"{ROOT}/master-position", body).status_code == 200
        self.instance = self.keep(self._instance()).id

    def keep(self, row: Any) -> Any:
        with committed(self.node.engine) as unit:
            unit.session.add(row)
            unit.session.flush()
            return row

    def get(self, path: str) -> Any:
        answer = self.node.get(f"{ROOT}/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _instance(self) -> StrategyInstance:
        return StrategyInstance(
            owner_id=self.node.people["olga"], account_id=self.account, name="copy BTCUSDT", strategy_type="copy",
            symbol="BTCUSDT", kline_interval="1m", parameters="{}", desired_state="running", paper=True,
            base_asset="BTC", quote_asset="USDT", tick_size=Decimal("0.01"), lot_size=Decimal("0.00001"),
            base_quantum=Decimal("0.00000001"), quote_quantum=Decimal("0.00000001"), created_at=NOW, updated_at=NOW,
        )  # fmt: skip

    def log(self, version: int, **more: Any) -> None:
        values: dict[str, Any] = {
            "timestamp": NOW, "relationship_id": self.relationship, "owner_id": self.node.people["olga"],
            "account_id": self.account, "master_id": self.master, "master_user_id": self.node.people["olga"],
            "master_version": version, "master_action": "increase", "master_symbol": "BTCUSDT",
            "master_position_size": Decimal(version), "follower_action": "follow_long",
            "follower_ratio": Decimal("0.1"), "status": "success", "is_success": True, "signal_at": NOW,
            "strategy_instance_id": self.instance,
        }  # fmt: skip
        self.keep(TradeLog(**values | more))

    def hold(self, lots: int, target: int, reason: str) -> None:
        self.keep(VirtualPosition(
            relationship_id=self.relationship, symbol="BTCUSDT", owner_id=self.node.people["olga"],
            account_id=self.account, strategy_instance_id=self.instance, lots=lots, cost=0, realised=-250_000_000,
            fees=10_000_000, master_version=1, target_lots=target, reason=reason, residual_lots=target - lots,
            residual_reason="too_small", updated_at=NOW,
        ))  # fmt: skip


@pytest.fixture
def scene(node: ApiNode) -> Scene:
    return Scene(node)


def test_every_signal_is_listed_with_its_times_and_its_reason_in_words(scene: Scene) -> None:
    scene.log(2, received_at=NOW, sent_at=NOW + 5 * MILLISECOND, slippage=Decimal("-0.0001"))
    scene.log(3, status="skipped", is_success=False, follower_action="skip", reason="too_late")
    skipped, copied = scene.get("trade-logs")["items"]
    assert (skipped["status"], skipped["reason"]) == ("skipped", "too_late")
    assert "later than entries may be" in skipped["reason_text"]
    assert (copied["follower_user_id"], copied["slippage"]) == (scene.node.people["olga"], "-0.0001")
    assert scene.get("trade-logs?status=skipped")["items"] == [skipped]
    assert scene.get("trade-history")["items"] == [skipped, copied]
    assert scene.get(f"trade-logs?follower_user_id={scene.node.people['theo']}")["items"] == []
    first = scene.get("trade-logs?limit=1")
    assert scene.get(f"trade-logs?limit=1&cursor={first['next_cursor']}")["items"] == [copied]


def test_statistics_are_of_what_happened_and_quantiles_are_values_that_were_there(scene: Scene) -> None:
    for place in range(1, 11):
        moments = {"received_at": NOW + MILLISECOND, "sent_at": NOW + 2 * MILLISECOND}
        acknowledged = NOW + (2 + place) * MILLISECOND
        slippage = Decimal(place) / 1000
        scene.log(place, **moments, acknowledged_at=acknowledged, execution_time_ms=1 + place, slippage=slippage)
    scene.log(11, status="failed", is_success=False, reason="insufficient_balance")
    scene.log(12, status="skipped", is_success=False, reason="rounded")
    told = scene.get("trade-logs/stats")
    assert (told["total_trades"], told["successful_trades"], told["failed_trades"]) == (11, 10, 1)
    assert (told["skipped_signals"], told["success_rate"]) == (1, 90.91)
    assert told["average_execution_time_ms"] == 6.5
    assert told["reasons"] == {"insufficient_balance": 1, "rounded": 1}
    assert told["sent_to_acknowledged"] == {"count": 10, "p50": 5.0, "p90": 9.0, "p99": 10.0, "largest": 10.0}
    assert told["signal_to_acknowledged"]["p50"] == 7.0
    assert told["slippage"] == {
        "count": 10, "mean": "0.0055", "p50": "0.005", "p90": "0.009", "p99": "0.01", "largest": "0.01",
    }  # fmt: skip
    assert [quantile([1, 2, 3], share) for share in (0.0, 0.34, 1.0)] == [1, 2, 3]


def test_the_drift_says_what_is_missing_why_and_what_it_cost_to_the_last_digit(scene: Scene) -> None:
    (fresh,) = scene.get("drift")["items"]
    assert (fresh["is_behind"], fresh["ideal"], fresh["target"], fresh["held"]) == (True, "0.1", None, "0")
    scene.hold(lots=9_999, target=10_000, reason="rounded")
    scene.keep(TrackingError(
        relationship_id=scene.relationship, symbol="BTCUSDT", sequence=1, owner_id=1,
        strategy_instance_id=scene.instance, at=NOW, kind="mark", master_version=1, units_per_quantum=UNITS,
        ideal=5 * 10**8 * UNITS, actual=3 * 10**8 * UNITS - 7, latency=10**8 * UNITS, slippage=3, rounding=4,
        caps=0, skipped=0, fees=10**8 * UNITS,
    ))  # fmt: skip
    (one,) = scene.get(f"relationships/{scene.relationship}/drift")["items"]
    assert (one["target"], one["held"], one["drift"], one["residual"]) == ("0.1", "0.09999", "-0.00001", "0.00001")
    assert (one["is_behind"], one["realised"], one["fees"]) == (False, "-2.5", "0.1")
    causes = one["causes"]
    assert causes["adds_up"] is True
    names = ("latency", "slippage", "rounding", "caps", "skipped", "fees")
    assert sum(Decimal(causes[name]) for name in names) == Decimal(causes["difference"])
    assert Decimal(causes["ideal"]) - Decimal(causes["actual"]) == Decimal(causes["difference"])
    (step,) = scene.get(f"relationships/{scene.relationship}/tracking")["items"]
    assert (step["symbol"], step["difference"]) == ("BTCUSDT", causes["difference"])


def test_a_ledger_that_does_not_add_up_is_told(scene: Scene) -> None:
    scene.keep(TrackingError(
        relationship_id=scene.relationship, symbol="BTCUSDT", sequence=1, owner_id=1,
        strategy_instance_id=scene.instance, at=NOW, kind="mark", master_version=1, units_per_quantum=UNITS,
        ideal=5, actual=0, latency=4, slippage=0, rounding=0, caps=0, skipped=0, fees=0,
    ))  # fmt: skip
    (step,) = scene.get(f"relationships/{scene.relationship}/tracking")["items"]
    assert step["adds_up"] is False


def test_a_master_whose_followers_lost_and_left_ranks_by_what_they_lost(scene: Scene) -> None:
    lost = {"realised": Decimal(-30), "unrealised": Decimal(0), "fees": Decimal(2), "notional": Decimal(100)}
    for day in (0, 31):
        scene.keep(FollowResult(
            relationship_id=scene.relationship, at=NOW + timedelta(days=day), owner_id=1, master_id=scene.master,
            quote_asset="USDT", **lost,
        ))  # fmt: skip
    other, _, _ = scene.node.add_following(scene.node.add_account(name="second"), name="newcomer")
    rows = scene.get("leaderboard")["items"]
    assert [row["enough"] for row in rows] == [False, False]
    for version in range(2, 33):
        scene.log(version)
    first, second = scene.get("leaderboard")["items"]
    assert (first["master"]["id"], first["rank"], first["enough"]) == (scene.master, 1, True)
    assert (first["net_result"], first["return_on_most_held"], first["winners"]) == ("-32", "-0.32", 0)
    assert (first["max_drawdown"], first["days"], first["trades"]) == ("32", 31, 31)
    assert (second["master"]["id"], second["rank"], second["median_result"]) == (other, 0, None)


def test_a_resync_is_shown_before_it_is_asked_for(scene: Scene) -> None:
    path = f"relationships/{scene.relationship}/resync-preview"
    assert scene.get(path)["unknown"] == ["BTCUSDT"]
    scene.hold(lots=4_000, target=4_000, reason="paused")
    (step,) = scene.get(path)["steps"]
    assert (step["held"], step["target"], step["change"], step["reason"]) == ("0.04", "0.1", "0.06", "copied")
    with committed(scene.node.engine) as unit:
        unit.session.get_one(FollowRelationship, scene.relationship).mode = "equity_proportional"
    (step,) = scene.get(path)["steps"]
    assert (step["target"], step["reason"]) == ("0", "equity_unknown")


@pytest.mark.parametrize(("state", "reason"), [("paused", "too_late"), ("ended", "ended")])
def test_a_resync_under_a_master_who_pauses_or_has_ended_is_shown_to_enter_nothing(
    scene: Scene, state: str, reason: str
) -> None:
    scene.hold(lots=4_000, target=4_000, reason="copied")
    with committed(scene.node.engine) as unit:
        row = unit.session.get_one(FollowRelationship, scene.relationship)
        unit.session.get_one(Master, row.master_id).state = state
        kept = unit.session.get_one(VirtualPosition, (scene.relationship, "BTCUSDT"))
        kept.track = json.dumps(Track(1, 100_000_000, 60_000_000, terms.TOO_LATE))
    (step,) = scene.get(f"relationships/{scene.relationship}/resync-preview")["steps"]
    assert (step["held"], step["change"].lstrip("-")[:1], step["reason"]) == ("0.04", "0", reason)


def test_the_instances_of_copying_are_not_for_people_to_command(scene: Scene) -> None:
    listed = scene.node.get("/api/strategies").json()["items"]
    assert scene.instance not in {one["id"] for one in listed}
    assert scene.node.get(f"/api/strategies/{scene.instance}").status_code == 200
    for verb in ("start", "stop", "flatten", "reset"):
        assert scene.node.post(f"/api/strategies/{scene.instance}/{verb}").json()["code"] == "wrong_state"
