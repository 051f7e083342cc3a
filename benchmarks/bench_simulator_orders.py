"""Signed order placement on the simulated venue, over keep-alive REST and over the WebSocket API.

    python -m benchmarks.bench_simulator_orders [--seconds 5] [--quick]

The venue runs on one core, the client on another. The client is lean: raw sockets, every request signed and framed
before the clock starts. Each account rests limit orders and cancels them after every twenty; only placements that were
answered with success count. Throughput is with every connection kept busy; latency is at half of the goal's rate,
from the moment a request was due until its answer was read, so that falling behind shows.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hmac
import statistics
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import urlencode

import orjson
import uvloop

from benchmarks.venue_process import VenueProcess, machine, venue_on_its_own_core

Way = Literal["REST", "WebSocket API"]
ACCOUNTS = 32
CANCEL_EVERY = 20
SECRET = "bench-secret"
GOALS: dict[Way, int] = {"REST": 3_000, "WebSocket API": 5_000}
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.001"}
ORDER |= {"price": "50000.00", "newOrderRespType": "ACK", "recvWindow": "60000"}
HANDSHAKE = (
    b"GET /ws-api/v3?returnRateLimits=false HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
WINDOW = {"REST": 1, "WebSocket API": 4}
"""Requests under way at once on one connection."""


@dataclass(slots=True)
class Job:
    """One prepared request, and when it was due."""

    content: bytes
    is_order: bool
    due: float = 0.0


@dataclass(slots=True)
class Score:
    """What came back."""

    placed: int = 0
    failed: int = 0
    answered: int = 0
    latencies: list[float] = field(default_factory=list)

    def take(self, job: Job, is_success: bool) -> None:
        self.answered += 1
        self.failed += job.is_order and not is_success  # a first cancel-all finds nothing to cancel
        self.placed += job.is_order and is_success
        self.latencies.append(time.perf_counter() - job.due)


class Connection(asyncio.Protocol):
    """Sends jobs in order, so many at a time; answers come back in the same order."""

    def __init__(self, way: Way, score: Score) -> None:
        self._way = way
        self._score = score
        self._rest = b""
        self._waiting: deque[Job] = deque()
        self._under_way: deque[Job] = deque()
        self._transport: asyncio.Transport | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = self._way == "REST"
        if not self.is_open:
            self._transport.write(HANDSHAKE)

    def give(self, job: Job) -> None:
        """Send it now, or when an answer makes room."""
        self._waiting.append(job)
        self._send()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _send(self) -> None:
        while self._waiting and self._transport is not None and len(self._under_way) < WINDOW[self._way]:
            job = self._waiting.popleft()
            job.due = job.due or time.perf_counter()
            self._under_way.append(job)
            self._transport.write(job.content)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        place = 0
        while (end := self._end_of_answer(data, place)) > 0:
            if self._is_ping(data, place):
                self._pong(data[place + 2 : end])
            elif self.is_open:
                self._score.take(self._under_way.popleft(), self._is_success(data, place, end))
            self.is_open = True
            place = end
        self._rest = data[place:]
        self._send()

    def _is_ping(self, data: bytes, place: int) -> bool:
        return self._way != "REST" and self.is_open and data[place] == 0x89

    def _pong(self, payload: bytes) -> None:
        if self._transport is not None:
            self._transport.write(bytes([0x8A, 0x80 | len(payload)]) + b"\0\0\0\0" + payload)

    def _is_success(self, data: bytes, place: int, end: int) -> bool:
        if self._way == "REST":
            return data.startswith(b"HTTP/1.1 200", place)
        return data.find(b'"status":200', place, end) > 0

    def _end_of_answer(self, data: bytes, place: int) -> int:
        """Where the answer that begins at `place` ends; 0 when it is not whole yet."""
        return (
            self._end_of_frame(data, place) if self._way != "REST" and self.is_open else self._end_of_http(data, place)
        )

    def _end_of_http(self, data: bytes, place: int) -> int:
        head = data.find(b"\r\n\r\n", place)
        if head < 0:
            return 0
        mark = data.find(b"Content-Length: ", place, head)
        length = int(data[mark + 16 : data.find(b"\r\n", mark)]) if mark > 0 else 0
        end = head + 4 + length
        return end if len(data) >= end else 0

    def _end_of_frame(self, data: bytes, place: int) -> int:
        if len(data) < place + 10:
            return 0
        length, head = data[place + 1], 2
        if length == 126:
            length, head = int.from_bytes(data[place + 2 : place + 4], "big"), 4
        elif length == 127:
            length, head = int.from_bytes(data[place + 2 : place + 10], "big"), 10
        end = place + head + length
        return end if len(data) >= end else 0


def prepared(way: Way, account: int, count: int) -> Iterator[Job]:
    """An account's placements, with a cancel-all after every twenty; accounts take turns with that."""
    for number in range(count):
        if (number + account) % CANCEL_EVERY == 0:
            yield _cancel_all(way, account)
        yield _job(way, account, "POST", "/api/v3/order", "order.place", ORDER)


def _cancel_all(way: Way, account: int) -> Job:
    params = {"symbol": "BTCUSDT", "recvWindow": "60000"}
    return _job(way, account, "DELETE", "/api/v3/openOrders", "openOrders.cancelAll", params)


def _job(way: Way, account: int, verb: str, path: str, method: str, params: dict[str, str]) -> Job:
    is_order, key = verb == "POST", f"bench-{account}"
    values = {**params, "timestamp": str(time.time_ns() // 1_000_000)}
    if way == "REST":
        text = urlencode(values)
        head = f"{verb} {path}?{text}&signature={_sign(text)} HTTP/1.1\r\nHost: bench\r\nX-MBX-APIKEY: {key}\r\n\r\n"
        return Job(head.encode(), is_order)
    values["apiKey"] = key
    values["signature"] = _sign("&".join(f"{name}={values[name]}" for name in sorted(values)))
    return Job(_frame(orjson.dumps({"id": 1, "method": method, "params": values})), is_order)


def _sign(text: str) -> str:
    return hmac.digest(SECRET.encode(), text.encode(), "sha256").hex()


def _frame(content: bytes) -> bytes:
    """A masked text frame of 126 to 65,535 bytes; with a mask of zeros the content stays as it is."""
    return b"\x81" + bytes([0x80 | 126]) + len(content).to_bytes(2, "big") + b"\0\0\0\0" + content


async def _connected(way: Way, port: int, score: Score) -> list[Connection]:
    loop = asyncio.get_running_loop()
    found = []
    for _ in range(ACCOUNTS):
        _, connection = await loop.create_connection(lambda: Connection(way, score), "127.0.0.1", port)
        found.append(connection)
    while not all(connection.is_open for connection in found):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    return found


async def _cleared(way: Way, port: int, score: Score) -> list[Connection]:
    """Connections of accounts without open orders; what an earlier measurement left is cancelled, untimed."""
    connections = await _connected(way, port, score)
    for account, connection in enumerate(connections):
        connection.give(_cancel_all(way, account))
    while score.answered < ACCOUNTS:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    score.answered = 0
    score.latencies.clear()
    return connections


async def throughput(way: Way, port: int, orders: int) -> tuple[float, Score]:
    """Placements a second with every connection kept busy."""
    score = Score()
    connections = await _cleared(way, port, score)
    jobs = [list(prepared(way, account, orders // ACCOUNTS)) for account in range(ACCOUNTS)]
    wanted = sum(map(len, jobs))
    started = time.perf_counter()
    for connection, mine in zip(connections, jobs, strict=True):
        for job in mine:
            connection.give(job)
    while score.answered < wanted:  # noqa: ASYNC110  (counts answers; no event tells of them)
        await asyncio.sleep(0.001)
    spent = time.perf_counter() - started
    for connection in connections:
        connection.close()
    return score.placed / spent, score


async def latency(way: Way, port: int, rate: int, seconds: float) -> Score:
    """Latencies at a steady rate, spread evenly over the connections."""
    score = Score()
    connections = await _cleared(way, port, score)
    count = int(rate * seconds)
    mine = [prepared(way, account, count) for account in range(ACCOUNTS)]
    jobs = [next(mine[number % ACCOUNTS]) for number in range(count)]
    started = time.perf_counter() + 0.05
    for number, job in enumerate(jobs):
        job.due = started + number / rate
        if number % ACCOUNTS == 0:
            await asyncio.sleep(0)  # answers are read even while the client is behind
        while (ahead := job.due - time.perf_counter()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(ahead if ahead > 0.002 else 0)
        connections[number % ACCOUNTS].give(job)
    while score.answered < count:  # noqa: ASYNC110  (counts answers; no event tells of them)
        await asyncio.sleep(0.001)
    for connection in connections:
        connection.close()
    return score


async def measure(way: Way, venue: VenueProcess, seconds: float) -> None:
    """One line of the table."""
    goal = GOALS[way]
    before = venue.processor_seconds()
    rate, score = await throughput(way, venue.port, int(goal * seconds))
    processor = venue.processor_seconds() - before
    calm = await latency(way, venue.port, goal // 2, seconds)
    cuts = statistics.quantiles(calm.latencies, n=100)
    print(
        f"{way:<16}{score.placed:>10,}{rate:>12,.0f}{score.placed / processor:>12,.0f}{goal:>10,}{goal // 2:>10,}"
        f"{cuts[49] * 1e3:>10.2f}{cuts[98] * 1e3:>10.2f}{score.failed + calm.failed:>8}"
    )


def main() -> None:
    gc.disable()  # the client's own pauses are not the venue's
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each measurement takes, about")
    parser.add_argument("--quick", action="store_true", help="half a second each")
    options = parser.parse_args()
    accounts = [part for number in range(ACCOUNTS) for part in ("--account", f"bench-{number}:{SECRET}:USDT=1000000")]
    fixed = ("--speed", "0", "--symbols", "BTCUSDT", "--lift-limits")
    with venue_on_its_own_core(*fixed, *accounts) as venue:
        print(f"{machine()}; {ACCOUNTS} connections, each an account of its own")
        print(f"{'placement':<16}{'orders':>10}{'per second':>12}{'per cpu s':>12}{'goal':>10}", end="")
        print(f"{'then at':>10}{'p50 ms':>10}{'p99 ms':>10}{'failed':>8}")
        for way in GOALS:
            uvloop.run(measure(way, venue, 0.5 if options.quick else options.seconds))


if __name__ == "__main__":
    main()
