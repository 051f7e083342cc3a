from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from simulator.market import MarketFileError, open_market
from simulator.market.frames import load_frames
from simulator.market.recorded import RecordedLadder
from simulator.units import ONE
from tests.simulator.market.worlds import play

NOW = 1_723_161_255_000


def line(frame: object) -> bytes:
    return b"1723161253937085768 " + orjson.dumps(frame)


def wrap(channel: str, **data: object) -> bytes:
    return line({"stream": f"btcusdt@{channel}", "data": {"s": "BTCUSDT", **data}})


def depth(first: int, last: int, bids: list[Any], asks: list[Any], at: int = 0, **more: int) -> bytes:
    return wrap("depth@100ms", E=NOW + at, U=first, u=last, b=bids, a=asks, **more)


def trade(number: int, at: int, price: str = "100.00", quantity: str = "1.5", maker: bool = True) -> bytes:
    return wrap("trade", t=number, T=NOW + at, p=price, q=quantity, m=maker)


SNAPSHOT = line(
    {"lastUpdateId": 10, "bids": [["100.00", "5"], ["99.90", "7"]], "asks": [["100.10", "4"], ["100.20", "6"]]}
)
GOOD = [
    depth(5, 8, [["98.00", "1"]], []),
    SNAPSHOT,
    trade(1, 40),
    depth(9, 12, [["100.00", "3"]], [["100.10", "0"]], at=50),
    trade(2, 60),
    wrap("bookTicker", u=13, b="100.10", B="2", a="100.20", A="1"),
    trade(3, 70, price="100.10", maker=False),
    depth(13, 15, [["100.10", "9"]], [["100.30", "8"]], at=150),
    trade(4, 200),
]


def ladder_at(*moments: int, lines: list[bytes] = GOOD) -> RecordedLadder:
    made = RecordedLadder(load_frames(Path("x.gz"), b"\n".join(lines)))
    for moment in moments:
        made.anchor(1, "BUY", NOW + moment)
    return made


def levels(ladder: RecordedLadder) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    bids, asks = (
        [(f"{price / ONE:.2f}", quantity / ONE) for price, quantity in ladder.walk(side)] for side in ("BUY", "SELL")
    )
    return bids, asks


def test_the_first_snapshot_is_shown_before_anything_else_and_older_changes_are_dropped() -> None:
    assert levels(ladder_at(0)) == ([("100.00", 5), ("99.90", 7)], [("100.10", 4), ("100.20", 6)])


def test_depth_changes_and_best_prices_are_applied_up_to_a_moment() -> None:
    assert levels(ladder_at(50)) == ([("100.00", 3), ("99.90", 7)], [("100.20", 6)])
    assert levels(ladder_at(60)) == ([("100.10", 2), ("100.00", 3), ("99.90", 7)], [("100.20", 1)])
    assert levels(ladder_at(150)) == ([("100.10", 9), ("100.00", 3), ("99.90", 7)], [("100.20", 1), ("100.30", 8)])
    assert levels(ladder_at(50, 60, 150)) == levels(ladder_at(150))


def test_a_new_best_price_removes_what_it_passes() -> None:
    ladder = ladder_at(99, lines=[*GOOD[:3], wrap("bookTicker", u=11, b="100.25", B="1", a="100.30", A="2")])
    assert levels(ladder) == ([("100.25", 1), ("100.00", 5), ("99.90", 7)], [("100.30", 2)])
    assert ladder.best("SELL") == 10_030_000_000


def test_what_a_customer_took_is_back_at_the_next_print() -> None:
    ladder = ladder_at(0)
    ladder.consume("SELL", 10_010_000_000, 4 * ONE)
    assert ladder.best("SELL") == 10_020_000_000
    with pytest.raises(ValueError, match="cannot consume"):
        ladder.consume("SELL", 10_010_000_000, 1)
    ladder.anchor(1, "BUY", NOW + 1)
    assert ladder.quantity("SELL", 10_010_000_000) == 4 * ONE


@pytest.mark.parametrize(
    ("lines", "number", "message"),
    [
        ([*GOOD, depth(17, 18, [], [], at=300)], 10, "depth updates are missing: after update 15 comes 17"),
        (
            [depth(5, 8, [], [], pu=4), depth(11, 12, [], [], pu=9), trade(1, 0)],
            2,
            "after update 8 comes 9",
        ),
        ([trade(1, 5), trade(1, 6)], 2, "trade 1 is not after trade 1"),
        ([trade(1, 5), trade(2, 4)], 2, "trade 2 is not after trade 1"),
        ([trade(1, 5), b"1723161253937085768 {"], 2, "is not `<receive time> <JSON object>`"),
        ([trade(1, 5), b"1723161253937085768 [1]"], 2, "is not `<receive time> <JSON object>`"),
        ([trade(1, 5), wrap("trade", t=2)], 2, "lacks a usable field"),
        ([trade(1, 5), wrap("kline_1m", k={})], 2, "holds the stream 'btcusdt@kline_1m'"),
        ([trade(1, 5), wrap("trade", t=2, T=NOW + 9, p="1e3", q="1", m=True)], 2, "not a plain decimal"),
        ([trade(1, 5), trade(2, 5, quantity="0.0")], 2, "price or quantity zero"),
        ([trade(1, 5), depth(1, 2, [["x", "1"]], [])], 2, "not a plain decimal"),
        ([trade(1, 5), line({"stream": "e@trade", "data": {"s": "ETHUSDT", "t": 1}})], 2, "is of ETHUSDT"),
    ],
)
def test_a_bad_frame_is_refused_with_its_line(lines: list[bytes], number: int, message: str) -> None:
    with pytest.raises(MarketFileError, match=message) as caught:
        load_frames(Path("x.gz"), b"\n".join(lines))
    assert caught.value.line == number


def test_a_recording_without_trades_is_refused() -> None:
    with pytest.raises(MarketFileError, match="holds no trades"):
        load_frames(Path("x.gz"), SNAPSHOT)


def test_a_recording_replays_its_trades_over_its_book(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-frames.txt"
    path.write_bytes(b"\n".join(GOOD))
    (listed,) = open_market(f"replay:{path}").listings("spot")
    market = listed[1]
    assert market.liquidity.best("BUY") == 100 * ONE
    trades = play(market, NOW + 70)
    assert [(t.time_ms - NOW, t.price, t.taker) for t in trades] == [
        (40, 100 * ONE, "SELL"),
        (60, 100 * ONE, "SELL"),
        (70, 10_010_000_000, "BUY"),
    ]
    assert market.liquidity.quantity("BUY", 10_010_000_000) == 2 * ONE
    market.skip_to(NOW + 200)
    assert market.has_ended
    assert market.liquidity.quantity("BUY", 10_010_000_000) == 9 * ONE
    market.helm.gap(10_000)
    assert len(list(market.liquidity.walk("BUY"))) > 100
