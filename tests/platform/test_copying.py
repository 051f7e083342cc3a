"""Copying from a master's position to followers' orders and back: a real worker, Redis, a database, the venue."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.platform import copying
from tests.platform.copying import FUTURES, add_master, follow, hold, keys, wait_for
from tests.platform.world import World, world

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("copying")
    with world(folder, f"sqlite:///{folder / 'ares.sqlite3'}", *copying.options(8)) as made:
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
