from __future__ import annotations

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
