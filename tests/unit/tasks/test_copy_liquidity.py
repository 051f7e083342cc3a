"""A coin that hardly anybody trades is not entered because its master has: that is how followers are robbed."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any, cast

from core.base_exchange import Bar
from core.config import Config
from domain.copying import terms
from domain.copying.target import MasterPosition
from domain.copying.terms import PPM, Terms
from engine.follower_engine.book import FollowerBook, Following
from tasks.host.copying.liquidity import Liquidity
from tasks.wiring import Parts, Venue
from tests.fakes.copy_parts import CopyParts, EveryLease
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.virtual_time import START_MS, in_virtual_time, virtual_clock
from tests.law_harness import BTCUSDT

HOUR_MS = 3_600_000
SYMBOL, FEED = "BTCUSDT", "binance_spot"


def parts_of(exchange: FakeExchange, least: str) -> Parts:
    config = Config(worker=cast(Any, {"copy_least_volume": {"USDT": least}}))
    venue = Venue(exchange, cast(Any, None))
    found = CopyParts(cast(Any, None), virtual_clock(), cast(Any, None), EveryLease(), venue, config=config)
    return cast(Parts, found)


def trade(exchange: FakeExchange, hours_ago: int, lots: int) -> None:
    """So much was traded in an hour, at 60,000."""
    at = START_MS - hours_ago * HOUR_MS
    exchange.market.bar(Bar(SYMBOL, "1h", at, 6_000_000, 6_000_000, 6_000_000, 6_000_000, lots), streamed=False)


@in_virtual_time
async def test_what_was_traded_within_a_day_is_compared_with_the_floor_of_its_quote_asset() -> None:
    exchange = FakeExchange(BTCUSDT, clock=virtual_clock())
    trade(exchange, 30, 10**9)  # yesterday's does not count
    for hours_ago in range(1, 24):
        trade(exchange, hours_ago, 100_000)  # 60,000 an hour
    assert await Liquidity(parts_of(exchange, "1380000")).is_enough(FEED, BTCUSDT)
    assert not await Liquidity(parts_of(exchange, "1380001")).is_enough(FEED, BTCUSDT)


@in_virtual_time
async def test_nothing_is_entered_while_it_is_unknown_and_what_was_known_holds_while_it_cannot_be_read() -> None:
    exchange = FakeExchange(BTCUSDT, clock=virtual_clock())
    trade(exchange, 2, 10**6)
    liquidity = Liquidity(parts_of(exchange, "1000"))
    exchange.market.fail_rest(1)
    assert not await liquidity.is_enough(FEED, BTCUSDT)
    assert not await liquidity.is_enough(FEED, BTCUSDT), "it is not asked for with every plan"
    await asyncio.sleep(11)
    assert await liquidity.is_enough(FEED, BTCUSDT)
    exchange.market.fail_rest(1)
    await asyncio.sleep(601)
    assert await liquidity.is_enough(FEED, BTCUSDT)
    assert len(exchange.market.rest_calls) == 3


@in_virtual_time
async def test_a_follower_may_ask_for_more_than_the_node_does_and_not_for_less() -> None:
    exchange = FakeExchange(BTCUSDT, clock=virtual_clock())
    trade(exchange, 2, 10**6)  # 600,000
    strict, free = Liquidity(parts_of(exchange, "600000")), Liquidity(parts_of(exchange, "0"))
    assert await strict.is_enough(FEED, BTCUSDT, Decimal(1))
    assert not await strict.is_enough(FEED, BTCUSDT, Decimal(600_001))
    assert await free.is_enough(FEED, BTCUSDT, Decimal(600_000))
    assert not await free.is_enough(FEED, BTCUSDT, Decimal(600_001))
    assert not await Liquidity(parts_of(exchange, "600001")).is_enough(FEED, BTCUSDT, Decimal(1))
    assert len(exchange.market.rest_calls) == 3, "what was read is known for every floor"


def test_two_relationships_of_an_account_have_floors_of_their_own() -> None:
    book = FollowerBook(1, can_short=True)
    book.instruments[SYMBOL] = BTCUSDT
    for number in (1, 2):
        book.take_terms(Following(Terms(number, ratio_ppm=PPM), 1))
    book.followings[2].illiquid = frozenset({SYMBOL})
    plan = book.plan({1: {SYMBOL: MasterPosition(SYMBOL, 1, 10**8, 6_000_000, 1_000)}}, 1_000, 1_000)
    assert [(one.relationship, one.lots, one.reason) for one in plan.taken] == [(1, 100_000, 0), (2, 0, terms.ILLIQUID)]


@in_virtual_time
async def test_a_node_without_a_floor_asks_nobody() -> None:
    exchange = FakeExchange(BTCUSDT, clock=virtual_clock())
    assert await Liquidity(parts_of(exchange, "0")).is_enough(FEED, BTCUSDT)
    assert exchange.market.rest_calls == []


def test_an_illiquid_symbol_is_not_entered_and_what_is_held_of_it_is_closed_with_the_master() -> None:
    book = FollowerBook(1, can_short=True)
    book.instruments[SYMBOL] = BTCUSDT
    book.take_terms(Following(Terms(1, ratio_ppm=PPM), 1))

    def plan(version: int, coins: int) -> list[int]:
        held = MasterPosition(SYMBOL, version, coins * 10**8, 6_000_000, 1_000)
        return [made.lots for made in book.plan({1: {SYMBOL: held}}, 1_000, 1_000).targets]

    assert plan(1, 1) == [100_000]
    book.followings[1].illiquid = frozenset({SYMBOL})
    assert plan(2, 3) == [], "the pump is not followed"
    assert book.holdings[1, SYMBOL].decision.reason == terms.ILLIQUID
    assert plan(3, 0) == [0]
