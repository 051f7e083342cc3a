"""What a resync would lead to: the law of copying on the master's positions as they are now, and nothing of it kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from api.copy_views import words_of
from api.schemas.copy_record import ResyncPreview, ResyncStep
from db.models import FollowRelationship, Master, MasterPosition, VirtualPosition
from domain.copying import terms as law
from domain.copying.sizing import Record
from domain.copying.target import MasterPosition as Told
from domain.copying.target import Track, advance, decide
from domain.copying.terms import PPM, Terms
from domain.instrument import Instrument
from domain.money import add, to_wire

#: The ends of venues' names on which positions can be short.
_CAN_SHORT: Final = "_futures"


def terms_of(row: FollowRelationship, quote_quantum: Decimal) -> Terms:
    """The terms of a relationship as the law reads them: quote quanta, parts per million."""

    def quanta(amount: Decimal | None) -> int:
        return int(amount / quote_quantum) if amount is not None else 0

    def ppm(fraction: Decimal | None) -> int:
        return int(fraction * PPM) if fraction is not None else 0

    return Terms(
        relationship=row.id or 0,
        mode=law.MODE_NAMES.index(row.mode),
        ratio_ppm=ppm(row.ratio),
        notional=quanta(row.notional),
        kelly_ppm=ppm(row.kelly_fraction) or PPM // 4,
        reverse=row.reverse,
        paused=row.desired_state == "paused",
        active=row.desired_state != "stopped",
        on_stop=law.ON_STOP_NAMES.index(row.on_stop),
        allow=frozenset(json.loads(row.allow_symbols)),
        deny=frozenset(json.loads(row.deny_symbols)),
        max_symbol_notional=quanta(row.max_symbol_notional),
        max_notional=quanta(row.max_notional),
        max_leverage_ppm=ppm(row.max_leverage),
        collar_ppm=ppm(row.slippage_collar),
        max_delay_ms=row.max_entry_delay_ms or 0,
        delay_ms=row.delay_ms,
        copy_existing=row.copy_existing,
        stop_loss_ppm=ppm(row.stop_loss),
        take_profit_ppm=ppm(row.take_profit),
        total_stop_loss=quanta(row.total_stop_loss),
        total_take_profit=quanta(row.total_take_profit),
    )


def preview(
    row: FollowRelationship,
    master: Master,
    positions: Sequence[MasterPosition],
    held: Mapping[str, VirtualPosition],
    instruments: Mapping[str, Instrument],
    equity: Decimal | None,
    feed: str,
    now: datetime,
) -> ResyncPreview:
    """Symbol by symbol; equity that is not known leaves modes that need it without a target, and says so."""
    steps = [
        _step(row, master, one, held.get(one.symbol), instruments[one.symbol], equity, feed, now)
        for one in positions
        if one.symbol in instruments
    ]
    unknown = [one.symbol for one in positions if one.symbol not in instruments]
    return ResyncPreview(relationship_id=row.id or 0, steps=steps, unknown=unknown)


def _step(
    row: FollowRelationship,
    master: Master,
    at: MasterPosition,
    held: VirtualPosition | None,
    instrument: Instrument,
    equity: Decimal | None,
    feed: str,
    now: datetime,
) -> ResyncStep:
    quantum = instrument.quote_quantum
    # Whatever was there before, and however long ago: that is what resyncing means.
    terms = terms_of(row, quantum)._replace(copy_existing=True, max_delay_ms=0)
    lots = held.lots if held is not None else 0
    price = at.price or at.entry_price
    told = Told(
        symbol=at.symbol,
        version=at.version,
        quanta=int(at.quantity / instrument.base_quantum),
        ticks=int(price / instrument.tick_size) if price is not None else 0,
        time_ms=int(at.signal_at.timestamp() * 1000),
        equity=int(master.equity / quantum) if master.equity is not None else 0,
        record=Record(master.wins, master.losses, int(master.won / quantum), int(master.lost / quantum)),
    )
    own = int(equity / quantum) if equity is not None else 0
    track = advance(Track(), terms, told, int(now.timestamp() * 1000), own)
    decision = decide(track, terms, instrument, lots, can_short=feed.endswith(_CAN_SHORT))
    reason = law.REASON_NAMES[decision.reason]
    target, has = instrument.from_lots(decision.lots), instrument.from_lots(lots)
    return ResyncStep(
        symbol=at.symbol,
        master_position=to_wire(at.quantity),
        held=to_wire(has),
        target=to_wire(target),
        change=to_wire(add(target, -has)),
        reason=reason,
        reason_text=words_of(reason),
    )
