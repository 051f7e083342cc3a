from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import redis

from core import redis_names
from tests.api_node import ApiNode
from tests.services import wait_until

pytestmark = pytest.mark.services


def tell(url: str, topic: str, owner: int, **payload: Any) -> str:
    with redis.Redis.from_url(url) as client:
        fields = {"topic": topic, "owner": str(owner), "data": json.dumps(payload)}
        told: Any = client.xadd(redis_names.EVENTS, fields)
        return str(told.decode())


@contextmanager
def stream(node: ApiNode, who: str = "olga", last: str | None = None) -> Iterator[Iterator[dict[str, str]]]:
    headers = {"Cookie": f"ares_session={node.tokens[who]}"} | ({"Last-Event-ID": last} if last else {})
    with node.client.stream("GET", "/api/events", headers=headers, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        yield events(answer)


def events(answer: httpx.Response) -> Iterator[dict[str, str]]:
    found: dict[str, str] = {}
    for line in answer.iter_lines():
        if not line:
            if found:
                yield found
            found = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            found[name] = value


def open_streams(node: ApiNode) -> float:
    return node.app.state.services.metrics.streams._value.get()  # type: ignore[no-any-return]


def test_a_stream_says_hello_and_then_tells_what_is_the_callers_and_what_is_everybodys(
    node: ApiNode, redis_url: str
) -> None:
    olga, theo = node.people["olga"], node.people["theo"]
    with stream(node) as heard:
        assert next(heard)["event"] == "hello"
        tell(redis_url, "strategy.fill", theo, id=1)
        tell(redis_url, "price", 0, symbol="BTCUSDT", price="64000.5")
        mine = tell(redis_url, "strategy.fill", olga, id=2)
        assert next(heard) | {"id": ""} == {
            "event": "price", "data": json.dumps({"symbol": "BTCUSDT", "price": "64000.5"}), "id": "",
        }  # fmt: skip
        assert next(heard) == {"event": "strategy.fill", "data": json.dumps({"id": 2}), "id": mine}
    wait_until(lambda: open_streams(node) == 0, "the stream is let go")


def test_what_was_missed_is_told_first_and_once(node: ApiNode, redis_url: str) -> None:
    olga, theo = node.people["olga"], node.people["theo"]
    seen = tell(redis_url, "alert", olga, n=0)
    for n in range(1, 4):
        tell(redis_url, "alert", olga, n=n)
        tell(redis_url, "alert", theo, n=n)
    with stream(node, last=seen) as heard:
        hello = next(heard)
        assert json.loads(hello["data"])["replayed"] == 3
        assert [json.loads(next(heard)["data"])["n"] for _ in range(3)] == [1, 2, 3]
        tell(redis_url, "alert", olga, n=4)
        assert json.loads(next(heard)["data"])["n"] == 4


def test_when_what_was_missed_is_gone_the_page_is_told_to_read_everything_again(node: ApiNode, redis_url: str) -> None:
    old = tell(redis_url, "alert", node.people["olga"], n=0)
    with redis.Redis.from_url(redis_url) as client:
        tell(redis_url, "alert", node.people["olga"], n=1)
        client.xtrim(redis_names.EVENTS, maxlen=0, approximate=False)
    tell(redis_url, "alert", node.people["olga"], n=2)
    with stream(node, last=old) as heard:
        assert [next(heard)["event"] for _ in range(3)] == ["hello", "reset", "alert"]


def test_nobody_listens_without_signing_in(node: ApiNode) -> None:
    assert node.get("/api/events", None).status_code == 401
    with stream(node, last="no id at all") as heard:
        assert next(heard)["event"] == "hello"
