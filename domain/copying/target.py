"""The target of one relationship on one symbol, from the newest position of its master: always the newest, never a sum.

What was not copied when it was entered (it was there before, came too late, came during a pause) is remembered as the
part of the master's position that is *uncopied*. It shrinks with the master's position and ends with it. So exits
always follow, whatever was skipped, and a follower that missed a hundred changes needs only the last.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.copying import terms as code
from domain.copying.sizing import Record, Scale, copy_of, unable
from domain.copying.terms import PPM, Terms
from domain.instrument import Instrument


class MasterPosition(NamedTuple):
    """A master's position in one symbol, as its watcher has published it."""

    symbol: str
    #: Rises with every change of this symbol; older versions are ignored.
    version: int
    #: Base quanta of the follower's instrument, below zero when short.
    quanta: int
    #: The price of the change, in ticks.
    ticks: int
    #: When the master traded, in trading time.
    time_ms: int
    #: Quote quanta that the master is worth; 0 when nobody knows.
    equity: int = 0
    record: Record = Record()
    #: When its version was published, in machine time.
    seen_ms: int = 0


class Track(NamedTuple):
    """How far one relationship has followed one symbol. Everything a restart needs."""

    version: int = 0
    master: int = 0
    uncopied: int = 0
    #: Why a part is uncopied.
    why: int = code.COPIED
    #: Set by a stop loss or take profit until the master is flat.
    stopped: int = code.COPIED
    scale: Scale = Scale()
    #: Price and time of the newest change.
    ticks: int = 0
    time_ms: int = 0


class Decision(NamedTuple):
    """What one relationship wants to hold of one symbol, step by step from the ideal copy, and why it is not that."""

    relationship: int
    #: Millionths of a base quantum: the copy without limits, and that of the part that is copied.
    ideal: int
    wanted: int
    #: Whole lots before and after the caps.
    rounded: int
    lots: int
    reason: int


def advance(track: Track, terms: Terms, position: MasterPosition, now_ms: int, follower_equity: int = 0) -> Track:
    """Take in the master's newest position; a version that is not newer changes nothing."""
    if position.version <= track.version:
        return track
    before, after = track.master, position.quanta
    has_turned = before * after < 0
    if after == 0 or has_turned or before == 0:
        before, uncopied, why, stopped, peak = 0, 0, code.COPIED, code.COPIED, 0
    else:
        uncopied, why, stopped, peak = track.uncopied, track.why, track.stopped, track.scale.peak
    if abs(after) < abs(before):
        uncopied = _share(uncopied, abs(after), abs(before))
    grown = abs(after) - abs(before)
    objection = _objection(terms, position, now_ms, stopped) if grown > 0 else code.COPIED
    if objection:
        uncopied, why = uncopied + (grown if after > 0 else -grown), objection
    scale = Scale(
        follower_equity or track.scale.follower_equity,
        position.equity or track.scale.master_equity,
        max(peak, abs(after)),
        track.scale.anchor_ticks if peak else position.ticks,
        position.record,
    )
    return Track(position.version, after, uncopied, why, stopped, scale, position.ticks, position.time_ms)


def _objection(terms: Terms, position: MasterPosition, now_ms: int, stopped: int) -> int:
    """Why what the master has added is not copied; `COPIED` when it is."""
    if not terms.active:
        return code.ENDED
    if not terms.allows(position.symbol):
        return code.NOT_ALLOWED
    if position.symbol in terms.illiquid:
        return code.ILLIQUID
    if position.version <= terms.since_version and not terms.copy_existing:
        return code.EXISTING
    if terms.paused:
        return code.PAUSED
    if stopped:
        return stopped
    is_late = 0 < terms.max_delay_ms < now_ms - position.time_ms - terms.delay_ms
    return code.TOO_LATE if is_late else code.COPIED


def stop(track: Track, why: int) -> Track:
    """Copy nothing of this position any more: `STOP_LOSS`, `TAKE_PROFIT`, or a person's word."""
    return track._replace(uncopied=track.master, why=why, stopped=why)


def resync(track: Track, terms: Terms) -> Track:
    """Copy all of the master's position again, whatever was skipped; nothing is entered in a pause or after the end."""
    if terms.paused or not terms.active:
        return track
    return track._replace(uncopied=0, why=code.COPIED, stopped=code.COPIED)


def decide(track: Track, terms: Terms, instrument: Instrument, held: int, *, can_short: bool) -> Decision:
    """What the relationship wants to hold before caps; `held` are the lots it holds, kept when following has ended."""
    ideal = copy_of(track.master, terms, track.scale, instrument)
    if not terms.active and terms.on_stop != code.CLOSE:
        return Decision(terms.relationship, ideal, ideal, held, held, code.ENDED)
    if not terms.active:
        return Decision(terms.relationship, ideal, 0, 0, 0, code.ENDED)
    wanted = copy_of(track.master - track.uncopied, terms, track.scale, instrument)
    rounded = _whole(wanted, instrument.base_per_lot * PPM)
    reason = unable(terms, track.scale) if track.master else code.COPIED
    if track.uncopied:
        reason = track.why
    elif rounded * instrument.base_per_lot * PPM != wanted and not reason:
        reason = code.ROUNDED
    if rounded < 0 and not can_short:
        return Decision(terms.relationship, ideal, wanted, rounded, 0, code.NO_SHORT)
    return Decision(terms.relationship, ideal, wanted, rounded, rounded, reason)


def held_back(decision: Decision, most: int, held: int, reason: int) -> Decision:
    """The decision under a cap of `most` lots. A cap holds entries back; it never closes what is held."""
    size = abs(decision.lots)
    if size <= most:
        return decision
    kept = min(size, abs(held)) if held * decision.lots > 0 else 0
    size = max(most, kept)
    if size == abs(decision.lots):
        return decision
    return decision._replace(lots=size if decision.lots > 0 else -size, reason=reason)


def protect(held: int, cost: int, value: int, terms: Terms) -> int:
    """Whether a copied position has reached its stop loss or take profit; `cost` and `value` are signed like it."""
    if held == 0:
        return code.COPIED
    earned = value - cost
    if terms.stop_loss_ppm > 0 and earned * PPM <= -terms.stop_loss_ppm * abs(cost):
        return code.STOP_LOSS
    if terms.take_profit_ppm > 0 and earned * PPM >= terms.take_profit_ppm * abs(cost):
        return code.TAKE_PROFIT
    return code.COPIED


def protect_all(result: int, terms: Terms) -> int:
    """Whether the relationship as a whole has lost or earned as much as it may; `result` in quote quanta."""
    if 0 < terms.total_stop_loss <= -result:
        return code.STOP_LOSS
    if 0 < terms.total_take_profit <= result:
        return code.TAKE_PROFIT
    return code.COPIED


def _share(amount: int, part: int, whole: int) -> int:
    """`amount * part / whole` towards zero."""
    size = abs(amount) * part // whole
    return size if amount > 0 else -size


def _whole(amount: int, unit: int) -> int:
    size = abs(amount) // unit
    return size if amount > 0 else -size
