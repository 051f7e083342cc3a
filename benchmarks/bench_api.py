"""The API node under load: status lists over 10,000 strategies, and single status reads.

    python -m benchmarks.bench_api [--strategies 10000] [--seconds 10]

A real `python main.py` on loopback with SQLite and a real redis-server, in which every strategy has a live status. The
caller is a process of its own, pinned to the other core, and speaks plain HTTP/1.1 over kept connections, so that it
costs little. The node is one process on one core: its processor time is read before and after, and reads per second
of a core is reads divided by that time. Beside it the floor: the same server and the same caller with an
application that only answers `{}`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import redis

from core import redis_names
from db import migrate
from db.database import open_database
from tests.api_node import add_many_strategies, add_person
from tests.services import free_port, redis_server, running

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 8
BARE = """
import uvicorn
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}})
        await send({{"type": "http.response.body", "body": b"{{}}"}})
uvicorn.run(app, port={port}, log_level="error", access_log=False, lifespan="off")
"""


class Measured(NamedTuple):
    """How long answers took, and what the node spent on them."""

    milliseconds: list[float]
    seconds: float
    cpu: float

    def at(self, share: float) -> float:
        return sorted(self.milliseconds)[int(share * (len(self.milliseconds) - 1))]

    def row(self, what: str) -> str:
        per_second, per_core = len(self.milliseconds) / self.seconds, len(self.milliseconds) / max(self.cpu, 0.01)
        times = f"{self.at(0.5):.1f} / {self.at(0.95):.1f} / {self.at(0.99):.1f} ms"
        return f"| {what} | {times} | {per_second:,.0f} | {per_core:,.0f} |"


def status_of(number: int, owner: int) -> dict[str, str]:
    now = datetime.now(UTC).isoformat()
    return {
        "task_id": f"{number}-3", "worker_id": "worker-1", "worker_ip": "127.0.0.1", "worker_hostname": "bench",
        "status": "running", "started_at": now, "current_price": "64000.5", "pending_buys": "10", "pending_sells": "10",
        "position_count": "3", "last_error": "", "held_back": "", "updated_at": now, "lease_age_ms": "1200",
        "epoch": "3",
        "realised": "12.5", "unrealised": "-3.25", "fees": "0.75", "equity": "1008.5", "position": "0.0125",
        "owner_id": str(owner),
    }  # fmt: skip


@contextlib.contextmanager
def node(folder: Path, strategies: int) -> Iterator[tuple[int, int, str, list[int]]]:
    """The node: its port, its process, a session's token, and the numbers of the strategies."""
    database = f"sqlite:///{folder / 'ares.sqlite3'}"
    engine = open_database(database)
    migrate.upgrade(engine)
    owner, token = add_person(engine, "bench", "trader")
    numbers = add_many_strategies(engine, owner, strategies)
    engine.dispose()
    (folder / "redis").mkdir()
    with redis_server(folder / "redis") as service:
        url = f"redis://127.0.0.1:{service.port}/0"
        with redis.Redis.from_url(url) as client, client.pipeline(transaction=False) as pipe:
            for number in numbers:
                pipe.hset(redis_names.strategy_running(number), mapping=status_of(number, owner))
            pipe.execute()
        port = free_port()
        environment = {"ARES_DATABASE__URL": database, "ARES_REDIS__URL": url, "ARES_API__PORT": str(port)}
        os.environ.update(environment, ARES_HOME=str(folder))
        (folder / "api").mkdir()
        with running("api", pinned([sys.executable, str(ROOT / "main.py")], 0), port, folder / "api") as api:
            yield port, api.process.pid, token, numbers


def pinned(command: list[str], core: int) -> list[str]:
    return ["taskset", "-c", str(core % (os.cpu_count() or 1)), *command]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Connection:
    """One kept connection: sends a request, reads its whole answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**24))

    async def get(self, path: str, token: str) -> bytes:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ares_session={token}\r\n\r\n"
        self._writer.write(request.encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


async def load(port: int, pid: int, token: str, paths: list[str], seconds: float, connections: int) -> Measured:
    """As many requests as so many connections get answered."""
    opened = [await Connection.open(port) for _ in range(connections)]
    took: list[float] = []
    await asyncio.gather(*(one.get(paths[0], token) for one in opened))
    began, cpu = time.perf_counter(), cpu_seconds(pid)
    ends = began + seconds

    async def go(place: int, connection: Connection) -> None:
        turn = place
        while (sent := time.perf_counter()) < ends:
            await connection.get(paths[turn % len(paths)], token)
            took.append((time.perf_counter() - sent) * 1000)
            turn += connections

    await asyncio.gather(*(go(place, one) for place, one in enumerate(opened)))
    measured = Measured(took, time.perf_counter() - began, cpu_seconds(pid) - cpu)
    for one in opened:
        one.close()
    return measured


async def whole_list(port: int, pid: int, token: str, strategies: int, repeats: int) -> Measured:
    """Every strategy's status, page after page, as often as asked."""
    connection = await Connection.open(port)
    took: list[float] = []
    began, cpu = time.perf_counter(), cpu_seconds(pid)
    for _ in range(repeats):
        sent, seen = time.perf_counter(), 0
        cursor: str | None = ""
        while cursor is not None:
            page = json.loads(await connection.get(f"/api/strategies?limit=500{cursor and '&cursor=' + cursor}", token))
            assert page["items"][0]["live"]["status"] == "running"
            seen, cursor = seen + len(page["items"]), page["next_cursor"]
        assert seen == strategies
        took.append((time.perf_counter() - sent) * 1000)
    connection.close()
    return Measured(took, time.perf_counter() - began, cpu_seconds(pid) - cpu)


async def floor(folder: Path, seconds: float) -> Measured:
    """The same server answering nothing."""
    port = free_port()
    (folder / "bare").mkdir()
    with running("bare", pinned([sys.executable, "-c", BARE.format(port=port)], 0), port, folder / "bare") as bare:
        return await load(port, bare.process.pid, "", ["/"], seconds, CONNECTIONS)


async def measure(folder: Path, strategies: int, seconds: float) -> None:
    os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
    print(f"{strategies:,} strategies, each with a live status; {seconds:.0f} s a row")
    print("\n| request | p50 / p95 / p99 | a second | a second of a core |\n|---|---|---|---|")
    print((await floor(folder, seconds)).row(f"the server alone, {CONNECTIONS} connections"))
    with node(folder, strategies) as (port, pid, token, numbers):
        singles = [f"/api/strategies/{number}/status" for number in numbers[:: max(len(numbers) // 997, 1)]]
        await load(port, pid, token, singles, seconds, CONNECTIONS)  # until everything has been asked for once
        measured = await load(port, pid, token, singles, seconds, CONNECTIONS)
        print(measured.row(f"one status, {CONNECTIONS} connections"))
        print((await load(port, pid, token, singles, seconds, 1)).row("one status, 1 connection"))
        pages = ["/api/strategies?limit=100", "/api/strategies/running?limit=100"]
        print((await load(port, pid, token, pages, seconds, 1)).row("a page of 100 with statuses"))
        large = ["/api/strategies?limit=500"]
        print((await load(port, pid, token, large, seconds, 1)).row("a page of 500 with statuses"))
        live = ["/api/strategies/statuses"]
        print((await load(port, pid, token, live, seconds, 1)).row(f"the status list of all {strategies:,}"))
        print((await whole_list(port, pid, token, strategies, 3)).row(f"all {strategies:,} strategies in pages of 500"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--strategies", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), options.strategies, options.seconds))


if __name__ == "__main__":
    if shutil.which("taskset") is None:
        sys.exit("taskset is not installed; it pins node and caller to cores of their own.")
    main()
