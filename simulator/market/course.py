"""A plan as it will really happen: steered, cut into chunks for replay and into days for klines."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass

from simulator.market.minutes import MinuteTable, join, tabulate
from simulator.market.plans import Plan
from simulator.market.steering import Steering
from simulator.market.types import Print

CHUNK_MINUTES = 32
DAY_MINUTES = 1440
_CHUNKS_KEPT = 48
_MINUTES_KEPT = 48
_DAYS_KEPT = 400


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some minutes' prints as Python objects in quanta; the first has the number `first_number`."""

    first_number: int
    times: list[int]
    prints: list[Print]
    starts_group: list[bool]

    def count_until(self, time_ms: int) -> int:
        """How many prints there are up to and including a moment, counted from the plan's beginning."""
        return self.first_number + bisect_right(self.times, time_ms)


class Course:
    """The planned prints of one symbol after steering."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.steering = Steering()
        self.version = 0
        """Grows by one whenever chunks taken earlier are no longer true."""
        self._chunks: OrderedDict[int, Chunk] = OrderedDict()
        self._minutes: OrderedDict[int, Chunk] = OrderedDict()
        """Chunks of one minute, for looks in passing."""
        self._days: OrderedDict[int, MinuteTable] = OrderedDict()
        """The rows of each day from its beginning; where somebody steers, only those that were asked for."""

    def forget_from(self, time_ms: int) -> None:
        """Steering changed: what was computed for later than `time_ms` no longer holds."""
        self._chunks.clear()
        self._minutes.clear()
        self.version += 1
        day, minute = divmod(time_ms // 60_000, DAY_MINUTES)
        for stale in [known for known in self._days if known > day]:
            del self._days[stale]
        if day in self._days:
            self._days[day] = self._days[day].slice(0, minute)

    def chunk(self, minute: int) -> Chunk:
        """The chunk that holds a minute."""
        index = minute // CHUNK_MINUTES
        found = self._chunks.get(index)
        if found is None:
            found = self._chunks[index] = self._make_chunk(index * CHUNK_MINUTES)
            if len(self._chunks) > _CHUNKS_KEPT:
                self._chunks.popitem(last=False)
        return found

    def _make_chunk(self, first: int, minutes: int = CHUNK_MINUTES) -> Chunk:
        made = self.steering.apply(self.plan.prints(first, first + minutes))
        tick, lot = self.plan.grid.tick, self.plan.grid.lot
        times = made.time_ms.tolist()
        columns = zip(times, made.price.tolist(), made.quantity.tolist(), made.is_buy.tolist(), strict=True)
        prints = [Print(t, p * tick, q * lot, "BUY" if b else "SELL") for t, p, q, b in columns]
        return Chunk(self.plan.count_before(first), times, prints, made.starts_group.tolist())

    def chunk_of(self, number: int) -> Chunk | None:
        """The chunk that holds a print; None after the last print."""
        minute = self.plan.minute_of(number)
        return None if minute is None else self.chunk(minute)

    def count_until(self, time_ms: int) -> int:
        """How many prints happen up to and including a moment."""
        return self._piece(time_ms // 60_000).count_until(time_ms)

    def print_at(self, number: int) -> Print | None:
        """One print by its number; None outside the plan."""
        piece = self._piece_of(number) if number >= 0 else None
        return None if piece is None else piece.prints[number - piece.first_number]

    def _piece_of(self, number: int) -> Chunk | None:
        minute = self.plan.minute_of(number)
        return None if minute is None else self._piece(minute)

    def _piece(self, minute: int) -> Chunk:
        """The chunk that holds a minute when it is at hand, else that minute alone: enough for one look in passing."""
        found = self._chunks.get(minute // CHUNK_MINUTES) or self._minutes.get(minute)
        if found is None:
            found = self._minutes[minute] = self._make_chunk(minute, 1)
            if len(self._minutes) > _MINUTES_KEPT:
                self._minutes.popitem(last=False)
        return found

    def pieces(self, first: int, end: int) -> list[tuple[list[Print], list[bool]]]:
        """The prints numbered from `first` up to, not including, `end`, with their group starts, in pieces."""
        result = []
        find = self._piece_of if end - first == 1 else self.chunk_of
        while first < end and (chunk := find(first)) is not None:
            start = first - chunk.first_number
            stop = min(end - chunk.first_number, len(chunk.prints))
            result.append((chunk.prints[start:stop], chunk.starts_group[start:stop]))
            first = chunk.first_number + stop
        return result

    def table(self, first: int, end: int) -> MinuteTable:
        """Minute rows from `first` up to, not including, `end`, as planned; views of cached days."""
        parts = []
        for day in range(first // DAY_MINUTES, -(-end // DAY_MINUTES)):
            base = day * DAY_MINUTES
            stop = min(end - base, DAY_MINUTES)
            parts.append(self._day(day, stop).slice(max(first - base, 0), stop))
        return join(parts)

    def _day(self, day: int, stop: int) -> MinuteTable:
        """The rows of a day, at least those of its first `stop` minutes."""
        found = self._days.get(day)
        if found is not None and len(found) >= stop:
            return found
        begin, known = day * DAY_MINUTES, 0 if found is None else len(found)
        if self._is_steered(begin + DAY_MINUTES):
            # Whoever steers does so again and again, and what is still to come of the day is never asked for.
            whole = min(-(-stop // CHUNK_MINUTES) * CHUNK_MINUTES, DAY_MINUTES)
            more = tabulate(self.steering.apply(self.plan.prints(begin + known, begin + whole)), self.plan.grid)
            made = more if found is None else join([found, more])
        else:
            made = self.plan.table(begin, begin + DAY_MINUTES)
        self._days[day] = made
        if len(self._days) > _DAYS_KEPT:
            self._days.popitem(last=False)
        return made

    def _is_steered(self, end: int) -> bool:
        """Whether anything before minute `end` happens otherwise than planned."""
        return not self.steering.is_idle and end * 60_000 > self.steering.since_ms
