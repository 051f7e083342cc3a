"""The public trades of one symbol, numbered from 1: most are only planned prints, looked up when somebody asks.

A minute in which everything went as planned is not stored. A minute in which something else happened (a customer's
trade, a print split between orders) is told in full, and shifts the numbers of all that follow.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.market.course import Course
from simulator.market.types import Print, Side, Trade
from simulator.units import ONE

_MINUTE = 60_000


class AggregateTrade(NamedTuple):
    """Fills of one taker order at one price and moment, as aggTrades show them."""

    aggregate_id: int
    price: int
    quantity: int
    first_trade_id: int
    last_trade_id: int
    time_ms: int
    taker: Side


@dataclass(slots=True)
class _ToldMinute:
    """A minute whose trades are kept as they happened."""

    minute: int
    first_id: int
    first_group: int
    planned_end: int
    """Number of the first planned print that is not yet part of it."""
    trades: list[Trade] = field(default_factory=list)
    starts_group: list[bool] = field(default_factory=list)
    groups: int = 0

    def append(self, trade: Trade, starts: bool) -> None:
        self.trades.append(trade)
        self.starts_group.append(starts)
        self.groups += starts


class TradeLog:
    """Trades so far. `position` is the number of planned prints that have happened or been passed over."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._told: list[_ToldMinute] = []
        self._pending: tuple[Print, bool] | None = None
        self.position = 0

    # -- what happens

    def announce(self, p: Print, starts_group: bool) -> None:
        """The next planned print is about to be matched; it stays pending until it is recorded."""
        self.close_pending()
        self._pending = (p, starts_group)

    def close_pending(self) -> None:
        """The announced print is over. If it was not recorded as it stood, its minute is told in full."""
        if self._pending is not None:
            told = self._tell(self._pending[0].time_ms // _MINUTE)
            self._pending = None
            self.position += 1
            told.planned_end = self.position

    def pass_to(self, position: int) -> None:
        """Everything up to a planned print happened as planned."""
        self.close_pending()
        if self._told and position > self.position:
            told = self._told[-1]
            end = min(position, self._course.plan.count_before(told.minute + 1))
            for prints, starts in self._course.pieces(max(self.position, told.planned_end), end):
                for p, start in zip(prints, starts, strict=True):
                    self._append(told, p.time_ms, p.price, p.quantity, p.taker, 0, 0, start)
            told.planned_end = max(told.planned_end, end)
        self.position = max(self.position, position)

    def record(
        self, time_ms: int, price: int, quantity: int, taker: Side, maker_order_id: int, taker_order_id: int
    ) -> Trade:
        """A trade happened: give it the next number."""
        pending = self._pending
        as_planned = (
            pending is not None
            and not maker_order_id
            and not taker_order_id
            and pending[0] == (time_ms, price, quantity, taker)
        )
        minute = time_ms // _MINUTE
        told = self._told[-1] if self._told and self._told[-1].minute >= minute else None
        if as_planned and pending is not None:
            if told is not None:
                self._append(told, time_ms, price, quantity, taker, 0, 0, pending[1])
            self._pending = None
            self.position += 1
            if told is not None:
                told.planned_end = self.position
                return told.trades[-1]
            return _trade(self.last_id, pending[0])
        told = told or self._tell(minute)
        self._append(told, time_ms, price, quantity, taker, maker_order_id, taker_order_id, False)
        return told.trades[-1]

    def _append(
        self,
        told: _ToldMinute,
        time_ms: int,
        price: int,
        quantity: int,
        taker: Side,
        maker_order_id: int,
        taker_order_id: int,
        starts: bool,
    ) -> None:
        last = told.trades[-1] if told.trades else None
        if last is not None:
            time_ms = max(time_ms, last.time_ms)
        before = last and (last.time_ms, last.price, last.taker, last.taker_order_id)
        number = told.first_id + len(told.trades)
        quote = price * quantity // ONE
        trade = Trade(number, time_ms, price, quantity, quote, taker, maker_order_id, taker_order_id)
        told.append(trade, starts or before != (time_ms, price, taker, taker_order_id))

    def _tell(self, minute: int) -> _ToldMinute:
        """The told minute, made from what was planned and has happened in it when it is not told yet."""
        if self._told and self._told[-1].minute >= minute:
            return self._told[-1]
        plan = self._course.plan
        planned = min(plan.count_before(minute), self.position)
        told = _ToldMinute(minute, planned + self._shift + 1, plan.group_of(planned) + self._group_shift, self.position)
        for prints, starts in self._course.pieces(planned, self.position):
            for p, start in zip(prints, starts, strict=True):
                told.append(_trade(told.first_id + len(told.trades), p), start)
        self._told.append(told)
        return told

    # -- numbers

    @property
    def _shift(self) -> int:
        return self._shift_after(len(self._told) - 1)

    def _shift_after(self, index: int) -> int:
        """What to add to (number of a planned print + 1) after a told minute to get its trade id."""
        if index < 0:
            return 0
        told = self._told[index]
        return told.first_id + len(told.trades) - 1 - told.planned_end

    @property
    def _group_shift(self) -> int:
        return self._group_shift_after(len(self._told) - 1)

    def _group_shift_after(self, index: int) -> int:
        if index < 0:
            return 0
        told = self._told[index]
        return told.first_group + told.groups - self._course.plan.group_of(told.planned_end)

    @property
    def last_id(self) -> int:
        """Id of the newest trade; 0 before the first."""
        return self.position + self._shift

    def told_minutes(self, first: int, end: int) -> list[tuple[int, list[Trade]]]:
        """Minutes in [first, end) that did not go as planned, with their trades."""
        start = bisect_left(self._told, first, key=_minute)
        stop = bisect_left(self._told, end, key=_minute)
        return [(told.minute, told.trades) for told in self._told[start:stop]]

    def first_id_from(self, time_ms: int) -> int:
        """Id of the first trade at or after a moment; one past the newest when there is none yet."""
        minute = time_ms // _MINUTE
        index = bisect_left(self._told, minute, key=_minute)
        if index < len(self._told) and self._told[index].minute == minute:
            told = self._told[index]
            return told.first_id + bisect_left(told.trades, time_ms, key=_time)
        plan = self._course.plan
        if time_ms % _MINUTE and plan.count_before(minute) < self.position:
            planned = self._course.count_until(time_ms - 1)
        else:
            planned = plan.count_before(minute)
        return min(planned, self.position) + self._shift_after(index - 1) + 1

    def slice(self, first_id: int, last_id: int) -> tuple[list[Trade], list[bool]]:
        """Trades with ids from `first_id` to `last_id`, both included, and whether each starts a taker order."""
        trades: list[Trade] = []
        starts: list[bool] = []
        first_id, last_id = max(first_id, 1), min(last_id, self.last_id)
        index = bisect_right(self._told, first_id, key=_first_id) - 1
        while first_id <= last_id:
            if index >= 0:
                told = self._told[index]
                begin, stop = first_id - told.first_id, last_id - told.first_id + 1
                trades += told.trades[begin:stop]
                starts += told.starts_group[begin:stop]
                first_id = max(first_id, told.first_id + len(told.trades))
            end = self._told[index + 1].first_id if index + 1 < len(self._told) else last_id + 1
            if first_id < (end := min(end, last_id + 1)):
                shift = self._shift_after(index) + 1
                for prints, flags in self._course.pieces(first_id - shift, end - shift):
                    trades += [_trade(first_id + offset, p) for offset, p in enumerate(prints)]
                    starts += flags
                    first_id += len(prints)
            index += 1
        return trades, starts

    # -- taker orders

    def group_of(self, trade_id: int) -> int:
        """Number of the taker order a trade belongs to."""
        index = bisect_right(self._told, trade_id, key=_first_id) - 1
        if index >= 0:
            told = self._told[index]
            offset = trade_id - told.first_id
            if offset < len(told.trades):
                return told.first_group + sum(told.starts_group[: offset + 1]) - 1
        return self._course.plan.group_of(trade_id - 1 - self._shift_after(index)) + self._group_shift_after(index)

    def first_id_of_group(self, group: int) -> int:
        """Id of the first trade of a taker order; one past the newest for a number not reached yet."""
        if group < 0:
            return 1
        index = bisect_right(self._told, group, key=_first_group) - 1
        if index >= 0:
            told = self._told[index]
            offset = group - told.first_group
            if offset < told.groups:
                where = [place for place, start in enumerate(told.starts_group) if start]
                return told.first_id + where[offset]
        planned = self._course.plan.print_of(group - self._group_shift_after(index))
        return min(planned + self._shift_after(index), self.last_id) + 1

    def aggregates(self, first_group: int, limit: int) -> list[AggregateTrade]:
        """Up to `limit` taker orders from a number on."""
        result: list[AggregateTrade] = []
        first_id = self.first_id_of_group(first_group)
        while len(result) <= limit and first_id <= self.last_id:
            trades, starts = self.slice(first_id, first_id + 2 * limit)
            for trade, start in zip(trades, starts, strict=True):
                if start or not result:
                    result.append(_aggregate(max(first_group, 0) + len(result), trade))
                else:
                    joined = result[-1]
                    quantity = joined.quantity + trade.quantity
                    result[-1] = joined._replace(quantity=quantity, last_trade_id=trade.trade_id)
            first_id += len(trades)
        return result[:limit]


def _aggregate(number: int, trade: Trade) -> AggregateTrade:
    return AggregateTrade(
        number, trade.price, trade.quantity, trade.trade_id, trade.trade_id, trade.time_ms, trade.taker
    )


def _trade(number: int, p: Print) -> Trade:
    return Trade(number, p.time_ms, p.price, p.quantity, p.price * p.quantity // ONE, p.taker)


def _minute(told: _ToldMinute) -> int:
    return told.minute


def _first_id(told: _ToldMinute) -> int:
    return told.first_id


def _first_group(told: _ToldMinute) -> int:
    return told.first_group


def _time(trade: Trade) -> int:
    return trade.time_ms
