"""Faults of streams as a plain client meets them: on the account's events and on the market's."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from hypothesis import settings

from tests.simulator.fault_matrix.customer import PATIENCE, Customer, customer, order_reports, until
from tests.simulator_process import SimulatorProcess

Socket = aiohttp.ClientWebSocketResponse
REPORTS = {"spot": "executionReport", "futures": "ORDER_TRADE_UPDATE"}
#: Trades told in one go: a sample in CI.
FLOOD = 3_000 if settings().max_examples <= 100 else 10_000
TRADES = {"spot": "/ws/btcusdt@trade", "futures": "/public/ws/btcusdt@trade"}


async def _silent(socket: Socket, seconds: float = 0.3) -> bool:
    """Whether nothing comes; the venue has said beforehand that all events have left."""
    try:
        message = await socket.receive(timeout=seconds)
    except TimeoutError:
        return True
    raise AssertionError(f"something came: {message}")


async def _trades(customer: Customer) -> Socket:
    return await customer.session.ws_connect(f"{customer.venue.stream}{TRADES[customer.market]}", max_msg_size=0)


def _connection(customer: Customer, path: str = "") -> str:
    """Number of the newest connection to a path, as the operator sees it."""
    found = [item["id"] for item in customer.venue.get("connections") if path in item["path"]]
    return str(found[-1])


def _fault(customer: Customer, kind: str, **rule: Any) -> int:
    """A fault on one connection, not on an account: market data has none."""
    found: int = customer.venue.post("faults", {"kind": kind, **rule})["id"]
    return found


async def _names(socket: Socket, count: int) -> list[str]:
    return [str(report["c"]) for report in await order_reports(socket, count)]


async def _next_event(socket: Socket) -> Any:
    frame = await socket.receive_json(timeout=PATIENCE)
    return frame.get("event", frame)


async def test_a_stream_stalls_while_its_socket_lives(either: Customer) -> None:
    socket = await either.listen()
    rule = either.fault("stall", times=None)
    await either.place("unheard")
    either.venue.post("settle")
    assert await _silent(socket)
    await socket.ping(b"are you there")
    either.lift(rule)
    await either.place("heard")
    assert await _names(socket, 1) == ["heard"]


async def test_a_connection_is_half_open(either: Customer) -> None:
    socket, other = await _trades(either), await _trades(either)
    first = either.venue.get("connections")[-2]["id"]
    _fault(either, "half_open", connection=first)
    either.pass_time(60_000)
    assert (await other.receive_json(timeout=PATIENCE))["e"] == "trade"
    await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
    assert await _silent(socket)
    assert not socket.closed


@pytest.mark.parametrize("code", [1006, 1008, 1012])
async def test_a_connection_is_closed_by_force(either: Customer, code: int) -> None:
    socket = await either.listen()
    either.fault("disconnect", args={"code": code})
    while (await socket.receive(timeout=PATIENCE)).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
        pass
    assert socket.close_code == code


async def test_a_shutdown_is_announced(either: Customer) -> None:
    socket = await either.listen()
    either.fault("server_shutdown", args={"close_ms": 50})
    assert (await _next_event(socket))["e"] == "serverShutdown"
    assert (await socket.receive(timeout=PATIENCE)).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_a_subscription_ends_while_its_connection_stays(either: Customer) -> None:
    socket = await either.listen()
    either.fault("listen_key_expire")
    expected = "eventStreamTerminated" if either.market == "spot" else "listenKeyExpired"
    assert (await _next_event(socket))["e"] == expected
    await either.place()
    either.venue.post("settle")
    assert await _silent(socket)
    again = await either.listen()
    await either.place("heard")
    assert await _names(again, 1) == ["heard"]


async def test_events_are_lost_around_a_reconnect(either: Customer) -> None:
    socket = await either.listen()
    rule = either.fault("drop", times=None)
    for number in range(3):
        await either.market_order(f"lost-{number}")
    either.fault("disconnect", args={"code": 1006})
    while not socket.closed:
        await socket.receive(timeout=PATIENCE)
    either.lift(rule)
    again = await either.listen()
    await either.market_order("heard")
    assert set(await _names(again, 2)) == {"heard"}
    trades = await either.send("GET", "myTrades" if either.market == "spot" else "userTrades", symbol="BTCUSDT")
    assert len({trade["orderId"] for trade in trades.body}) == 4


async def test_events_are_doubled(either: Customer) -> None:
    socket = await either.listen()
    either.fault("duplicate", stream=REPORTS[either.market])
    await either.place("twice")
    await either.place("once")
    assert await _names(socket, 3) == ["twice", "twice", "once"]


async def test_a_fill_is_told_before_its_order(either: Customer) -> None:
    socket = await either.listen()
    either.fault("reorder", stream=REPORTS[either.market], args={"behind": 6, "hold_ms": 300})
    await either.market_order()
    assert [report["x"] for report in await order_reports(socket, 2)] == ["TRADE", "NEW"]


async def test_an_event_is_late_and_others_overtake_it(either: Customer) -> None:
    socket = await either.listen()
    args = {"delay_ms": 300, "in_order": False}
    either.fault("delay_frame", stream=REPORTS[either.market], args=args)
    await either.place("late")
    await either.place("punctual")
    assert await _names(socket, 2) == ["punctual", "late"]


async def test_old_events_are_replayed(either: Customer) -> None:
    socket = await either.listen()
    for name in ("a", "b"):
        await either.place(name)
    assert await _names(socket, 2) == ["a", "b"]
    either.fault("replay_last", args={"count": 10})
    assert await _names(socket, 2) == ["a", "b"]


async def test_keeping_a_listen_key_alive_fails(futures: Customer) -> None:
    await futures.listen()
    dead = {"status": 400, "code": -1125, "msg": "This listenKey does not exist.", "executed": False}
    futures.fault("reply_status", method="PUT", path="*/listenKey", args=dead)
    assert (await futures.send("PUT", "listenKey")).code == -1125
    assert (await futures.send("PUT", "listenKey")).status == 200
    futures.fault("swallow", method="PUT", path="*/listenKey")
    request = asyncio.create_task(futures.send("PUT", "listenKey"))
    await until(lambda: all(item["applied"] for item in futures.venue.get("faults")))
    assert not request.done()
    request.cancel()


async def test_a_listen_key_changes_while_it_is_in_use(futures: Customer) -> None:
    socket = await futures.listen()
    old = (await futures.send("POST", "listenKey")).body["listenKey"]
    futures.fault("listen_key_expire")
    assert (await _next_event(socket))["e"] == "listenKeyExpired"
    assert (await futures.send("PUT", "listenKey")).code == -1125
    assert (await futures.send("POST", "listenKey")).body["listenKey"] != old


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_spot_listen_keys_are_gone(spot: Customer, method: str) -> None:
    assert (await spot.send(method, "userDataStream")).status == 410


async def test_a_cancel_report_has_our_id_in_another_place(spot: Customer) -> None:
    socket = await spot.listen()
    await spot.place("mine")
    await spot.cancel("mine")
    placed, cancelled = await order_reports(socket, 2)
    assert (placed["c"], cancelled["C"]) == ("mine", "mine")
    assert cancelled["c"] != "mine"


NONSENSE = {"e": "executionReport", "s": "BTCUSDT", "p": "NaN", "q": "-1.00000000", "i": "x"}


@pytest.mark.parametrize("event", [None, NONSENSE])
async def test_an_event_nobody_knows_comes_in_between(either: Customer, event: object) -> None:
    socket = await either.listen()
    either.fault("unknown_event", stream=REPORTS[either.market], args={"event": event})
    await either.place()
    assert await socket.receive_json(timeout=PATIENCE) == (event or {"e": "unheardOfEvent", "E": 0})
    assert await _names(socket, 1) == ["mine"]


async def test_a_frame_is_broken_and_the_next_is_whole(either: Customer) -> None:
    socket = await either.listen()
    either.fault("malformed_frame", stream=REPORTS[either.market])
    await either.place("broken")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        await socket.receive_json(timeout=PATIENCE)
    await either.place("whole")
    assert await _names(socket, 1) == ["whole"]


async def test_a_frame_of_five_megabytes_comes(either: Customer) -> None:
    socket = await either.listen()
    either.fault("huge_frame", stream=REPORTS[either.market], args={"bytes": 5_000_000})
    await either.place()
    assert len((await socket.receive(timeout=PATIENCE)).data) == 5_000_000
    assert await _names(socket, 1) == ["mine"]


@pytest.mark.parametrize("path", ["/ws/btcusdt@trade", "/private/ws", "/ws-api/v3"])
async def test_most_connections_are_refused(spot: Customer, path: str) -> None:
    _fault(spot, "refuse_ws", times=20, args={"status": 503})
    refused = 0
    for _ in range(21):
        try:
            await (await spot.session.ws_connect(spot.venue.stream + path)).close()
        except aiohttp.WSServerHandshakeError as error:
            refused += error.status == 503
    assert refused == 20


async def test_a_stream_can_flood_a_slow_reader(either: Customer) -> None:
    """Hours of trades in one go; whoever reads them all gets every one, in order."""
    socket = await _trades(either)
    before = len(either.venue.get("connections"))
    assert before
    # In a thread: who reads nothing for a minute answers no pings, and a busy machine takes longer for it.
    passing = asyncio.create_task(asyncio.to_thread(either.pass_time, FLOOD * 3_600))  # three seconds a trade
    numbers = [(await socket.receive_json(timeout=PATIENCE))["t"] for _ in range(FLOOD)]
    await passing
    assert numbers == list(range(numbers[0], numbers[0] + FLOOD))


async def test_one_stream_freezes_while_the_book_moves_on(either: Customer) -> None:
    tickers = {"spot": "/ws/btcusdt@bookTicker", "futures": "/public/ws/btcusdt@bookTicker"}
    trades = await _trades(either)
    numbers = _connection(either)
    book = await either.session.ws_connect(either.venue.stream + tickers[either.market], max_msg_size=0)
    either.pass_time(10_000)
    first = float((await book.receive_json(timeout=PATIENCE))["b"])
    frozen = {(await trades.receive_json(timeout=PATIENCE))["p"] for _ in range(2)}
    either.venue.post("settle")
    _fault(either, "freeze", connection=numbers, stream="*@trade")
    either.jump("10")
    seen = [float((await book.receive_json(timeout=PATIENCE))["b"])]
    while abs(seen[-1] / first - 1) < 0.08:
        seen.append(float((await book.receive_json(timeout=PATIENCE))["b"]))
    frozen = {float((await trades.receive_json(timeout=PATIENCE))["p"]) for _ in range(4)}
    assert all(abs(price / first - 1) < 0.05 for price in frozen)


async def test_two_connections_tell_of_one_account(either: Customer) -> None:
    sockets = [await either.listen(), await either.listen()]
    await either.market_order()
    told = [[report["t"] for report in await order_reports(socket, 2)] for socket in sockets]
    assert told[0] == told[1]


async def test_a_fault_of_one_account_is_not_anothers(venue: SimulatorProcess, spot: Customer) -> None:
    async with customer(venue, "spot") as other:
        sockets = [await spot.listen(), await other.listen()]
        spot.fault("drop", times=None)
        await spot.place("unheard")
        await other.place("heard")
        assert await _names(sockets[1], 1) == ["heard"]
        assert await _silent(sockets[0])
