"""A master's record: round trips that were closed, after fees."""

from __future__ import annotations

from collections.abc import Iterable

from domain.copying.sizing import Record
from domain.fill import Fill
from domain.position_tracker import Position
from domain.profit import Units, book


def record_of(fills: Iterable[Fill], units: Units) -> Record:
    """Wins and losses of executions that closed something, oldest first; fees of openings wait for their closing."""
    position, wins, losses, won, lost, waiting = Position(), 0, 0, 0, 0, 0
    for fill in fills:
        before = position
        position, fee = book(position, fill, units)
        waiting += fee
        if before.lots * fill.side >= 0:
            continue
        earned, waiting = position.realised - before.realised - waiting, 0
        if earned > 0:
            wins, won = wins + 1, won + earned
        elif earned < 0:
            losses, lost = losses + 1, lost - earned
    return Record(wins, losses, won, lost)
