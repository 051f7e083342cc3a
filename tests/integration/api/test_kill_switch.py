from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr
from sqlmodel import select

from api.identity import Caller
from api.kill import KillSwitch
from api.metrics import Metrics
from core import redis_names
from core.clock import SystemTime
from core.redis_client import connect
from core.secrets import KILL_SWITCH, EncryptionKey
from db.models import AuditRecord, Node
from db.queries import audit, platform
from db.unit_of_work import committed, reading
from tests.api_node import ENCRYPTION_KEY, ApiNode, LeapingTime, api_node
from tests.services import create_schema, free_port, mariadb_server, stop, wait_until

pytestmark = pytest.mark.services
TOKEN = EncryptionKey(SecretStr(ENCRYPTION_KEY)).token(KILL_SWITCH)


class FakeWorker(ThreadingHTTPServer):
    """Takes POST /kill as a worker does, from whoever knows the word."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeWorkerHandler)
        self.heard: list[Any] = []


class FakeWorkerHandler(BaseHTTPRequestHandler):
    server: FakeWorker

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_ours = self.path == "/kill" and self.headers["Authorization"] == f"Bearer {TOKEN}"
        if is_ours:
            self.server.heard.append(json.loads(body))
        self.send_response(200 if is_ours else 401)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@contextmanager
def fake_worker(node: ApiNode) -> Iterator[FakeWorker]:
    """A worker that has said where it listens, and that the node has heard of."""
    server = FakeWorker()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    now = datetime.now(UTC)
    with committed(node.engine) as unit:
        for name, port in (("worker-1", server.server_port), ("worker-gone", free_port())):
            platform.see_node(
                unit,
                Node(
                    worker_id=name, hostname="h", ip="127.0.0.1", http_port=port, version="1",
                    started_at=now, last_seen_at=now,
                ),
            )  # fmt: skip
    wait_until(lambda: len(node.app.state.services.kill.known_workers()) == 2, "the node knows the workers")
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def test_turning_it_on_reaches_workers_every_way_and_turning_it_off_too(node: ApiNode, redis_url: str) -> None:
    with fake_worker(node) as worker, redis.Redis.from_url(redis_url) as client, client.pubsub() as bell:
        bell.subscribe(redis_names.DOORBELL)
        assert bell.get_message(timeout=180) is not None
        on = node.post("/api/kill-switch", {"on": True}, "adam").json()
        assert (on["on"], on["database"], on["redis"]) == (True, True, True)
        assert on["workers"] == {"worker-1": True, "worker-gone": False}
        rung = bell.get_message(timeout=180)
        assert rung is not None
        assert rung["data"] == redis_names.KILL_ON.encode()
        assert node.get("/api/session", "olga").json()["kill"] | {"at": ""} == {
            "on": True, "by": "adam", "at": "", "scope": "all",
        }  # fmt: skip
        assert node.post("/api/kill-switch", {"on": False}, "adam").json()["on"] is False
        assert worker.heard == [{"on": True}, {"on": False}]
    with reading(node.engine) as unit:
        assert not platform.kill_state(unit).stops(1)
        assert audit.verify(unit) >= 2


def test_a_traders_own_switch_tells_workers_whose_it_is(node: ApiNode) -> None:
    with fake_worker(node) as worker:
        assert node.post("/api/kill-switch", {"on": True}, "olga").json()["scope"] == "mine"
        assert worker.heard == [{"on": True, "owner": node.people["olga"]}]
    with reading(node.engine) as unit:
        state = platform.kill_state(unit)
    assert state.stops(node.people["olga"])
    assert not state.stops(node.people["theo"])


def test_it_works_while_redis_is_down(tmp_path: Path) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    database = f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    with (
        api_node(database, nowhere, tmp_path, redis={"timeout_seconds": 0.5}) as node,
        fake_worker(node) as worker,
    ):
        on = node.post("/api/kill-switch", {"on": True}, "adam").json()
        assert (on["database"], on["redis"], on["workers"]["worker-1"]) == (True, False, True)
        assert worker.heard == [{"on": True}]
        assert node.get("/api/kill-switch", "olga").json()["on"] is True


def test_it_works_while_the_database_is_cut_off_and_answers_nothing(tmp_path: Path, redis_url: str) -> None:
    folder, time = tmp_path / "mariadb", LeapingTime()
    folder.mkdir()
    with (
        mariadb_server(folder) as service,
        api_node(create_schema(service, "kill"), redis_url, tmp_path, time) as node,
        fake_worker(node) as worker,
    ):
        assert node.get("/api/session", "adam").status_code == 200
        os.kill(service.process.pid, signal.SIGSTOP)
        try:
            # What the database said of adam is not fresh any more.
            time.ahead_ns = 60_000_000_000
            on = node.post("/api/kill-switch", {"on": True}, "adam")
            assert on.status_code == 200, on.text
            assert (on.json()["database"], on.json()["workers"]["worker-1"]) == (False, True)
            assert on.elapsed.total_seconds() < 60
            assert worker.heard == [{"on": True}]
        finally:
            os.kill(service.process.pid, signal.SIGCONT)
        wait_until(lambda: node.get("/api/kill-switch", "adam").json().get("on") is True, "the database learns of it")


def test_it_works_while_the_database_is_down(tmp_path: Path, redis_url: str) -> None:
    folder = tmp_path / "mariadb"
    folder.mkdir()
    with (
        mariadb_server(folder) as service,
        api_node(create_schema(service, "kill"), redis_url, tmp_path) as node,
        fake_worker(node) as worker,
    ):
        assert node.get("/api/session", "adam").status_code == 200
        stop(service.process)
        on = node.post("/api/kill-switch", {"on": True}, "adam")
        assert on.status_code == 200, on.text
        assert (on.json()["database"], on.json()["workers"]["worker-1"]) == (False, True)
        assert worker.heard == [{"on": True}]
        off = node.post("/api/kill-switch", {"on": False}, "adam")
        assert (off.status_code, worker.heard) == (503, [{"on": True}])
        assert node.get("/health/database", None).json()["status"] == "failed"
        assert node.get("/api/strategies", "adam").status_code == 503
        guess = {"X-Ares-Request": "1", "Cookie": "ares_session=guess"}
        stranger = node.client.post("/api/kill-switch", json={"on": True}, headers=guess)
        assert stranger.status_code in {401, 503}
        assert worker.heard == [{"on": True}]
        line = json.loads((tmp_path / "kill-switch.jsonl").read_text())
        assert (line["on"], line["by"]) == (True, "adam")
        node.engine.dispose()


def test_what_was_kept_here_reaches_the_database_before_a_later_turn(node: ApiNode, tmp_path: Path) -> None:
    line = {"on": True, "by": "adam", "owner": None, "at": datetime.now(UTC).isoformat(), "caller": 1}
    (tmp_path / "kill-switch.jsonl").write_text(json.dumps(line) + "\n")
    assert node.post("/api/kill-switch", {"on": False}, "adam").status_code == 200
    assert not (tmp_path / "kill-switch.jsonl").exists()
    assert node.get("/api/kill-switch", "adam").json()["on"] is False
    actions = [
        one["detail"] for one in node.get("/api/audit", "adam").json()["items"] if one["action"] == "kill_switch"
    ]
    assert [one["on"] for one in actions] == [False, True]


async def test_what_was_kept_here_is_brought_once_by_whoever_comes_first(
    node: ApiNode, redis_url: str, tmp_path: Path
) -> None:
    line = {"on": True, "by": "adam", "owner": None, "at": datetime.now(UTC).isoformat(), "caller": 1}
    kept = tmp_path / "apart" / "kill-switch.jsonl"
    kept.parent.mkdir()
    kept.write_text("".join(json.dumps(line | {"by": f"adam{place}"}) + "\n" for place in range(100)))
    bus = connect(redis_url)
    switch = KillSwitch(node.engine, bus, None, SystemTime(), kept.parent, Metrics())
    await switch.open()
    await asyncio.gather(*(switch.turn(False, Caller(1, "adam", "adam", "admin"), None) for _ in range(3)))
    await switch.close()
    await bus.aclose()
    with reading(node.engine) as unit:
        ons = [row.actor for row in unit.session.exec(select(AuditRecord)) if '"on":true' in row.content]
    assert sorted(ons) == sorted(f"adam{place}" for place in range(100))
    assert node.get("/api/kill-switch", "adam").json()["on"] is False


def test_when_nobody_can_be_reached_it_says_so(tmp_path: Path, redis_url: str) -> None:
    folder = tmp_path / "mariadb"
    folder.mkdir()
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    with (
        mariadb_server(folder) as service,
        api_node(create_schema(service, "kill"), nowhere, tmp_path, redis={"timeout_seconds": 0.5}) as node,
    ):
        assert node.get("/api/session", "adam").status_code == 200
        stop(service.process)
        answer = node.post("/api/kill-switch", {"on": True}, "adam")
        assert (answer.status_code, answer.json()["code"]) == (503, "nobody_reached")
        node.engine.dispose()
