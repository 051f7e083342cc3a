"""A worker dies in the middle of telling its followers: all of them end at their target, and no order is doubled."""

from __future__ import annotations

import signal
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from tests.chaos.stage import SHORT
from tests.platform import copying
from tests.platform.copying import FUTURES, add_master, follow, hold, keys
from tests.platform.world import World, until, world
from tests.services import Service, create_schema

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(1_200)]


def held(platform: World) -> dict[str, Decimal]:
    """Account -> position, of every account that has traded, by the venue's tape."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in platform.venue.tape("order"):
        if line["execution"] == "TRADE":
            found[line["account"]] += Decimal(line["last_quantity"]) * (1 if line["side"] == "BUY" else -1)
    return found


def die_while_telling(platform: World, followers: int, patience: float) -> None:
    accounts = [platform.add_account(*key, exchange=FUTURES) for key in keys(followers)]
    master = add_master(platform)
    ratios = [Decimal(n % 10 + 1) / 100 for n in range(followers)]
    for account, ratio in zip(accounts, ratios, strict=True):
        follow(platform, account, master, str(ratio))
    hold(platform, master, "1", price=Decimal(60_000))

    def are_at(quantity: str) -> bool:
        wanted = Counter(Decimal(quantity) * ratio for ratio in ratios)
        return Counter(held(platform).values()) == wanted

    until(lambda: are_at("1"), "every follower at its first target", patience)
    before = len(copying.orders(platform))
    hold(platform, master, "3", price=Decimal(60_000))
    until(lambda: len(copying.orders(platform)) - before >= followers // 4, "a quarter of the orders", patience)
    victim = platform.workers.pop("one")
    victim.signal(signal.SIGKILL)
    victim.process.wait(60)
    between = len(copying.orders(platform)) - before
    took = until(lambda: are_at("3"), "every follower at its second target", patience)
    time.sleep(1)  # an order too many would come now
    assert are_at("3")
    taken = copying.orders(platform)
    names = Counter(line["client"] for line in taken)
    assert max(names.values()) == 1, [name for name, count in names.items() if count > 1]
    assert len(taken) - before == followers, "an order was doubled, or one was split"
    print(f"killed after {between} of {followers} orders; the others were there {took:.1f} s later")


@pytest.mark.acceptance
def test_followers_of_a_worker_that_is_killed_end_at_their_target_without_a_doubled_order(
    tmp_path: Path, mariadb_service: Service
) -> None:
    url = create_schema(mariadb_service, "ares_copying")
    with world(tmp_path, url, *copying.options(12), **SHORT) as platform:
        platform.start_worker("one")
        platform.start_worker("two")
        die_while_telling(platform, 12, 180)


@pytest.mark.acceptance
def test_a_thousand_followers_of_a_worker_that_is_killed_end_at_their_target(
    tmp_path: Path, mariadb_service: Service
) -> None:
    url = create_schema(mariadb_service, "ares_copying_many")
    with world(tmp_path, url, *copying.options(1_000), **SHORT) as platform:
        platform.start_worker("one")
        platform.start_worker("two")
        die_while_telling(platform, 1_000, 900)
