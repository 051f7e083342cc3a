from __future__ import annotations

from typing import Any

import pytest

from simulator.wire.time_unit import in_microseconds
from tests.simulator.admin.harness import Desk, desk

START_MS = 1_735_689_600_000


async def fetch(at: Desk, path: str, unit: str | None = "MICROSECOND") -> Any:
    headers = {} if unit is None else {"X-MBX-TIME-UNIT": unit}
    async with at.session.get(at.simulator.rest_url + path, headers=headers) as answer:
        assert answer.status == 200
        return await answer.json()


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond"])
async def test_spot_answers_in_microseconds_when_the_header_says_so(unit: str) -> None:
    async with desk() as at:
        path = "/api/v3/aggTrades?symbol=BTCUSDT&limit=3"
        plain, fine = await fetch(at, path, None), await fetch(at, path, unit)
        assert [row["T"] for row in fine] == [row["T"] * 1000 for row in plain]
        assert [row | {"T": 0} for row in fine] == [row | {"T": 0} for row in plain]
        server = await fetch(at, "/api/v3/time", unit)
        assert abs(server["serverTime"] // 1000 - at.simulator.venue.protocol.now_ms()) < 10_000


async def test_a_bar_in_microseconds_ends_on_its_last_microsecond() -> None:
    async with desk() as at:
        path = "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=2"
        for plain, fine in zip(await fetch(at, path, None), await fetch(at, path), strict=True):
            assert (fine[0], fine[6]) == (plain[0] * 1000, plain[6] * 1000 + 999)
            assert fine[1:6] + fine[7:] == plain[1:6] + plain[7:]


async def test_milliseconds_and_futures_stay_as_they_are() -> None:
    async with desk() as at:
        assert (await fetch(at, "/api/v3/trades?symbol=BTCUSDT&limit=1", "MILLISECOND"))[0]["time"] < 10**13
        assert (await fetch(at, "/fapi/v1/trades?symbol=BTCUSDT&limit=1"))[0]["time"] < 10**13


async def test_a_websocket_api_connection_speaks_in_microseconds_when_its_address_says_so() -> None:
    async with desk() as at:
        url = at.simulator.stream_url
        order = {"symbol": "BTCUSDT", "limit": 1}
        for path, factor in (("/ws-api/v3", 1), ("/ws-api/v3?timeUnit=MICROSECOND", 1000)):
            async with at.session.ws_connect(url + path) as socket:
                await socket.send_json({"id": 1, "method": "trades.recent", "params": order})
                answer = await socket.receive_json(timeout=180)
                assert START_MS * factor - 86_400_000 * factor < answer["result"][0]["time"] <= START_MS * factor
        async with at.session.ws_connect(f"{url}/ws-fapi/v1?timeUnit=MICROSECOND") as socket:
            await socket.send_json({"id": 1, "method": "ticker.price", "params": {"symbol": "BTCUSDT"}})
            assert (await socket.receive_json(timeout=180))["result"]["time"] < 10**13


def test_times_of_things_that_never_happened_stay_minus_one() -> None:
    body = {"workingTime": -1, "orders": [{"updateTime": 5, "orderId": 6}], "retryAfter": 7}
    assert in_microseconds(body) == {"workingTime": -1, "orders": [{"updateTime": 5000, "orderId": 6}], "retryAfter": 7}
