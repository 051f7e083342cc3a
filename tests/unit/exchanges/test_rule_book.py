from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import Transient
from exchanges._binance.rule_book import book_of
from exchanges._binance.rules import renewed
from tests.fakes.hands import Hands

LIMITS = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}]


def symbol(name: str, tick: str = "0.01") -> dict[str, Any]:
    price = {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "100000", "tickSize": tick}
    lot = {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "100", "stepSize": "0.001"}
    return {"symbol": name, "status": "TRADING", "baseAsset": "A", "quoteAsset": "B", "filters": [price, lot]}


class Answers:
    """`exchangeInfo` as the venue answers it now."""

    def __init__(self) -> None:
        self.symbols = [symbol("AB")]
        self.count = 0

    async def __call__(self) -> Any:
        self.count += 1
        await asyncio.sleep(0)
        return {"symbols": self.symbols, "rateLimits": LIMITS}


async def test_accounts_at_one_address_read_the_rules_once_and_share_them() -> None:
    time, answers = Hands(), Answers()
    first, second = book_of("venue", "one", time), book_of("venue", "one", time)
    assert first is second
    assert book_of("venue", "two", time) is not first
    time.pass_time(timedelta(seconds=5))
    found = await asyncio.gather(*(first.read_since(0, answers) for _ in range(10)))
    assert answers.count == 1
    assert all(rules is found[0] for rules in found)
    assert first.weight_limit == 6000


async def test_whoever_needs_newer_rules_gets_them_and_does_not_change_those_of_others() -> None:
    time, answers = Hands(), Answers()
    book = book_of("venue", "three", time)
    before = await book.read_since(0, answers)
    time.pass_time(timedelta(seconds=9))
    answers.symbols = [symbol("AB", tick="0.1")]
    after = await book.read_since(time.steady_ns(), answers)
    assert answers.count == 2
    assert [str(rules.instruments["AB"].tick_size) for rules in (before, after)] == ["0.01", "0.1"]
    mine = renewed(before, after, ["AB"])
    assert str(mine.instruments["AB"].tick_size) == "0.01"
    assert mine.trading["AB"].halt
    assert str(after.instruments["AB"].tick_size) == "0.1"
    assert not after.trading["AB"].halt


async def test_an_answer_without_symbols_is_no_rules() -> None:
    answers = Answers()
    answers.symbols = []
    with pytest.raises(Transient, match="no symbols"):
        await book_of("venue", "four", Hands()).read_since(0, answers)


async def test_a_book_that_nobody_reads_any_more_is_forgotten() -> None:
    time = Hands()
    address = id(book_of("venue", "five", time))
    gc.collect()
    answers = Answers()
    await book_of("venue", "five", time).read_since(0, answers)
    assert answers.count == 1, f"the book at {address} was kept"
