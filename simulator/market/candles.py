"""Klines of every venue interval, and statistics of any stretch of time, computed from the trades of one symbol."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from simulator.market.course import DAY_MINUTES, Course
from simulator.market.files import Gap
from simulator.market.intervals import DAY, MINUTE, bar_open, next_open, previous_open
from simulator.market.minutes import NO_ROW, MinuteTable, Row, add_rows, empty, join, reduce_rows, row_of
from simulator.market.trades import TradeLog
from simulator.market.types import Bar

_ROWS_AT_ONCE = 200_000
BLOCK = 15 * MINUTE
"""What long bars are put together from; every time zone lies on it."""
DAY_BLOCKS = DAY // BLOCK
_BLOCK_EDGES = np.arange(0, DAY_MINUTES + 1, BLOCK // MINUTE)
_NO_BLOCKS = empty(DAY_BLOCKS)
_DAYS_AT_ONCE = 4
LONG_DAYS = 60
"""A past as long as this is worth computing before it is asked for."""


class Candles:
    """Bars of one symbol up to now. Minutes wholly inside an outage have no bar, quiet ones have an empty bar."""

    def __init__(self, course: Course, log: TradeLog, outages: Sequence[Gap] = ()) -> None:
        self._course = course
        self._log = log
        self._outages = [gap for gap in outages if gap.to_ms > gap.from_ms]
        self._outage_starts = [gap.from_ms for gap in self._outages]
        self._days: dict[int, MinuteTable] = {}
        self._warm: tuple[int, int] | None = None
        """The next day to be computed going up, and going down; see `warm`."""
        self._finished: dict[str, tuple[int, int, int, Row]] = {}
        self._live: tuple[int, int, Row] = (-1, -1, NO_ROW)

    # -- rows of trades

    def table(self, first: int, end: int) -> MinuteTable:
        """Minute rows of the trades so far, from minute `first` up to, not including, `end`. Read only."""
        planned = self._course.table(first, end)
        told = self._log.told_minutes(first, end)
        plan = self._course.plan
        border = plan.minute_of(self._log.position)
        if not told and (border is None or border >= end):
            return planned
        table = planned.copy()
        if border is not None and border < end:
            table.count[max(border - first, 0) :] = 0
            if border >= first:
                table.set_row(border - first, self._row_of_trades(border * MINUTE, (border + 1) * MINUTE))
        for minute, trades in told:
            table.set_row(minute - first, row_of(trades))
        return table

    def row(self, from_ms: int, to_ms: int) -> Row:
        """Exact sums of the trades from a moment up to, not including, another."""
        first, end = -(-from_ms // MINUTE), to_ms // MINUTE
        if first >= end:
            return self._row_of_trades(from_ms, to_ms)
        middle = reduce_rows(self.table(first, end), np.array([0, end - first])).row(0)
        row = add_rows(self._row_of_trades(from_ms, first * MINUTE), middle)
        return add_rows(row, self._row_of_trades(end * MINUTE, to_ms))

    def _row_of_trades(self, from_ms: int, to_ms: int) -> Row:
        if from_ms >= to_ms:
            return NO_ROW
        first, end = self._log.first_id_from(from_ms), self._log.first_id_from(to_ms)
        return row_of(self._log.slice(first, end - 1)[0]) if first < end else NO_ROW

    def price_before(self, time_ms: int) -> int:
        """Price of the last trade before a moment; the plan's initial price when there was none."""
        number = self._log.first_id_from(time_ms) - 1
        if number < 1:
            return self._course.plan.initial_price * self._course.plan.grid.tick
        return self._log.slice(number, number)[0][0].price

    # -- bars

    def bars(
        self, interval: str, start_ms: int | None, end_ms: int | None, limit: int, now_ms: int, offset_ms: int = 0
    ) -> list[Bar]:
        """The venue's klines request; see `SymbolMarket.bars`."""
        if start_ms is not None and start_ms == end_ms and not offset_ms and start_ms == bar_open(interval, now_ms):
            bar = self.current(interval, now_ms)
            if bar.trades:
                return [bar]
        opens = self._opens(interval, start_ms, end_ms, limit, now_ms, offset_ms)
        if not opens:
            return []
        edges = [*opens, next_open(interval, opens[-1], offset_ms)]
        rows = self._second_rows(edges) if interval == "1s" else self._rows(edges)
        price = self.price_before(edges[0])
        number = self._log.first_id_from(edges[0])
        bars = []
        for (opened, following), row in zip(pairwise(edges), rows, strict=True):
            if row[0] or not self.is_outage(opened, following):
                bars.append(make_bar(opened, following, row, price, number))
            if row[0]:
                price = row[4]
                number += row[0]
        return bars

    def _opens(
        self, interval: str, start_ms: int | None, end_ms: int | None, limit: int, now_ms: int, offset_ms: int
    ) -> list[int]:
        oldest = bar_open(interval, self._course.plan.first_minute * MINUTE, offset_ms)
        newest = bar_open(interval, now_ms if end_ms is None else min(end_ms, now_ms), offset_ms)
        opens: list[int] = []
        if start_ms is None:
            moment = newest
            while limit and moment >= oldest:
                opens.append(moment)
                limit -= not self._is_left_out(interval, moment, offset_ms)
                moment = previous_open(interval, moment, offset_ms)
            return opens[::-1]
        moment = bar_open(interval, max(start_ms, oldest), offset_ms)
        if moment < start_ms:
            moment = next_open(interval, moment, offset_ms)
        while limit and moment <= newest:
            opens.append(moment)
            limit -= not self._is_left_out(interval, moment, offset_ms)
            moment = next_open(interval, moment, offset_ms)
        return opens

    def _is_left_out(self, interval: str, opened: int, offset_ms: int) -> bool:
        """Whether a bar lies wholly inside an outage, so that it does not count among those asked for."""
        return bool(self._outages) and self.is_outage(opened, next_open(interval, opened, offset_ms))

    def _second_rows(self, edges: list[int]) -> list[Row]:
        trades, _ = self._log.slice(self._log.first_id_from(edges[0]), self._log.first_id_from(edges[-1]) - 1)
        by_second: dict[int, list[int]] = {}
        for place, trade in enumerate(trades):
            by_second.setdefault(trade.time_ms - trade.time_ms % 1000, []).append(place)
        return [row_of([trades[place] for place in by_second.get(opened, ())]) for opened in edges[:-1]]

    def _rows(self, edges: list[int]) -> list[Row]:
        """Rows of consecutive bars; long stretches are read in blocks, a bounded number at a time."""
        step = BLOCK if self._has_blocks(edges) else MINUTE
        read = self._block_table if step == BLOCK else self.table
        rows: list[Row] = []
        start = 0
        while start < len(edges) - 1:
            stop = start + 1
            while stop < len(edges) - 1 and edges[stop + 1] - edges[start] <= _ROWS_AT_ONCE * step:
                stop += 1
            first = edges[start] // step
            reduced = reduce_rows(read(first, edges[stop] // step), np.array(edges[start : stop + 1]) // step - first)
            rows += [reduced.row(place) for place in range(len(reduced))]
            start = stop
        return rows

    def _has_blocks(self, edges: list[int]) -> bool:
        """Whether bars are best read in blocks: they consist of whole ones and cover days."""
        whole = all(edge % BLOCK == 0 for edge in (edges[0], edges[-1], edges[1] - edges[0]))
        return whole and edges[-1] - edges[0] >= 2 * DAY

    def _block_table(self, first: int, end: int) -> MinuteTable:
        """Rows of blocks of a quarter of an hour."""
        first_day = first // DAY_BLOCKS
        table = join([self._day(day) for day in range(first_day, -(-end // DAY_BLOCKS))])
        return table.slice(first - first_day * DAY_BLOCKS, end - first_day * DAY_BLOCKS)

    def _day(self, day: int) -> MinuteTable:
        """The blocks of a day, remembered when the day is over."""
        found = self._days.get(day)
        if found is not None:
            return found
        if not self._has_begun(day):
            return _NO_BLOCKS
        blocks = reduce_rows(self.table(day * DAY_MINUTES, (day + 1) * DAY_MINUTES), _BLOCK_EDGES)
        if self._is_over(day):
            self._days[day] = blocks
        return blocks

    def _has_begun(self, day: int) -> bool:
        """Whether anything may have traded on a day."""
        plan = self._course.plan
        first, end = day * DAY_MINUTES, (day + 1) * DAY_MINUTES
        if plan.end_minute is not None and first >= plan.end_minute and not self._log.told_minutes(first, end):
            return False
        border = plan.minute_of(self._log.position)
        return border is None or border >= first

    def _is_over(self, day: int) -> bool:
        plan = self._course.plan
        border = plan.minute_of(self._log.position)
        reached = plan.end_minute if border is None else border
        return reached is not None and reached >= (day + 1) * DAY_MINUTES

    def make_ready(
        self, interval: str, start_ms: int | None, end_ms: int | None, limit: int, now_ms: int, offset_ms: int = 0
    ) -> bool:
        """Compute a few of the past days that these bars need; whether none is missing any more."""
        opens = self._opens(interval, start_ms, end_ms, limit, now_ms, offset_ms)
        if not opens:
            return True
        edges = [*opens, next_open(interval, opens[-1], offset_ms)]
        if not self._has_blocks(edges):
            return True
        left = _DAYS_AT_ONCE
        for day in range(edges[0] // DAY, -(-edges[-1] // DAY)):
            if day not in self._days and self._has_begun(day) and self._is_over(day):
                if not left:
                    return False
                self._day(day)
                left -= 1
        return True

    def warm(self, now_ms: int) -> None:
        """Compute a few more days of a long past before anybody asks: the newest, then backwards in time."""
        first = self._course.plan.first_minute // DAY_MINUTES
        today = now_ms // DAY
        if self._warm is None:
            self._warm = (today, today - 1)
        newer, older = self._warm
        for _ in range(_DAYS_AT_ONCE):
            if newer < today and self._is_over(newer):
                self._day(newer)
                newer += 1
            elif older >= first:
                self._day(older)
                older -= 1
        self._warm = (newer, older)

    def current(self, interval: str, now_ms: int) -> Bar:
        """The bar in progress."""
        opened = bar_open(interval, now_ms)
        following = next_open(interval, opened)
        minute = now_ms - now_ms % MINUTE
        if interval == "1s":
            row = self._row_of_trades(opened, following)
        else:
            row = add_rows(self._finished_part(interval, opened, minute), self._live_minute(minute))
        last_id = self._log.last_id
        price = 0 if row[0] else self.price_before(opened)
        return make_bar(opened, following, row, price, last_id - row[0] + 1)

    def _finished_part(self, interval: str, opened: int, minute: int) -> Row:
        """What the bar holds of the minutes before the one in progress."""
        known, start, reached, row = self._finished.get(interval, (-1, 0, 0, NO_ROW))
        if known != opened or reached > minute:
            start, row = opened, NO_ROW
        else:
            start = reached
        if start < minute:
            row = add_rows(row, self._span(start, minute))
        self._finished[interval] = (opened, start, minute, row)
        return row

    def _span(self, from_ms: int, to_ms: int) -> Row:
        """Like `row` between whole minutes, with whole days read as such."""
        first_day, last_day = -(-from_ms // DAY), to_ms // DAY
        if last_day <= first_day:
            return self.row(from_ms, to_ms)
        size = (last_day - first_day) * DAY_BLOCKS
        blocks = self._block_table(first_day * DAY_BLOCKS, last_day * DAY_BLOCKS)
        days = reduce_rows(blocks, np.array([0, size])).row(0)
        return add_rows(add_rows(self.row(from_ms, first_day * DAY), days), self.row(last_day * DAY, to_ms))

    def _live_minute(self, minute: int) -> Row:
        """Trades of the minute in progress; only what is new is added."""
        last = self._log.last_id
        known, reached, row = self._live
        if known != minute or reached > last:
            reached, row = self._log.first_id_from(minute) - 1, NO_ROW
        if reached < last:
            row = add_rows(row, row_of(self._log.slice(reached + 1, last)[0]))
        self._live = (minute, last, row)
        return row

    def is_outage(self, from_ms: int, to_ms: int) -> bool:
        """Whether the market was closed from a moment up to, not including, another."""
        place = bisect_right(self._outage_starts, from_ms) - 1
        return place >= 0 and to_ms <= self._outages[place].to_ms


def make_bar(opened: int, following: int, row: Row, price_before: int, first_id: int) -> Bar:
    """A bar of a row of sums; without trades it stands at the price before it."""
    count, first, high, low, last, volume, taker_volume, quote, taker_quote = row
    if not count:
        return Bar(opened, following - 1, price_before, price_before, price_before, price_before, 0, 0, 0, 0, 0)
    return Bar(
        opened,
        following - 1,
        first,
        high,
        low,
        last,
        volume,
        quote,
        count,
        taker_volume,
        taker_quote,
        first_id,
        first_id + count - 1,
    )
