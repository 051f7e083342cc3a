"""What a venue lists is written for everybody when it is opened, and again every hour."""

from __future__ import annotations

from typing import Any, cast

import pytest
from redis.asyncio import Redis

from core import redis_names
from core.clock import Clock
from tasks.host.catalogues import EVERY_NS, Catalogues
from tasks.wiring import Parts, Venue
from tests.fakes.fake_exchange import FakeExchange
from tests.law_harness import BTCUSDT

pytestmark = pytest.mark.services


class Hand:
    """A clock that is set by hand."""

    ns = 0

    def now_ms(self) -> int:
        return self.ns // 1_000_000

    def steady_ns(self) -> int:
        return self.ns


class OpenVenues:
    """Of a worker's parts those that are asked for here."""

    def __init__(self, redis: Redis, hand: Hand, exchange: FakeExchange) -> None:
        self.redis, self.clock = redis, Clock(hand, hand)
        self.venues = {"binance_spot": Venue(exchange, cast(Any, None))}


async def test_a_venues_symbols_are_written_whole_and_anew_when_an_hour_has_passed(redis_url: str) -> None:
    exchange, hand, key = FakeExchange(BTCUSDT), Hand(), redis_names.catalogue("binance_spot")
    async with Redis.from_url(redis_url) as redis:
        catalogues = Catalogues(cast(Parts, OpenVenues(redis, hand, exchange)))
        await redis.sadd(key, "GONEUSDT")
        await catalogues.tell()
        assert await redis.smembers(key) == {b"BTCUSDT"}
        assert await redis.ttl(key) > 3_600
        exchange.instruments["ETHUSDT"] = BTCUSDT
        await catalogues.tell()
        assert await redis.smembers(key) == {b"BTCUSDT"}, "the hour is not over"
        hand.ns += EVERY_NS
        await catalogues.tell()
        assert await redis.smembers(key) == {b"BTCUSDT", b"ETHUSDT"}


async def test_what_could_not_be_written_is_written_next_time(redis_url: str) -> None:
    exchange, hand = FakeExchange(BTCUSDT), Hand()
    async with Redis.from_url(redis_url) as redis, Redis.from_url("redis://127.0.0.1:1") as nobody:
        parts = OpenVenues(nobody, hand, exchange)
        catalogues = Catalogues(cast(Parts, parts))
        await catalogues.tell()
        parts.redis = redis
        await catalogues.tell()
        assert await redis.scard(redis_names.catalogue("binance_spot")) == 1
