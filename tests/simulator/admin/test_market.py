from __future__ import annotations

import asyncio
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from simulator.config import Speed
from tests.simulator.admin.harness import Desk, desk

MINUTE = 60_000


async def last_price(at: Desk, market: str = "spot", symbol: str = "BTCUSDT") -> Decimal:
    for item in await at.get("/symbols"):
        if (item["market"], item["symbol"]) == (market, symbol):
            return Decimal(item["last_price"])
    raise LookupError(symbol)


async def test_time_moves_only_when_told_to() -> None:
    async with desk() as at:
        before = await at.get("/time")
        assert before["stepped"] is True
        assert (await at.post("/advance", ms=MINUTE))[1]["market_ms"] == before["market_ms"] + MINUTE
        to = before["market_ms"] + 10 * MINUTE
        assert (await at.post("/advance", to=to))[1]["market_ms"] == to
        assert (await at.get("/time"))["market_ms"] == to


@pytest.mark.parametrize("body", [{}, {"ms": 1, "to": 2}, {"ms": -1}, {"to": 5}, {"ms": "x"}, {"ms": 10**18}])
async def test_time_goes_neither_back_nor_nowhere(body: dict[str, Any]) -> None:
    async with desk() as at:
        before = (await at.get("/time"))["market_ms"]
        assert (await at.post("/advance", **body))[0] == 400
        assert (await at.get("/time"))["market_ms"] == before


async def test_a_running_market_is_not_stepped() -> None:
    async with desk(speed=Speed(Fraction(1))) as at:
        status, body = await at.post("/advance", ms=1)
        assert status == 409
        assert "--speed 0" in body["reason"]


async def test_settle_tells_that_all_is_quiet() -> None:
    async with desk() as at:
        await at.rest("far")
        status, body = await at.post("/settle")
        assert (status, body["quiet"], body["tape"]) == (200, True, len(at.simulator.venue.tape))


async def test_the_market_gaps_and_the_tape_says_who_did_it() -> None:
    async with desk() as at:
        await at.post("/advance", ms=MINUTE)
        before = await last_price(at)
        status, _ = await at.post("/market/gap", symbol="BTCUSDT", percent="-10")
        assert status == 200
        await at.post("/advance", ms=MINUTE)
        for market in ("spot", "futures"):
            assert await last_price(at, market) < before * Decimal("0.95")
        operator = list(at.simulator.venue.tape.records(kind="operator"))
        assert [(line["verb"], line["fields"]) for line in operator] == [
            ("/admin/market/gap", {"symbol": "BTCUSDT", "percent": "-10"})
        ]


async def test_a_pump_goes_up_and_comes_back() -> None:
    async with desk() as at:
        await at.post("/advance", ms=MINUTE)
        before = await last_price(at)
        await at.post("/market/pump", market="spot", symbol="BTCUSDT", percent=50, up_ms=MINUTE, down_ms=MINUTE)
        await at.post("/advance", ms=MINUTE)
        top = await last_price(at)
        await at.post("/advance", ms=2 * MINUTE)
        assert top > before * Decimal("1.3")
        assert before * Decimal("0.9") < await last_price(at) < before * Decimal("1.1")


async def test_a_frozen_market_stands_still() -> None:
    async with desk() as at:
        await at.post("/advance", ms=MINUTE)
        await at.post("/market/freeze", market="spot", symbol="BTCUSDT", on=True)
        await at.post("/advance", ms=MINUTE)
        frozen = await last_price(at)
        await at.post("/advance", ms=10 * MINUTE)
        assert await last_price(at) == frozen
        await at.post("/market/freeze", market="spot", symbol="BTCUSDT", on=False)
        await at.post("/advance", ms=10 * MINUTE)
        assert await last_price(at) != frozen


async def test_a_halted_symbol_takes_no_orders() -> None:
    async with desk() as at:
        await at.post("/market/status", market="spot", symbol="BTCUSDT", status="HALT")
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        status, body = await at.trade("POST", "/api/v3/order", **order)
        assert (status, body["msg"]) == (400, "Market is closed.")


async def test_a_delisted_symbol_has_no_orders_left() -> None:
    async with desk() as at:
        await at.rest("far")
        _, symbol = await at.post("/market/delist", market="spot", symbol="BTCUSDT")
        assert symbol["status"] == "CLOSE"
        assert await at.get("/orders") == []


async def test_other_filters_hold_from_now_on() -> None:
    async with desk() as at:
        await at.post("/market/filters", market="spot", symbol="BTCUSDT", filters={"minimum_notional": "5000"})
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
        assert (await at.trade("POST", "/api/v3/order", **order))[1]["msg"] == "Filter failure: NOTIONAL"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/market/gap", {"symbol": "NOPE", "percent": "1"}, "symbol"),
        ("/market/gap", {"symbol": "BTCUSDT", "percent": 1.5}, "percent"),
        ("/market/gap", {"symbol": "BTCUSDT", "percent": "-100"}, "percent"),
        ("/market/gap", {"symbol": "BTCUSDT"}, "percent"),
        ("/market/move", {"symbol": "BTCUSDT", "percent": "1", "over_ms": 0}, "over_ms"),
        ("/market/move", {"symbol": "BTCUSDT", "percent": "1", "over_ms": 1, "market": "x"}, "market"),
        ("/market/freeze", {"symbol": "BTCUSDT"}, "on"),
        ("/market/status", {"market": "spot", "symbol": "BTCUSDT", "status": "SLEEPING"}, "status"),
        ("/market/filters", {"market": "spot", "symbol": "BTCUSDT", "filters": {"tock": "1"}}, "filters.tock"),
        ("/market/filters", {"market": "spot", "symbol": "BTCUSDT", "filters": {"tick": "0.00000001"}}, "filters"),
        ("/market/filters", {"market": "spot", "symbol": "BTCUSDT", "filters": {"maximum_orders": "1"}},
         "filters.maximum_orders"),
    ],
)  # fmt: skip
async def test_steering_that_does_not_fit_is_refused(path: str, body: dict[str, Any], field: str) -> None:
    async with desk() as at:
        before = [await at.get("/symbols"), len(at.simulator.venue.tape)]
        status, answer = await at.post(path, **body)
        assert (status, answer["field"]) == (400, field)
        assert [await at.get("/symbols"), len(at.simulator.venue.tape)] == before


async def test_a_move_out_of_bounds_is_refused_with_its_field_and_moves_no_market() -> None:
    async with desk() as at:
        futures = {"symbol": "BTCUSDT", "market": "futures", "percent": "4900"}
        assert (await at.post("/market/move", **futures, over_ms=1000))[0] == 200
        await at.post("/advance", ms=MINUTE)
        before = await last_price(at)
        for verb, more in (("gap", {}), ("move", {"over_ms": 5}), ("pump", {"up_ms": 5, "down_ms": 5})):
            status, body = await at.post(f"/market/{verb}", symbol="BTCUSDT", percent="4900", **more)
            assert (status, body["field"]) == (400, "percent")
            assert "0.0001 and 90 times" in body["reason"]
        await at.post("/advance", ms=MINUTE)
        assert abs(await last_price(at) / before - 1) < Decimal("0.1")


async def test_an_advance_stops_at_the_moment_at_which_an_order_fills() -> None:
    async with desk() as at:
        await at.post("/market/move", symbol="BTCUSDT", percent="-20", over_ms=10 * MINUTE)
        order = await at.rest(f"{int(await last_price(at) * Decimal('0.95'))}.00")
        start = (await at.get("/time"))["market_ms"]
        status, body = await at.post("/advance", ms=60 * MINUTE, until_event=True)
        assert status == 200
        assert start < body["market_ms"] < start + 10 * MINUTE
        first = body["stopped_by"][0]
        assert (first["event"], first["order_id"], first["execution"]) == ("executionReport", order["orderId"], "TRADE")
        found = await at.get("/orders?account=1&symbol=BTCUSDT&all=true")
        assert found[0]["update_ms"] == body["market_ms"]
        assert [item["event"] for item in body["stopped_by"]] == ["executionReport", "outboundAccountPosition"]


async def test_an_advance_stops_when_a_subscribed_bar_closes_and_not_for_others() -> None:
    async with desk() as at:
        url = f"{at.simulator.stream_url}/stream?streams=btcusdt@kline_5m"
        async with at.session.ws_connect(url):
            start = (await at.get("/time"))["market_ms"]
            for number in (1, 2):
                _, body = await at.post("/advance", ms=60 * MINUTE, until_event=True)
                assert body["market_ms"] == start + number * 5 * MINUTE
                opened = start + (number - 1) * 5 * MINUTE
                assert body["stopped_by"] == [
                    {"event": "kline", "market": "spot", "symbol": "BTCUSDT", "interval": "5m", "open_ms": opened}
                ]


async def test_an_advance_without_events_goes_all_the_way() -> None:
    async with desk() as at:
        start = (await at.get("/time"))["market_ms"]
        _, body = await at.post("/advance", ms=MINUTE, until_event=True)
        assert (body["market_ms"], body["stopped_by"]) == (start + MINUTE, [])
        assert "stopped_by" not in (await at.post("/advance", ms=1))[1]


async def test_settle_waits_for_a_request_of_the_websocket_api_that_a_fault_delays() -> None:
    async with desk() as at:
        await at.post("/faults", kind="late", path="ping", args={"hold": True}, times=1)
        async with at.session.ws_connect(f"{at.simulator.stream_url}/ws-api/v3") as socket:
            await socket.send_json({"id": 1, "method": "ping"})
            while not at.simulator.venue.hub.in_flight:
                await asyncio.sleep(0)
            status, body = await at.post("/settle", timeout_ms=30)
            assert (status, body["reason"]) == (409, "1 requests are in flight, or events have not left yet")
            await at.post("/faults/1/release")
            assert (await at.post("/settle"))[0] == 200
            assert (await socket.receive_json(timeout=180))["id"] == 1
