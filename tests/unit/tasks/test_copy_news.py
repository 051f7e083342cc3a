"""What copying tells those who watch: every signal when it is taken in and when it ends, and each relationship."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from core.event_bus import COPY_SIGNAL, COPY_STATUS, COPY_TRADE, Event
from db.models import MasterPosition
from db.queries.copy_fleet import Kept
from tasks.host.copying import news


def test_what_a_watched_master_holds_now_is_told_to_its_owner_in_plain_amounts() -> None:
    moment = datetime(2026, 5, 1, 12, tzinfo=UTC)
    held = MasterPosition(
        master_id=4, symbol="BTCUSDT", owner_id=9, version=3, quantity=Decimal("0.500"), entry_price=None, price=None,
        signal_at=moment, published_at=moment, source="strategy",
    )  # fmt: skip
    told = {"master": 4, "symbol": "BTCUSDT", "version": 3, "quantity": "0.5", "entry_price": None}
    assert news.of_signal(held) == Event(COPY_SIGNAL, 9, {**told, "signal_at": "2026-05-01T12:00:00+00:00"})


def test_a_signal_is_told_when_it_is_new_and_when_its_status_changes_and_not_in_between() -> None:
    new = {
        "relationship_id": 3, "master_version": 7, "status": "pending", "reason": "", "outcome": "",
        "follower_action": "follow_long", "master_symbol": "BTCUSDT", "owner_id": 1,
    }  # fmt: skip
    changes = [
        {"relationship_id": 3, "master_version": 6, "client_order_id": "ar1"},
        {"relationship_id": 3, "master_version": 5, "status": "success", "outcome": "accepted", "is_success": True},
    ]
    kept = Kept(1, 1, {}, [], [], [new], changes, [])
    told = {"relationship": 3, "version": 7, "status": "pending", "reason": "", "outcome": ""}
    assert list(news.of_trades(9, kept)) == [
        Event(COPY_TRADE, 9, {**told, "follower_action": "follow_long", "symbol": "BTCUSDT"}),
        Event(COPY_TRADE, 9, {"relationship": 3, "version": 5, "status": "success", "outcome": "accepted"}),
    ]


def test_what_a_worker_says_of_a_relationship_is_told_without_what_concerns_nobody() -> None:
    changes = {"state": "paused", "applied_revision": 2, "applied_resync": 1, "last_error": ""}
    assert list(news.of_reports(9, [(3, 2, changes)])) == [
        Event(COPY_STATUS, 9, {"relationship": 3, "state": "paused", "last_error": "", "applied_revision": 2})
    ]
