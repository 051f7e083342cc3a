"""What is executed comes to the same, whenever it is told: a new owner's books are those of the one before."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from domain.fill import Fill, new_fills
from domain.instance import Instance
from domain.order import BUY, SELL
from engine.books import Books, LastPrice
from tests.law_harness import BTCUSDT

DAY_MS = 86_400_000


def executions() -> some.SearchStrategy[list[Fill]]:
    def fill_of(parts: tuple[int, bool, int, int, str, int]) -> Fill:
        number, is_buy, ticks, lots, fee_asset, time_ms = parts
        fee = {"BTC": lots, "USDT": lots * ticks // 1_000, "BNB": 5}[fee_asset]
        side = BUY if is_buy else SELL
        return Fill("BTCUSDT", str(number), "by-hand", side, ticks, lots, fee, fee_asset, True, time_ms)

    parts = some.tuples(
        some.booleans(), some.integers(5_000_000, 7_000_000), some.integers(1, 400),
        some.sampled_from(["BTC", "USDT", "BNB"]), some.integers(0, 2_000),
    )  # fmt: skip
    many = some.lists(parts, min_size=2, max_size=60)
    return many.map(lambda rows: [fill_of((number, *row)) for number, row in enumerate(rows, 95)])


def fresh() -> tuple[Instance, Books]:
    def decide(*_: Any) -> int:
        return 0

    return Instance(1, 7, 0, BTCUSDT, decide, None), Books(7, BTCUSDT, LastPrice(6_000_000, 0))


@given(executions(), some.randoms(use_true_random=False))
def test_what_is_booked_late_leaves_what_a_new_owner_reads(fills: list[Fill], chance: Any) -> None:
    told = fills.copy()
    chance.shuffle(told)
    instance, books = fresh()
    books.open_day(0)
    booked: list[Fill] = []
    for fill in told:
        if not instance.executions.reaches(fill):
            instance.executions.relearn(booked)
            books.relearn(booked)
        instance.on_fill(fill, 0)
        books.post(books.entry_of(fill), fill)
        instance.executions.trim()
        books.trim()
        booked.append(fill)
        owner, taken_over = fresh()
        stored = new_fills(set(), booked)
        for each in stored:
            owner.remember_fill(each)
        taken_over.restore([books.entry_of(each) for each in stored], stored, books.metrics(7))
        assert (owner.position, owner.fees, owner.trades) == (instance.position, instance.fees, instance.trades)
        assert taken_over.result == books.result
        day = books.metrics(7)
        assert day.realised == books.result.realised - day.fees, "the days add up to the whole"
        assert day.fees == books.result.fees
