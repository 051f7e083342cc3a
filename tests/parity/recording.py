"""What an engine saw and what it decided, and the same market replayed in the backtester.

A recording is the prices that an instance was told, the bars it was handed, and the moments at which it decided, in
their order, with the price it then knew; beside them every order and cancellation that its journal was asked to keep.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import numpy

from core.base_exchange import Bar
from core.base_journal import Step
from core.base_strategy import STRATEGIES
from domain.client_order_id import decode
from domain.instrument import Instrument
from domain.risk_manager import RiskLimits
from engine.backtest import History, Result, Settings, run
from engine.backtest.history import prints_of
from engine.backtest.kernel.layout import ORDER_FIELDS

PPM_PER_PERCENT = 10_000


class Decision(NamedTuple):
    """An order or a cancellation, as the law wished it; when and under which attempt is not the law's."""

    slot: int
    cycle: int
    leg: int
    side: int
    type: int
    ticks: int
    lots: int
    is_cancel: bool


class Decided(NamedTuple):
    """A decision, and the number of the moment of the market that has caused it."""

    moment: int
    what: Decision


class Row(NamedTuple):
    """A price that was told, or the price as it stood when something was decided."""

    time_ms: int
    ticks: int
    lots: int
    moment: int


@dataclass
class Recording:
    """One instance's market and decisions."""

    instrument: Instrument
    #: In the order in which they came.
    rows: list[Row] = field(default_factory=list)
    #: Closed bars, those of the warm-up first.
    bars: list[Bar] = field(default_factory=list)
    decisions: list[Decided] = field(default_factory=list)
    #: Whoever drives the market counts it up before something happens, and waits then until all has come to rest.
    moment: int = 0
    _orders: dict[str, Decision] = field(default_factory=dict)

    def see(self, time_ms: int, ticks: int, lots: int) -> None:
        """A price, or the price as it stood at a moment of decision."""
        self.rows.append(Row(max(time_ms, self.rows[-1].time_ms if self.rows else 0), ticks, lots, self.moment))

    def keep(self, step: Step) -> None:
        """What a step is about to do: cancellations are decided before orders, and take effect before them."""
        for name in step.cancels:
            self.decisions.append(Decided(self.moment, self._orders[name]._replace(is_cancel=True)))
        for order in step.intents:
            key = decode(order.client_order_id)
            self._orders[order.client_order_id] = decided = Decision(
                key.slot, key.cycle, key.leg, order.side, order.type, order.ticks, order.lots, is_cancel=False
            )
            self.decisions.append(Decided(self.moment, decided))

    def moment_at(self, time_ms: int) -> int:
        """The last moment that had begun at a time."""
        return self.rows[max(bisect_right(self.rows, time_ms, key=lambda row: row.time_ms), 1) - 1].moment

    def market(self) -> History:
        """The prices as a history. The first stands for the price at the start: nothing is decided before it."""
        times, ticks, lots, _ = (numpy.array(column, numpy.int64) for column in zip(*self.rows, strict=True))
        return prints_of(self.instrument, times, ticks, lots)

    def closed_bars(self, bar_ms: int) -> History:
        """The bars as a history."""
        rows = numpy.array([bar[2:] for bar in self.bars], numpy.int64)
        times, opens, highs, lows, closes, volumes = (numpy.ascontiguousarray(rows[:, place]) for place in range(6))
        return History(self.instrument, bar_ms, times, opens, highs, lows, closes, volumes)


def history_of(kind: str, params: Mapping[str, Any], recording: Recording, bar_ms: int) -> History:
    """What a strategy has lived on: closed bars from its warm-up on, or prices."""
    strategy = STRATEGIES.get(kind)
    start_ms, ticks, *_ = recording.rows[0]
    plan = strategy.prepare(strategy.params(**params), recording.instrument, ticks)
    if not plan.wants_bars:
        return recording.market()
    bars = recording.closed_bars(bar_ms)
    began = next(place for place, bar in enumerate(recording.bars) if bar.open_ms + bar_ms > start_ms + 1)
    return bars.part(began - plan.warm_up_bars, len(bars))


def replayed(
    kind: str, params: Mapping[str, Any], recording: Recording, funds: Mapping[str, Decimal], limits: RiskLimits,
    bar_ms: int, fee_ppm: int = 1_000, fill_model: Literal["touch", "through"] = "touch",
) -> list[Decided]:  # fmt: skip
    """What the backtester decides on a recorded market, without latency and with the same fees."""
    strategy, instrument = STRATEGIES.get(kind), recording.instrument
    percent = Decimal(fee_ppm) / PPM_PER_PERCENT
    settings = Settings(
        quote=funds.get(instrument.quote, Decimal(0)), base=funds.get(instrument.base, Decimal(0)),
        maker_fee=percent, taker_fee=percent, limits=limits, fill_model=fill_model, log_orders=True,
        runtime="interpreted",
    )  # fmt: skip
    history = history_of(kind, params, recording, bar_ms)
    return decisions_of(run(strategy, strategy.params(**params), history, settings), recording)


def decisions_of(result: Result, recording: Recording) -> list[Decided]:
    """Every order and cancellation of a backtest on a recording."""
    places = [ORDER_FIELDS.index(name) for name in Decision._fields if name != "is_cancel"]
    time, cancel = ORDER_FIELDS.index("time_ms"), ORDER_FIELDS.index("cancel")
    return [
        Decided(recording.moment_at(row[time]), Decision._make([*(row[place] for place in places), bool(row[cancel])]))
        for row in result.orders.tolist()
    ]


def first_difference(live: Sequence[Decided], again: Sequence[Decided]) -> str:
    """Where two sequences part, in words; empty when they are the same."""
    for place, (one, other) in enumerate(zip(live, again, strict=False)):
        if one.what != other.what:
            return f"decision {place} of {len(live)}: live {one}, replayed {other}"
    return "" if len(live) == len(again) else f"live {len(live)} decisions, replayed {len(again)}"


def by_moment(decided: Iterable[Decided], recording: Recording) -> list[Decided]:
    """The same, sorted among those that one moment of the market has caused.

    A price that reaches a resting order and a level that is waited for is told by two streams. Which of them is first
    is the venue's, and seldom matters to what is decided on both. Moments of the same millisecond count as one.
    """
    last = {row.moment: recording.moment_at(row.time_ms) for row in recording.rows}
    return sorted(Decided(last.get(one.moment, one.moment), one.what) for one in decided)


def without_passing(sorted_by_moment: Sequence[Decided]) -> list[Decided]:
    """What is left when orders that one moment has placed and withdrawn again are left out."""
    placed = Counter(sorted_by_moment)
    for one in sorted_by_moment:
        counterpart = one._replace(what=one.what._replace(is_cancel=True))
        if not one.what.is_cancel and placed[counterpart]:
            placed[one] -= 1
            placed[counterpart] -= 1
    return sorted(placed.elements())
