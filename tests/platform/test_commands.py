"""What a person asks of a strategy on an account with a key: each command to its outcome, and the kill switch."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import orjson
import pytest
from pydantic import SecretStr

from core.redis_names import DOORBELL, KILL_OFF, KILL_ON
from core.secrets import KILL_SWITCH, EncryptionKey
from db.models import Account
from db.queries import platform as switches
from tests.platform.world import ENCRYPTION_KEY, World, now, until, world
from tests.simulator_process import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]
KEY, SECRET = "key-of-commands", "secret-of-commands"
FUNDS = "USDT=10000000,BTC=50,ETH=500"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("commands")
    options = ["--market", "generated:7", "--symbols", "BTCUSDT,ETHUSDT", "--speed", "1", "--lift-limits"]
    options += ["--account", f"{KEY}:{SECRET}:{FUNDS}", "--account", f"key-two:secret-two:{FUNDS}"]
    settings = {"ARES_WORKER__LATE_ORDERS_SECONDS": "3"}
    with world(folder, f"sqlite:///{folder / 'ares.sqlite3'}", *options, **settings) as made:
        made.start_worker()
        yield made


@pytest.fixture(scope="module")
def account(platform: World) -> int:
    return platform.add_account(KEY, SECRET)


def grid(platform: World, width: int = 5, levels: int = 10) -> dict[str, Any]:
    price = next(Decimal(each["last_price"]) for each in platform.venue.get("symbols") if each["symbol"] == "BTCUSDT")
    return {
        "lower_price": str(round(price * (100 - width) / 100, 2)),
        "upper_price": str(round(price * (100 + width) / 100, 2)),
        "levels": levels,
        "total_investment": "2000",
    }


def running_grid(platform: World, account: int, **parameters: Any) -> int:
    limits = {"capital": {"USDT": "2500"}, "max_price_age_seconds": 60}
    strategy = platform.add_strategy(account, parameters=grid(platform) | parameters, limits=limits)
    platform.wait_for_status(strategy, "running")
    until(lambda: int(platform.status(strategy).get("pending_buys", 0)) >= 3, "resting buys")
    return strategy


def resting(platform: World, place: int = 1) -> set[str]:
    return {str(o["client_order_id"]) for o in platform.venue.get(f"orders?market=spot&account={place}")}


def test_an_account_is_traded_on_once_its_key_is_known_to_be_harmless(platform: World, account: int) -> None:
    running_grid(platform, account)
    row = platform.do(lambda unit: unit.session.get(Account, account))
    assert row is not None
    assert row.rights == "verified"


def test_a_key_that_can_withdraw_is_refused_by_the_check_and_nothing_runs_on_it(platform: World) -> None:
    platform.venue.post("keys/key-two", {"permissions": ["READING", "SPOT", "WITHDRAWALS"]})
    refused = platform.add_account("key-two", "secret-two")
    send = ["-m", "celery", "-A", "celery_app", "call", "account.check", "--args", f"[{refused}]"]
    subprocess.run([sys.executable, *send], cwd=ROOT, env=platform.environment(), check=True, capture_output=True)

    def rights() -> str:
        row = platform.do(lambda unit: unit.session.get(Account, refused))
        assert row is not None
        return row.rights

    until(lambda: rights() == "refused", "the verdict on the key")
    strategy = platform.add_strategy(refused, parameters=grid(platform))
    status = platform.wait_for_status(strategy, "error")
    assert "disabled" in status["last_error"]
    assert resting(platform, 2) == set()


def test_an_edit_moves_only_the_orders_that_have_to_move(platform: World, account: int) -> None:
    strategy = running_grid(platform, account)
    row_parameters = platform.parameters(strategy)
    time.sleep(1)
    before = resting(platform)
    wider = row_parameters | {"lower_price": row_parameters["lower_price"], "total_investment": "2000"}
    assert platform.finished(
        platform.command(strategy, "edit", changes={"parameters": json.dumps(wider), "name": f"renamed {strategy}"})
    ) == ("done", "")
    assert before <= resting(platform)
    bad = row_parameters | {"levels": 0}
    outcome, detail = platform.finished(platform.command(strategy, "edit", changes={"parameters": json.dumps(bad)}))
    assert outcome == "rejected"
    assert "levels" in detail
    assert before <= resting(platform)
    assert platform.finished(platform.command(strategy, "edit", changes={"parameters": json.dumps(wider)}))[0] == "done"
    assert platform.finished(platform.command(strategy, "stop"))[0] == "done"


def test_flatten_sells_what_is_held_and_a_later_verb_supersedes_an_earlier_one(platform: World, account: int) -> None:
    strategy = running_grid(platform, account)
    until(lambda: Decimal(platform.status(strategy).get("position") or 0) > 0, "a position")
    worker = platform.workers["one"]
    first = platform.command(strategy, "pause", ring=False)
    last = platform.command(strategy, "flatten")
    assert platform.finished(last) == ("done", ""), worker.log[-3000:]
    assert platform.finished(first)[0] in ("superseded", "done")
    until(lambda: platform.status(strategy) == {}, "the release")


def test_what_was_stopped_goes_on_with_what_it_holds_and_what_was_flattened_begins_anew(
    platform: World, account: int
) -> None:
    strategy = running_grid(platform, account)
    assert platform.finished(platform.command(strategy, "stop"))[0] == "done"
    until(lambda: platform.status(strategy) == {}, "the release")
    assert platform.finished(platform.command(strategy, "start")) == ("done", "")
    until(lambda: int(platform.status(strategy).get("pending_buys", 0)) >= 3, "resting buys")
    assert platform.finished(platform.command(strategy, "flatten"))[0] == "done"
    until(lambda: platform.status(strategy) == {}, "the release")
    assert platform.finished(platform.command(strategy, "start")) == ("done", "")
    until(lambda: int(platform.status(strategy).get("pending_buys", 0)) >= 3, "resting buys")
    assert platform.finished(platform.command(strategy, "stop"))[0] == "done"


@pytest.fixture
def seldom_looking(tmp_path: Path) -> Iterator[World]:
    """A worker that looks into the database once a minute only, should nobody ring."""
    options = ["--market", "generated:7", "--symbols", "BTCUSDT", "--speed", "1", "--lift-limits"]
    options += ["--account", f"{KEY}:{SECRET}:{FUNDS}"]
    settings = {"ARES_WORKER__RECONCILE_SECONDS": "60", "ARES_WORKER__STOP_POLL_SECONDS": "60"}
    with world(tmp_path, f"sqlite:///{tmp_path / 'ares.sqlite3'}", *options, **settings) as made:
        made.start_worker()
        yield made


def test_a_ring_brings_a_command_to_the_worker_that_would_not_look_yet(seldom_looking: World) -> None:
    """Every look finds all commands there are; what nobody rang for still waits after two others have been done."""
    account = seldom_looking.add_account(KEY, SECRET)
    limits = {"capital": {"USDT": "2500"}, "max_price_age_seconds": 60}
    rung, unheard = (
        seldom_looking.add_strategy(account, parameters=grid(seldom_looking), limits=limits) for _ in range(2)
    )

    def both_run() -> bool:
        time.sleep(0.2)
        for strategy in (rung, unheard):
            seldom_looking.redis.publish(DOORBELL, str(strategy))
        return all(int(seldom_looking.status(one).get("pending_buys", 0)) >= 3 for one in (rung, unheard))

    def waits_alone() -> bool:
        waiting = seldom_looking.command(unheard, "pause", ring=False)
        done = [seldom_looking.finished(seldom_looking.command(rung, verb)) for verb in ("pause", "resume")]
        assert done == [("done", "")] * 2
        still_waits = seldom_looking.outcome(waiting)[0] is None
        seldom_looking.redis.publish(DOORBELL, str(unheard))
        assert seldom_looking.finished(waiting) == ("done", "")
        return still_waits

    until(both_run, "resting buys of both")
    # The one look of a minute may come in between; it does not come each time.
    assert any(waits_alone() for _ in range(5)), seldom_looking.workers["one"].log[-3000:]


def kill_by_http(platform: World, *, on: bool, proof: str | None = None) -> int:
    worker = platform.workers["one"].name
    port = str(platform.redis.hget(f"worker:{worker}", "http_port"))
    word = proof or EncryptionKey(SecretStr(ENCRYPTION_KEY)).token(KILL_SWITCH)
    request = Request(
        f"http://127.0.0.1:{port}/kill", data=orjson.dumps({"on": on}), headers={"Authorization": f"Bearer {word}"}
    )
    try:
        with urlopen(request) as answer:  # noqa: S310
            return int(answer.status)
    except HTTPError as error:
        return error.code


@pytest.mark.parametrize("path", ["http", "doorbell", "database"])
def test_the_kill_switch_cancels_every_entry_whichever_way_it_comes(platform: World, account: int, path: str) -> None:
    strategy = running_grid(platform, account)

    def turn(on: bool) -> None:
        if path == "http":
            assert kill_by_http(platform, on=on) == 200
        elif path == "doorbell":
            platform.redis.publish(DOORBELL, KILL_ON if on else KILL_OFF)
        else:
            platform.do(lambda unit: switches.set_kill(unit, on=on, by="local", owner=None, now=now()))

    turn(True)
    took = until(lambda: platform.status(strategy).get("pending_buys") == "0", "the end of every entry")
    print(f"kill switch by {path}: no entry left after {took:.2f} s")
    time.sleep(1.5)
    assert platform.status(strategy)["pending_buys"] == "0"
    turn(False)
    until(lambda: int(platform.status(strategy).get("pending_buys", 0)) >= 3, "entries again")
    assert platform.finished(platform.command(strategy, "stop"))[0] == "done"


def test_the_kill_switch_asks_for_its_proof(platform: World) -> None:
    assert kill_by_http(platform, on=True, proof="0" * 64) == 401
