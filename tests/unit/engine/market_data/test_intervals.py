from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ms_from_utc
from engine.market_data.intervals import LENGTHS, UnknownInterval, bar_open, bars_before, next_open


def moment(*parts: int) -> int:
    return ms_from_utc(datetime(*parts, tzinfo=UTC))  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("interval", "opens"),
    [
        ("1m", (2025, 12, 31, 23, 59)),
        ("4h", (2025, 12, 31, 20)),
        ("1d", (2025, 12, 31)),
        ("1w", (2025, 12, 29)),
        ("1M", (2025, 12, 1)),
    ],
)
def test_a_bar_begins_where_the_venue_begins_it(interval: str, opens: tuple[int, ...]) -> None:
    assert bar_open(interval, moment(2025, 12, 31, 23, 59, 30)) == moment(*opens)


def test_the_month_after_december_is_january() -> None:
    assert next_open("1M", moment(2025, 12, 1)) == moment(2026, 1, 1)
    assert bars_before("1M", moment(2026, 1, 1), 13) == moment(2024, 12, 1)


def test_an_interval_that_no_venue_has_is_refused_by_name() -> None:
    with pytest.raises(UnknownInterval, match="7m"):
        bar_open("7m", 0)


@given(st.sampled_from([*LENGTHS, "1M"]), st.integers(0, 4_000_000_000_000), st.integers(0, 50))
def test_bars_follow_one_another_without_a_hole(interval: str, time_ms: int, count: int) -> None:
    opens = bar_open(interval, time_ms)
    assert opens <= time_ms < next_open(interval, opens)
    assert bar_open(interval, opens) == opens
    back = bars_before(interval, opens, count)
    for _ in range(count):
        back = next_open(interval, back)
    assert back == opens
