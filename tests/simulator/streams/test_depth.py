from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.instruments import Market
from simulator.streams.book_feeds import DepthFeed, differences
from simulator.streams.names import parse_stream
from simulator.units import ONE, parse_quanta
from tests.simulator.streams.fakes import FakeVenue

_Levels = dict[int, int]
_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 12),
        st.integers(0, 3),
        st.sampled_from([0, 50, 100, 300, 1000]),
    ),
    max_size=60,
)


class _Recorder:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def receive(self, message: Any) -> None:
        self.events.append(message.payload)


def _apply(levels: _Levels, changes: list[list[str]]) -> None:
    for price, quantity in changes:
        if parse_quanta(quantity):
            levels[parse_quanta(price)] = parse_quanta(quantity)
        else:
            levels.pop(parse_quanta(price), None)


@given(before=_CHANGES, changes=_CHANGES, speed=st.sampled_from(["", "@100ms"]))
@settings(max_examples=150)
@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_snapshot_with_every_later_event_is_the_book(
    market: Market,
    before: list[tuple[str, int, int, int]],
    changes: list[tuple[str, int, int, int]],
    speed: str,
) -> None:
    """A client that follows the venue's steps: buffer, snapshot, drop what is older, apply the rest."""
    venue, recorder = FakeVenue(), _Recorder()
    book = venue.exchange(market).book("BTCUSDT")
    key = parse_stream(market, f"btcusdt@depth{speed}")
    assert key is not None

    def play(moves: list[tuple[str, int, int, int]]) -> None:
        for side, price, quantity, pause_ms in moves:
            venue.set_level(market, side, 61_800 + price, quantity * ONE)  # type: ignore[arg-type]
            venue.advance(pause_ms)

    venue.hub.add_listener(key, recorder)
    play(before)
    snapshot_id = book.update_id
    bids, asks = (dict(side) for side in book.depth(5000))
    play(changes)
    venue.advance(2000)

    later = [event for event in recorder.events if event["u"] > snapshot_id]
    if later:
        assert later[0]["U"] <= snapshot_id + 1 <= later[0]["u"]
    for event in later:
        _apply(bids, event["b"])
        _apply(asks, event["a"])
    assert (bids, asks) == (book.bids, book.asks)


@given(changes=_CHANGES)
@pytest.mark.parametrize("market", ["spot", "futures"])
def test_events_chain_without_a_gap(market: Market, changes: list[tuple[str, int, int, int]]) -> None:
    venue, recorder = FakeVenue(), _Recorder()
    key = parse_stream(market, "btcusdt@depth@100ms")
    assert key is not None
    venue.hub.add_listener(key, recorder)
    for side, price, quantity, pause_ms in changes:
        venue.set_level(market, side, 61_800 + price, quantity * ONE)  # type: ignore[arg-type]
        venue.advance(pause_ms)
    last = 100
    for event in recorder.events:
        assert event["U"] == last + 1
        assert event["u"] >= event["U"]
        if market == "futures":
            assert event["pu"] == last
        last = event["u"]


def test_a_book_that_changed_and_changed_back_sends_nothing() -> None:
    venue, recorder = FakeVenue(), _Recorder()
    key = parse_stream("spot", "btcusdt@depth@100ms")
    assert key is not None
    assert isinstance(venue.hub.add_listener(key, recorder), DepthFeed)
    venue.set_level("spot", "BUY", 61_800, ONE)
    venue.set_level("spot", "BUY", 61_800, 0)
    venue.advance(1000)
    assert recorder.events == []


def test_the_stream_without_a_beat_sends_every_change() -> None:
    venue, recorder = FakeVenue(), _Recorder()
    key = parse_stream("futures", "btcusdt@depth@0ms")
    assert key is not None
    venue.hub.add_listener(key, recorder)
    for quantity in (1, 2, 0):
        venue.set_level("futures", "SELL", 61_801, quantity * ONE)
    assert [event["a"] for event in recorder.events] == [
        [["61801.00", "1.000"]],
        [["61801.00", "2.000"]],
        [["61801.00", "0.000"]],
    ]


def test_differences_name_new_changed_and_vanished_levels_by_falling_price() -> None:
    assert differences({10: 1, 9: 2, 8: 3}, {11: 5, 9: 2, 8: 4}) == [(11, 5), (10, 0), (8, 4)]
