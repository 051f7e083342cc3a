from __future__ import annotations

from core.clock import Clock, VenueTime
from domain.order import CANCELLED, OPEN, OrderReport
from exchanges._binance.watchdog import Watchdog


class HandTime:
    """A machine clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_ms(self) -> int:
        return int(self.seconds * 1000)

    def steady_ns(self) -> int:
        return int(self.seconds * 1e9)


def made() -> tuple[Watchdog, HandTime]:
    time = HandTime()
    return Watchdog(Clock(VenueTime(0), time), 30, 5), time


def report(name: str, status: int = OPEN) -> OrderReport:
    return OrderReport(name, "1", status, 0, 0)


def test_silence_without_resting_orders_is_no_complaint() -> None:
    watchdog, time = made()
    time.seconds = 3600
    assert watchdog.complaint() == ""


def test_silence_while_orders_rest_is_a_complaint_and_any_event_ends_it() -> None:
    watchdog, time = made()
    watchdog.saw(report("a"))
    time.seconds = 29
    assert watchdog.complaint() == ""
    time.seconds = 31
    assert "silent" in watchdog.complaint()
    watchdog.heard()
    assert watchdog.complaint() == ""
    time.seconds = 100
    watchdog.saw(report("a", CANCELLED))
    assert watchdog.complaint() == ""


def test_an_accepted_order_that_the_stream_does_not_tell_of_is_a_complaint() -> None:
    watchdog, time = made()
    watchdog.expect("a")
    time.seconds = 6
    assert "does not tell" in watchdog.complaint()
    watchdog.saw(report("a"))
    assert watchdog.complaint() == ""


def test_a_stream_faster_than_the_answer_owes_nothing() -> None:
    watchdog, time = made()
    watchdog.saw(report("a"))
    watchdog.expect("a")
    time.seconds = 6
    assert watchdog.complaint() == ""


def test_a_query_does_not_stand_in_for_the_stream() -> None:
    watchdog, time = made()
    watchdog.expect("a")
    watchdog.rests(report("a", CANCELLED))
    time.seconds = 6
    assert "does not tell" in watchdog.complaint()


def test_a_new_connection_owes_nothing_of_the_old_one() -> None:
    watchdog, time = made()
    watchdog.expect("a")
    time.seconds = 6
    watchdog.restart()
    assert watchdog.complaint() == ""


def test_a_stream_that_had_nothing_to_tell_is_given_more_time_until_it_speaks() -> None:
    watchdog, time = made()
    watchdog.saw(report("a"))
    watchdog.restart()
    bounds = []
    for _ in range(8):
        began = time.seconds
        while not watchdog.complaint():
            time.seconds += 1
        bounds.append(time.seconds - began - 1)
        watchdog.restart()
    assert bounds == [30, 60, 120, 240, 480, 480, 480, 480]
    watchdog.heard()
    time.seconds += 31
    assert watchdog.complaint()


def test_an_order_whose_end_the_stream_lost_is_no_reason_to_expect_news_once_the_venue_lists_it_no_more() -> None:
    watchdog, time = made()
    watchdog.saw(report("ended unheard"))
    watchdog.saw(report("rests"))
    before = watchdog.resting
    watchdog.saw(report("placed while the venue was asked"))
    watchdog.listed(before, {"rests"})
    assert watchdog.resting == {"rests", "placed while the venue was asked"}
    watchdog.listed(watchdog.resting, ())
    time.seconds = 3600
    assert watchdog.complaint() == ""
