"""A driver in lockstep lets prints pass that reach nobody: what happened is the same, and streams tell of less."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.admin.harness import Desk, desk

MINUTE = 60_000
STREAMS = "btcusdt@aggTrade/btcusdt@bookTicker/btcusdt@kline_5m"


async def walk(at: Desk, minutes: int, **more: Any) -> list[dict[str, Any]]:
    """Advance so far, event by event; gives what stopped it."""
    end, stops = (await at.get("/time"))["market_ms"] + minutes * MINUTE, []
    while True:
        _, body = await at.post("/advance", to=end, until_event=True, **more)
        stops.append({**body, "stopped_by": [one["event"] for one in body["stopped_by"]]})
        if body["market_ms"] == end:
            return stops


async def past(at: Desk) -> list[Any]:
    """Everything public that has happened on the symbol."""
    found = []
    for path in ("trades?limit=1000", "aggTrades?limit=1000", "klines?interval=1m&limit=100", "ticker/24hr?"):
        name, _, rest = path.partition("?")
        async with at.session.get(f"{at.simulator.rest_url}/api/v3/{name}?symbol=BTCUSDT&{rest}") as answer:
            found.append(await answer.json())
    return found


async def heard(at: Desk, minutes: int, **more: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What stopped an advance, and every event on the streams."""
    events: list[dict[str, Any]] = []
    url = f"{at.simulator.stream_url}/stream?streams={STREAMS}"
    async with at.session.ws_connect(url) as socket:
        stops = await walk(at, minutes, **more)
        await at.post("/settle")
        newest = (await past(at))[1][-1]["a"]
        while not any(one.get("a") == newest for one in events) or len(closed(events)) < minutes // 5:
            events.append((await socket.receive_json(timeout=180))["data"])
    return stops, events


def closed(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bars that have been told as closed."""
    return [one["k"] for one in events if one.get("e") == "kline" and one["k"]["x"]]


async def test_what_is_passed_over_has_happened_all_the_same_and_is_told_by_its_last_print() -> None:
    wide = {"BTCUSDT": ["1", None]}
    async with desk() as one, desk() as other:
        all_stops, told = await heard(one, 20)
        stops, few = await heard(other, 20, between=wide)
        assert stops == all_stops
        assert await past(other) == await past(one)
        trades, some = ([{**each, "E": 0} for each in found if each.get("e") == "aggTrade"] for found in (told, few))
        assert 0 < len(some) < len(trades) / 4
        assert [each for each in some if each not in trades] == []
        assert closed(few) == closed(told)


async def test_an_order_is_filled_by_the_print_that_would_have_filled_it() -> None:
    ends = []
    for between in ({}, {"BTCUSDT": [None, None]}):
        async with desk() as at:
            await at.post("/market/move", symbol="BTCUSDT", percent="-10", over_ms=30 * MINUTE)
            order = await at.rest(f"{int(float((await at.get('/symbols'))[0]['last_price']) * 0.95)}.00")
            stops, _ = await heard(at, 60, between=between)
            [found] = await at.get("/orders?account=1&symbol=BTCUSDT&all=true")
            assert found["status"] == "FILLED"
            ends.append(
                (order["price"], found["update_ms"], [s for s in stops if "executionReport" in s["stopped_by"]])
            )
    assert ends[0] == ends[1]


async def test_prices_that_a_driver_waits_for_are_told_print_by_print() -> None:
    async with desk() as at:
        price = float((await at.get("/symbols"))[0]["last_price"])
        await at.post("/market/move", symbol="BTCUSDT", percent="2", over_ms=2 * MINUTE)
        level = f"{price * 1.01:.2f}"
        _, events = await heard(at, 4, between={"BTCUSDT": [None, level]})
        prices = [float(one["p"]) for one in events if one.get("e") == "aggTrade"]
        first = next(place for place, each in enumerate(prices) if each >= float(level))
        assert first < 5, "of some thirty prints below the level"
        assert len(prices) - first > 4


@pytest.mark.parametrize("between", [{"BTCUSDT": "x"}, {"BTCUSDT": ["1"]}, {"BTCUSDT": ["a", None]}, []])
async def test_prices_that_cannot_be_read_are_named(between: object) -> None:
    async with desk() as at:
        status, body = await at.post("/advance", ms=1, until_event=True, between=between)
        assert (status, body["field"].partition(".")[0]) == (400, "between")
        assert (await at.post("/advance", ms=1, between={"BTCUSDT": [None, None]}))[0] == 400
