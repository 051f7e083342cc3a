"""Rows of copying as the law of copying reads them: the worker that trades and the preview that tells read alike."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from db.models import FollowRelationship, Master, MasterPosition, MasterSignal
from domain.copying import target, terms
from domain.copying.sizing import Record, Scale
from domain.copying.terms import PPM, Terms
from domain.instrument import Instrument


def terms_of(row: FollowRelationship, master: Master, quantum: Decimal) -> Terms:
    """A relationship, limits in quanta of the quote asset; it pauses and ends with its master too."""
    return Terms(
        relationship=row.id or 0,
        mode=terms.MODE_NAMES.index(row.mode),
        ratio_ppm=ppm(row.ratio),
        notional=quanta(row.notional, quantum),
        kelly_ppm=ppm(row.kelly_fraction) if row.kelly_fraction is not None else PPM // 4,
        reverse=row.reverse,
        paused=row.desired_state == "paused" or master.state == "paused",
        active=row.desired_state != "stopped" and master.state != "ended",
        on_stop=terms.ON_STOP_NAMES.index(row.on_stop),
        allow=frozenset(json.loads(row.allow_symbols)),
        deny=frozenset(json.loads(row.deny_symbols)),
        max_symbol_notional=quanta(row.max_symbol_notional, quantum),
        max_notional=quanta(row.max_notional, quantum),
        max_leverage_ppm=ppm(row.max_leverage),
        collar_ppm=ppm(row.slippage_collar),
        max_delay_ms=row.max_entry_delay_ms or 0,
        delay_ms=row.delay_ms,
        copy_existing=row.copy_existing,
        since_version=row.since_version,
        stop_loss_ppm=ppm(row.stop_loss),
        take_profit_ppm=ppm(row.take_profit),
        total_stop_loss=quanta(row.total_stop_loss, quantum),
        total_take_profit=quanta(row.total_take_profit, quantum),
        least_volume=quanta(row.least_volume, quantum),
    )


def newest(row: MasterPosition, master: Master, instrument: Instrument, quantum: Decimal) -> target.MasterPosition:
    """What a master holds now, in a follower's units."""
    record = Record(master.wins, master.losses, quanta(master.won, quantum), quanta(master.lost, quantum))
    return _position(row, instrument, quanta(master.equity, quantum), record)


def started_with(row: MasterSignal, instrument: Instrument, quantum: Decimal) -> target.MasterPosition:
    """What a master held when following began."""
    return _position(row, instrument, quanta(row.equity, quantum), Record())


def track_of(text: str) -> target.Track:
    """How far a relationship has followed a symbol, as `VirtualPosition.track` keeps it."""
    found = json.loads(text)
    if not found:
        return target.Track()
    version, master, uncopied, why, stopped, scale, ticks, time_ms = found
    follower, leader, peak, anchor, record = scale
    made = Scale(follower, leader, peak, anchor, Record(*record))
    return target.Track(version, master, uncopied, why, stopped, made, ticks, time_ms)


def ppm(fraction: Decimal | None) -> int:
    """Parts per million, rounded down; 0 for what is not set."""
    return 0 if fraction is None else int((fraction * PPM).to_integral_value(ROUND_FLOOR))


def quanta(amount: Decimal | None, quantum: Decimal) -> int:
    """Whole quanta, rounded down; 0 for what is not set."""
    return 0 if amount is None else int((amount / quantum).to_integral_value(ROUND_FLOOR))


def milliseconds(moment: datetime) -> int:
    """Since the epoch."""
    return round(moment.timestamp() * 1000)


def _position(
    row: MasterPosition | MasterSignal, instrument: Instrument, equity: int, record: Record
) -> target.MasterPosition:  # fmt: skip
    return target.MasterPosition(
        row.symbol, row.version, _base(row.quantity, instrument), _ticks(row.price or row.entry_price, instrument),
        milliseconds(row.signal_at), equity, record, milliseconds(row.published_at),
    )  # fmt: skip


def _base(quantity: Decimal, instrument: Instrument) -> int:
    """Base quanta, rounded towards nothing."""
    return int(abs(quantity) / instrument.base_quantum) * (1 if quantity > 0 else -1)


def _ticks(price: Decimal | None, instrument: Instrument) -> int:
    if not price:
        return 0
    return min(int((price / instrument.tick_size).to_integral_value(ROUND_HALF_EVEN)), instrument.max_ticks)
