"""How large a copy is: exact shares of the master's position, in millionths of a base quantum.

`ideal` is the copy without any limit, `wanted` is that of the part that is copied; both are rounded towards zero.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.copying import terms as code
from domain.copying.terms import PPM, Terms
from domain.errors import Refused, sentence_of
from domain.instrument import Instrument
from domain.sentences import say

#: Closed round trips below which a record says nothing.
LEAST_RECORD: Final = 30


class BadRatio(Refused):
    """A follow ratio is between 0.01 and 1.0; a wider one needs the follower's own limit, and none is above 100."""


class Record(NamedTuple):
    """A master's closed round trips, in quote quanta after fees."""

    wins: int = 0
    losses: int = 0
    won: int = 0
    lost: int = 0


class Scale(NamedTuple):
    """What sizing was based on when the master's position was opened or changed; kept, so that it does not drift."""

    follower_equity: int = 0
    master_equity: int = 0
    #: Largest position of the master since it was flat, in base quanta, and the price at which that began.
    peak: int = 0
    anchor_ticks: int = 0
    record: Record = Record()


def check_ratio(ratio_ppm: int, most_ppm: int = 0) -> int:
    """The ratio, or `BadRatio`. `most_ppm` is the follower's explicit limit, 0 for none."""
    most = min(max(most_ppm, code.MOST_RATIO_PPM), code.LARGEST_RATIO_PPM)
    least = 1 if most_ppm else code.LEAST_RATIO_PPM
    if not least <= ratio_ppm <= most:
        raise BadRatio(
            say(
                "ratio_out_of_range",
                "{ratio_ppm} millionths is outside {least} to {most}. {what}",
                ratio_ppm=ratio_ppm,
                least=least,
                most=most,
                what=sentence_of(BadRatio),
                field="ratio",
            )
        )
    return ratio_ppm


def kelly_ppm(record: Record, fraction_ppm: int) -> int:
    """The stake as parts per million of equity: fraction x (p - q / b), never below 0 nor above all of it.

    `p` is the share of wins, `q` of losses, and `b` the mean win over the mean loss.
    """
    trades = record.wins + record.losses
    if trades < LEAST_RECORD or record.wins == 0 or record.won <= 0:
        return 0
    if record.losses == 0 or record.lost <= 0:
        return fraction_ppm  # never lost: p = 1
    # p - q/b = wins/trades - losses/trades * (lost/losses) / (won/wins) = wins/trades * (1 - lost/won)
    edge = record.wins * (record.won - record.lost) * PPM // (trades * record.won)
    return min(max(edge, 0) * fraction_ppm // PPM, PPM)


def unable(terms: Terms, scale: Scale) -> int:
    """Why nothing can be sized; `COPIED` when it can."""
    if terms.mode == code.EQUITY_PROPORTIONAL and (scale.follower_equity <= 0 or scale.master_equity <= 0):
        return code.NO_EQUITY
    if terms.mode != code.FRACTIONAL_KELLY:
        return code.COPIED
    if scale.record.wins + scale.record.losses < LEAST_RECORD:
        return code.SHORT_RECORD
    if scale.follower_equity <= 0:
        return code.NO_EQUITY
    return code.COPIED if kelly_ppm(scale.record, terms.kelly_ppm) else code.NO_EDGE


def copy_of(quanta: int, terms: Terms, scale: Scale, instrument: Instrument) -> int:
    """The copy of so many base quanta of the master, in millionths of a base quantum, with its sign."""
    size = abs(quanta)
    if size == 0 or unable(terms, scale) != code.COPIED:
        return 0
    if terms.mode == code.FIXED_RATIO:
        copied = size * terms.ratio_ppm
    elif terms.mode == code.EQUITY_PROPORTIONAL:
        copied = size * terms.ratio_ppm * scale.follower_equity // scale.master_equity
    else:
        copied = _of_notional(size, _notional(terms, scale), scale, instrument)
    return copied if (quanta > 0) != terms.reverse else -copied


def _notional(terms: Terms, scale: Scale) -> int:
    if terms.mode == code.FIXED_NOTIONAL:
        return terms.notional
    return scale.follower_equity * kelly_ppm(scale.record, terms.kelly_ppm) // PPM


def _of_notional(size: int, notional: int, scale: Scale, instrument: Instrument) -> int:
    """A fixed amount for the master's largest position of this round, and the same share of it as he still holds."""
    per_lot = scale.anchor_ticks * instrument.tick_lot
    if per_lot <= 0 or scale.peak <= 0:
        return 0
    return notional * instrument.base_per_lot * PPM * size // (per_lot * scale.peak)
