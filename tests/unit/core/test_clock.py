from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.clock import VenueTime, ms_from_utc, system_clock, utc_from_ms


@given(some.integers(-(10**13), 10**13))
def test_milliseconds_survive_the_way_through_a_datetime(milliseconds: int) -> None:
    moment = utc_from_ms(milliseconds)
    assert moment.tzinfo is UTC
    assert ms_from_utc(moment) == milliseconds


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    shanghai = timezone(timedelta(hours=8))
    assert ms_from_utc(datetime(1970, 1, 1, 8, 0, 1, tzinfo=shanghai)) == 1000


def test_a_moment_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        ms_from_utc(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_venue_time_follows_the_venue_and_never_runs_backwards() -> None:
    venue = VenueTime(1_000)
    venue.follow(5_000)
    venue.follow(4_000)
    assert venue.now_ms() == 5_000


def test_the_system_clock_shows_one_time_on_both_faces() -> None:
    clock = system_clock()
    first, second = clock.trading.now_ms(), clock.machine.now_ms()
    assert 0 <= second - first < 60_000
    assert clock.machine.steady_ns() <= clock.machine.steady_ns()
