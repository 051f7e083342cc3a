from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import orjson
import pytest

from domain.money import NotAnAmount, NotDivisible
from exchanges._binance.book import Book, BookGap
from exchanges._binance.hot import BookTicker, DepthChange, Router, Scale, Trade


def frame(stream: str, data: dict[str, Any]) -> bytes:
    return orjson.dumps({"stream": stream, "data": data})


TRADE = {"e": "trade", "E": 2, "s": "BTCUSDT", "t": 7, "p": "57012.34000000", "q": "0.00100000", "T": 1, "m": True}


def test_a_frame_reaches_the_handler_of_its_stream_as_a_typed_message() -> None:
    router, seen = Router(), list[Any]()
    router.add("btcusdt@trade", Trade, seen.append)
    router.feed(frame("btcusdt@trade", TRADE))
    assert seen == [Trade(p="57012.34000000", q="0.00100000", T=1, m=True, t=7)]
    assert router.streams == ["btcusdt@trade"]


def test_an_envelope_written_another_way_is_understood_all_the_same() -> None:
    router, seen = Router(), list[Any]()
    router.add("btcusdt@trade", Trade, seen.append)
    router.feed(b' { "data": ' + orjson.dumps(TRADE) + b', "stream" : "btcusdt@trade" } ')
    assert len(seen) == 1


def test_what_cannot_be_read_is_counted_and_harms_nothing() -> None:
    router, seen = Router(), list[Any]()
    router.add("btcusdt@trade", Trade, seen.append)
    for broken in (
        b"",
        b"{",
        b'{"stream":"btcusdt@trade","data":{"p":1}}',
        b'{"stream":"btcusdt@trade","data":',
        b"\xff",
    ):
        router.feed(broken)
    router.feed(orjson.dumps({"result": None, "id": 1}))
    router.feed(frame("ethusdt@trade", TRADE))
    router.feed(frame("btcusdt@trade", TRADE))
    assert len(seen) == 1
    assert router.unreadable + router.unrouted == 7


def test_a_book_ticker_without_an_event_name_is_known_by_its_stream() -> None:
    router, seen = Router(), list[Any]()
    router.add("btcusdt@bookTicker", BookTicker, seen.append)
    router.feed(frame("btcusdt@bookTicker", {"u": 1, "s": "BTCUSDT", "b": "1.00", "B": "2", "a": "1.01", "A": "3"}))
    assert (seen[0].b, seen[0].a) == ("1.00", "1.01")


@pytest.mark.parametrize(
    ("unit", "text", "count"),
    [
        ("0.01", "57012.34000000", 5_701_234),
        ("0.01", "57012", 5_701_200),
        ("0.01", "57012.3", 5_701_230),
        ("0.1", "57012.30", 570_123),
        ("0.00000001", "0.00000001", 1),
        ("1", "1000000000000.00000000", 10**12),
        ("0.000000000000000001", "1.000000000000000001", 10**18 + 1),
        ("0.5", "2.50", 5),
        ("0.01", "-1.50", -150),
    ],
)
def test_a_scale_counts_units_exactly(unit: str, text: str, count: int) -> None:
    scale = Scale(Decimal(unit))
    assert scale.units(text) == count
    assert scale.units(text) == count


def test_a_scale_refuses_what_lies_between_two_units_and_what_is_no_number() -> None:
    scale = Scale(Decimal("0.01"))
    for text in ("1.001", "0.0000001"):
        with pytest.raises(NotDivisible):
            scale.units(text)
    for text in ("", "NaN", "1e400x", "1,5", "Infinity"):
        with pytest.raises(NotAnAmount):
            scale.units(text)


def change(first: int, last: int, bids: list[tuple[str, str]], previous: int = 0) -> DepthChange:
    return DepthChange(U=first, u=last, b=bids, a=[], pu=previous)


def test_a_book_follows_changes_and_removes_levels_of_nothing() -> None:
    book = Book(chained=False)
    book.load(10, [("1.00", "5"), ("0.99", "1")], [("1.01", "2")])
    assert not book.apply(change(8, 10, [("1.00", "9")]))
    assert book.apply(change(9, 12, [("1.00", "0.00000000"), ("0.50", "0"), ("0.98", "0.00000001")]))
    assert book.bids == {"0.99": "1", "0.98": "0.00000001"}
    assert book.best() == ("0.99", "1.01")
    assert book.apply(change(13, 13, []))


@pytest.mark.parametrize("chained", [False, True])
def test_a_hole_in_the_sequence_is_a_gap(chained: bool) -> None:
    book = Book(chained=chained)
    book.load(10, [], [])
    with pytest.raises(BookGap):
        book.apply(change(12, 13, [], previous=11))
    book.apply(change(9, 12, [], previous=8))
    with pytest.raises(BookGap):
        book.apply(change(14, 15, [], previous=13))
    assert book.apply(change(13, 15, [], previous=12))


def test_a_book_kept_from_changes_is_the_book_itself() -> None:
    chance = random.Random(3)
    truth: dict[str, str] = {}
    book = Book(chained=False)
    book.load(0, [], [])
    for number in range(1, 500):
        price, quantity = f"{chance.randrange(1, 60)}.00", f"{chance.randrange(0, 3)}.00000000"
        truth[price] = quantity
        book.apply(change(number, number, [(price, quantity)]))
        assert book.bids == {p: q for p, q in truth.items() if not q.startswith("0.")}
