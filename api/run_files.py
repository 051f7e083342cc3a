"""What a finished run can be taken away as, and the executions of a backtest page by page."""

from __future__ import annotations

import csv
import io
import zlib
from typing import Final, NamedTuple

from fastapi import Response

from api.cursors import after, unpack
from api.identity import Caller
from api.schemas.run import RunFill, RunFillList
from api.services import Services
from db.queries import runs
from db.unit_of_work import reading

KINDS: Final = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8"}


class _Line(NamedTuple):
    place: int
    cells: dict[str, str]


def one(services: Services, caller: Caller, kind: str, number: int, name: str) -> Response:
    """A file of a run of the caller. Reports are shown, tables are saved."""
    content = _content(services, caller, kind, number, name)
    ending = name.rpartition(".")[2]
    shown = "inline" if ending == "html" else "attachment"
    headers = {"Content-Disposition": f'{shown}; filename="{kind}-{number}-{name}"', "Cache-Control": "private"}
    return Response(content, media_type=KINDS[ending], headers=headers)


def fills(services: Services, caller: Caller, kind: str, number: int, cursor: str | None, limit: int) -> RunFillList:
    """Executions of a backtest, or of all who share an account in one, from the cursor on."""
    begin = unpack(cursor, int, (int,)) or 0
    text = _content(services, caller, kind, number, "fills.csv").decode()
    rows = csv.DictReader(io.StringIO(text))
    lines = [_Line(place, cells) for place, cells in enumerate(rows, 1) if begin < place <= begin + limit + 1]
    found, next_cursor = after(lines, limit, lambda line: [line.place])
    return RunFillList(items=[_shown(line.cells) for line in found], next_cursor=next_cursor)


def _content(services: Services, caller: Caller, kind: str, number: int, name: str) -> bytes:
    with reading(services.database) as unit:
        runs.of_owner(unit, number, caller.id, kind)
        return zlib.decompress(runs.file(unit, number, name))


def _shown(cells: dict[str, str]) -> RunFill:
    named = {name: cells[name] for name in RunFill.model_fields if name != "is_maker" and name in cells}
    return RunFill.model_validate({**named, "is_maker": cells["is_maker"] == "yes"})
