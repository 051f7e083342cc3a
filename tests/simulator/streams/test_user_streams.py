from __future__ import annotations

import pytest

from simulator.futures.types import AccountUpdate, Fill, FuturesOrder, OrderUpdate
from simulator.streams.listen_keys import LIFE_MS
from simulator.units import ONE
from tests.simulator.streams.fakes import START_MS, FakeVenue, Harness


def _filled(account_id: int) -> OrderUpdate:
    order = FuturesOrder(
        5, account_id, "BTCUSDT", "BUY", "BOTH", "LIMIT", "LIMIT", "GTC", 61_000 * ONE, 2 * ONE, "mine", START_MS
    )
    order.executed = ONE
    fill = Fill(9, 5, "BTCUSDT", "BUY", "BOTH", 61_000 * ONE, ONE, 61_000 * ONE, 0, "USDT", 0, START_MS, True)
    return OrderUpdate(order, "TRADE", START_MS, fill)


def _moved(account_id: int) -> AccountUpdate:
    return AccountUpdate(account_id, "ORDER", {}, [], START_MS)


def _key(venue: FakeVenue) -> tuple[int, str]:
    account_id = venue.account()
    return account_id, venue.listen_keys.open(account_id)


@pytest.mark.parametrize(
    "path", ["/private/ws/{key}", "/private/ws?listenKey={key}", "/ws/{key}", "/fstream/ws/{key}", "/market/ws/{key}"]
)
async def test_user_data_comes_raw_by_listen_key(harness: Harness, path: str) -> None:
    account_id, key = _key(harness.venue)
    client = await harness.connect(path.format(key=key))
    await harness.opened()
    harness.venue.bus.publish(_moved(account_id + 1))
    harness.venue.bus.publish(_moved(account_id))
    assert await client.receive() == {"e": "ACCOUNT_UPDATE", "E": START_MS}
    assert await client.silent()


async def test_user_data_can_be_subscribed_to_on_a_combined_connection(harness: Harness) -> None:
    account_id, key = _key(harness.venue)
    client = await harness.connect("/private/stream")
    await client.subscribe(key)
    harness.venue.bus.publish(_moved(account_id))
    assert await client.receive() == {"stream": key, "data": {"e": "ACCOUNT_UPDATE", "E": START_MS}}
    await client.ask({"method": "UNSUBSCRIBE", "params": [key], "id": 2})
    harness.venue.bus.publish(_moved(account_id))
    assert await client.silent()


async def test_a_trade_is_told_in_brief_before_the_full_update(harness: Harness) -> None:
    account_id, key = _key(harness.venue)
    client = await harness.connect(f"/private/ws/{key}")
    await harness.opened()
    harness.venue.bus.publish(_filled(account_id))
    assert await client.receive() == {
        "e": "TRADE_LITE", "E": START_MS, "T": START_MS, "s": "BTCUSDT", "q": "2.000", "p": "61000.00", "m": True,
        "c": "mine", "S": "BUY", "L": "61000.00", "l": "1.000", "t": 9, "i": 5,
    }  # fmt: skip
    assert (await client.receive())["e"] == "ORDER_TRADE_UPDATE"


async def test_only_the_events_asked_for_are_sent(harness: Harness) -> None:
    account_id, key = _key(harness.venue)
    client = await harness.connect(f"/private/ws?listenKey={key}&events=ORDER_TRADE_UPDATE/MARGIN_CALL")
    await harness.opened()
    harness.venue.bus.publish(_moved(account_id))
    harness.venue.bus.publish(_filled(account_id))
    assert (await client.receive())["e"] == "ORDER_TRADE_UPDATE"
    assert await client.silent()


async def test_an_expired_key_is_announced_and_then_silent(harness: Harness) -> None:
    account_id, key = _key(harness.venue)
    client = await harness.connect(f"/private/ws/{key}")
    await harness.opened()
    harness.venue.protocol.step_ms = LIFE_MS + 1
    harness.venue.hub.on_protocol_time(harness.venue.protocol.now_ms())
    expired = await client.receive()
    assert (expired["e"], expired["listenKey"]) == ("listenKeyExpired", key)
    assert isinstance(expired["E"], int)
    harness.venue.bus.publish(_moved(account_id))
    assert await client.silent()


async def test_a_new_key_of_the_same_account_is_heard_by_those_who_ask_for_it(harness: Harness) -> None:
    account_id, key = _key(harness.venue)
    client = await harness.connect(f"/private/stream?listenKey={key}")
    await harness.opened()
    harness.venue.listen_keys.close(account_id)
    renewed = harness.venue.listen_keys.open(account_id)
    await client.subscribe(renewed)
    harness.venue.bus.publish(_moved(account_id))
    assert (await client.receive())["stream"] == renewed


async def test_two_connections_of_one_account_hear_the_same(harness: Harness) -> None:
    account_id, key = _key(harness.venue)
    clients = [await harness.connect(f"/private/ws/{key}") for _ in range(2)]
    await harness.opened(2)
    harness.venue.bus.publish(_moved(account_id))
    assert await clients[0].receive() == await clients[1].receive()


async def test_an_unknown_key_is_accepted_and_silent(harness: Harness) -> None:
    account_id, _ = _key(harness.venue)
    client = await harness.connect("/private/ws/" + "x" * 64)
    await harness.opened()
    harness.venue.bus.publish(_moved(account_id))
    assert await client.silent()
