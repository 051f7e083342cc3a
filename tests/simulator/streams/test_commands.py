from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.simulator.streams.fakes import Harness

_VARIANTS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
_UUID = str(UUID(int=7))


@pytest.mark.parametrize("request_id", [1, -5, 2**63 - 1, "abc", _UUID, None])
async def test_an_acknowledgement_repeats_the_id_as_it_was_sent(harness: Harness, request_id: Any) -> None:
    client = await harness.connect("/ws")
    answer = await client.ask({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": request_id})
    assert answer == {"result": None, "id": request_id}


async def test_subscriptions_are_listed_in_the_order_they_were_made(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@trade")
    await client.subscribe("ethusdt@depth", "nosuch@trade", "btcusdt@trade")
    await client.ask({"method": "UNSUBSCRIBE", "params": ["ethusdt@depth", "never@asked"], "id": 2})
    answer = await client.ask({"method": "LIST_SUBSCRIPTIONS", "id": 3})
    assert answer == {"result": ["btcusdt@trade", "nosuch@trade"], "id": 3}


async def test_numbers_in_the_path_are_no_subscriptions(harness: Harness) -> None:
    client = await harness.connect("/public/ws/0")
    assert await client.ask({"method": "LIST_SUBSCRIPTIONS", "id": 3}) == {"result": [], "id": 3}


async def test_wrapping_can_be_switched_while_connected(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@trade")
    assert await client.ask({"method": "GET_PROPERTY", "params": ["combined"], "id": 1}) == {"result": False, "id": 1}
    assert await client.ask({"method": "SET_PROPERTY", "params": ["combined", True], "id": 2}) == {
        "result": None,
        "id": 2,
    }
    harness.venue.trade("spot", 61_800)
    assert (await client.receive())["stream"] == "btcusdt@trade"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        ("hello", {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}),
        (
            '{"params":[],"id":1}',
            {"error": {"code": 2, "msg": "Invalid request: missing field `method` at line 1 column 20"}, "id": 1},
        ),
        (
            '{"method":"SUBSCRIB","params":[],"id":1}',
            {
                "error": {
                    "code": 2,
                    "msg": f"Invalid request: unknown variant `SUBSCRIB`, expected one of {_VARIANTS} "
                    "at line 1 column 20",
                },
                "id": 1,
            },
        ),
        (
            {"method": "SUBSCRIBE", "params": ["a@b"], "id": 1.5},
            {"error": {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}},
        ),
        (
            {"method": "SUBSCRIBE", "params": ["a@b"]},
            {"error": {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}},
        ),
        (
            {"method": "SUBSCRIBE", "params": ["a@b"], "id": "x" * 37},
            {"error": {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}},
        ),
        (
            {"method": "SET_PROPERTY", "params": ["speed", True], "id": 4},
            {"error": {"code": 0, "msg": "Unknown property"}, "id": 4},
        ),
        (
            {"method": "SET_PROPERTY", "params": ["combined", 1], "id": 4},
            {"error": {"code": 1, "msg": "Invalid value type: expected Boolean"}, "id": 4},
        ),
        (
            {"method": "GET_PROPERTY", "params": [], "id": 4},
            {"error": {"code": 2, "msg": "Invalid request: property name must be a string"}, "id": 4},
        ),
        (
            {"method": "GET_PROPERTY", "params": ["combined", 1], "id": 4},
            {"error": {"code": 2, "msg": "Invalid request: too many parameters"}, "id": 4},
        ),
    ],
)
async def test_a_malformed_command_gets_the_venues_words(harness: Harness, sent: Any, answer: Any) -> None:
    client = await harness.connect("/ws")
    assert await client.ask(sent) == answer
    assert await client.silent()


async def test_what_one_client_sends_never_disturbs_another(harness: Harness) -> None:
    good = await harness.connect("/ws/btcusdt@trade")
    bad = await harness.connect("/ws/btcusdt@trade")
    await harness.opened(2)
    for text in ("{" * 5000, '{"method":["SUBSCRIBE"],"params":{},"id":{}}', "[" * 100_000, "\x00"):
        assert "error" in await bad.ask(text)
    happened = harness.venue.trade("spot", 61_800)
    assert (await good.receive())["t"] == happened.trade_id
    assert (await bad.receive())["t"] == happened.trade_id


async def test_a_connection_has_at_most_1024_streams(harness: Harness) -> None:
    client = await harness.connect("/ws")
    names = [f"a{number}usdt@trade" for number in range(1025)]
    assert await client.ask({"method": "SUBSCRIBE", "params": names[:1024], "id": 1}) == {"result": None, "id": 1}
    answer = await client.ask({"method": "SUBSCRIBE", "params": names[1024:], "id": 2})
    assert answer["error"]["code"] == 2
    assert "1024" in answer["error"]["msg"]
