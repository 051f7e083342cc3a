"""Copying from a master's position to followers' orders and back: a real worker, Redis, a database, the venue."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.platform import copying
from tests.platform.copying import FUTURES, add_master, follow, hold, keys, wait_for
from tests.platform.world import World, until, world

#: An order that was lost on its way is given up after so long.
QUICK = {"ARES_WORKER__LATE_ORDERS_SECONDS": "3", "ARES_WORKER__SWEEP_SECONDS": "5"}
pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("copying")
    with world(folder, f"sqlite:///{folder / 'ares.sqlite3'}", *copying.options(11, {8: "USDT=900"}), **QUICK) as made:
        made.start_worker()
        yield made


def test_followers_hold_exactly_their_ratio_of_the_master_after_each_change_and_end_flat(platform: World) -> None:
    accounts = [platform.add_account(*key, exchange=FUTURES) for key in keys(2)]
    master = add_master(platform)
    followers = [
        follow(platform, account, master, ratio) for account, ratio in zip(accounts, ("0.1", "0.2"), strict=True)
    ]
    for quantity in ("1.0", "2.0", "0.5", "-1.0", "0"):
        hold(platform, master, quantity, price=Decimal(60_000))
        tenth, fifth = Decimal(quantity) / 10, Decimal(quantity) / 5
        wait_for(platform, {1: str(tenth), 2: str(fifth)})
        for number in followers:
            copying.wait_for_log(platform, number, "success")
    for number in followers:
        logs = copying.logs(platform, number)
        assert [log.master_action for log in logs] == [
            "open_long", "increase", "reduce", "reverse", "close_position",
        ]  # fmt: skip
        assert [log.follower_action for log in logs] == [
            "follow_long", "follow_long", "follow_long", "follow_short", "follow_close",
        ]  # fmt: skip
        kept = copying.virtual(platform, number)
        assert kept is not None
        assert (kept.lots, kept.target_lots) == (0, 0)
    for account in accounts:
        assert copying.steps(platform, copying.instance(platform, account)) < 300, "it decides without a reason"


def add_account(platform: World, place: int) -> int:
    return platform.add_account(*keys(place)[-1], exchange=FUTURES)


def test_a_live_account_and_a_strategy_are_followed_by_what_they_execute(platform: World) -> None:
    hand = add_master(platform)
    leading, second, third = (add_account(platform, place) for place in (3, 4, 5))
    follow(platform, leading, hand)
    hold(platform, hand, "0.2", price=Decimal(60_000))
    wait_for(platform, {3: "0.2"})
    live = add_master(platform, "account", account_id=leading)
    bot = add_master(
        platform, "strategy", account_id=leading, strategy_instance_id=copying.instance(platform, leading)
    )  # fmt: skip
    follow(platform, second, live, "0.5", copy_existing=True)
    follow(platform, third, bot, "0.25", copy_existing=True)
    wait_for(platform, {4: "0.1", 5: "0.05"})
    for quantity in ("0.4", "-0.12", "0"):
        hold(platform, hand, quantity, price=Decimal(60_000))
        held = Decimal(quantity)
        wait_for(platform, {3: str(held), 4: str(held / 2), 5: str(held / 4)})
    sources = {signal.source for signal in copying.signals(platform, live)}
    assert "stream" in sources, sources


def test_several_masters_net_into_one_position_and_each_relationship_keeps_its_own(platform: World) -> None:
    first, second = add_master(platform), add_master(platform)
    account = add_account(platform, 6)
    one = follow(platform, account, first, "0.1")
    other = follow(platform, account, second, "0.2", reverse=True)
    hold(platform, first, "2", price=Decimal(60_000))
    wait_for(platform, {6: "0.2"})
    before = len(copying.orders(platform))
    hold(platform, second, "1", price=Decimal(60_000))  # wants -0.2: it takes what the first one has to give
    wait_for(platform, {6: "0"})
    hold(platform, second, "0.5", price=Decimal(60_000))
    wait_for(platform, {6: "0.1"})
    assert len(copying.orders(platform)) > before

    def held(number: int) -> int:
        kept = copying.virtual(platform, number)
        return kept.lots if kept is not None else 0

    until(lambda: (held(one), held(other)) == (200, -100), "virtual positions of 0.2 and -0.1")
    copying.change(platform, other, desired_state="stopped", on_stop="close")
    wait_for(platform, {6: "0.2"})
    until(lambda: copying.relationship(platform, other).state == "stopped", "the end of the relationship")
    until(lambda: held(other) == 0, "its position")
    for number in (one, other):
        ledger = copying.tracking(platform, number)
        assert ledger
        for row in ledger:
            causes = row.latency + row.slippage + row.rounding + row.caps + row.skipped + row.fees + (row.funding or 0)
            assert row.ideal - row.actual == causes


def test_a_pause_a_cap_and_a_position_from_before_are_recorded_with_their_reasons(platform: World) -> None:
    master = add_master(platform)
    account = add_account(platform, 7)
    hold(platform, master, "1", price=Decimal(60_000))
    since = copying.version(platform, master)
    number = follow(platform, account, master, "0.1", since_version=since, max_symbol_notional=Decimal(30_000))
    log = copying.wait_for_log(platform, number, "skipped")
    assert (log.reason, log.follower_action) == ("existing_position", "skip")
    hold(platform, master, "2", price=Decimal(60_000))
    wait_for(platform, {7: "0.1"})
    copying.change(platform, number, desired_state="paused")
    until(lambda: copying.relationship(platform, number).state == "paused", "the pause")
    hold(platform, master, "3", price=Decimal(60_000))
    assert copying.wait_for_log(platform, number, "skipped").reason == "paused"
    hold(platform, master, "1.5", price=Decimal(60_000))
    wait_for(platform, {7: "0.05"})  # half of the master's is gone, so half of the copy is
    copying.change(platform, number, desired_state="following", resync=1)
    until(lambda: copying.relationship(platform, number).applied_resync == 1, "the resync")
    wait_for(platform, {7: "0.15"})
    hold(platform, master, "30", price=Decimal(60_000))
    until(lambda: copying.logs(platform, number)[-1].reason == "symbol_cap", "the cap")
    kept = copying.virtual(platform, number)
    assert kept is not None
    assert kept.reason == "symbol_cap"


def test_a_follower_without_the_money_is_told_so_tries_no_more_than_a_few_times_and_holds_nobody_up(
    platform: World,
) -> None:
    master = add_master(platform)
    poor, rich = add_account(platform, 8), add_account(platform, 9)
    number = follow(platform, poor, master)
    follow(platform, rich, master)
    hold(platform, master, "0.5", price=Decimal(60_000))
    wait_for(platform, {9: "0.5"})
    instance = copying.instance(platform, poor)
    until(lambda: "repeated_rejection" in platform.status(instance).get("held_back", ""), "the end of trying", 180)
    assert copying.sent(platform, instance) <= 3
    assert copying.logs(platform, number)[-1].status == "failed"
    hold(platform, master, "0.3", price=Decimal(60_000))
    wait_for(platform, {8: "0", 9: "0.3"})


def test_a_venue_that_hangs_for_one_follower_holds_no_other_up_and_doubles_nothing(platform: World) -> None:
    master = add_master(platform)
    stuck, free = add_account(platform, 10), add_account(platform, 11)
    for account in (stuck, free):
        follow(platform, account, master, "0.1")
    hold(platform, master, "1", price=Decimal(60_000))
    wait_for(platform, {10: "0.1", 11: "0.1"})
    platform.venue.post("faults", {"kind": "swallow", "account": 10, "method": "POST", "path": "*/order", "times": 1})
    hold(platform, master, "2", price=Decimal(60_000))
    wait_for(platform, {11: "0.2"})
    hold(platform, master, "3", price=Decimal(60_000))
    wait_for(platform, {11: "0.3"})
    wait_for(platform, {10: "0.3", 11: "0.3"})
    hold(platform, master, "0", price=Decimal(60_000))
    wait_for(platform, {10: "0", 11: "0"})
