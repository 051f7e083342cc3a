"""Every market stream against the official example of its event: no field is missing, no JSON type is another."""

from __future__ import annotations

import asyncio
import gzip
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from simulator.config import SimulatorConfig, Speed
from simulator.server import RunningSimulator, running
from tests.simulator.futures_api import shapes

SPOT = [
    "btcusdt@aggTrade", "btcusdt@trade", "btcusdt@kline_1m", "btcusdt@kline_1m@+08:00", "!miniTicker@arr",
    "btcusdt@miniTicker", "btcusdt@ticker", "!ticker_1h@arr", "btcusdt@bookTicker", "btcusdt@avgPrice",
    "btcusdt@depth@100ms", "btcusdt@ticker_1h",
]  # fmt: skip
FUTURES_MARKET = [
    "btcusdt@aggTrade", "!miniTicker@arr", "!ticker@arr", "btcusdt@kline_1m", "btcusdt_perpetual@continuousKline_1m",
    "btcusdt@markPrice@1s", "!markPrice@arr@1s", "!contractInfo", "!assetIndex@arr",
]  # fmt: skip
FUTURES_PUBLIC = ["!bookTicker", "btcusdt@bookTicker", "btcusdt@depth@100ms", "btcusdt@depth10@100ms"]

STEPPED = SimulatorConfig(symbols=("BTCUSDT",), speed=Speed(Fraction(0)), market="generated:3")

#: Events that this venue never sends, or not without an account, and why.
NOT_SENT = {
    ("futures", "compositeIndex"): "no composite index is listed",
    ("futures", "forceOrder"): "needs a liquidation; the payload is held by the user-data tests",
    ("spot", "blockTrade"): "there are no block trades",
    ("spot", "referencePrice"): "no symbol has a reference price",
}
#: Fields that an example has and the venue's event here has not, and why.
DEVIATIONS = {("futures", "contractInfo"): {"$.bks: empty": "the brackets did not change, only the status did"}}


def examples(data: Path) -> dict[tuple[str, str], Any]:
    """(market, event) -> the example of one event; the spot book ticker has no name of its own."""
    found: dict[tuple[str, str], Any] = {}
    with gzip.open(data / "fixtures" / "binance-sdk-example-payloads.json.gz") as file:
        cases = orjson.loads(file.read())
    for name, case in cases.items():
        for payload in case["payloads"] if "websocket_streams" in name else ():
            event = payload[0] if isinstance(payload, list) and payload else payload
            if isinstance(event, dict) and ("e" in event or {"u", "s"} <= set(event)):
                market = "futures" if "derivatives" in name else "spot"
                found.setdefault((market, event.get("e", "bookTicker")), {}).update(event)
    return found


async def read(simulator: RunningSimulator, path: str, streams: list[str], seen: dict[str, Any]) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(simulator.stream_url + path) as socket,
        asyncio.timeout(180),
    ):
        await socket.send_json({"method": "SUBSCRIBE", "params": streams, "id": 1})
        assert (await socket.receive_json())["result"] is None
        venue = simulator.venue
        venue.advance_to(venue.clock.now_ms() + 65_000)
        exchange = venue.futures if "/ws" in path and path != "/ws" else venue.spot
        exchange.set_instrument(exchange.instrument("BTCUSDT").with_status("HALT"))
        venue.advance_to(venue.clock.now_ms() + 3_000)
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 2})
        while "result" not in (message := await socket.receive_json()):
            event = message[0] if isinstance(message, list) else message
            seen.setdefault(event.get("e", "bookTicker"), {}).update(event)


@pytest.mark.recorded
async def test_every_stream_has_the_fields_and_types_of_its_official_example(recorded_data: Path) -> None:
    seen: dict[str, dict[str, Any]] = {"spot": {}, "futures": {}}
    async with running(
        SimulatorConfig(symbols=("BTCUSDT",), speed=Speed(Fraction(0)), market="generated:3")
    ) as simulator:
        await read(simulator, "/ws", SPOT, seen["spot"])
    async with running(
        SimulatorConfig(symbols=("BTCUSDT",), speed=Speed(Fraction(0)), market="generated:3")
    ) as simulator:
        await read(simulator, "/public/ws", FUTURES_PUBLIC, seen["futures"])
    async with running(
        SimulatorConfig(symbols=("BTCUSDT",), speed=Speed(Fraction(0)), market="generated:3")
    ) as simulator:
        await read(simulator, "/market/ws", FUTURES_MARKET, seen["futures"])
    wrong = {}
    for (market, event), example in examples(recorded_data).items():
        if (market, event) in NOT_SENT:
            assert event not in seen[market]
            continue
        differences = shapes.differences_from_example(example, seen[market].get(event))
        unexplained = [item for item in differences if item not in DEVIATIONS.get((market, event), {})]
        if unexplained:
            wrong[market, event] = unexplained
    assert wrong == {}
