from __future__ import annotations

from core.clock import Clock, VenueTime
from domain.fill import Fill
from domain.order import BUY, CANCELLED, OPEN, OrderReport
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


def report(name: str, status: int = OPEN, time_ms: int = 1) -> OrderReport:
    return OrderReport(name, "1", status, 0, time_ms)


def fill(number: str, time_ms: int = 1) -> Fill:
    return Fill("BTCUSDT", number, "a", BUY, 1, 1, 0, "BTC", True, time_ms)


def test_silence_is_a_complaint_unless_pings_are_answered() -> None:
    watchdog, time = made()
    for _ in range(100):
        time.seconds += 29
        assert watchdog.is_quiet
        assert watchdog.complaint() == ""
        watchdog.heard()
        assert not watchdog.is_quiet
    time.seconds += 31
    assert "silent" in watchdog.complaint()


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


def test_an_order_that_has_ended_and_is_told_of_as_open_alone_is_a_complaint() -> None:
    watchdog, time = made()
    watchdog.expect("a")
    watchdog.saw(report("a"))
    watchdog.expect("a", is_end=True)
    time.seconds = 4
    watchdog.expect("a", is_end=True)
    time.seconds = 6
    assert "does not tell" in watchdog.complaint()
    watchdog.saw(report("a", CANCELLED))
    assert watchdog.complaint() == ""
    watchdog.expect("a", is_end=True)
    time.seconds = 12
    assert watchdog.complaint() == ""


def test_a_trade_or_an_end_that_only_rest_tells_of_is_a_complaint() -> None:
    for untold in (fill("2", 12), report("b", CANCELLED, 12)):
        watchdog, time = made()
        time.seconds = 6
        watchdog.learn(fill("1", 10))
        watchdog.saw(fill("1", 10))
        watchdog.learn(fill("1", 10))
        watchdog.learn(report("b", OPEN, 11))
        time.seconds = 12
        assert watchdog.complaint() == ""
        watchdog.learn(untold)
        time.seconds = 18
        assert "does not tell" in watchdog.complaint()


def test_what_happened_before_the_connection_is_not_owed_by_it() -> None:
    watchdog, time = made()
    time.seconds = 6
    watchdog.saw(fill("1", 10))
    watchdog.restart()
    time.seconds = 8
    watchdog.learn(fill("2", 15))  # the look back that every connection begins with
    time.seconds = 14
    for known in (fill("1", 10), fill("2", 15), report("a", CANCELLED, 9)):
        watchdog.learn(known)
    time.seconds = 20
    assert watchdog.complaint() == ""
    watchdog.learn(report("b", CANCELLED, 16))
    time.seconds = 26
    assert "told of b" in watchdog.complaint()


def test_what_was_told_so_long_ago_that_it_is_forgotten_is_not_owed_again() -> None:
    watchdog, time = made()
    time.seconds = 6
    for number in range(3_000):
        watchdog.saw(fill(str(number), 1 + number))
    for number in range(3_000):
        watchdog.learn(fill(str(number), 1 + number))
    time.seconds = 12
    assert watchdog.complaint() == ""
    watchdog.learn(fill("new", 4_000))
    time.seconds = 18
    assert "trade new" in watchdog.complaint()


def test_a_new_connection_owes_nothing_of_the_old_one() -> None:
    watchdog, time = made()
    watchdog.expect("a")
    time.seconds = 6
    watchdog.restart()
    assert watchdog.complaint() == ""
