"""Passing over prints that nobody needs to see: which is the first that somebody does, and which is the last."""

from __future__ import annotations

from collections.abc import Callable

from simulator.market.course import Course
from simulator.market.trades import TradeLog


class Passing:
    """Looks ahead in one market's plan, and lets prints of it happen unseen."""

    def __init__(
        self, course: Course, log: TradeLog, catch_up: Callable[[], None], skipped: Callable[[int], None]
    ) -> None:
        """Of the market: its plan and trades, how it is brought up to date, and who counts what happened unseen."""
        self._course = course
        self._log = log
        self._catch_up = catch_up
        self._skipped = skipped

    def first_outside(self, low: int, high: int, until_ms: int) -> int | None:
        """When the first print at or below `low`, or at or above `high`, falls due; None when none does by a moment."""
        self._catch_up()
        number = self._log.position
        while (chunk := self._course.chunk_of(number)) is not None:
            for p in chunk.prints[number - chunk.first_number :]:
                if p.time_ms > until_ms:
                    return None
                if not low < p.price < high:
                    return p.time_ms
            number = chunk.first_number + len(chunk.prints)
        return None

    def all_but_last(self, until_ms: int) -> int | None:
        """Let all but the last print due by a moment happen as planned; gives that one's time, None without any."""
        self._catch_up()
        last = self._course.count_until(until_ms) - 1
        if last < self._log.position:
            return None
        self._skipped(last - self._log.position)
        self._log.pass_to(last)
        chunk = self._course.chunk_of(last)
        return None if chunk is None else chunk.times[last - chunk.first_number]

    def aggregate_of(self, trade_id: int) -> int:
        """Number of the taker order a trade belongs to."""
        return self._log.group_of(trade_id)
