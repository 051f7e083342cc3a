"""Faults on the way of an order, as a trader's program meets them, and what really happened."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from tests.simulator.fault_matrix.customer import Customer, order_reports, until

TIMEOUT = {"kind": "reply_status", "code": -1007}
BAD_REPLIES: list[tuple[str, dict[str, Any]]] = [
    *[("reply_lost", {"how": how}) for how in ("reset", "fin")],
    *[("reply_cut", {"how": how}) for how in ("length", "chunked")],
]
BAD_ANSWERS: list[tuple[str, dict[str, Any], int]] = [
    ("reply_status", {}, 503),
    *[("reply_status", {"status": 502, "code": code, "msg": "?"}, 502) for code in (-1000, -1001, -1008, -9999)],
    *[("reply_status", {"status": s, "code": c}, s) for s in (400, 500, 200) for c in (-1006, -1007)],
    ("reply_empty", {}, 200),
    ("reply_html", {}, 200),
]


@pytest.mark.parametrize(("kind", "args"), BAD_REPLIES)
async def test_an_order_is_accepted_and_the_reply_never_comes_whole(
    either: Customer, kind: str, args: dict[str, Any]
) -> None:
    either.fault(kind, args=args, method="POST", path="*/order")
    with pytest.raises(aiohttp.ClientError):
        await either.place()
    assert either.orders() == ["mine"]
    assert (await either.query()).body["status"] == "NEW"


@pytest.mark.parametrize(("kind", "args", "status"), BAD_ANSWERS)
async def test_an_order_is_accepted_and_the_answer_says_otherwise(
    either: Customer, kind: str, args: dict[str, Any], status: int
) -> None:
    either.fault(kind, args=args, method="POST", path="*/order")
    answer = await either.place()
    assert answer.status == status
    assert "orderId" not in answer.body
    assert either.orders() == ["mine"]


async def test_an_order_appears_late_and_is_unknown_until_then(either: Customer) -> None:
    rule = either.fault("late", args={"hold": True, "bypass_recv_window": True, "reply": TIMEOUT}, method="POST")
    assert (await either.place()).code == -1007
    assert (await either.query()).code == -2013
    assert either.orders() == []
    either.venue.post(f"faults/{rule}/release")
    await until(lambda: either.orders() == ["mine"])
    assert (await either.query()).body["status"] == "NEW"


async def test_an_order_appears_after_a_delay_by_itself(either: Customer) -> None:
    either.fault("late", args={"delay_ms": 50, "reply": TIMEOUT}, method="POST")
    assert (await either.place()).code == -1007
    await until(lambda: either.orders() == ["mine"])


async def test_an_order_is_swallowed(either: Customer) -> None:
    either.fault("swallow", args={"reply": TIMEOUT}, method="POST", path="*/order")
    assert (await either.place()).code == -1007
    either.pass_time(60_000)
    assert (await either.query()).code == -2013
    assert either.orders() == []


async def test_a_lost_order_appears_partly_filled(spot: Customer) -> None:
    rule = spot.fault("late", args={"hold": True, "bypass_recv_window": True, "reply": TIMEOUT}, method="POST")
    best = spot.venue.get("book?market=spot&symbol=BTCUSDT&limit=1")["asks"][0]
    await spot.place(price=best[0], quantity=f"{float(best[1]) + 1:.5f}")
    spot.venue.post(f"faults/{rule}/release")
    await until(lambda: spot.orders() == ["mine"])
    found = (await spot.query()).body
    assert found["status"] == "PARTIALLY_FILLED"
    assert float(found["executedQty"]) == pytest.approx(float(best[1]))


async def test_a_market_order_fills_unseen_and_its_id_is_free_again(spot: Customer) -> None:
    spot.fault("reply_lost", method="POST", path="*/order")
    with pytest.raises(aiohttp.ClientError):
        await spot.market_order()
    assert (await spot.query()).body["status"] == "FILLED"
    assert (await spot.market_order()).body["status"] == "FILLED"
    assert spot.orders() == ["mine", "mine"]


async def test_the_first_visible_answer_says_duplicate(spot: Customer) -> None:
    spot.fault("reply_status", args={"code": -2010, "msg": "Duplicate order sent."}, method="POST")
    answer = await spot.place()
    assert (answer.code, answer.body["msg"]) == (-2010, "Duplicate order sent.")
    assert (await spot.query()).body["status"] == "NEW"


async def test_an_open_orders_id_is_refused_as_a_duplicate(either: Customer) -> None:
    await either.place()
    again = await either.place()
    assert again.code == (-2010 if either.market == "spot" else -4116)
    assert either.orders() == ["mine"]


@pytest.mark.parametrize("timed_out", [True, False])
async def test_events_come_before_the_reply(either: Customer, timed_out: bool) -> None:
    socket = await either.listen()
    either.fault("delay", args={"after_ms": 300}, method="POST", path="*/order")
    if timed_out:
        either.fault("reply_status", args={"code": -1007}, method="POST", path="*/order")
    request = asyncio.create_task(either.market_order())
    reports = await order_reports(socket, 2)
    assert [report["x"] for report in reports] == ["NEW", "TRADE"]
    assert not request.done()
    assert (await request).code == (-1007 if timed_out else None)


async def test_a_cancel_is_accepted_and_the_reply_lost(either: Customer) -> None:
    await either.place()
    either.fault("reply_lost", times=2, method="DELETE", path="*/order")  # aiohttp tries again by itself
    with pytest.raises(aiohttp.ClientError):
        await either.cancel()
    found = await either.send("GET", "allOrders", symbol="BTCUSDT")
    assert [order["status"] for order in found.body] == ["CANCELED"]


async def test_a_cancel_comes_after_the_fill(either: Customer) -> None:
    await either.place(price=either.price(-1))
    rule = either.fault("late", args={"hold": True}, method="DELETE", path="*/order")
    request = asyncio.create_task(either.cancel())
    await until(lambda: any(item["applied"] for item in either.venue.get("faults")))
    either.jump("-3")
    either.venue.post(f"faults/{rule}/release")
    assert (await request).code == -2011
    assert (await either.query()).body["status"] == "FILLED"


async def test_a_fill_is_told_after_the_cancel_that_followed_it(spot: Customer) -> None:
    socket = await spot.listen()
    best = spot.venue.get("book?market=spot&symbol=BTCUSDT&limit=1")["asks"][0]
    spot.fault("reorder", stream="executionReport", after=1, args={"behind": 2})
    await spot.place(price=best[0], quantity=f"{float(best[1]) + 1:.5f}")
    assert (await spot.cancel()).body["status"] == "CANCELED"
    new, cancelled, fill = await order_reports(socket, 3)
    assert [new["x"], cancelled["x"], fill["x"]] == ["NEW", "CANCELED", "TRADE"]
    assert fill["I"] < cancelled["I"]
    assert (new["c"], cancelled["C"]) == ("mine", "mine")
    assert cancelled["c"] != "mine"


HALVES = [
    ("STOP_ON_FAILURE", "fail", "ok", 400, -2022),
    ("ALLOW_FAILURE", "fail", "ok", 409, -2021),
    ("STOP_ON_FAILURE", "ok", "fail", 409, -2021),
    ("ALLOW_FAILURE", "fail", "fail", 400, -2022),
]


@pytest.mark.parametrize(("mode", "cancel", "place", "status", "code"), HALVES)
async def test_each_half_of_a_cancel_replace_fails_in_turn(
    spot: Customer, mode: str, cancel: str, place: str, status: int, code: int
) -> None:
    await spot.place("old")
    spot.fault("cancel_replace", args={"cancel": cancel, "place": place})
    given = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    names = {"cancelOrigClientOrderId": "old", "newClientOrderId": "new", "cancelReplaceMode": mode}
    answer = await spot.send("POST", "order/cancelReplace", price=spot.price(-5), **given, **names)
    assert (answer.status, answer.code) == (status, code)
    old = ["old"] if cancel == "fail" else []
    new = ["new"] if (mode, place) == ("ALLOW_FAILURE", "ok") else []
    assert await spot.open_names() == old + new


async def test_a_cancel_all_times_out_after_half(either: Customer) -> None:
    path = "openOrders" if either.market == "spot" else "allOpenOrders"
    for number in range(4):
        await either.place(f"order-{number}")
    either.fault("cancel_half")
    assert (await either.send("DELETE", path, symbol="BTCUSDT")).code == -1007
    assert len(await either.open_names()) == 2
    assert (await either.send("DELETE", path, symbol="BTCUSDT")).status == 200
    assert await either.open_names() == []


async def test_an_item_of_a_batch_is_missing_from_the_answer(futures: Customer) -> None:
    items: list[dict[str, object]] = [
        {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "type": "LIMIT",
            "timeInForce": "GTC",
            "quantity": "0.01",
            "price": futures.price(-5) if number != 3 else "0",
            "newClientOrderId": f"order-{number}",
        }
        for number in range(5)
    ]
    futures.fault("batch_missing", path="*/batchOrders", args={"index": 4})
    answer = await futures.send("POST", "batchOrders", batchOrders=json.dumps(items))
    assert ["orderId" in item for item in answer.body] == [True, True, True, False]
    assert futures.orders() == ["order-0", "order-1", "order-2", "order-4"]


@pytest.mark.parametrize("code", [-2013, -2026])
async def test_an_order_is_pruned_from_queries(either: Customer, code: int) -> None:
    await either.place(timeInForce="IOC")
    assert (await either.query()).body["status"] == "EXPIRED"
    either.fault("pruned", args={"code": code})
    assert (await either.query()).code == code


async def test_a_conditional_order_lives_on_another_endpoint(futures: Customer) -> None:
    stop = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}
    placed = await futures.send(
        "POST", "algoOrder", algoType="CONDITIONAL", clientAlgoId="mine", triggerPrice=futures.price(-5), **stop
    )
    assert placed.status == 200
    assert (await futures.query()).code == -2013
    assert (await futures.send("GET", "algoOrder", clientAlgoId="mine")).status == 200


async def test_a_list_of_open_orders_is_stale(either: Customer) -> None:
    await either.place("early")
    rule = either.fault("stale_lists", times=None)
    await either.place("later")
    await either.cancel("early")
    assert await either.open_names() == ["early"]
    assert (await either.query("later")).status == 200
    either.lift(rule)
    assert await either.open_names() == ["later"]


@pytest.mark.parametrize("status", ["HALT", "BREAK", "CANCEL_ONLY"])
async def test_a_symbol_takes_no_orders_for_a_while(spot: Customer, status: str) -> None:
    await spot.place("before")
    halt = {"market": "spot", "symbol": "BTCUSDT"}
    spot.venue.post("market/status", {**halt, "status": status})
    try:
        refused = await spot.place("meanwhile")
        assert refused.status == 400
        assert refused.code in (-1013, -2010)
        spot.pass_time(7_200_000)
    finally:
        spot.venue.post("market/status", {**halt, "status": "TRADING"})
    assert spot.orders() == ["before"]
    assert (await spot.place("after")).status == 200


async def test_the_venue_cancels_an_order_itself(either: Customer) -> None:
    placed = await either.place()
    socket = await either.listen()
    where = {"market": either.market, "account": either.account, "symbol": "BTCUSDT"}
    either.venue.post("orders/cancel", {**where, "order_id": placed.body["orderId"]})
    assert [report["x"] for report in await order_reports(socket, 1)] == ["CANCELED"]


async def test_self_trade_prevention_expires_an_order(either: Customer) -> None:
    price, quantity = either.venue.get(f"book?market={either.market}&symbol=BTCUSDT&limit=1")["asks"][0]
    prevention = {"price": price, "selfTradePreventionMode": "EXPIRE_MAKER"}
    await either.place("maker", side="SELL", **prevention)
    socket = await either.listen()
    await either.place("taker", quantity=f"{float(quantity) + 0.01:.3f}", **prevention)
    reports = await order_reports(socket, 3)
    assert "EXPIRED_IN_MATCH" in {report["X"] for report in reports}


@pytest.mark.parametrize("code", [-2015, -2014, -1002])
async def test_a_key_is_refused_all_at_once(either: Customer, code: int) -> None:
    assert (await either.send("GET", "openOrders")).status == 200
    either.fault("bad_key", times=None, args={"code": code})
    assert [(await either.place()).code, (await either.query()).code] == [code, code]
    assert either.orders() == []


async def test_a_deleted_key_is_refused(either: Customer) -> None:
    either.venue.post(f"keys/{either.key}", {"revoked": True})
    assert (await either.place()).code == -2015


async def test_money_leaves_the_account_by_another_way(either: Customer) -> None:
    withdrawal = {"market": either.market, "asset": "USDT", "amount": "9999999"}
    either.venue.post(f"accounts/{either.account}/withdraw", withdrawal)
    assert (await either.place()).code == (-2010 if either.market == "spot" else -2019)


async def test_the_owner_trades_by_hand_with_another_key(either: Customer) -> None:
    await either.place()
    socket = await either.listen()
    hand = either.venue.post(
        f"accounts/{either.account}/keys", {"key": f"hand-{either.key}", "secret": "matrix-secret"}
    )
    program, either.key = either.key, hand["key"]
    assert (await either.cancel()).status == 200
    assert (await either.market_order("by-hand", "SELL")).status == 200
    either.key = program
    assert [report["x"] for report in await order_reports(socket, 3)] == ["CANCELED", "NEW", "TRADE"]
    assert await either.open_names() == []


async def test_the_answer_is_somebody_elses(either: Customer) -> None:
    either.fault("reply_other", method="POST", path="*/order")
    answer = await either.place()
    assert answer.status == 200
    assert answer.body["clientOrderId"] != "mine"
    assert either.orders() == ["mine"]
