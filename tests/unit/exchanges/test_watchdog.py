from __future__ import annotations

from datetime import timedelta

from core.clock import Clock, VenueTime
from domain.fill import Fill
from domain.order import BUY, CANCELLED, OPEN, OrderReport
from exchanges._binance.watchdog import Watchdog
from tests.fakes.hands import Hands

SECOND = timedelta(seconds=1)


def made() -> tuple[Watchdog, Hands]:
    time = Hands()
    return Watchdog(Clock(VenueTime(0), time), 30, 5), time


def report(name: str, status: int = OPEN, time_ms: int = 1) -> OrderReport:
    return OrderReport(name, "1", status, 0, time_ms)


def fill(number: str, time_ms: int = 1) -> Fill:
    return Fill("BTCUSDT", number, "a", BUY, 1, 1, 0, "BTC", True, time_ms)


def test_silence_is_a_complaint_unless_pings_are_answered() -> None:
    watchdog, time = made()
    for _ in range(100):
        time.pass_time(29 * SECOND)
        assert watchdog.is_quiet
        assert watchdog.complaint() == ""
        watchdog.heard()
        assert not watchdog.is_quiet
    time.pass_time(31 * SECOND)
    assert "silent" in watchdog.complaint()


def test_an_accepted_order_that_the_stream_does_not_tell_of_is_a_complaint() -> None:
    watchdog, time = made()
    watchdog.expect("a")
    time.pass_time(6 * SECOND)
    assert "does not tell" in watchdog.complaint()
    watchdog.saw(report("a"))
    assert watchdog.complaint() == ""


def test_a_stream_faster_than_the_answer_owes_nothing() -> None:
    watchdog, time = made()
    watchdog.saw(report("a"))
    watchdog.expect("a")
    time.pass_time(6 * SECOND)
    assert watchdog.complaint() == ""


def test_an_order_that_has_ended_and_is_told_of_as_open_alone_is_a_complaint() -> None:
    watchdog, time = made()
    watchdog.expect("a")
    watchdog.saw(report("a"))
    watchdog.expect("a", is_end=True)
    time.pass_time(4 * SECOND)
    watchdog.expect("a", is_end=True)
    time.pass_time(2 * SECOND)
    assert "does not tell" in watchdog.complaint()
    watchdog.saw(report("a", CANCELLED))
    assert watchdog.complaint() == ""
    watchdog.expect("a", is_end=True)
    time.pass_time(6 * SECOND)
    assert watchdog.complaint() == ""


def test_a_trade_or_an_end_that_only_rest_tells_of_is_a_complaint() -> None:
    for untold in (fill("2", 12), report("b", CANCELLED, 12)):
        watchdog, time = made()
        time.pass_time(6 * SECOND)
        watchdog.learn(fill("1", 10))
        watchdog.saw(fill("1", 10))
        watchdog.learn(fill("1", 10))
        watchdog.learn(report("b", OPEN, 11))
        time.pass_time(6 * SECOND)
        assert watchdog.complaint() == ""
        watchdog.learn(untold)
        time.pass_time(6 * SECOND)
        assert "does not tell" in watchdog.complaint()


def test_what_happened_before_the_connection_is_not_owed_by_it() -> None:
    watchdog, time = made()
    time.pass_time(6 * SECOND)
    watchdog.saw(fill("1", 10))
    watchdog.restart()
    time.pass_time(2 * SECOND)
    watchdog.learn(fill("2", 15))  # the look back that every connection begins with
    time.pass_time(6 * SECOND)
    for known in (fill("1", 10), fill("2", 15), report("a", CANCELLED, 9)):
        watchdog.learn(known)
    time.pass_time(6 * SECOND)
    assert watchdog.complaint() == ""
    watchdog.learn(report("b", CANCELLED, 16))
    time.pass_time(6 * SECOND)
    assert "told of b" in watchdog.complaint()


def test_what_was_told_so_long_ago_that_it_is_forgotten_is_not_owed_again() -> None:
    watchdog, time = made()
    time.pass_time(6 * SECOND)
    for number in range(3_000):
        watchdog.saw(fill(str(number), 1 + number))
    for number in range(3_000):
        watchdog.learn(fill(str(number), 1 + number))
    time.pass_time(6 * SECOND)
    assert watchdog.complaint() == ""
    watchdog.learn(fill("new", 4_000))
    time.pass_time(6 * SECOND)
    assert "trade new" in watchdog.complaint()


def test_a_new_connection_owes_nothing_of_the_old_one() -> None:
    watchdog, time = made()
    watchdog.expect("a")
    time.pass_time(6 * SECOND)
    watchdog.restart()
    assert watchdog.complaint() == ""
