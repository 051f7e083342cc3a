"""The tracking-error ledger: ideal copy less actual copy, split exactly into what caused it.

The ideal copy holds the exact share of the master's position, traded at the master's price at that moment, without
fees. Both copies are valued at the same marks, so their difference changes only by four things: the price moves
while they hold different amounts; one of them trades at another price than the mark; a fee is paid; one of them pays or
gets more funding. Each such change goes into one cause, as an integer, so the causes add up to the difference exactly,
always.

Funding is paid for what is held at a whole hour, and known of later. So a record remembers what both copies held when
the hour of their newest change began: that, or what they hold now, is what the funding is for.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.copying.target import Decision
from domain.copying.terms import PPM
from domain.funding import FundingRate
from domain.instrument import Instrument

HOUR_MS: Final = 3_600_000


class Causes(NamedTuple):
    """What the ideal copy has earned more than the actual one, by cause, in `unit`s of the ledger."""

    latency: int = 0
    slippage: int = 0
    rounding: int = 0
    caps: int = 0
    skipped: int = 0
    fees: int = 0
    funding: int = 0

    @property
    def total(self) -> int:
        """All causes together."""
        return sum(self)


class Gaps(NamedTuple):
    """How much more the ideal copy holds than the actual one, by cause, in millionths of a base quantum."""

    latency: int = 0
    rounding: int = 0
    caps: int = 0
    skipped: int = 0


class Tracking(NamedTuple):
    """One relationship on one symbol. Values count from the beginning of the record."""

    #: The mark in ticks; 0 before the first.
    ticks: int = 0
    ideal: int = 0
    actual: int = 0
    gaps: Gaps = Gaps()
    #: What each copy has come to, in units.
    ideal_value: int = 0
    actual_value: int = 0
    causes: Causes = Causes()
    #: Hours since 1970 of the newest change of a copy, in trading time, and what both held when that hour began.
    hour: int = 0
    ideal_before: int = 0
    actual_before: int = 0
    #: Trading time of the newest funding that the ideal copy and the actual one have had, or of the beginning.
    rated_ms: int = 0
    paid_ms: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether the causes are the whole difference; never anything else."""
        return self.ideal_value - self.actual_value == self.causes.total and self.ideal - self.actual == sum(self.gaps)


def units_per_quantum(instrument: Instrument) -> int:
    """Ledger units in one quote quantum."""
    return instrument.base_per_lot * PPM


def mark(record: Tracking, ticks: int, tick_lot: int) -> Tracking:
    """The price has moved to so many ticks."""
    if ticks <= 0 or ticks == record.ticks:
        return record
    if record.ticks == 0:
        return record._replace(ticks=ticks)
    move = (ticks - record.ticks) * tick_lot
    gaps, causes = record.gaps, record.causes
    return record._replace(
        ticks=ticks,
        ideal_value=record.ideal_value + record.ideal * move,
        actual_value=record.actual_value + record.actual * move,
        causes=causes._replace(
            latency=causes.latency + gaps.latency * move,
            rounding=causes.rounding + gaps.rounding * move,
            caps=causes.caps + gaps.caps * move,
            skipped=causes.skipped + gaps.skipped * move,
        ),
    )


def redecide(record: Tracking, decision: Decision, ticks: int, instrument: Instrument, time_ms: int = 0) -> Tracking:
    """The master has traded at a price: the ideal copy trades there too, the actual one is still to come."""
    record = _at(record, time_ms)
    record = record if record.ticks else record._replace(ticks=ticks)
    change = decision.ideal - record.ideal
    paid = change * (record.ticks - ticks) * instrument.tick_lot
    moved = record._replace(
        ideal=decision.ideal,
        ideal_value=record.ideal_value + paid,
        causes=record.causes._replace(latency=record.causes.latency + paid),
    )
    return _with_gaps(moved, decision, instrument)


def execute(
    record: Tracking, decision: Decision, lots: int, ticks: int, fee: int, instrument: Instrument, time_ms: int = 0
) -> Tracking:
    """The actual copy has traded signed lots at a price, for a fee in quote quanta."""
    record = _at(record, time_ms)
    record = record if record.ticks else record._replace(ticks=ticks)
    unit = instrument.base_per_lot * PPM
    better = lots * unit * (record.ticks - ticks) * instrument.tick_lot
    paid = fee * units_per_quantum(instrument)
    moved = record._replace(
        actual=record.actual + lots * unit,
        actual_value=record.actual_value + better - paid,
        causes=record.causes._replace(slippage=record.causes.slippage - better, fees=record.causes.fees + paid),
    )
    return _with_gaps(moved, decision, instrument)


def held_for(record: Tracking, funding_ms: int) -> tuple[int, int]:
    """What the ideal and the actual copy held when funding was paid; venues stamp it some seconds off the hour."""
    if _hour(funding_ms) > record.hour:
        return record.ideal, record.actual
    return record.ideal_before, record.actual_before


def rate(record: Tracking, told: FundingRate, instrument: Instrument) -> Tracking:
    """The venue has paid funding: so much of it the ideal copy would have had, whether the actual one had any or not.

    Once for each funding, in their order; none from before the record began.
    """
    if record.hour == 0 or told.time_ms <= record.rated_ms:
        return record
    ideal, _ = held_for(record, told.time_ms)
    per_tick = told.per_unit(instrument.tick_size, record.ticks) * instrument.tick_lot
    paid = -(ideal * per_tick.numerator // per_tick.denominator)
    return record._replace(
        rated_ms=told.time_ms,
        ideal_value=record.ideal_value + paid,
        causes=record.causes._replace(funding=record.causes.funding + paid),
    )


def fund(record: Tracking, quanta: int, funding_ms: int, instrument: Instrument) -> Tracking:
    """The actual copy was paid so many quote quanta of funding, or charged when below zero."""
    paid = quanta * units_per_quantum(instrument)
    return record._replace(
        paid_ms=max(record.paid_ms, funding_ms),
        actual_value=record.actual_value + paid,
        causes=record.causes._replace(funding=record.causes.funding - paid),
    )


def _hour(funding_ms: int) -> int:
    """The whole hour that funding was for."""
    return (funding_ms + HOUR_MS // 2) // HOUR_MS


def _at(record: Tracking, time_ms: int) -> Tracking:
    """A copy is about to change at a time: if it is the first change in its hour, remember what was held before."""
    hour = time_ms // HOUR_MS
    if hour <= record.hour:
        return record
    rated_ms = record.rated_ms if record.hour else time_ms
    return record._replace(hour=hour, ideal_before=record.ideal, actual_before=record.actual, rated_ms=rated_ms)


def _with_gaps(record: Tracking, decision: Decision, instrument: Instrument) -> Tracking:
    """The gaps as they are now; what has not been executed yet is latency."""
    unit = instrument.base_per_lot * PPM
    return record._replace(
        gaps=Gaps(
            latency=decision.lots * unit - record.actual,
            rounding=decision.wanted - decision.rounded * unit,
            caps=(decision.rounded - decision.lots) * unit,
            skipped=record.ideal - decision.wanted,
        )
    )
