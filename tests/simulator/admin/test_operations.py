from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest

from simulator.admin.tape import CHUNK
from tests.simulator.admin.harness import desk


async def test_orders_are_seen_and_cancelled_by_the_operator() -> None:
    async with desk() as at:
        placed = await at.rest("far")
        found = await at.get("/orders?account=1&symbol=BTCUSDT")
        assert [(order["order_id"], order["quantity"], order["status"]) for order in found] == [
            (placed["orderId"], "0.01", "NEW")
        ]
        book = await at.get("/book?symbol=BTCUSDT&limit=5000")
        assert [order["order_id"] for order in book["orders"]] == [placed["orderId"]]
        status, order = await at.post("/orders/cancel", account=1, symbol="BTCUSDT", order_id=placed["orderId"])
        assert (status, order["status"]) == (200, "CANCELED")
        assert await at.get("/orders") == []
        assert (await at.post("/orders/cancel", account=1, symbol="BTCUSDT", order_id=99))[0] == 400
        assert [order["status"] for order in await at.get("/orders?account=1&symbol=BTCUSDT&all=true")] == ["CANCELED"]


async def test_positions_and_trades_are_seen() -> None:
    async with desk() as at:
        order = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.01"}
        status, body = await at.trade("POST", "/fapi/v1/order", **order)
        assert status == 200, body
        positions = await at.get("/positions?account=1")
        assert [(item["symbol"], item["quantity"]) for item in positions] == [("BTCUSDT", "-0.01")]
        assert len(await at.get("/trades?market=futures&account=1&symbol=BTCUSDT")) >= 1


async def test_the_tape_is_read_from_a_number_on_by_kind_and_followed() -> None:
    async with desk() as at:
        await at.trade("GET", "/api/v3/account")
        url = f"{at.simulator.admin_url}/admin/tape"
        async with at.session.get(f"{url}?kind=request") as answer:
            assert answer.content_type == "application/x-ndjson"
            assert [orjson.loads(line)["path"] for line in (await answer.read()).splitlines()] == ["/api/v3/account"]
        async with at.session.get(f"{url}?after=1&limit=2") as answer:
            assert [orjson.loads(line)["n"] for line in (await answer.read()).splitlines()] == [2, 3]
        after = len(at.simulator.venue.tape)
        async with at.session.get(f"{url}?after={after}&kind=request&follow=true") as answer:
            await at.trade("GET", "/api/v3/openOrders")
            line = await asyncio.wait_for(answer.content.readline(), 180)
            assert orjson.loads(line)["path"] == "/api/v3/openOrders"
        assert (await at.admin("GET", "/tape?after=x"))[0] == 400


async def test_whoever_reads_a_long_tape_holds_up_nobody() -> None:
    chunks = 200
    async with desk() as at:
        for _ in range(chunks * CHUNK):
            at.simulator.venue.tape.append_members("noted", '"by":"nobody"')
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        others = asyncio.create_task(count_turns())
        async with at.session.get(f"{at.simulator.admin_url}/admin/tape?kind=request") as answer:
            assert await answer.read() == b""
        others.cancel()
        assert turns >= chunks


async def test_faults_are_set_seen_released_and_lifted() -> None:
    async with desk() as at:
        status, rule = await at.post("/faults", kind="order_limit", path="/api/v3/order", times=1)
        assert (status, rule["id"], rule["active"]) == (200, 1, True)
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        assert (await at.trade("POST", "/api/v3/order", **order))[1]["code"] == -1015
        assert [(item["applied"], item["active"]) for item in await at.get("/faults")] == [(1, False)]
        assert (await at.admin("DELETE", "/faults/1"))[0] == 200
        assert (await at.admin("DELETE", "/faults/1"))[0] == 404
        assert (await at.post("/faults/9/release"))[0] == 404
        assert "late" in await at.get("/faults/kinds")
        await at.post("/faults", kind="late", args={"hold": True})
        await at.admin("DELETE", "/faults")
        assert await at.get("/faults") == []


async def test_a_held_order_goes_when_it_is_released() -> None:
    async with desk() as at:
        reply = {"kind": "reply_status", "code": -1007}
        _, rule = await at.post("/faults", kind="late", times=1, args={"hold": True, "reply": reply})
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", "newClientOrderId": "held"}
        assert (await at.trade("POST", "/api/v3/order", **order))[1]["code"] == -1007
        query = {"symbol": "BTCUSDT", "origClientOrderId": "held"}
        assert (await at.trade("GET", "/api/v3/order", **query))[1]["code"] == -2013
        await at.post(f"/faults/{rule['id']}/release")
        async with asyncio.timeout(180):
            while at.simulator.venue.faults.pending:
                await asyncio.sleep(0.005)
        assert (await at.trade("GET", "/api/v3/order", **query))[1]["status"] == "FILLED"


@pytest.mark.parametrize(("body", "field"), [({}, "kind"), ({"kind": "late", "args": {"x": 1}}, "args.x")])
async def test_a_wrong_fault_is_refused(body: dict[str, Any], field: str) -> None:
    async with desk() as at:
        status, answer = await at.post("/faults", **body)
        assert (status, answer["field"]) == (400, field)
        assert await at.get("/faults") == []


async def test_connections_are_seen_and_closed() -> None:
    async with desk() as at, at.session.ws_connect(f"{at.simulator.stream_url}/ws/btcusdt@trade") as socket:
        found = await at.get("/connections")
        assert [item["path"] for item in found] == ["/ws/btcusdt@trade"]
        body = {"connection": found[0]["id"], "code": 1012, "reason": "maintenance"}
        status, closed = await at.post("/connections/disconnect", **body)
        assert (status, closed) == (200, {"closed": [found[0]["id"]]})
        message = await socket.receive(timeout=180)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        assert (await at.post("/connections/disconnect", connection="ws-99"))[0] == 404


async def test_limits_are_changed_lifted_and_bans_set() -> None:
    async with desk() as at:
        change = {"market": "spot", "kind": "ORDERS", "interval": "SECOND", "number": 10, "limit": 0}
        assert (await at.post("/limits", **change))[0] == 200
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        assert (await at.trade("POST", "/api/v3/order", **order))[1]["code"] == -1015
        async with at.session.get(f"{at.simulator.rest_url}/api/v3/exchangeInfo?symbol=BTCUSDT") as answer:
            shown = (await answer.json())["rateLimits"]
        assert {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 0} in shown
        assert (await at.post("/limits", lifted=True))[1]["lifted"] is True
        assert (await at.trade("POST", "/api/v3/order", **order))[0] == 200
        await at.post("/limits", lifted=False)
        await at.post("/bans", market="spot", for_ms=60_000)
        assert (await at.trade("GET", "/api/v3/account"))[0] == 418
        assert (await at.admin("DELETE", "/bans"))[1]["bans"] == []
        assert (await at.trade("GET", "/api/v3/account"))[0] == 200
        wrong = change | {"interval": "HOUR"}
        assert (await at.post("/limits", **wrong))[1]["field"] == "kind"


async def test_the_trading_port_can_be_closed_and_opened() -> None:
    async with desk() as at:
        await at.post("/listening", accept=False)
        async with aiohttp.ClientSession() as fresh:
            with pytest.raises(aiohttp.ClientConnectorError):
                await fresh.get(f"{at.simulator.rest_url}/api/v3/ping")
            await at.post("/listening", accept=True)
            assert (await fresh.get(f"{at.simulator.rest_url}/api/v3/ping")).status == 200


@pytest.mark.parametrize("headers", [{"Origin": "http://127.0.0.1"}, {"Host": "rebound.example"}, {"Host": "[::"}])
async def test_web_pages_are_refused(headers: dict[str, str]) -> None:
    async with desk() as at:
        assert (await at.admin("GET", "/accounts", **headers))[0] == 403


@pytest.mark.parametrize("raw", [b"{", b"[]", b"1", b"[" * 50_000, b"\xff"])
async def test_a_body_that_is_no_object_is_refused(raw: bytes) -> None:
    async with desk() as at, at.session.post(f"{at.simulator.admin_url}/admin/faults", data=raw) as answer:
        assert (answer.status, (await answer.json())["field"]) == (400, "body")


async def test_unknown_verbs_are_refused() -> None:
    async with desk() as at:
        assert (await at.admin("GET", "/nothing"))[0] == 404
        assert (await at.admin("DELETE", "/time"))[0] == 405
