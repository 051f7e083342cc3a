from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pytest

from domain.order import BUY, SELL
from domain.sentences import words_of
from engine.backtest import Prints, store
from engine.backtest.depth import Depth
from engine.backtest.frames import read_depth
from engine.backtest.history import BadHistory

START = 1_723_161_255_000
RECORDED = {"spot_btcusdt_20240808": "BTC", "usdm_ethusdt_20240808": "ETH"}
Frame = dict[str, Any]


def depth(at: int, first: int, last: int, bids: Any = (), asks: Any = (), **more: Any) -> Frame:
    return {"e": "depthUpdate", "E": START + at, "s": "BTCUSDT", "U": first, "u": last, "b": bids, "a": asks, **more}


def trade(at: int, number: int, price: str = "100.00", quantity: str = "0.02000", maker: bool = True) -> Frame:
    return {"e": "trade", "s": "BTCUSDT", "t": number, "p": price, "q": quantity, "T": START + at, "m": maker}


def snapshot(number: int, **more: Any) -> Frame:
    bids, asks = [["99.90", "1.00000"], ["99.80", "2.5"]], [["100.10", "3.00000"]]
    return {"lastUpdateId": number, "bids": bids, "asks": asks, **more}


def recording() -> list[Frame]:
    """As it comes: streams first, the snapshot between them, and changes from before it behind it."""
    return [
        depth(100, 1, 5, [["99.90", "7"]]),
        trade(150, 70),
        snapshot(8),
        depth(200, 6, 10, [["99.90", "1.50000"]], [["100.20", "4"]]),
        trade(200, 71),
        {"e": "bookTicker", "u": 11, "s": "BTCUSDT", "b": "99.90", "B": "1", "a": "100.10", "A": "3"},
        trade(250, 72, maker=False),
        depth(300, 11, 11),
        depth(400, 12, 14, [["99.80", "0.00000"]]),
        trade(450, 74, "99.90"),
    ]


def kept(folder: Path, frames: list[Frame], name: str = "frames.txt") -> Path:
    lines = []
    for place, frame in enumerate(frames):
        stream = {"stream": "btcusdt@some", "data": frame}
        told = frame if "lastUpdateId" in frame else stream
        lines.append(f"{(START + place) * 1_000_000} {json.dumps(told)}\n")
    path = folder / name
    with gzip.open(path, "wt") if name.endswith(".gz") else path.open("w") as file:
        file.writelines(lines)
    return path


def read(path: Path) -> tuple[Prints, Depth]:
    prints = read_depth(path, "BTCUSDT", "BTC", "USDT")
    assert prints.depth is not None
    return prints, prints.depth


def test_the_snapshot_and_what_comes_after_it_are_the_book_and_trades_know_which_state_they_met(tmp_path: Path) -> None:
    prints, found = read(kept(tmp_path, recording(), "frames.txt.gz"))
    assert (prints.instrument.tick_size, prints.instrument.lot_size) == (Decimal("0.1"), Decimal("0.001"))
    # State 0 is the snapshot; the change of the same moment, that of 400, and an empty one that is none.
    assert (found.book.times - START).tolist() == [200, 200, 400]
    rows = zip(found.book.states, found.book.sides, found.book.ticks, found.book.lots, strict=True)
    assert [tuple(int(number) for number in row) for row in rows] == [
        (0, BUY, 999, 1_000), (0, BUY, 998, 2_500), (0, SELL, 1_001, 3_000),
        (1, BUY, 999, 1_500), (1, SELL, 1_002, 4_000), (2, BUY, 998, 0),
    ]  # fmt: skip
    assert (found.book.first_id, found.book.last_id) == (8, 14)
    # Trades of the moment at which the book is known first, and from before, are left out; number 73 is missing.
    assert [(int(at) - START, int(taker), int(met)) for at, taker, met in zip(
        prints.open_ms, found.takers, found.states, strict=True)] == [(250, BUY, 1), (450, SELL, 2)]  # fmt: skip
    assert prints.warnings == (
        "the book is known from 99.8 to 100.1 at its start; of other prices only what has changed there",
        "2 trades before the book was known were left out",
        "1 trades are missing by their numbers",
    )
    assert found.book.best.bids.tolist() == [999, 999, 999]
    assert found.book.best.offers.tolist() == [1_001, 1_001, 1_001]
    assert [column.tolist() for column in found.book.best.came] == [
        [0, 0, 1],
        [1, -1, 1],
        [999, 1_001, 999],
        [1_000, 3_000, 500],
    ]


def test_depth_comes_back_from_the_store_to_the_last_bit_and_a_changed_number_has_another_digest(
    tmp_path: Path,
) -> None:
    prints, found = read(kept(tmp_path, recording()))
    back = store.unpack(store.pack(prints))
    assert isinstance(back, Prints)
    assert back.depth is not None
    assert back.digest == prints.digest
    assert back.warnings == prints.warnings
    assert [words_of(one) for one in back.warnings] == [words_of(one) for one in prints.warnings]
    assert None not in [words_of(one) for one in back.warnings]
    assert back.depth.book.best.bids.tolist() == found.book.best.bids.tolist()
    for name in ("sides", "ticks", "lots"):
        column = getattr(found.book, name).copy()
        column[0] = -column[0] if name == "sides" else column[0] + 1
        other = replace(found, book=replace(found.book, **{name: column}))
        assert replace(prints, depth=other).digest != prints.digest


def futures() -> list[Frame]:
    """On futures a change names the last update before it, numbers are not one apart, and moments are of the trade."""
    return [
        snapshot(50, T=START + 100), depth(210, 41, 55, [["99.90", "2"]], T=START + 200, pu=39),
        depth(310, 61, 67, [["99.90", "3"]], T=START + 300, pu=55), trade(350, 1), trade(360, 2),
    ]  # fmt: skip


def test_futures_are_read_by_what_came_before(tmp_path: Path) -> None:
    _, found = read(kept(tmp_path, futures()))
    assert (found.book.times - START).tolist() == [100, 200, 300]
    assert found.book.last_id == 67


def without(place: int) -> Callable[[list[Frame]], None]:
    return lambda frames: frames.__delitem__(place)


def change(place: int, **fields: Any) -> Callable[[list[Frame]], None]:
    return lambda frames: frames[place].update(fields)


WRONG: list[tuple[Callable[[], list[Frame]], Callable[[list[Frame]], None], str]] = [
    (recording, without(7), r"row 8 follows a gap: its updates begin at 12, and those of row 4 end at 10"),
    (recording, change(3, U=10), r"row 4 follows a gap: its updates begin at 10, and the snapshot of row 3 ends at 8"),
    (futures, change(2, pu=54), r"row 3 follows a gap: its updates come after 54, and those of row 2 end at 55"),
    (recording, change(8, u=11), r"row 9 cannot be read: its updates go from 12 to 11"),
    (recording, change(8, U=9, u=10), r"row 9 is double or out of order: its updates end at 10"),
    (recording, change(8, E=START + 299), r"row 9 is earlier than row 8"),
    (recording, change(3, b=[["-1", "2"]]), r"row 4 cannot be read: 2 at -1 is no level of a book"),
    (recording, change(3, b=[["99.90", "NaN"]]), r"row 4 cannot be read"),
    (recording, change(3, b=[["100.10", "2"]]), r"row 4 leaves a book in which somebody bids what somebody offers at"),
    (recording, change(6, q="0"), r"row 7 cannot be read: 0 at 100.00 is no trade"),
    (recording, change(6, t=71), r"row 7 is double or out of order: trade 71"),
    (recording, change(9, T=START + 201), r"row 10 is earlier than the one before it: trade 74"),
    (recording, change(6, s="ETHUSDT"), r"it holds BTCUSDT, ETHUSDT; record each into a file of its own"),
    (recording, change(2, asks=[]), r"row 3 cannot be read: a side of the snapshot is empty"),
    (recording, without(2), r"it holds no snapshot of the book"),
    (recording, lambda frames: frames.__delitem__(slice(3, None)), r"it holds no change of the book"),
    (recording, without(9), r"it holds 1 trades after its book is known"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "spoil", "words"), WRONG)
def test_what_cannot_be_used_is_refused_by_its_row(
    tmp_path: Path, make: Callable[[], list[Frame]], spoil: Callable[[list[Frame]], None], words: str
) -> None:
    frames = make()
    spoil(frames)
    with pytest.raises(BadHistory, match=words):
        read(kept(tmp_path, frames))


def test_a_line_that_is_none_is_named_and_a_recording_may_be_bounded(tmp_path: Path) -> None:
    path = kept(tmp_path, recording())
    path.write_text(path.read_text() + '{"e": "trade"}\n\n1723161255000000000 {"e": "trade\n')
    with pytest.raises(BadHistory, match="row 11 cannot be read: it does not begin with the nanoseconds") as stopped:
        read(path)
    assert [finding.row for finding in stopped.value.findings] == [11, 13]
    with pytest.raises(BadHistory, match="more than 4 rows"):
        read_depth(path, "BTCUSDT", "BTC", "USDT", most_rows=4)
    with pytest.raises(BadHistory, match="there is no such file"):
        read(tmp_path / "none.gz")


@pytest.mark.parametrize(
    "name",
    ["spot_btcusdt_20240808", pytest.param("usdm_ethusdt_20240808", marks=pytest.mark.acceptance)],
)
def test_the_book_of_a_recording_has_the_best_prices_that_the_venue_told_beside_it(name: str) -> None:
    folder = os.environ.get("ARES_DATA_DIR")
    if not folder:
        pytest.skip("ARES_DATA_DIR does not name a folder of recorded market data")
    path = Path(folder) / "ws-raw" / f"{name}.gz"
    prints = read_depth(path, f"{RECORDED[name]}USDT", RECORDED[name], "USDT")
    assert prints.depth is not None
    book = prints.depth.book
    states: dict[int, int] = {}
    told: dict[int, tuple[str, str]] = {}
    with gzip.open(path, "rt") as file:
        frames = [json.loads(line.partition(" ")[2]) for line in file]
    for frame in frames:
        content = frame.get("data", frame)
        if content.get("e") == "depthUpdate" and content["u"] > book.first_id and content["b"] + content["a"]:
            states[content["u"]] = len(states) + 1
        elif "B" in content:
            told[content["u"]] = (content["b"], content["a"])
    both = sorted(states.keys() & told.keys())
    assert len(both) > 500
    to_ticks = prints.instrument.to_ticks
    best = book.best
    for number in both:
        bid, offer = (to_ticks(Decimal(price)) for price in told[number])
        assert (bid, offer) == (best.bids[states[number]], best.offers[states[number]])
    assert (numpy.diff(prints.open_ms) >= 0).all()
