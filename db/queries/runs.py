"""Runs: backtests and optimisations, their chunks, and who works on what.

Work is claimed as `db.queries.claims` says; results are kept once, and the first one stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import and_, delete, func, update
from sqlmodel import col, select

from db.models import RunChunk, RunFile, RunRow
from db.queries import claims
from db.queries.claims import Claim
from db.queries.commands import OtherCommand
from db.queries.instances import NoSuchRow
from db.unit_of_work import UnitOfWork
from domain.errors import Refused
from domain.sentences import say

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
OPEN: Final = (QUEUED, RUNNING)
#: Unfinished runs of one owner.
MOST_OPEN: Final = 20


class TooManyRuns(Refused):
    """You have too many unfinished runs; wait for some to end, or cancel them."""


def add(unit: UnitOfWork, row: RunRow) -> RunRow:
    """Keep a new run. The same request key again gives the run of then."""
    mine = col(RunRow.owner_id) == row.owner_id
    before = unit.session.exec(select(RunRow).where(mine, col(RunRow.request_key) == row.request_key)).first()
    if before is not None:
        if (before.kind, before.history_id, before.job) != (row.kind, row.history_id, row.job):
            raise OtherCommand
        return before
    counted = select(func.count()).select_from(RunRow).where(mine, col(RunRow.state).in_(OPEN))
    if unit.session.exec(counted).one() >= MOST_OPEN:
        raise TooManyRuns
    unit.session.add(row)
    unit.session.flush()
    return row


def get(unit: UnitOfWork, number: int) -> RunRow | None:
    """A run, whoever it belongs to."""
    return unit.session.get(RunRow, number)


def of_owner(unit: UnitOfWork, number: int, owner: int, kind: str) -> RunRow:
    """A run of an owner, or `NoSuchRow`."""
    found = unit.session.get(RunRow, number)
    if found is None or found.owner_id != owner or found.kind != kind:
        raise NoSuchRow(say("no_run", "you have no {kind} {number}.", kind=kind, number=number))
    return found


def listed(unit: UnitOfWork, owner: int, kind: str, before: int | None, limit: int) -> Sequence[RunRow]:
    """An owner's runs of a kind, newest first."""
    chosen = select(RunRow).where(col(RunRow.owner_id) == owner, col(RunRow.kind) == kind)
    if before is not None:
        chosen = chosen.where(col(RunRow.id) < before)
    return unit.session.exec(chosen.order_by(col(RunRow.id).desc()).limit(limit)).all()


def claim_run(unit: UnitOfWork, number: int, claim: Claim) -> bool:
    """Take the run as a whole; False when it has ended or somebody else works on it."""
    return claims.take(unit, RunRow, (col(RunRow.id) == number, col(RunRow.state).in_(OPEN)), claim)


def claim_chunk(unit: UnitOfWork, number: int, claim: Claim) -> RunChunk | None:
    """Take a chunk that is not done and that nobody works on; None when there is none."""
    of_run = (col(RunChunk.run_id) == number, col(RunChunk.result).is_(None))
    free = select(RunChunk.name).where(*of_run, claims.is_free(RunChunk, claim.now))
    for name in unit.session.exec(free.order_by(col(RunChunk.name)).limit(20)).all():
        if claims.take(unit, RunChunk, (*of_run, col(RunChunk.name) == name), claim):
            return unit.session.get(RunChunk, (number, name), populate_existing=True)
    return None


def renew(unit: UnitOfWork, number: int, chunk: str | None, claim: Claim) -> bool:
    """Work goes on; False when it was taken by others or the run has ended."""
    row = update(RunRow).where(col(RunRow.id) == number, col(RunRow.state).in_(OPEN))
    if chunk is None:
        whole = row.where(col(RunRow.worker) == claim.worker)
        values = {"claimed_until": claim.until, "updated_at": claim.now}
        return unit.connection.execute(whole.values(**values)).rowcount == 1
    if unit.connection.execute(row.values(updated_at=claim.now)).rowcount == 0:
        return False
    mine = (col(RunChunk.run_id) == number, col(RunChunk.name) == chunk, col(RunChunk.worker) == claim.worker)
    return unit.connection.execute(update(RunChunk).where(*mine).values(claimed_until=claim.until)).rowcount == 1


def release_run(unit: UnitOfWork, number: int, worker: str) -> None:
    """Let the run go, so that others may work on it as a whole; what was begun did not end in death."""
    change = update(RunRow).where(col(RunRow.id) == number, col(RunRow.worker) == worker)
    unit.connection.execute(change.values(claimed_until=None, worker="", attempts=0))


def plan(unit: UnitOfWork, number: int, chunks: Iterable[RunChunk], total: int, stamp: str, now: datetime) -> None:
    """Keep chunks that are not there yet, and what all of them have in common."""
    known = set(unit.session.exec(select(RunChunk.name).where(col(RunChunk.run_id) == number)))
    unit.session.add_all(chunk for chunk in chunks if chunk.name not in known)
    unit.session.flush()
    change = update(RunRow).where(col(RunRow.id) == number, col(RunRow.state).in_(OPEN))
    unit.connection.execute(change.values(state=RUNNING, total=total, stamp=stamp, updated_at=now))


def keep_chunk(unit: UnitOfWork, number: int, name: str, result: bytes, now: datetime) -> RunRow | None:
    """Keep the result of a chunk, unless there is one; gives the run as it is then."""
    where = (col(RunChunk.run_id) == number, col(RunChunk.name) == name, col(RunChunk.result).is_(None))
    unit.connection.execute(update(RunChunk).where(*where).values(result=result, claimed_until=None))
    done = select(func.sum(col(RunChunk.trials))).where(
        col(RunChunk.run_id) == number, col(RunChunk.result).is_not(None)
    )
    count = int(unit.session.exec(done).one() or 0)
    unit.connection.execute(update(RunRow).where(col(RunRow.id) == number).values(done=count, updated_at=now))
    return unit.session.get(RunRow, number, populate_existing=True)


def results(unit: UnitOfWork, number: int) -> dict[str, bytes]:
    """The results of a run's chunks that are done."""
    chosen = select(RunChunk.name, RunChunk.result).where(
        col(RunChunk.run_id) == number, col(RunChunk.result).is_not(None)
    )
    return {name: result for name, result in unit.session.exec(chosen) if result is not None}


def tried_by_stage(unit: UnitOfWork, number: int) -> dict[str, int]:
    """Sets that are tried in each stage: the name of a chunk begins with that of its stage."""
    chosen = select(RunChunk.name, RunChunk.trials).where(
        col(RunChunk.run_id) == number, col(RunChunk.result).is_not(None)
    )
    tried: dict[str, int] = {}
    for name, trials in unit.session.exec(chosen):
        stage = name.partition(".")[0]
        tried[stage] = tried.get(stage, 0) + trials
    return tried


def has_open_chunks(unit: UnitOfWork, number: int) -> bool:
    """Whether a chunk is not done yet, claimed or not."""
    chosen = select(RunChunk.name).where(col(RunChunk.run_id) == number, col(RunChunk.result).is_(None)).limit(1)
    return unit.session.exec(chosen).first() is not None


def finish(unit: UnitOfWork, number: int, state: str, now: datetime, **found: str | int) -> bool:
    """End a run; False when it has ended already. What its chunks held is in the result."""
    change = update(RunRow).where(col(RunRow.id) == number, col(RunRow.state).in_(OPEN))
    values = {"state": state, "updated_at": now, "finished_at": now, "claimed_until": None, **found}
    return unit.connection.execute(change.values(**values)).rowcount == 1


def keep_files(unit: UnitOfWork, number: int, files: Mapping[str, bytes]) -> None:
    """Keep what a run that has just ended can be taken away as."""
    row = unit.session.get_one(RunRow, number)
    owner = row.owner_id
    unit.session.add_all(
        RunFile(run_id=number, name=name, owner_id=owner, content=content) for name, content in files.items()
    )
    unit.session.flush()


def file(unit: UnitOfWork, number: int, name: str) -> bytes:
    """A file of a run, packed, or `NoSuchRow`."""
    found = unit.session.get(RunFile, (number, name))
    if found is None:
        raise NoSuchRow(
            say(
                "no_file_of_run",
                "run {number} has no {name}; it has not ended well, or ended before files were kept.",
                number=number,
                name=name,
            )
        )
    return found.content


def remove(unit: UnitOfWork, row: RunRow) -> None:
    """Take a run out with everything it found."""
    for parts in (RunChunk, RunFile):
        unit.connection.execute(delete(parts).where(col(parts.run_id) == row.id))
    unit.session.delete(row)


def drop_chunks(unit: UnitOfWork, number: int) -> None:
    """What was kept on the way is not needed any more."""
    unit.connection.execute(delete(RunChunk).where(col(RunChunk.run_id) == number))


def take_deserted(unit: UnitOfWork, before: datetime, now: datetime) -> list[int]:
    """Runs that are not done and of which nothing was heard since `before`; whoever is given one should ask for it."""
    stale = and_(col(RunRow.state).in_(OPEN), col(RunRow.updated_at) < before)
    return claims.take_deserted(unit, RunRow, stale, now)
