from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from db.models import FollowRelationship, FollowResult, Master, TrackingError, TradeLog, User
from db.queries import accounts, commands, copy_log, copy_results, following, masters
from db.queries.instances import EditedMeanwhile, NoSuchRow
from db.unit_of_work import UnitOfWork

pytestmark = pytest.mark.services
NOW = datetime(2026, 5, 1, 12, 0, 0, 123_456, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def new_master(unit: UnitOfWork, name: str = "lead", owner: int = 1, **more: Any) -> Master:
    row = Master(owner_id=owner, name=name, kind="manual", venue="binance_spot", created_at=NOW, updated_at=NOW, **more)
    return masters.add(unit, row)


def holds(quantity: str, symbol: str = "BTCUSDT", **more: Any) -> masters.Published:
    return masters.Published(symbol, Decimal(quantity), NOW, "manual", **more)


def new_relationship(unit: UnitOfWork, master: int, account: int = 1) -> FollowRelationship:
    row = FollowRelationship(
        owner_id=1, account_id=account, master_id=master, mode="fixed_ratio", ratio=Decimal("0.1"),
        desired_state=following.FOLLOWING, created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return following.add(unit, row, NOW)


def test_every_change_of_a_master_is_a_version_and_the_newest_is_its_position(unit: UnitOfWork) -> None:
    master = new_master(unit)
    path = ["1.0", "2.0", "0.5", "-1.0", "-1.0", "0"]
    told = [masters.publish(unit, master, holds(quantity), NOW) for quantity in path]
    assert [signal and (signal.version, signal.action) for signal in told] == [
        (1, "open_long"), (2, "increase"), (3, "reduce"), (4, "reverse"), None, (5, "close_position"),
    ]  # fmt: skip
    masters.publish(unit, master, holds("0.000000000000000001", "ETHUSDT"), NOW)
    now = {one.symbol: (one.version, one.quantity) for one in masters.positions(unit, [master.id or 0])}
    assert now == {"BTCUSDT": (5, Decimal(0)), "ETHUSDT": (6, Decimal("0.000000000000000001"))}
    assert [one.version for one in masters.signals_since(unit, master.id or 0, 3)] == [4, 5, 6]


def test_an_event_that_is_told_twice_is_one_signal(unit: UnitOfWork) -> None:
    master = new_master(unit)
    assert masters.publish(unit, master, holds("1", event_key="trade:7"), NOW) is not None
    assert masters.publish(unit, master, holds("2", event_key="trade:7"), NOW) is None
    assert master.version == 1
    assert masters.publish(unit, master, holds("2", event_key=None), NOW) is not None
    assert masters.publish(unit, master, holds("3", event_key=None), NOW) is not None


def test_a_master_is_seen_by_its_owner_and_by_others_once_it_is_shared(unit: UnitOfWork) -> None:
    other = accounts.add_user(unit, User(login="other", created_at=NOW)).id or 0
    master = new_master(unit)
    number = master.id or 0
    assert masters.get(unit, number, 1) is master
    with pytest.raises(NoSuchRow):
        masters.get(unit, number, other)
    masters.edit(unit, number, 1, 0, {"shared": True}, NOW)
    assert masters.get(unit, number, other) is master
    assert [one.id for one in masters.visible(unit, other, 0, 10)] == [number]
    with pytest.raises(NoSuchRow):
        masters.hold(unit, number, other)
    with pytest.raises(EditedMeanwhile):
        masters.edit(unit, number, 1, 0, {"name": "x"}, NOW)


def test_a_master_that_is_followed_cannot_be_removed_and_one_that_ended_publishes_no_more(unit: UnitOfWork) -> None:
    master = new_master(unit)
    number = master.id or 0
    relationship = new_relationship(unit, number)
    with pytest.raises(masters.StillFollowed):
        masters.remove(unit, number, 1, NOW)
    following.wish(unit, relationship, following.STOPPED, NOW)
    masters.remove(unit, number, 1, NOW)
    with pytest.raises(masters.Ended):
        masters.publish(unit, master, holds("1"), NOW)
    assert [one.id for one in masters.visible(unit, 1, 0, 10)] == []
    assert [one.id for one in masters.visible(unit, 1, 0, 10, ended=True)] == [number]
    new_master(unit)


def test_an_account_follows_a_master_once_until_the_relationship_is_removed(unit: UnitOfWork) -> None:
    master = new_master(unit).id or 0
    first = new_relationship(unit, master)
    with pytest.raises(following.FollowsAlready):
        new_relationship(unit, master)
    with pytest.raises(following.StillFollowing):
        following.remove(unit, first.id or 0, 1, NOW)
    following.wish(unit, first, following.STOPPED, NOW)
    assert (first.revision, first.stopped_at) == (1, NOW)
    following.remove(unit, first.id or 0, 1, NOW)
    second = new_relationship(unit, master)
    assert [one.relationship.id for one in following.listed(unit, 1)] == [second.id]
    with pytest.raises(NoSuchRow):
        following.get(unit, first.id or 0, 1)
    assert following.get(unit, second.id or 0, 1).master.id == master
    assert following.count_by_master(unit, [master]) == {master: 1}


def test_a_running_relationship_is_removed_only_once_its_worker_says_that_it_has_stopped(unit: UnitOfWork) -> None:
    relationship = new_relationship(unit, new_master(unit).id or 0)
    relationship.state, relationship.applied_revision = "following", 0
    following.wish(unit, relationship, following.STOPPED, NOW)
    with pytest.raises(following.StillFollowing):
        following.remove(unit, relationship.id or 0, 1, NOW)
    relationship.state = following.STOPPED
    following.remove(unit, relationship.id or 0, 1, NOW)


def test_circles_are_looked_for_among_everything_that_is_followed(unit: UnitOfWork) -> None:
    of_account = new_master(unit, "account 1", account_id=1)
    new_relationship(unit, of_account.id or 0, 2)
    new_relationship(unit, new_master(unit, "of nobody").id or 0, 1)
    assert following.follows(unit) == [(2, 1)]


def test_a_command_is_given_once_and_has_one_outcome(unit: UnitOfWork) -> None:
    relationship = new_relationship(unit, new_master(unit).id or 0)
    first, is_new = following.give(unit, relationship, "pause", "{}", "key", NOW)
    again, is_new_again = following.give(unit, relationship, "pause", "{}", "key", NOW)
    assert (first.id, is_new, is_new_again) == (again.id, True, False)
    with pytest.raises(commands.OtherCommand):
        following.give(unit, relationship, "stop", "{}", "key", NOW)
    second, _ = following.give(unit, relationship, "stop", "{}", None, NOW)
    assert [one.sequence for one in following.waiting(unit)] == [1, 2]
    assert following.finish(unit, first.id or 0, commands.DONE, "", NOW)
    assert not following.finish(unit, first.id or 0, commands.REJECTED, "", NOW)
    unit.session.expire_all()
    assert [one.id for one in following.waiting(unit)] == [second.id]


def log(relationship: FollowRelationship, version: int, **more: Any) -> TradeLog:
    values: dict[str, Any] = {
        "timestamp": NOW, "relationship_id": relationship.id, "owner_id": 1, "account_id": 1,
        "master_id": relationship.master_id, "master_user_id": 1, "master_version": version,
        "master_action": "open_long", "master_symbol": "BTCUSDT", "master_position_size": Decimal(1),
        "follower_action": "follow_long", "follower_ratio": Decimal("0.1"), "status": "success", "signal_at": NOW,
    }  # fmt: skip
    return TradeLog(**values | more)


def test_trade_logs_are_paged_and_counted(unit: UnitOfWork) -> None:
    relationship = new_relationship(unit, new_master(unit).id or 0)
    rows = [
        log(relationship, 1, execution_time_ms=10, received_at=NOW, acknowledged_at=NOW + SECOND),
        log(relationship, 2, execution_time_ms=20, slippage=Decimal("0.001")),
        log(relationship, 3, status="skipped", reason="too_late", follower_action="skip"),
        log(relationship, 4, master_symbol="ETHUSDT", status="failed", reason="insufficient_balance"),
    ]
    unit.session.add_all(rows)
    unit.session.flush()
    everything = copy_log.Wanted(1)
    newest = copy_log.page(unit, everything, None, 3)
    assert [one.master_version for one in newest] == [4, 3, 2]
    assert [one.master_version for one in copy_log.page(unit, everything, newest[-1].id, 3)] == [1]
    counted = copy_log.counts(unit, everything)
    assert counted.by_status == {"success": 2, "skipped": 1, "failed": 1}
    assert counted.by_reason == {"too_late": 1, "insufficient_balance": 1}
    assert (counted.timed, counted.total_ms) == (2, 30)
    assert copy_log.counts(unit, everything._replace(symbol="ETHUSDT")).timed == 0
    times = copy_log.timings(unit, everything._replace(status="success"))
    assert [one.slippage for one in times] == [Decimal("0.001"), None]
    assert times[1].acknowledged_at == NOW + SECOND
    assert copy_log.page(unit, copy_log.Wanted(2), None, 3) == []


def result(relationship: FollowRelationship, seconds: int, realised: str, notional: str = "100") -> FollowResult:
    return FollowResult(
        relationship_id=relationship.id or 0, at=NOW + seconds * SECOND, owner_id=1, master_id=relationship.master_id,
        quote_asset="USDT", realised=Decimal(realised), unrealised=Decimal(0), fees=Decimal(1),
        notional=Decimal(notional),
    )  # fmt: skip


def test_those_who_lost_and_left_count_in_what_followers_have_earned(unit: UnitOfWork) -> None:
    master = new_master(unit).id or 0
    lost = new_relationship(unit, master)
    following.wish(unit, lost, following.STOPPED, NOW)
    following.remove(unit, lost.id or 0, 1, NOW)
    won = new_relationship(unit, master)
    points = [(lost, 1, "3"), (won, 2, "5"), (lost, 3, "-19"), (won, 4, "11")]
    unit.session.add_all([result(*point) for point in points])
    unit.session.flush()
    standings = copy_results.Standings()
    for asked in (NOW + 2 * SECOND, NOW + 700 * SECOND, NOW + 700 * SECOND):  # before they settle, when, and after
        found = standings.of_masters(unit, [master], asked)[master]
        check_standing(found)
    unit.session.add_all([result(won, 600, "20"), result(won, 699, "30")])
    unit.session.flush()
    for asked in (NOW + 701 * SECOND, NOW + 1_250 * SECOND, NOW + 5_000 * SECOND):
        assert standings.of_masters(unit, [master], asked)[master].total == Decimal(9), "a row was counted twice or not"
    assert [one.realised for one in copy_results.results(unit, won.id or 0, 2)] == [Decimal(20), Decimal(30)]


def check_standing(found: copy_results.MasterResults) -> None:
    assert (found.relationships, len(found.people)) == (2, 1)
    assert found.total == Decimal(-10)
    assert found.drawdown == Decimal(22)
    assert found.most_held == Decimal(200)


def step(relationship: FollowRelationship, symbol: str, sequence: int, latency: int) -> TrackingError:
    return TrackingError(
        relationship_id=relationship.id or 0, symbol=symbol, sequence=sequence, owner_id=1, strategy_instance_id=1,
        at=NOW + sequence * SECOND, kind="mark", master_version=1, units_per_quantum=10**9, ideal=latency, actual=0,
        latency=latency, slippage=0, rounding=0, caps=0, skipped=0, fees=0,
    )  # fmt: skip


def test_the_end_of_each_tracking_error_ledger_is_found_and_its_steps_are_paged(unit: UnitOfWork) -> None:
    relationship = new_relationship(unit, new_master(unit).id or 0)
    number = relationship.id or 0
    unit.session.add_all([step(relationship, "BTCUSDT", n, n * 10**20) for n in (1, 2, 3)])
    unit.session.add(step(relationship, "ETHUSDT", 1, -5))
    unit.session.flush()
    ends = copy_results.newest_errors(unit, [number])
    assert {key: one.latency for key, one in ends.items()} == {
        (number, "BTCUSDT"): 3 * 10**20, (number, "ETHUSDT"): -5,
    }  # fmt: skip
    first = copy_results.errors(unit, number, None, None, 2)
    assert [(one.symbol, one.sequence) for one in first] == [("BTCUSDT", 3), ("BTCUSDT", 2)]
    last = first[-1]
    rest = copy_results.errors(unit, number, None, (last.at, last.symbol, last.sequence), 5)
    assert [(one.symbol, one.sequence) for one in rest] == [("ETHUSDT", 1), ("BTCUSDT", 1)]
