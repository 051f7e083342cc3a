"""How fast the simulated venue speaks: events fanned out to many WebSockets, and orders over the WebSocket API.

The venue runs in a process of its own on uvloop; the clients run here and count every frame. Run from the root:

    python -m benchmarks.bench_simulator_streams [--connections 1000] [--orders 20000]
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from multiprocessing.connection import Connection
from typing import cast

import aiohttp
import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from simulator.config import SimulatorConfig, Speed, parse_account
from simulator.events import TradeHappened
from simulator.market.types import Trade
from simulator.server import RunningSimulator, running
from simulator.units import ONE

KEY, SECRET = "bench", "bench-secret"
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
WINDOW = 64
"""Orders under way at once on one connection."""
CANCEL_EVERY = 150


@dataclass(frozen=True, slots=True)
class Burst:
    """How events come: so many in one turn of the loop, so many times."""

    name: str
    events: int
    turns: int


NOTHING = Burst("nothing", 0, 0)
"""Asks for the processor time only."""
BURSTS = (Burst("one event a turn", 1, 200), Burst("ten events a turn", 10, 40), Burst("fifty events a turn", 50, 10))


# The venue's process


def serve(pipe: Connection) -> None:
    """Run a venue that stands still; publish events when told to."""
    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    config = SimulatorConfig(
        market="generated:1",
        speed=Speed(Fraction(0)),
        symbols=("BTCUSDT",),
        accounts=(parse_account(f"{KEY}:{SECRET}:USDT=1000000000,BTC=1000000"),),
        lift_limits=True,
    )
    async with running(config) as simulator:
        pipe.send(simulator.port)
        loop = asyncio.get_running_loop()
        while (order := await loop.run_in_executor(None, pipe.recv)) is not None:
            pipe.send(await _publish(simulator, order))


async def _publish(simulator: RunningSimulator, burst: Burst) -> float:
    """Publish, wait until all is flushed; gives the processor time of the venue so far."""
    venue = simulator.venue
    number = 0
    for _ in range(burst.turns):
        for _ in range(burst.events):
            number += 1
            trade = Trade(number, venue.clock.now_ms(), 61_800 * ONE, ONE, 61_800 * ONE, "BUY")
            venue.bus.publish(TradeHappened("spot", "BTCUSDT", trade))
        await asyncio.sleep(0)
    await _until(venue.hub.quiet)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# The clients


class Counter(asyncio.Protocol):
    """A WebSocket client that counts text frames."""

    def __init__(self, path: str, score: Score) -> None:
        self._request = HANDSHAKE.format(path=path).encode()
        self._score = score
        self._rest = b""
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        place = 0
        if not self._is_open:
            place = data.find(b"\r\n\r\n") + 4
            if place == 3:
                self._rest = data
                return
            assert data.startswith(b"HTTP/1.1 101"), data[:200]
            self._is_open = True
            self._score.opened += 1
        end = len(data)
        while end - place >= 2:
            length, head = data[place + 1], 2
            if length == 126:
                if end - place < 4:
                    break
                length, head = int.from_bytes(data[place + 2 : place + 4], "big"), 4
            if end - place < head + length:
                break
            if data[place] == 0x81:
                self._score.frames += 1
            place += head + length
        self._rest = data[place:]


class Score:
    """What all clients have seen."""

    def __init__(self) -> None:
        self.opened = 0
        self.frames = 0

    def has(self, frames: int) -> bool:
        """Whether so many frames have come."""
        return self.frames >= frames


async def fan_out(pipe: Connection, port: int, connections: int, table: Table) -> None:
    """Every connection listens to one stream; time from the first event to the last frame counted."""
    loop = asyncio.get_running_loop()
    score = Score()
    transports = []
    for _ in range(connections):
        transport, _ = await loop.create_connection(lambda: Counter("/ws/btcusdt@trade", score), "127.0.0.1", port)
        transports.append(transport)
    await _until(lambda: score.opened == connections)
    for burst in BURSTS:
        score.frames = 0
        before = await processor_seconds(pipe)
        expected = connections * burst.events * burst.turns
        started = time.perf_counter()
        pipe.send(burst)
        await _until(partial(score.has, expected))
        seconds = time.perf_counter() - started
        processor = await loop.run_in_executor(None, pipe.recv) - before
        assert score.frames == expected
        table.add_row(
            f"fan-out to {connections}, {burst.name}",
            f"{expected:,}",
            f"{seconds:.2f}",
            f"{expected / seconds:,.0f}",
            f"{expected / processor:,.0f}",
        )
    for transport in transports:
        transport.close()


async def processor_seconds(pipe: Connection) -> float:
    """Processor time of the venue so far."""
    pipe.send(NOTHING)
    seconds: float = await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    return seconds


async def place_orders(pipe: Connection, port: int, count: int, table: Table) -> None:
    """Signed limit orders on one connection of the WebSocket API, 64 under way; all cancelled now and then."""
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"ws://127.0.0.1:{port}/ws-api/v3?returnRateLimits=false", compress=0)
        under_way, answered, placed = 0, 0, 0
        before = await processor_seconds(pipe)
        started = time.perf_counter()
        while answered < count:
            while under_way < WINDOW and placed < count:
                placed += 1
                under_way += 1
                await socket.send_str(_order(placed))
                if not placed % CANCEL_EVERY:
                    under_way += 1
                    await socket.send_str(_signed("cancel", "openOrders.cancelAll", {"symbol": "BTCUSDT"}))
            answer = orjson.loads((await socket.receive()).data)
            under_way -= 1
            assert answer["status"] == 200, answer
            answered += answer["id"] != "cancel"
        seconds = time.perf_counter() - started
        processor = await processor_seconds(pipe) - before
        rates = f"{count / seconds:,.0f}", f"{count / processor:,.0f}"
        table.add_row(f"signed limit orders, {WINDOW} under way", f"{count:,}", f"{seconds:.2f}", *rates)


def _order(number: int) -> str:
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    return _signed(
        number, "order.place", params | {"quantity": "0.001", "price": "50000.00", "newOrderRespType": "ACK"}
    )


def _signed(request_id: object, method: str, params: dict[str, str]) -> str:
    values: dict[str, object] = {**params, "apiKey": KEY, "timestamp": time.time_ns() // 1_000_000}
    payload = "&".join(f"{name}={values[name]}" for name in sorted(values)).encode()
    values["signature"] = hmac.digest(SECRET.encode(), payload, "sha256").hex()
    return orjson.dumps({"id": request_id, "method": method, "params": values}).decode()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110  (conditions of two processes; no event tells of them)
            await asyncio.sleep(0.001)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--quick", action="store_true", help="100 connections, 1,000 orders")
    options = parser.parse_args()
    if options.quick:
        options.connections, options.orders = 100, 1_000
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    process.start()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(process.pid or 0, {cores[-1]})
    os.sched_setaffinity(0, {cores[0]})
    table = Table("what", "messages", "seconds", "per second", "per processor second of the venue")
    port = here.recv()

    async def run() -> None:
        await fan_out(here, port, options.connections, table)
        await place_orders(here, port, options.orders, table)

    uvloop.run(run())
    here.send(None)
    process.join()
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
