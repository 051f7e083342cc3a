"""Histories that people send in: kept part by part, read by a compute worker, never here."""

from __future__ import annotations

import orjson
from fastapi.concurrency import run_in_threadpool

from api.cursors import after, unpack
from api.errors import BadFields, FieldError
from api.identity import Caller
from api.schemas.history import BadRow, HistoryImport, HistoryImportCreate, HistoryImportList
from api.schemas.run import History, HistoryList
from api.services import Services
from core.base_jobs import FileImport, ImportJob
from db import models
from db.queries import audit, histories, imports
from db.unit_of_work import committed, reading
from domain.sentences import say, words_of


async def listed_histories(services: Services, caller: Caller, cursor: str | None, limit: int) -> HistoryList:
    """Histories that the caller may run on."""
    begin = unpack(cursor, int, (int,)) or 0

    def read() -> list[models.HistoryRow]:
        with reading(services.database) as unit:
            return list(histories.listed(unit, caller.id, begin, limit + 1))

    found, next_cursor = after(await run_in_threadpool(read), limit, lambda row: [row.id])
    return HistoryList(items=[_history(row, caller) for row in found], next_cursor=next_cursor)


def remove_history(services: Services, caller: Caller, number: int) -> None:
    """Take the bars of a history of the caller out."""
    now = services.now()
    with committed(services.database) as unit:
        row = histories.remove(unit, number, caller.id, now)
        audit.record(unit, audit.Deed(caller.login, "history_delete", {"history": number, "name": row.title}), now)


def begin(services: Services, caller: Caller, body: HistoryImportCreate) -> HistoryImport:
    """Make room for a file."""
    now = services.now()
    row = models.HistoryImport(
        owner_id=caller.id, name=body.name, job=ImportJob(body.job()).model_dump_json(), state=imports.RECEIVING,
        total=body.size, created_at=now, updated_at=now,
    )  # fmt: skip
    with committed(services.database) as unit:
        if histories.named(unit, histories.key_of(body.name, caller.id)) is not None:
            raise BadFields(
                [
                    FieldError(
                        "name",
                        say(
                            "history_name_taken",
                            "you have a history called {name} already; take another name",
                            name=body.name,
                        ),
                    )
                ]
            )
        imports.add(unit, row)
        told = {"import": row.id, "name": body.name, "file": body.file_name, "size": body.size}
        audit.record(unit, audit.Deed(caller.login, "history_import", told, caller.id), now)
    return _import(row)


async def take_part(services: Services, caller: Caller, number: int, part: int, content: bytes) -> HistoryImport:
    """Keep a part of a file; with the last one a worker is asked to read it."""
    kept = await run_in_threadpool(_keep, services, caller, number, part, content)
    if kept.state == imports.QUEUED:
        services.doorbell.take_in(kept.id)
    return kept


def _keep(services: Services, caller: Caller, number: int, part: int, content: bytes) -> HistoryImport:
    with committed(services.database) as unit:
        row = imports.of_owner(unit, number, caller.id)
        wanted = imports.part_bytes(row, part)
        if not wanted:
            raise BadFields(
                [FieldError("part", say("no_such_part", "the file has no part {part}; the first is 0", part=part))]
            )
        if len(content) != wanted:
            raise BadFields(
                [
                    FieldError(
                        "body",
                        say(
                            "part_of_other_length",
                            "part {part} is {wanted} bytes long, and {came} came",
                            part=part,
                            wanted=wanted,
                            came=len(content),
                        ),
                    )
                ]
            )
        imports.keep_part(unit, row, part, content, services.now())
        return _import(row)


def one(services: Services, caller: Caller, number: int) -> HistoryImport:
    """An import of the caller."""
    with reading(services.database) as unit:
        return _import(imports.of_owner(unit, number, caller.id))


async def listed(services: Services, caller: Caller, cursor: str | None, limit: int) -> HistoryImportList:
    """The caller's imports, newest first."""
    before = unpack(cursor, int, (int,))

    def read() -> list[models.HistoryImport]:
        with reading(services.database) as unit:
            return list(imports.listed(unit, caller.id, before, limit + 1))

    found, next_cursor = after(await run_in_threadpool(read), limit, lambda row: [row.id])
    return HistoryImportList(items=[_import(row) for row in found], next_cursor=next_cursor)


def remove(services: Services, caller: Caller, number: int) -> None:
    """Take an import out; what has become of it stays."""
    now = services.now()
    with committed(services.database) as unit:
        imports.remove(unit, imports.of_owner(unit, number, caller.id))
        audit.record(unit, audit.Deed(caller.login, "history_import_delete", {"import": number}, caller.id), now)


def _history(row: models.HistoryRow, caller: Caller) -> History:
    taken = {name: getattr(row, name) for name in History.model_fields if name not in {"name", "mine", "source"}}
    return History(name=row.title or row.name, mine=row.owner_id == caller.id, source=row.source or "shared", **taken)


def _import(row: models.HistoryImport) -> HistoryImport:
    job = ImportJob.model_validate_json(row.job).root
    findings = orjson.loads(row.findings or "[]")
    return HistoryImport(
        id=row.id or 0,
        name=row.name,
        source="file" if isinstance(job, FileImport) else "simulated",
        file_name=job.file_name if isinstance(job, FileImport) else "",
        symbol=job.symbol,
        state=row.state,
        done=row.done,
        total=row.total,
        part_bytes=histories.PART_BYTES,
        error=row.error,
        error_words=words_of(row.error),
        errors=[BadRow(row=one["row"], reason=one["words"], reason_words=one.get("told")) for one in findings],
        history_id=row.history_id,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
