from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from simulator.futures.types import AccountUpdate
from simulator.streams.timing import Timing
from tests.simulator.streams.fakes import START_MS, Client, FakeVenue, Harness, running, until


async def _trades(harness: Harness) -> Client:
    client = await harness.connect("/ws/btcusdt@trade")
    await harness.opened()
    return client


async def _ids(client: Client, count: int) -> list[int]:
    return [(await client.receive())["t"] for _ in range(count)]


def _trade(harness: Harness, count: int) -> None:
    for _ in range(count):
        harness.venue.trade("spot", 61_800)


async def test_dropped_frames_are_lost(harness: Harness) -> None:
    client = await _trades(harness)
    harness.venue.faults.add({"kind": "drop", "stream": "*@trade", "after": 1, "times": 2})
    _trade(harness, 4)
    assert await _ids(client, 2) == [1, 4]


async def test_a_stalled_connection_is_silent_but_answers(harness: Harness) -> None:
    client = await _trades(harness)
    rule = harness.venue.faults.add({"kind": "stall"})
    _trade(harness, 3)
    assert await client.silent()
    harness.venue.faults.remove(rule.id)
    _trade(harness, 1)
    assert await _ids(client, 1) == [4]


async def test_a_frozen_stream_repeats_its_last_frame_while_others_move(harness: Harness) -> None:
    client = await harness.connect("/stream?streams=btcusdt@trade/btcusdt@bookTicker")
    await harness.opened()
    _trade(harness, 1)
    harness.venue.faults.add({"kind": "freeze", "stream": "btcusdt@trade"})
    _trade(harness, 2)
    harness.venue.set_level("spot", "BUY", 55_000, 10**8)
    frames = [(await client.receive())["data"] for _ in range(4)]
    assert [frame["t"] for frame in frames[:3]] == [1, 1, 1]
    assert frames[3]["b"] == "55000.00000000"


async def test_a_frame_can_come_more_than_once(harness: Harness) -> None:
    client = await _trades(harness)
    harness.venue.faults.add({"kind": "duplicate", "args": {"copies": 3}, "times": 1})
    _trade(harness, 2)
    assert await _ids(client, 4) == [1, 1, 1, 2]


async def test_a_frame_can_be_overtaken(harness: Harness) -> None:
    client = await _trades(harness)
    harness.venue.faults.add({"kind": "reorder", "args": {"behind": 2}, "times": 1})
    _trade(harness, 4)
    assert await _ids(client, 4) == [2, 3, 1, 4]


async def test_a_frame_held_back_comes_by_itself_in_the_end(harness: Harness) -> None:
    client = await _trades(harness)
    harness.venue.faults.add({"kind": "reorder", "args": {"behind": 9, "hold_ms": 30}, "times": 1})
    _trade(harness, 2)
    assert not harness.venue.hub.quiet()
    assert await _ids(client, 2) == [2, 1]


@pytest.mark.parametrize(("in_order", "expected"), [(True, [1, 2, 3]), (False, [2, 3, 1])])
async def test_a_late_frame_holds_up_the_others_or_not(harness: Harness, in_order: bool, expected: list[int]) -> None:
    client = await _trades(harness)
    harness.venue.faults.add({"kind": "delay_frame", "args": {"delay_ms": 30, "in_order": in_order}, "times": 1})
    _trade(harness, 3)
    assert await _ids(client, 3) == expected


async def test_frames_can_be_broken_huge_or_unheard_of(harness: Harness) -> None:
    client = await _trades(harness)
    harness.venue.faults.add({"kind": "malformed_frame", "times": 1})
    _trade(harness, 1)
    assert (await client.next_frame()).data == '{"e":"executionReport","i":12'
    harness.venue.faults.add({"kind": "huge_frame", "args": {"bytes": 5_000_000}, "times": 1})
    _trade(harness, 1)
    assert len((await client.next_frame()).data) == 5_000_000
    assert await _ids(client, 1) == [2]
    harness.venue.faults.add({"kind": "unknown_event", "args": {"event": {"p": "NaN", "q": "-1"}}, "times": 1})
    _trade(harness, 1)
    assert await client.receive() == {"p": "NaN", "q": "-1"}
    assert await _ids(client, 1) == [3]


@pytest.mark.parametrize("code", [1006, 1012, 1008, 4999])
async def test_a_connection_is_closed_with_the_code_wanted(harness: Harness, code: int) -> None:
    client = await _trades(harness)
    harness.venue.faults.add({"kind": "disconnect", "args": {"code": code}})
    assert await client.close_code() == code
    await until(lambda: not harness.venue.hub.connections)


async def test_a_shutdown_is_announced_before_the_end(harness: Harness) -> None:
    client = await _trades(harness)
    harness.venue.faults.add({"kind": "server_shutdown", "args": {"close_ms": 20}})
    assert (await client.receive())["e"] == "serverShutdown"
    assert await client.close_code() == 1012


async def _read_until_silent(client: Client) -> list[aiohttp.WSMsgType]:
    """Types of the frames that come, until there was none for longer than a ping may stay unanswered."""
    types = []
    while True:
        try:
            types.append((await client.socket.receive(timeout=0.8)).type)
        except TimeoutError:
            return types


async def test_a_half_open_connection_neither_sends_nor_answers_nor_closes() -> None:
    async with running(FakeVenue(Timing(ping_seconds=0.02, pong_seconds=0.5, farewell_seconds=0.05))) as harness:
        client = await harness.connect("/ws/btcusdt@trade", autoping=False)
        await harness.opened()
        (connection,) = harness.venue.hub.connections
        harness.venue.faults.add({"kind": "half_open"})
        assert connection.is_half_open
        harness.venue.hub.timing = Timing()  # this one may be slow to answer pings
        other = await harness.connect("/ws/btcusdt@trade")
        await harness.opened(2)
        _trade(harness, 1)
        await other.receive()
        before = await _read_until_silent(client)
        assert set(before) <= {aiohttp.WSMsgType.PING}
        assert harness.venue.hub.quiet()


async def test_old_events_can_be_replayed(harness: Harness) -> None:
    client = await _trades(harness)
    _trade(harness, 5)
    harness.venue.faults.add({"kind": "replay_last", "args": {"count": 2}})
    assert await _ids(client, 7) == [1, 2, 3, 4, 5, 4, 5]


async def test_a_listen_key_can_be_let_expire(harness: Harness) -> None:
    account_id = harness.venue.account()
    key = harness.venue.listen_keys.open(account_id)
    client = await harness.connect(f"/private/ws/{key}")
    await harness.opened()
    harness.venue.faults.add({"kind": "listen_key_expire", "account": account_id})
    assert (await client.receive())["e"] == "listenKeyExpired"
    assert harness.venue.listen_keys.text_of(account_id) is None


async def test_a_fault_may_concern_one_account_and_one_kind_of_event(harness: Harness) -> None:
    venue = harness.venue
    accounts = [venue.account("a"), venue.account("b")]
    clients = [await harness.connect(f"/private/ws/{venue.listen_keys.open(number)}") for number in accounts]
    await harness.opened(2)
    venue.faults.add({"kind": "drop", "account": accounts[0], "stream": "ACCOUNT_*"})
    for account_id in accounts:
        venue.bus.publish(AccountUpdate(account_id, "ORDER", {}, [], START_MS))
    assert (await clients[1].receive())["e"] == "ACCOUNT_UPDATE"
    assert await clients[0].silent()


async def test_a_fault_may_name_one_connection(harness: Harness) -> None:
    first = await _trades(harness)
    second = await harness.connect("/ws/btcusdt@trade")
    await harness.opened(2)
    names = [connection.id for connection in harness.venue.hub.connections]
    rule: dict[str, Any] = {"kind": "disconnect", "connection": names[0], "args": {"code": 1012}}
    harness.venue.faults.add(rule)
    assert await first.close_code() == 1012
    _trade(harness, 1)
    assert await _ids(second, 1) == [1]
