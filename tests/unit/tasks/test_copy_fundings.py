"""The ideal copies have the funding that a venue has charged, also where the actual ones hold nothing."""

from __future__ import annotations

import csv
import gzip
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from core.base_exchange import Capabilities
from core.clock import Clock
from domain.copying import tracking
from domain.copying.target import MasterPosition
from domain.copying.terms import Terms
from domain.copying.tracking import HOUR_MS
from domain.fill import Fill
from domain.funding import FundingRate
from domain.instrument import Instrument
from domain.ledger import Entry, Posting, cash
from engine.follower_engine.book import FollowerBook, Following
from engine.follower_engine.funding import pay, payments, rate
from tasks.host.copying.accounts import Owned
from tasks.host.copying.fundings import Fundings
from tasks.wiring import Parts, Venue
from tests.fakes.copy_parts import CopyParts, EveryLease
from tests.fakes.fake_exchange import FakeExchange
from tests.law_harness import BTCUSDT

START_MS = 1_741_276_800_000
SYMBOL, BTC, PRICE = "BTCUSDT", 10**8, 6_000_000


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    def steady_ns(self) -> int:
        return self.ms * 1_000_000


def book_of(*all_terms: Terms, instrument: Instrument = BTCUSDT) -> FollowerBook:
    book = FollowerBook(1, can_short=True)
    book.instruments[SYMBOL] = instrument
    for terms in all_terms:
        book.take_terms(Following(terms, master=1))
    return book


def signal(book: FollowerBook, version: int, quanta: int, at_ms: int, ticks: int = PRICE) -> None:
    book.plan({1: {SYMBOL: MasterPosition(SYMBOL, version, quanta, ticks, at_ms)}}, at_ms, at_ms)


def trade(book: FollowerBook, lots: int, name: str, at_ms: int, ticks: int = PRICE) -> None:
    book.execute(Fill(SYMBOL, name, "", 1 if lots > 0 else -1, ticks, abs(lots), 0, "USDT", False, at_ms))


def test_what_an_account_was_paid_is_shared_by_what_each_relationship_held_at_the_hour_once() -> None:
    tenth = Terms(1, ratio_ppm=100_000)
    book, hour = book_of(tenth, tenth._replace(relationship=2, ratio_ppm=200_000)), START_MS + HOUR_MS
    signal(book, 1, BTC, START_MS + 10)
    trade(book, 30_000, "1", START_MS + 20)
    signal(book, 2, 0, hour + 10)
    trade(book, -30_000, "2", hour + 20)  # closed before the venue lists what it has charged
    assert pay(book, SYMBOL, -1_000, hour + 5) == {(1, SYMBOL), (2, SYMBOL)}
    first, second = book.holdings[1, SYMBOL], book.holdings[2, SYMBOL]
    assert (first.position.realised, second.position.realised) == (-333, -667)
    unit = tracking.units_per_quantum(BTCUSDT)
    assert (first.record.causes.funding, second.record.causes.funding) == (333 * unit, 667 * unit)
    assert pay(book, SYMBOL, -1_000, hour + 5) == set(), "once"
    rate(book, FundingRate(SYMBOL, hour, Decimal("0.0001"), Decimal(60_000)))
    assert first.record.causes.funding == 333 * unit - 6 * 10**7 * unit
    assert first.record.adds_up
    assert second.record.adds_up


def test_a_payment_is_read_from_the_ledgers_of_the_instances_that_copy() -> None:
    lines = (Posting(cash(7), "USDT", -12), Posting("funding", "USDT", 12))
    entries = [
        Entry("funding", "BTCUSDT:2:7", 2, lines), Entry("trade", "x", 1, lines),
        Entry("funding", "BTCUSDT:1:7", 1, lines),
        Entry("funding", "BTCUSDT:1:8", 1, (Posting(cash(8), "USDT", -5), Posting("funding", "USDT", 5))),
        Entry("funding", "BTCUSDT:3:7", 3, (Posting(cash(7), "BNB", -5), Posting("funding", "BNB", 5))),
    ]  # fmt: skip
    found = list(payments(entries, {SYMBOL: 7}, {SYMBOL: BTCUSDT}))
    assert found == [(SYMBOL, 1, -12), (SYMBOL, 2, -12)]


async def test_a_rate_is_asked_for_once_an_hour_for_all_and_told_again_after_it_could_not_be_read() -> None:
    exchange, hand = FakeExchange(BTCUSDT, capabilities=Capabilities(market="futures", can_short=True)), Hand()
    parts = CopyParts(
        cast(Any, None), Clock(hand, hand), cast(Any, None), EveryLease(), Venue(exchange, cast(Any, None))
    )
    books = {number: book_of(Terms(1, ratio_ppm=100_000, paused=number == 2)) for number in (1, 2)}
    owned = {}
    for number, book in books.items():
        signal(book, 1, BTC, START_MS + 10)
        venue_account = SimpleNamespace(paper=False, exchange="fake")
        owned[number] = Owned(number, cast(Any, SimpleNamespace(epoch=1)), cast(Any, venue_account), book)
        owned[number].is_current = True
    bells: list[None] = []
    fundings = Fundings(cast(Parts, parts), owned, lambda: bells.append(None))
    hour = START_MS + HOUR_MS
    exchange.rates = [FundingRate(SYMBOL, hour, Decimal("0.0001"), None)]
    await fundings.look()
    assert exchange.rates_asked < 1, "the hour is not over"
    hand.ms = hour + 120_000
    exchange.market.fail_rest(1)
    await fundings.look()
    await fundings.look()
    await fundings.look()
    assert exchange.rates_asked <= 1
    # Relationship 1 of account 2 is paused and holds nothing: its ideal copy has paid like that of account 1.
    for book in books.values():
        record = book.holdings[1, SYMBOL].record
        assert record.causes.funding == -6 * 10**7 * tracking.units_per_quantum(BTCUSDT)
        assert record.adds_up
    assert len(bells) == 2
    assert all(one.has_changes for one in owned.values())


@pytest.mark.recorded
@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "XRPUSDT"])
def test_copies_through_three_months_of_recorded_funding_add_up(symbol: str, recorded_data: Path) -> None:
    coin = BTCUSDT if symbol != "XRPUSDT" else replace(BTCUSDT, tick_size=Decimal("0.001"))
    rates, marks = recorded(recorded_data, symbol, "funding_rate"), recorded(recorded_data, symbol, "mark")
    assert len(rates) > 200
    book, unit = book_of(Terms(1, ratio_ppm=333_333), instrument=coin), tracking.units_per_quantum(coin)
    share = Decimal("0.333333")
    held, lots, ideal, actual = Decimal(0), 0, Decimal(0), Decimal(0)
    for version, (time_ms, share_of_worth) in enumerate(sorted(rates.items()), 1):
        told = FundingRate(SYMBOL, time_ms, share_of_worth, marks[time_ms])
        ideal -= held * share * share_of_worth * marks[time_ms]
        amount = -coin.from_lots(lots) * share_of_worth * marks[time_ms]
        charged = int(amount / coin.quote_quantum)  # the venue cuts to a quantum
        actual += charged * coin.quote_quantum
        if version % 2:  # both orders occur
            pay(book, SYMBOL, charged, time_ms)
        rate(book, told)
        if not version % 2:
            pay(book, SYMBOL, charged, time_ms)
        held = Decimal((version * 7) % 11 - 5) / 7
        held = held.quantize(Decimal("0.00001"))
        ticks = int(marks[time_ms] / coin.tick_size)
        book.mark(SYMBOL, ticks)
        signal(book, version, int(held / coin.base_quantum), time_ms + 3_600_000 * 2, ticks)
        wanted = book.holdings[1, SYMBOL].decision.lots
        trade_of = wanted - lots
        if trade_of:
            trade(book, trade_of, str(version), time_ms + 3_600_000 * 3, ticks)
        lots = wanted
        assert book.holdings[1, SYMBOL].record.adds_up
    causes = book.holdings[1, SYMBOL].record.causes
    assert abs(Decimal(causes.funding) / unit * coin.quote_quantum - (ideal - actual)) < Decimal("0.00001")
    assert causes.rounding
    assert causes.funding


def recorded(folder: Path, symbol: str, what: str) -> dict[int, Decimal]:
    """Time of a funding, to the hour -> its rate or mark price."""
    with gzip.open(folder / "funding" / f"um-8h-{what}-2025.csv.gz", "rt", encoding="ascii") as rows:
        found = [row for row in csv.DictReader(rows) if row["symbol"] == symbol]
    return {round(int(row["time"]) / HOUR_MS) * HOUR_MS: Decimal(row["value"]) for row in found}
