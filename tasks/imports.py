"""Histories on their way in: a worker reads what was sent, or asks a venue, and keeps what comes of it.

An import is claimed as a run is; what nobody goes on with is taken up by others, and kept once.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import orjson
import structlog

from core.base_jobs import FileImport, ImportJob, VenueImport
from core.clock import MachineTime, utc_from_ms
from core.config import VenueSection
from db.database import Database
from db.models import HistoryImport, HistoryRow
from db.queries import histories, imports
from db.queries.claims import Claim
from db.unit_of_work import committed, reading
from domain.errors import AresError, Refused, Transient
from domain.sentences import changed, say, words_of
from engine.backtest import files, store
from engine.backtest.download import Told, Wanted
from engine.backtest.history import BadHistory, Finding, History
from engine.backtest.prints import read_prints
from tasks.claims import CLAIM, MOST_ATTEMPTS, renewed
from tasks.fetching import fetched

log = structlog.get_logger(__name__)

Fetch = Callable[[Wanted, Path, VenueSection | None, Told], Awaitable[History]]
#: Rows of a file that was sent in: read, each takes about a kilobyte of the worker's memory.
MOST_ROWS: Final = 1_000_000
#: Findings that are kept of a file; of more, the first, those that stop it before the others.
MOST_FINDINGS: Final = 100
#: An import that nobody has begun within this time is asked for again.
SOON: Final = timedelta(seconds=2)
#: A file of which nothing has come for so long is dropped.
ABANDONED: Final = timedelta(days=1)
_LONGEST_ERROR: Final = 500
#: Where a file lies while it is read is nobody's business.
_FOLDER: Final = "ares-import-"


@dataclass(frozen=True)
class Intake:
    """What a worker needs to take histories in."""

    database: Database
    time: MachineTime
    worker: str
    #: Where downloads gather what has come, so that another attempt on this machine goes on there.
    folder: Path
    venues: dict[str, VenueSection] = field(default_factory=dict)
    claim: timedelta = CLAIM
    most_rows: int = MOST_ROWS
    fetch: Fetch = fetched

    def work(self, number: int) -> None:
        """Make the history of an import, unless somebody does already."""
        with committed(self.database) as unit:
            if not imports.claim(unit, number, self._claim()):
                return
            row = imports.get(unit, number)
        if row is None:
            return
        try:
            if row.attempts > MOST_ATTEMPTS:
                raise Refused(
                    say(
                        "import_ended_workers",
                        "it has ended {attempts} workers; take a smaller file or longer bars.",
                        attempts=MOST_ATTEMPTS,
                    )
                )
            with renewed(
                self.database, f"import {number}", self.claim, lambda unit: imports.renew(unit, number, self._claim())
            ):
                self._take_in(row)
        except Transient:
            raise
        except AresError as error:
            self._fail(number, str(error), error.findings if isinstance(error, BadHistory) else ())
        except Exception as error:
            log.exception("import_failed", number=number)
            self._fail(number, say("see_the_log", "{kind}; the worker's log has more.", kind=type(error).__name__), ())

    def deserted(self) -> list[int]:
        """Imports on which nobody works; each is given to one of those who ask."""
        now = self._now()
        with committed(self.database) as unit:
            imports.drop_abandoned(unit, now - ABANDONED)
            return imports.take_deserted(unit, now - SOON, now - self.claim, now)

    def _take_in(self, row: HistoryImport) -> None:
        number, job = row.id or 0, ImportJob.model_validate_json(row.job).root
        part = self.folder / f"import-{number}.download"
        owner: int | None = row.owner_id
        source = "uploaded"
        if isinstance(job, FileImport):
            history = self._from_file(number, job)
        else:
            part = part.with_stem(f"{part.stem}-{job.since_ms}")
            history = self._from_venue(number, job, part)
            if job.simulated:  # a market that is made up is everybody's, and says so
                owner, source = None, "simulated"
        content = store.pack(history)
        kept = row_of(row.name, history, content, self._now(), owner, source)
        with committed(self.database) as unit:
            made = histories.add(unit, kept, content)
            warned = _told(Finding(0, one, True) for one in history.warnings)
            found = {"history_id": made.id, "findings": warned, "done": row.total, "total": row.total}
            if not imports.finish(unit, number, self._claim(), imports.DONE, **found):
                raise Taken
        part.unlink(missing_ok=True)

    def _from_file(self, number: int, job: FileImport) -> History:
        base, _, quote = job.symbol.partition("/")
        with reading(self.database) as unit:
            content = imports.file(unit, number)
        with tempfile.TemporaryDirectory(prefix=_FOLDER) as folder:
            path = Path(folder) / job.file_name
            path.write_bytes(content)
            if job.prints:
                history: History = read_prints(path, base + quote, base, quote, self.most_rows)
            else:
                table = files.read(path, self.most_rows)
                files.require_usable(table)
                history = files.history_of(table, files.instrument_of(table, base + quote, base, quote))
        return store.resampled(history, store.INTERVALS[job.interval]) if job.interval else history

    def _from_venue(self, number: int, job: VenueImport, part: Path) -> History:
        wanted = Wanted(job.venue, job.symbol, job.interval, job.since_ms, job.until_ms)

        def tell(done: int, total: int) -> None:
            with committed(self.database) as unit:
                if not imports.progress(unit, number, self._claim(), done, total):
                    raise Taken

        async def fetch() -> History:
            return await self.fetch(wanted, part, self.venues.get(job.venue), tell)

        return asyncio.run(fetch())

    def _fail(self, number: int, words: str, findings: tuple[Finding, ...]) -> None:
        words = changed(words, lambda text: re.sub(rf"\S*/{_FOLDER}[^/]*/", "", text))
        short = words if len(words) <= _LONGEST_ERROR else f"{words[: _LONGEST_ERROR - 3]}..."
        with committed(self.database) as unit:
            imports.finish(unit, number, self._claim(), imports.FAILED, error=short, findings=_told(findings))

    def _claim(self) -> Claim:
        now = self._now()
        return Claim(self.worker, now, now + self.claim)

    def _now(self) -> datetime:
        return utc_from_ms(self.time.now_ms())


def _told(findings: Iterable[Finding]) -> str:
    """Rows and what is to be known of them, as they are stored."""
    first = islice(findings, MOST_FINDINGS)
    return orjson.dumps([{"row": one.row, "words": one.words, "told": words_of(one.words)} for one in first]).decode()


class Taken(Transient):
    """Another worker has taken the import, or it was removed; what this one made of it is not kept."""


def row_of(
    name: str, history: History, content: bytes, now: datetime, owner: int | None = None, source: str | None = None
) -> HistoryRow:
    """A history as it is kept: `content` is what `store.pack` made of it."""
    instrument = history.instrument
    return HistoryRow(
        name=histories.key_of(name, owner), title=None if owner is None else name, owner_id=owner, source=source,
        symbol=f"{instrument.base}/{instrument.quote}", bar_ms=history.bar_ms, bars=len(history),
        gaps=len(store.gaps(history)), first_at=utc_from_ms(int(history.open_ms[0])),
        last_at=utc_from_ms(int(history.open_ms[-1])), digest=store.checksum(content), size=len(content),
        created_at=now,
    )  # fmt: skip
