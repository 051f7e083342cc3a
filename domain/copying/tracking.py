"""The tracking-error ledger: ideal copy less actual copy, split exactly into what caused it.

The ideal copy holds the exact share of the master's position, traded at the master's price at that moment, without
fees. Both copies are valued at the same marks, so their difference changes only by three things: the price moves
while they hold different amounts; one of them trades at another price than the mark; a fee is paid. Each such change
goes into one cause, as an integer, so the causes add up to the difference exactly, always.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.copying.target import Decision
from domain.copying.terms import PPM
from domain.instrument import Instrument


class Causes(NamedTuple):
    """What the ideal copy has earned more than the actual one, by cause, in `unit`s of the ledger."""

    latency: int = 0
    slippage: int = 0
    rounding: int = 0
    caps: int = 0
    skipped: int = 0
    fees: int = 0

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


def redecide(record: Tracking, decision: Decision, ticks: int, instrument: Instrument) -> Tracking:
    """The master has traded at a price: the ideal copy trades there too, the actual one is still to come."""
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
    record: Tracking, decision: Decision, lots: int, ticks: int, fee: int, instrument: Instrument
) -> Tracking:  # fmt: skip
    """The actual copy has traded signed lots at a price, for a fee in quote quanta."""
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
