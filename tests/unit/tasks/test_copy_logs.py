"""The record of copied signals: executions find their own signal, and every signal comes to an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from db.models import FollowRelationship, Master, MasterPosition, TradeLog
from domain.client_order_id import OrderKey, encode
from domain.copying import follow, target, terms
from domain.fill import Fill
from domain.order import ENTRY, FILLED, MARKET, OPEN, PENDING, REJECTED, Order
from engine.follower_engine.book import Holding, Taken
from engine.follower_engine.progress import Progress
from tasks.host.copying.logs import TradeLogs
from tests.law_harness import BTCUSDT

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROW = FollowRelationship(
    id=1, owner_id=1, account_id=1, master_id=1, mode="fixed_ratio", ratio=Decimal(1), desired_state="following",
    created_at=NOW, updated_at=NOW,
)  # fmt: skip
MASTER = Master(id=1, owner_id=1, name="m", kind="manual", venue="binance_futures", created_at=NOW, updated_at=NOW)
SYMBOL = "BTCUSDT"


def key(version: int, attempt: int = 0) -> OrderKey:
    return OrderKey(1, 1, 0, 0, version * follow.USES, ENTRY, attempt)


def order(version: int, status: int = PENDING, attempt: int = 0) -> Order:
    name = encode(key(version, attempt))
    return Order(key(version, attempt), name, SYMBOL, 1, MARKET, 0, 100, status=status, venue_order_id="77")


def take(logs: TradeLogs, version: int, before: int, lots: int, reason: int = terms.COPIED) -> None:
    """A signal whose target has the same version."""
    seen = target.MasterPosition(SYMBOL, version, lots * BTCUSDT.base_per_lot, 6_000_000, 0)
    held = MasterPosition(
        master_id=1, symbol=SYMBOL, owner_id=1, version=version, quantity=BTCUSDT.from_lots(lots),
        price=Decimal(60_000), signal_at=NOW, published_at=NOW, source="manual",
    )  # fmt: skip
    logs.take(Taken(1, seen, 0, before, lots, reason), ROW, MASTER, held, BTCUSDT, 1, version, NOW)


def fill(version: int, lots: int, name: str) -> Fill:
    return Fill(SYMBOL, name, encode(key(version)), 1, 6_000_100, lots, 5, "USDT", False, 1_000)


def traded(logs: TradeLogs, version: int, lots: int, name: str) -> None:
    logs.traded(fill(version, lots, name), 1, lots, 5, BTCUSDT, NOW)


def rests(version: int, why: int = terms.COPIED) -> Progress:
    return Progress(version, frozenset(), True, why, 0)


def changes(logs: TradeLogs) -> dict[int, dict[str, Any]]:
    """Master version -> what is to be changed in its record."""
    return {row["master_version"]: row for row in logs.take_changes()[1]}


def test_executions_of_the_first_signal_are_its_own_although_a_second_came_before_they_were_known() -> None:
    logs = TradeLogs()
    take(logs, 1, 0, 100)
    logs.sent([order(1)], NOW)
    take(logs, 2, 0, 300)
    logs.settle(SYMBOL, Progress(1, frozenset({1}), False, 0, 0), lambda _: Holding())
    traded(logs, 1, 100, "a")
    logs.told([order(1, FILLED)], NOW)
    logs.sent([order(2)], NOW)
    traded(logs, 2, 200, "b")
    logs.settle(SYMBOL, rests(2), lambda _: Holding())
    found = changes(logs)
    assert [(found[v]["status"], found[v]["follower_amount"]) for v in (1, 2)] == [
        ("success", Decimal("0.00100")), ("success", Decimal("0.00200")),
    ]  # fmt: skip
    assert (found[1]["client_order_id"], found[2]["client_order_id"]) == (encode(key(1)), encode(key(2)))
    assert logs.pending(SYMBOL) == []


def test_a_signal_that_a_newer_one_replaced_before_it_was_sent_is_coalesced_once_that_is_certain() -> None:
    logs = TradeLogs()
    take(logs, 1, 0, 100)
    take(logs, 2, 0, 300)
    logs.settle(SYMBOL, Progress(0, frozenset(), False, 0, 0), lambda _: Holding())
    assert len(logs.pending(SYMBOL)) == 2, "the instance may be sending it"
    logs.settle(SYMBOL, Progress(2, frozenset(), False, 0, 0), lambda _: Holding())
    assert changes(logs)[1]["status"] == "coalesced"
    assert [log.version for log in logs.pending(SYMBOL)] == [2]


def test_where_nothing_runs_what_was_replaced_is_not_waited_for() -> None:
    logs = TradeLogs()
    for version in range(1, 51):
        take(logs, version, 0, version)
        logs.settle(SYMBOL, None, lambda _: Holding())
    assert [log.version for log in logs.pending(SYMBOL)] == [50]
    logs.sent([order(50)], NOW)
    take(logs, 51, 0, 51)
    logs.settle(SYMBOL, None, lambda _: Holding())
    assert [log.version for log in logs.pending(SYMBOL)] == [50, 51], "what its order has come to is not known here"


def test_a_remainder_that_cannot_be_traded_ends_its_signal_with_the_reason() -> None:
    logs = TradeLogs()
    take(logs, 1, 100, 0)
    logs.settle(SYMBOL, rests(1), lambda _: Holding(residual=-99, why=terms.TOO_SMALL))
    found = changes(logs)[1]
    assert (found["status"], found["reason"]) == ("skipped", "too_small")
    assert found["error_message"] == terms.REASONS[terms.TOO_SMALL]

    logs = TradeLogs()
    take(logs, 1, 0, 100)
    logs.sent([order(1)], NOW)
    traded(logs, 1, 99, "a")
    logs.settle(SYMBOL, rests(1), lambda _: Holding(residual=1, why=terms.DUST))
    found = changes(logs)[1]
    assert (found["status"], found["reason"]) == ("success", "dust")


def test_a_signal_that_waits_for_a_price_is_pending_until_it_has_one() -> None:
    logs = TradeLogs()
    take(logs, 1, 0, 0, terms.NO_PRICE)
    new, _ = logs.take_changes()
    assert [(row["status"], row["reason"]) for row in new] == [("pending", "no_price")]
    logs.settle(SYMBOL, rests(1), lambda _: Holding())
    assert logs.pending(SYMBOL)
    seen = target.MasterPosition(SYMBOL, 1, 0, 0, 0)
    logs.resume(Taken(1, seen, 0, 0, 100, terms.COPIED), BTCUSDT, 1)
    logs.sent([order(1)], NOW)
    traded(logs, 1, 100, "a")
    found = changes(logs)[1]
    assert (found["status"], found["follower_action"], found["target"]) == ("success", "follow_long", Decimal("0.001"))


def test_a_refused_signal_stays_failed_and_the_next_attempt_may_still_carry_it_out() -> None:
    logs = TradeLogs()
    take(logs, 1, 0, 100)
    logs.sent([order(1)], NOW)
    logs.told([order(1, REJECTED)], NOW)
    assert changes(logs)[1]["status"] == "failed"
    take(logs, 2, 0, 200)
    logs.settle(SYMBOL, Progress(2, frozenset(), False, 0, 0), lambda _: Holding())
    assert 1 not in changes(logs), "a newer signal does not take the failure back"

    logs = TradeLogs()
    take(logs, 1, 0, 100)
    logs.sent([order(1)], NOW)
    logs.told([order(1, REJECTED)], NOW)
    logs.sent([order(1, attempt=1)], NOW)
    logs.told([order(1, OPEN, attempt=1)], NOW)
    traded(logs, 1, 100, "a")
    assert changes(logs)[1]["status"] == "success"


def test_a_new_owner_goes_on_with_the_signals_whose_end_nobody_has_seen() -> None:
    half = TradeLog(
        timestamp=NOW, relationship_id=1, owner_id=1, account_id=1, master_id=1, master_user_id=1, master_version=3,
        master_action="increase", master_symbol=SYMBOL, master_position_size=Decimal("0.003"),
        follower_action="follow_long", follower_ratio=Decimal(1), follower_amount=Decimal("0.0005"),
        average_price=Decimal(60_000), position_before=Decimal("0.001"), target=Decimal("0.003"), status="pending",
        signal_at=NOW, received_at=NOW, client_order_id=encode(key(3)), fee=Decimal("0.01"),
    )  # fmt: skip
    logs = TradeLogs()
    logs.adopt([half], {SYMBOL: BTCUSDT})
    (log,) = logs.pending(SYMBOL)
    assert (log.lots, log.traded, log.target) == (200, 50, 3)
    traded(logs, 3, 150, "b")
    found = changes(logs)[3]
    assert (found["status"], found["follower_amount"]) == ("success", Decimal("0.002"))


def test_the_first_answer_of_the_venue_is_when_an_order_was_acknowledged_whatever_is_heard_of_it_later() -> None:
    logs = TradeLogs()
    take(logs, 1, 0, 100)
    logs.sent([order(1)], NOW)
    logs.told([order(1, OPEN)], NOW)
    assert changes(logs)[1]["acknowledged_at"] == NOW
    logs.told([order(1, FILLED)], NOW + timedelta(seconds=1))
    assert logs.take_changes() == ([], [])
