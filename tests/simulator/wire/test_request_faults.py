from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest
import uvloop

from simulator.clock import ProtocolClock
from simulator.faults import FaultBoard
from tests.simulator.wire.fakes import serving

Runner = Callable[[Coroutine[Any, Any, None]], None]
LOOPS = [pytest.param(asyncio.run, id="asyncio"), pytest.param(uvloop.run, id="uvloop")]
UNKNOWN = {"code": -2013, "msg": "Order does not exist."}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(180):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("run", LOOPS)
@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"how": "reset"}, aiohttp.ClientOSError),
        ({"how": "fin"}, aiohttp.ServerDisconnectedError),
    ],
)
def test_a_lost_reply_is_of_an_order_that_was_executed(
    run: Runner, args: dict[str, str], error: type[Exception]
) -> None:
    async def scenario() -> None:
        async with serving() as (venue, client, _):
            venue.faults.add({"kind": "reply_lost", "times": 1, "args": args})
            with pytest.raises(error):
                await client.place("lost")
            assert [order["clientOrderId"] for order in venue.orders] == ["lost"]
            assert (await client.send("GET", "/api/v3/order", origClientOrderId="lost"))[0] == 200

    run(scenario())


@pytest.mark.parametrize("run", LOOPS)
def test_a_hanging_reply_never_comes(run: Runner) -> None:
    async def scenario() -> None:
        async with serving() as (venue, client, server):
            venue.faults.add({"kind": "reply_lost", "times": 1, "args": {"how": "hang"}})
            request = asyncio.create_task(client.place("hangs"))
            await until(lambda: len(venue.orders) == 1 and server.in_flight == 0)
            assert (await client.place("next"))[0] == 200
            assert not request.done()
            request.cancel()

    run(scenario())


@pytest.mark.parametrize("run", LOOPS)
@pytest.mark.parametrize("how", ["length", "chunked"])
def test_a_cut_reply_ends_too_early(run: Runner, how: str) -> None:
    async def scenario() -> None:
        async with serving() as (venue, client, _):
            venue.faults.add({"kind": "reply_cut", "times": 1, "args": {"how": how}})
            with pytest.raises(aiohttp.ClientPayloadError):
                await client.place("cut")
            assert len(venue.orders) == 1

    run(scenario())


@pytest.mark.parametrize("run", LOOPS)
def test_a_refused_connection_is_closed_before_anything_is_read(run: Runner) -> None:
    async def scenario() -> None:
        async with serving() as (venue, client, _):
            venue.faults.add({"kind": "refuse_connection", "times": 1})
            with pytest.raises(aiohttp.ClientOSError):
                await client.place()
            assert venue.orders == []

    run(scenario())


@pytest.mark.parametrize(
    ("args", "status", "body"),
    [
        ({}, 503, {"code": 0, "msg": "Unknown error, please check your request or try again later."}),
        ({"status": 503, "msg": "Service Unavailable."}, 503, {"code": 0, "msg": "Service Unavailable."}),
        (
            {"code": -1006},
            500,
            {
                "code": -1006,
                "msg": "An unexpected response was received from the message bus. Execution status unknown.",
            },
        ),
        (
            {"code": -1007, "status": 200},
            200,
            {
                "code": -1007,
                "msg": "Timeout waiting for response from backend server. "
                "Send status unknown; execution status unknown.",
            },
        ),
        ({"code": -2010}, 400, {"code": -2010, "msg": "Duplicate order sent."}),
        ({"status": 418, "body": {"anything": [1]}}, 418, {"anything": [1]}),
    ],
)
async def test_an_executed_order_is_answered_with_any_status(args: dict[str, Any], status: int, body: object) -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "reply_status", "times": 1, "args": args})
        assert await client.place() == (status, body)
        assert len(venue.orders) == 1


async def test_a_status_may_also_come_without_execution() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "reply_status", "args": {"code": -1001, "executed": False}})
        assert (await client.place())[0] == 500
        assert venue.orders == []


@pytest.mark.parametrize(("kind", "start"), [("reply_empty", b""), ("reply_html", b"<html>")])
async def test_a_reply_may_be_no_json(kind: str, start: bytes) -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": kind, "times": 1})
        answer = await client.raw("POST", f"/api/v3/order?{client.sign(symbol='BTCUSDT', side='BUY')}")
        assert answer.status == 200
        assert (await answer.read())[: len(start) or 1] == start
        assert len(venue.orders) == 1


async def test_a_proxy_page_stands_before_the_venue() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "proxy_page", "args": {"status": 403}})
        answer = await client.raw("POST", "/api/v3/order")
        assert answer.status == 403
        assert answer.content_type == "text/html"
        assert venue.orders == []


async def test_somebody_elses_body_has_other_ids() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "reply_other", "times": 1})
        status, body = await client.place("mine")
        assert status == 200
        assert body == {"symbol": "OTHERUSDT", "orderId": 1_000_004, "clientOrderId": "somebody-elses", "status": "NEW"}
        assert venue.orders[0]["clientOrderId"] == "mine"


async def test_a_late_order_is_unknown_until_it_is_executed() -> None:
    async with serving() as (venue, client, _):
        timeout = {"kind": "reply_status", "code": -1007}
        rule = venue.faults.add({"kind": "late", "times": 1, "args": {"hold": True, "reply": timeout}})
        assert (await client.place("late"))[1]["code"] == -1007
        assert await client.send("GET", "/api/v3/order", origClientOrderId="late") == (400, UNKNOWN)
        venue.faults.release(rule.id)
        await until(lambda: len(venue.orders) == 1)
        assert (await client.send("GET", "/api/v3/order", origClientOrderId="late"))[0] == 200


async def test_a_late_order_without_a_given_reply_is_answered_when_it_is_done() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "late", "times": 1, "args": {"delay_ms": 30}})
        status, body = await client.place("late")
        assert (status, body["orderId"]) == (200, 1)


async def test_the_time_window_is_checked_again_when_a_late_order_is_executed() -> None:
    async with serving() as (venue, client, _):
        venue.protocol.at = 1_700_000_000_000
        rule = venue.faults.add({"kind": "late", "args": {"hold": True}})
        request = asyncio.create_task(client.place("late"))
        await until(lambda: venue.faults.pending == 1)
        venue.protocol.at += 5_001
        venue.faults.release(rule.id)
        status, body = await request
        assert (status, body["code"]) == (400, -1021)
        assert venue.orders == []


async def test_a_bypassed_time_window_is_told_on_the_tape() -> None:
    async with serving() as (venue, client, _):
        venue.protocol.at = 1_700_000_000_000
        rule = venue.faults.add({"kind": "late", "args": {"hold": True, "bypass_recv_window": True}})
        request = asyncio.create_task(client.place("late"))
        await until(lambda: venue.faults.pending == 1)
        venue.protocol.at += 60_000
        venue.faults.release(rule.id)
        assert (await request)[0] == 200
        faults = list(venue.tape.records(kind="fault"))
        assert [(line["fault"], line["bypasses_window"]) for line in faults] == [("late", True)]
        venue.faults.clear()
        venue.faults.add({"kind": "bypass_recv_window", "times": 1})
        assert (await client.place("old", timestamp=1_600_000_000_000))[0] == 200
        assert (await client.place("old", timestamp=1_600_000_000_000))[1]["code"] == -1021


async def test_an_order_is_executed_although_its_sender_has_gone() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "delay", "times": 1, "args": {"before_ms": 50}})
        request = asyncio.create_task(client.place("gone"))
        await until(lambda: len(list(venue.tape.records(kind="fault"))) == 1)
        request.cancel()
        await until(lambda: len(venue.orders) == 1)


async def test_a_swallowed_order_is_never_executed() -> None:
    async with serving() as (venue, client, _):
        reply = {"kind": "reply_status", "code": -1007}
        venue.faults.add({"kind": "swallow", "times": 1, "args": {"reply": reply}})
        assert (await client.place("gone"))[0] == 504
        assert await client.send("GET", "/api/v3/order", origClientOrderId="gone") == (400, UNKNOWN)
        assert venue.orders == []


async def test_an_order_can_be_unknown_for_some_queries() -> None:
    async with serving() as (venue, client, _):
        await client.place("there")
        venue.faults.add({"kind": "unknown_order", "after": 1, "times": 2})
        found = [(await client.send("GET", "/api/v3/order", origClientOrderId="there"))[0] for _ in range(4)]
        assert found == [200, 400, 400, 200]


async def test_a_pruned_order_is_archived() -> None:
    async with serving() as (venue, client, _):
        await client.place("there")
        venue.faults.add({"kind": "pruned", "args": {"code": -2026}})
        assert (await client.send("GET", "/api/v3/order", orderId=1))[1]["code"] == -2026
        assert len((await client.send("GET", "/api/v3/openOrders"))[1]) == 1


async def test_stale_lists_show_what_was_true_when_the_rule_was_set() -> None:
    async with serving() as (venue, client, _):
        await client.place("early")
        rule = venue.faults.add({"kind": "stale_lists"})
        await client.place("later")
        for symbol in (None, "BTCUSDT"):
            _, listed = await client.send("GET", "/api/v3/openOrders", symbol=symbol)
            assert [order["clientOrderId"] for order in listed] == ["early"]
        assert (await client.send("GET", "/api/v3/openOrders", symbol="ETHUSDT"))[1] == []
        venue.faults.remove(rule.id)
        assert len((await client.send("GET", "/api/v3/openOrders"))[1]) == 2


async def test_stale_lists_renew_themselves_after_an_old_answer() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "stale_lists", "args": {"age_ms": 0}})
        await client.place("one")
        lengths = [len((await client.send("GET", "/api/v3/openOrders"))[1]) for _ in range(2)]
        assert lengths == [0, 1]


async def test_one_item_of_a_batch_is_missing_from_the_answer() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "batch_missing", "path": "*/batchOrders", "args": {"index": 1}})
        items = json.dumps([{"newClientOrderId": name} for name in ("a", "b", "c")])
        _, body = await client.send("POST", "/fapi/v1/batchOrders", batchOrders=items)
        assert [item["newClientOrderId"] for item in body] == ["a", "c"]
        assert len(venue.exchanges["futures"].orders) == 3


@pytest.mark.parametrize(
    ("mode", "cancel", "place", "status", "results", "statuses"),
    [
        ("STOP_ON_FAILURE", "fail", "ok", 400, ("FAILURE", "NOT_ATTEMPTED"), ["NEW"]),
        ("ALLOW_FAILURE", "fail", "ok", 409, ("FAILURE", "SUCCESS"), ["NEW", "NEW"]),
        ("STOP_ON_FAILURE", "ok", "fail", 409, ("SUCCESS", "FAILURE"), ["CANCELED"]),
        ("ALLOW_FAILURE", "fail", "fail", 400, ("FAILURE", "FAILURE"), ["NEW"]),
    ],
)
async def test_either_half_of_a_cancel_replace_fails(
    mode: str, cancel: str, place: str, status: int, results: tuple[str, str], statuses: list[str]
) -> None:
    async with serving() as (venue, client, _):
        await client.place("old")
        venue.faults.add({"kind": "cancel_replace", "args": {"cancel": cancel, "place": place}})
        given = {"symbol": "BTCUSDT", "side": "BUY", "newClientOrderId": "new", "cancelOrderId": 1}
        answer = await client.send("POST", "/api/v3/order/cancelReplace", cancelReplaceMode=mode, **given)
        assert answer[0] == status
        assert answer[1]["code"] == (-2021 if status == 409 else -2022)
        assert (answer[1]["data"]["cancelResult"], answer[1]["data"]["newOrderResult"]) == results
        assert [order["status"] for order in venue.orders] == statuses


async def test_a_cancel_all_stops_half_way() -> None:
    async with serving() as (venue, client, _):
        for number in range(5):
            await client.place(f"c{number}")
        venue.faults.add({"kind": "cancel_half", "times": 1})
        status, body = await client.send("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
        assert (status, body["code"]) == (504, -1007)
        assert [order["status"] for order in venue.orders] == ["CANCELED"] * 2 + ["NEW"] * 3
        assert (await client.send("DELETE", "/api/v3/openOrders", symbol="BTCUSDT"))[0] == 200
        assert {order["status"] for order in venue.orders} == {"CANCELED"}


REFUSALS: list[tuple[dict[str, Any], int, int, str | None]] = [
    ({"kind": "rate_limit", "args": {"retry_after": 35}}, 429, -1003, "35"),
    ({"kind": "ban", "args": {"retry_after": 120}}, 418, -1003, "120"),
    ({"kind": "order_limit"}, 429, -1015, None),
    ({"kind": "bad_key"}, 401, -2015, None),
    ({"kind": "bad_key", "args": {"code": -2014}}, 401, -2014, None),
    ({"kind": "bad_key", "args": {"code": -1002}}, 401, -1002, None),
]


@pytest.mark.parametrize(("rule", "status", "code", "wait"), REFUSALS)
async def test_limits_and_keys_refuse_when_told_to(
    rule: dict[str, Any], status: int, code: int, wait: str | None
) -> None:
    async with serving() as (venue, client, _):
        venue.protocol.at = 1_700_000_000_000
        venue.faults.add({"times": 1, **rule})
        answer = await client.raw("POST", f"/api/v3/order?{client.sign(symbol='BTCUSDT', side='BUY')}")
        assert (answer.status, (await answer.json())["code"]) == (status, code)
        assert wait in (None, answer.headers.get("Retry-After"))
        assert venue.orders == []


async def test_a_ban_by_fault_lasts() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "ban", "times": 1})
        assert [(await client.raw("GET", "/api/v3/ping")).status for _ in range(3)] == [418, 418, 418]


async def test_the_used_weight_jumps() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "weight_jump", "times": 1, "args": {"used": 5900}})
        shown = [(await client.raw("GET", "/api/v3/ping")).headers["X-MBX-USED-WEIGHT-1M"] for _ in range(2)]
        assert shown[0] == "5900"
        assert int(shown[1]) < 10


async def test_the_clock_steps_while_the_rule_stands() -> None:
    async with serving() as (venue, client, _):
        venue.protocol.at = 1_700_000_000_000
        rule = venue.faults.add({"kind": "clock_step", "args": {"step_ms": -3_600_000}})
        answer = await client.raw("GET", "/api/v3/time")
        assert await answer.json() == {"serverTime": 1_700_000_000_000 - 3_600_000}
        assert (await client.place(timestamp=1_700_000_000_000))[1]["code"] == -1021
        venue.faults.remove(rule.id)
        assert (await client.place(timestamp=1_700_000_000_000))[0] == 200


async def test_rules_choose_by_path_account_and_parameter() -> None:
    async with serving() as (venue, client, _):
        venue.faults.add({"kind": "order_limit", "path": "/fapi/*"})
        venue.faults.add({"kind": "order_limit", "account": 2})
        venue.faults.add({"kind": "order_limit", "via": "ws"})
        venue.faults.add({"kind": "order_limit", "market": "futures"})
        venue.faults.add({"kind": "order_limit", "where": {"newClientOrderId": "bad-*"}})
        assert (await client.place("good-1"))[0] == 200
        assert (await client.place("bad-1"))[0] == 429


async def test_a_step_of_the_clock_for_some_time_ends_by_itself() -> None:
    now = 0.0
    board, clock = FaultBoard(lambda: now), ProtocolClock()
    board.steer(clock)
    board.add({"kind": "clock_step", "args": {"step_ms": 60_000}, "for_ms": 500})
    assert clock.step_ms == 60_000
    now = 0.6
    board.keep_time()
    assert clock.step_ms == 0
