from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from domain.errors import Refused
from engine.backtest.history import BadHistory, History
from engine.backtest.store import Damaged, Store, gaps, pack, resampled, unpack
from tests.histories import BEGIN, MINUTE, chance


def without(history: History, *places: int) -> History:
    kept = numpy.setdiff1d(numpy.arange(len(history)), places)
    times, opens, highs, lows, closes, volumes = (numpy.ascontiguousarray(column[kept]) for column in history.columns)
    return History(history.instrument, history.bar_ms, times, opens, highs, lows, closes, volumes)


def test_what_is_kept_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    history = chance(1, 500)
    store = Store(tmp_path)
    store.keep("minutes", history)
    found = store.get("minutes")
    assert (found.digest, found.instrument, found.bar_ms) == (history.digest, history.instrument, MINUTE)
    assert [kept.name for kept in store.all()] == ["minutes"]
    assert pack(found) == pack(history)


def test_a_changed_bit_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path)
    content = bytearray(store.keep("minutes", chance(1, 500)).read_bytes())
    refused = 0
    for at in range(4, len(content) - 4, len(content) // 40):
        content[at] ^= 1
        try:
            assert unpack(bytes(content)).digest == chance(1, 500).digest  # a bit that carries nothing of the history
        except Damaged:
            refused += 1
        content[at] ^= 1
    assert refused > 20
    (tmp_path / "minutes.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(Damaged, match="import it again"):
        store.get("minutes")


def test_gaps_are_told_by_their_place_and_length() -> None:
    history = without(chance(1, 100), 10, 11, 12, 50)
    assert [(gap.begin_ms - BEGIN, gap.bars) for gap in gaps(history)] == [(10 * MINUTE, 3), (50 * MINUTE, 1)]


def test_longer_bars_are_made_of_shorter_ones() -> None:
    history = chance(3, 60 * 5)
    hours = resampled(history, 60 * MINUTE)
    assert len(hours) == 5
    for hour in range(5):
        part = slice(60 * hour, 60 * hour + 60)
        assert int(hours.open_ms[hour]) == BEGIN + 60 * MINUTE * hour
        assert (hours.open[hour], hours.close[hour]) == (history.open[part][0], history.close[part][-1])
        assert (hours.high[hour], hours.low[hour]) == (history.high[part].max(), history.low[part].min())
        assert hours.volume[hour] == history.volume[part].sum()
    assert hours.warnings == ()


def test_bars_with_missing_parts_and_unfinished_ends_are_told() -> None:
    hours = resampled(without(chance(3, 60 * 5 + 10), 0, 100), 60 * MINUTE)
    assert len(hours) == 4
    assert int(hours.open_ms[0]) == BEGIN + 60 * MINUTE
    assert any(words.startswith("1 bars") and "missing" in words for words in hours.warnings)
    assert any(words.startswith("2 bars at the ends") for words in hours.warnings)
    with pytest.raises(BadHistory, match="take a multiple"):
        resampled(chance(3, 100), 90_000)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 101])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "inside")
    assert not store.has(name)
    with pytest.raises(Refused, match="no name"):
        store.keep(name, chance(1, 10))


def test_what_is_not_there_is_told_with_what_is(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep("minutes", chance(1, 10))
    with pytest.raises(BadHistory, match="there is minutes"):
        store.get("hours")
