"""What a follower account decides and trades, through the database and back: nothing twice, none by a stale owner."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlmodel import select

from db.copy_law import terms_of
from db.models import (
    Account,
    FollowerAccount,
    FollowRelationship,
    FollowResult,
    Master,
    MasterPosition,
    TrackingError,
    TradeLog,
    User,
)
from db.queries import accounts, copy_fleet, copy_results, following, masters
from db.queries.masters import Published
from db.unit_of_work import UnitOfWork
from domain.copying.tracking import HOUR_MS, units_per_quantum
from domain.fill import Fill
from domain.funding import FundingPayment, FundingShare, share_entry
from engine.follower_engine.book import FollowerBook, Following
from tasks.host.copying.accounts import CIRCLE, RESULTS_NS, Owned
from tasks.host.copying.shapes import newest
from tests.law_harness import BTCUSDT

pytestmark = pytest.mark.services
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SYMBOL = "BTCUSDT"
VENUE = "binance_futures"


class Scene:
    """A master, one follower account, and the worker that has it."""

    def __init__(self, unit: UnitOfWork) -> None:
        self.unit = unit
        owner = accounts.add_user(unit, User(login="follower", role="admin", created_at=NOW)).id or 0
        row = Account(owner_id=owner, name="one", exchange=VENUE, paper=False, settings="{}", created_at=NOW,
                      updated_at=NOW)  # fmt: skip
        self.account = accounts.add(unit, row)
        self.master = masters.add(
            unit, Master(owner_id=owner, name="m", kind="manual", venue=VENUE, created_at=NOW, updated_at=NOW)
        )  # fmt: skip
        self.row = following.add(
            unit,
            FollowRelationship(
                owner_id=owner, account_id=self.account.id or 0, master_id=self.master.id or 0, mode="fixed_ratio",
                ratio=Decimal("0.1"), desired_state="following", created_at=NOW, updated_at=NOW,
            ),
            NOW,
        )  # fmt: skip

    def hold(self, quantity: str) -> None:
        told = Published(SYMBOL, Decimal(quantity), NOW, "manual", price=Decimal(60_000))
        assert masters.publish(self.unit, self.master, told, NOW) is not None

    @property
    def position(self) -> MasterPosition:
        return copy_fleet.positions(self.unit, [self.master.id or 0])[0]

    def take_up(self, worker: str = "one") -> Owned:
        """A worker becomes the owner and reads what was kept."""
        number = self.account.id or 0
        row = copy_fleet.raise_epochs(self.unit, [number], worker, NOW)[number]
        owned = Owned(number, row, self.account, FollowerBook(number, can_short=True))
        held, targets = copy_fleet.holdings(self.unit, [number])
        owned.adopt(held, targets)
        owned.take_sequences(copy_fleet.sequences(self.unit, [number]))
        owned.book.instruments[SYMBOL] = BTCUSDT
        made = copy_fleet.instance_for(self.unit, number, SYMBOL, "{}", "{}", NOW)
        owned.instances[SYMBOL] = made.id or 0
        owned.book.take_terms(Following(terms_of(self.row, self.master, BTCUSDT.quote_quantum), self.master.id or 0))
        owned.revisions[self.row.id or 0] = (self.row.revision, self.row.resync, self.master.state)
        return owned

    def plan(self, owned: Owned) -> None:
        master = self.master.id or 0
        found = {master: {SYMBOL: newest(self.position, self.master, BTCUSDT)}}
        plan = owned.book.plan(found, 0, 0)
        owned.take_plan(
            plan, {self.row.id or 0: self.row}, {master: self.master}, {master: {SYMBOL: self.position}}, NOW
        )

    def keep(self, owned: Owned) -> bool:
        """Whether it was kept."""
        kept = owned.to_keep(NOW)
        assert kept is not None
        overtaken = copy_fleet.keep(self.unit, [kept])
        if not overtaken.accounts:
            owned.was_kept()
        self.unit.session.expire_all()
        return not overtaken.accounts


def fill(name: str, lots: int) -> Fill:
    return Fill(SYMBOL, name, "", 1 if lots > 0 else -1, 6_000_100, abs(lots), 100, "USDT", False, 1_000)


def test_what_was_kept_is_read_back_and_goes_on_where_it_was(unit: UnitOfWork) -> None:
    scene = Scene(unit)
    scene.hold("1")
    first = scene.take_up()
    first.catch_up({})
    scene.plan(first)
    assert scene.keep(first)
    first.take_fills([fill("1", 6_000)])
    assert scene.keep(first)

    second = scene.take_up("two")
    second.catch_up({SYMBOL: [fill("1", 6_000), fill("2", 4_000)]})  # one was executed while nobody looked
    scene.plan(second)
    number = scene.row.id or 0
    holding = second.book.holdings[number, SYMBOL]
    assert holding.position.lots == 10_000
    assert holding.record.adds_up
    assert second.book.targets == first.book.targets
    assert scene.keep(second)
    rows = unit.session.exec(select(TrackingError)).all()
    assert [row.sequence for row in rows] == [1, 2, 3]
    for row in rows:
        causes = row.latency + row.slippage + row.rounding + row.caps + row.skipped + row.fees + (row.funding or 0)
        assert row.ideal - row.actual == causes


def test_funding_that_was_shared_out_is_not_shared_again_by_the_next_owner(unit: UnitOfWork) -> None:
    scene = Scene(unit)
    scene.hold("1")
    first = scene.take_up()
    first.catch_up({})
    scene.plan(first)
    first.take_fills([fill("1", 10_000)])
    hours = [1_741_276_800_000 + number * HOUR_MS for number in (1, 9)]
    paid = [
        share_entry(
            first.instances[SYMBOL], FundingShare(FundingPayment(SYMBOL, str(at), at, "USDT", -700, 10_000), -700)
        )
        for at in hours
    ]
    assert first.take_funding(paid[:1])
    assert scene.keep(first)
    second = scene.take_up("two")
    second.catch_up({SYMBOL: [fill("1", 10_000)]}, paid)  # one was paid while nobody looked
    holding = second.book.holdings[scene.row.id or 0, SYMBOL]
    assert (holding.position.realised, holding.record.paid_ms) == (-1_400, hours[1])
    assert holding.record.causes.funding == 1_400 * units_per_quantum(BTCUSDT)
    assert scene.keep(second)
    rows = unit.session.exec(select(TrackingError)).all()
    assert [(row.kind, row.funding) for row in rows][-1] == ("funding", holding.record.causes.funding)


def test_a_restart_after_the_master_has_changed_goes_to_the_newest_without_the_history(unit: UnitOfWork) -> None:
    scene = Scene(unit)
    scene.hold("1")
    first = scene.take_up()
    first.catch_up({})
    scene.plan(first)
    assert scene.keep(first)
    for quantity in ("5", "-3", "0.5"):
        scene.hold(quantity)
    second = scene.take_up("two")
    second.catch_up({})
    scene.plan(second)
    assert scene.keep(second)
    target = second.book.targets[SYMBOL]
    assert (target.version, target.lots) == (2, 5_000)
    assert [log.target for log in unit.session.exec(select(TradeLog))] == [Decimal("0.1"), Decimal("0.05")]


def test_a_worker_that_was_overtaken_keeps_nothing(unit: UnitOfWork) -> None:
    scene = Scene(unit)
    scene.hold("1")
    stale = scene.take_up()
    stale.catch_up({})
    scene.plan(stale)
    scene.take_up("two")
    assert not scene.keep(stale)
    assert copy_fleet.holdings(unit, [scene.account.id or 0]) == ([], [])
    assert unit.session.exec(select(TradeLog)).all() == []


def test_a_target_that_was_decided_before_the_follower_stopped_is_not_kept_after_it(unit: UnitOfWork) -> None:
    scene = Scene(unit)
    scene.hold("1")
    owned = scene.take_up()
    owned.catch_up({})
    scene.plan(owned)
    following.wish(unit, scene.row, "stopped", NOW)
    assert not scene.keep(owned)
    assert copy_fleet.holdings(unit, [scene.account.id or 0])[1] == []


def test_epochs_of_a_follower_account_only_rise(unit: UnitOfWork) -> None:
    scene = Scene(unit)
    assert [scene.take_up(worker).epoch for worker in ("one", "two", "one")] == [1, 2, 3]
    found = unit.session.get(FollowerAccount, scene.account.id)
    assert found is not None
    assert found.runner == "one"


def test_a_circle_that_was_closed_all_the_same_enters_nothing_and_lets_exits_follow(unit: UnitOfWork) -> None:
    scene = Scene(unit)
    scene.hold("1")
    owned = scene.take_up()
    owned.catch_up({})
    owned.take_terms(scene.row, scene.master, CIRCLE)
    scene.plan(owned)
    number = scene.row.id or 0
    assert owned.book.holdings[number, SYMBOL].decision.lots == 0
    ((_, _, changes),) = owned.reports(NOW)
    assert "circle" in changes["last_error"]
    owned.take_terms(scene.row, scene.master, scene.master.state)
    scene.hold("2")
    scene.plan(owned)
    owned.take_fills([fill("1", 10_000)])
    owned.take_terms(scene.row, scene.master, CIRCLE)
    scene.hold("0")
    scene.plan(owned)
    assert owned.book.targets[SYMBOL].lots == 0


def test_what_relationships_have_come_to_is_kept_where_it_has_changed_and_once_more_at_the_end(
    unit: UnitOfWork,
) -> None:
    scene = Scene(unit)
    scene.hold("1")
    owned = scene.take_up()
    owned.take_terms(scene.row, scene.master, scene.master.state)
    owned.catch_up({})
    scene.plan(owned)
    owned.take_fills([fill("1", 10_000)])
    owned.book.mark(SYMBOL, 6_010_100)
    owned.note_time(RESULTS_NS + 1)
    assert owned.is_due(0)
    assert scene.keep(owned)
    owned.note_time(RESULTS_NS + 2)
    assert owned.to_keep(NOW) is None, "results were kept again before their time"
    owned.note_time(3 * RESULTS_NS)
    assert scene.keep(owned)
    (row,) = unit.session.exec(select(FollowResult)).all()
    worth = Decimal("0.1") * Decimal("60101")
    assert row.notional == worth
    assert row.unrealised == worth - Decimal("0.1") * Decimal("60001")
    assert (row.realised, row.fees, row.quote_asset) == (Decimal(0), Decimal("0.000001"), "USDT")
    ranked = copy_results.Standings().of_masters(unit, [scene.master.id or 0], NOW)[scene.master.id or 0]
    assert ranked.total == row.unrealised - row.fees
