"""What masters hold in the units of a follower's venue, worked out once for all that follow them there."""

from __future__ import annotations

from collections.abc import Mapping

from db.models import Master, MasterPosition
from domain.copying.target import MasterPosition as Held
from domain.instrument import Instrument
from engine.follower_engine.book import FollowerBook
from tasks.host.copying.rows import CopyRows
from tasks.host.copying.shapes import newest


class HeldByMasters:
    """Masters' positions as the books of followers read them."""

    def __init__(self, rows: CopyRows) -> None:
        self._rows = rows
        #: Master, symbol and instrument -> what it was worked out from, and the position in the law's units.
        self._known: dict[tuple[int, str, int], tuple[MasterPosition, Master, Instrument, Held]] = {}

    def of(self, book: FollowerBook) -> Mapping[int, Mapping[str, Held]]:
        """Master -> symbol -> position, of the masters that a book follows and the symbols that it can trade."""
        rows = self._rows
        return {
            number: {
                symbol: self._newest(row, rows.masters[number], book.instruments[symbol])
                for symbol, row in rows.positions.get(number, {}).items()
                if symbol in book.instruments
            }
            for number in {following.master for following in book.followings.values()}
            if number in rows.masters
        }

    def _newest(self, row: MasterPosition, master: Master, instrument: Instrument) -> Held:
        found = self._known.get((row.master_id, row.symbol, id(instrument)))
        if found is None or found[0] is not row or found[1] is not master or found[2] is not instrument:
            found = row, master, instrument, newest(row, master, instrument)
            self._known[row.master_id, row.symbol, id(instrument)] = found
        return found[3]
