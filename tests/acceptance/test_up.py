"""The two commands of the README, as a new user gives them: the real programs, with bots that trade."""

from __future__ import annotations

import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from db.database import open_database
from tests.acceptance.copy_walk import walk
from tests.embedded import Up, ares, pids, up, wait_for
from tests.markets import trending
from tests.runs import one_cross, share

pytestmark = [pytest.mark.services, pytest.mark.timeout(1200)]


def fills(running: Up, number: int) -> list[dict[str, Any]]:
    return list(running.client().pages(f"/api/strategies/{number}/fills"))


def resting(running: Up, number: int) -> set[str]:
    return {one["client_order_id"] for one in running.client().pages(f"/api/strategies/{number}/orders", state="open")}


def all_run(running: Up) -> bool:
    return all((one["live"] or {}).get("status") == "running" for one in running.strategies())


def backtested(running: Up) -> dict[str, Any]:
    """A backtest on bars that were shared with the installation, once it is done."""
    database = open_database(running.database)
    asked = {"history_id": share(database, trending(4, 300)), **one_cross().model_dump(mode="json")}
    database.dispose()
    client = running.client()
    number = client.post("/api/backtests", asked)["id"]
    wait_for(lambda: client.get(f"/api/backtests/{number}")["state"] == "done", "a backtest")
    found: dict[str, Any] = client.get(f"/api/backtests/{number}")
    return found


def test_three_bots_trade_and_go_on_after_everything_has_ended(tmp_path: Path, record_property: Any) -> None:
    with up(tmp_path) as first:
        bots = {one["name"]: one["id"] for one in first.strategies()}
        assert list(bots) == ["BTCUSDT range grid", "ETHUSDT range grid", "BTCUSDT trailing grid"]
        number = bots["BTCUSDT range grid"]
        wait_for(lambda: all_run(first) and fills(first, number), "fills of a running bot")
        pnl = first.client().get(f"/api/strategies/{number}/pnl")
        assert pnl["adds_up"] is True
        parts = [Decimal(pnl[name]) for name in ("capital", "realised", "unrealised", "transfers")]
        assert sum(parts) - Decimal(pnl["fees"]) == Decimal(pnl["equity"])
        link = next(line.strip() for line in first.said.splitlines() if "/login?token=" in line)
        with httpx.Client() as browser:
            assert browser.get(link).status_code in {200, 303, 307, 302}
            assert browser.get(link.partition("/login")[0] + "/api/session").json()["user"]["login"] == "local"
            assert httpx.get(link).status_code >= 400, "the link works once"
        assert backtested(first)["result"]["metrics"]["fills"] > 2
        traded, rested, alive = fills(first, number), resting(first, number), pids(tmp_path)
        ended = first.end(signal.SIGINT)
        assert first.process.returncode == 0
        assert not [pid for pid in alive if psutil.pid_exists(pid)], first.said
    with up(tmp_path) as second:
        assert {one["name"]: one["id"] for one in second.strategies()} == bots
        wait_for(lambda: all_run(second), "the same bots running again")
        assert [one["trade_id"] for one in traded] == [one["trade_id"] for one in fills(second, number)[-len(traded) :]]
        still = resting(second, number) & rested
        assert len(still) >= len(rested) // 2, "resting orders stay resting"
        assert ares(tmp_path, second.database, "down").stdout == "Stopped.\n"
        assert second.process.wait(180) == 0
    record_property("seconds to the link", f"{first.took:.1f} and {second.took:.1f}")
    print(f"link after {first.took:.1f} s, Ctrl-C took {ended:.1f} s, second link after {second.took:.1f} s")


def test_status_logs_login_and_a_second_up_tell_what_runs(tmp_path: Path) -> None:
    assert ares(tmp_path, f"sqlite:///{tmp_path}/ares.sqlite3", "status").returncode == 1
    with up(tmp_path) as running:
        wait_for(lambda: all_run(running), "running bots")
        status = ares(tmp_path, running.database, "status")
        assert status.returncode == 0
        assert all(word in status.stdout for word in ("BTCUSDT trailing grid", "running", "REST", "page"))
        assert "/login?token=" in ares(tmp_path, running.database, "login").stdout
        assert "Already running" in ares(tmp_path, running.database, "up").stdout
        assert "simulated money only" in ares(tmp_path, running.database, "logs", "simulator").stdout
        assert "there is no log of 'colour'" in ares(tmp_path, running.database, "logs", "colour").stderr
        listed = ares(tmp_path, running.database, "strategy", "list").stdout
        assert "ETHUSDT range grid" in listed
        assert ares(tmp_path, running.database, "strategy", "pause", "3").returncode == 0
        wait_for(lambda: running.strategies()[2]["desired_state"] == "paused", "a paused strategy")
        walk(running)
        refused = ares(tmp_path, running.database, "strategy", "start", "99")
        assert (refused.returncode, refused.stderr.startswith("ares: ")) == (1, True)
