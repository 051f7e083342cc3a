"""What a resync would lead to: the law of copying on the master's positions as they are now, and nothing of it kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from api.copy_views import words_of
from api.schemas.copy_record import ResyncPreview, ResyncStep
from db.copy_law import milliseconds, newest, quanta, terms_of, track_of
from db.models import FollowRelationship, Master, MasterPosition, VirtualPosition
from domain import sentences
from domain.copying import terms as law
from domain.copying.target import Track, advance, decide, resync
from domain.instrument import Instrument
from domain.money import add, to_wire

#: The ends of venues' names on which positions can be short.
_CAN_SHORT: Final = "_futures"


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
    terms = terms_of(row, master, quantum)
    lots = held.lots if held is not None else 0
    told = newest(at, master, instrument, quantum)
    own = quanta(equity, quantum)
    before = track_of(held.track) if held is not None else Track()
    track = resync(advance(before, terms, told, milliseconds(now), own), terms)
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
        reason_words=sentences.words_of(words_of(reason)),
    )
