"""Backtests and optimisations: what was asked, how far it is, what was found. Apart from everything that traded."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class HistoryRow(Row, table=True):
    """Bars of one symbol that runs may use: everybody's, or of whoever sent them in. What they hold never changes."""

    __tablename__ = "histories"
    __table_args__ = (UniqueConstraint("name"), OPTIONS)

    id: int | None = column.key(counts_up=True)
    #: Of all histories one has it: `db.queries.histories.key_of`.
    name: str = column.name(100)
    #: Base and quote with a stroke between.
    symbol: str = column.venue_text(41)
    bar_ms: int = column.integer()
    bars: int = column.integer()
    gaps: int = column.integer()
    first_at: datetime = column.moment()
    last_at: datetime = column.moment()
    #: SHA-256, in hexadecimal, of the content, and its length in bytes.
    digest: str = column.name(64)
    size: int = column.integer()
    created_at: datetime = column.moment()
    #: Nothing for those that are everybody's.
    owner_id: int | None = column.link(optional=True)
    #: What people call it, where that is not its name.
    title: str | None = column.name(100, optional=True)
    #: "uploaded" or "simulated"; nothing for those that were shared from the command line.
    source: str | None = column.name(12, optional=True)
    #: Its bars are gone; runs still say what they ran on.
    removed_at: datetime | None = column.moment(optional=True)


class HistoryPart(Row, table=True):
    """A piece of the content of a history: the parts after one another are a parquet file."""

    __tablename__ = "history_parts"
    __table_args__ = (OPTIONS,)

    history_id: int = column.key("histories.id")
    part: int = column.key()
    content: bytes = column.large_bytes()


class HistoryImport(Row, table=True):
    """A history on its way in: bars that somebody sends, or that are asked of a venue, until a worker has kept them."""

    __tablename__ = "history_imports"
    __table_args__ = (Index(None, "owner_id"), Index(None, "state"), OPTIONS)

    id: int | None = column.key(counts_up=True)
    owner_id: int = column.link("users.id")
    #: What the history will be called.
    name: str = column.name(100)
    #: What was asked, as JSON: `core.base_jobs.ImportJob`.
    job: str = column.document()
    #: "receiving", "queued", "running", "done" or "failed".
    state: str = column.name(12)
    #: Bytes of a file that have come, or milliseconds of the market; and in all.
    done: int = column.integer(default=0)
    total: int = column.integer(default=0)
    #: Why it failed, and the rows of the file that are to blame, as JSON.
    error: str = column.sentence(500, default="")
    findings: str | None = column.document(optional=True)
    history_id: int | None = column.link("histories.id", optional=True)
    #: Who works on it, until when, and how often somebody has begun to.
    worker: str = column.name(120, default="")
    claimed_until: datetime | None = column.moment(optional=True)
    attempts: int = column.integer(default=0)
    created_at: datetime = column.moment()
    updated_at: datetime = column.moment()
    finished_at: datetime | None = column.moment(optional=True)


class HistoryImportPart(Row, table=True):
    """A piece of a file that is sent in: the parts after one another are the file."""

    __tablename__ = "history_import_parts"
    __table_args__ = (OPTIONS,)

    import_id: int = column.key("history_imports.id")
    part: int = column.key()
    owner_id: int = column.link()
    content: bytes = column.large_bytes()


class RunRow(Row, table=True):
    """A backtest or an optimisation of an owner."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("owner_id", "request_key"),
        Index(None, "owner_id"),
        Index(None, "state"),
        OPTIONS,
    )

    id: int | None = column.key(counts_up=True)
    owner_id: int = column.link("users.id")
    #: Chosen by whoever asks; asking again with the same key is the same run.
    request_key: str = column.name(64)
    #: "backtest", "optimisation", or "together": several strategies on one account.
    kind: str = column.name(12)
    history_id: int = column.link("histories.id")
    #: What was asked, as JSON: `core.base_jobs`.
    job: str = column.document()
    #: "queued", "running", "done", "failed" or "cancelled".
    state: str = column.name(12)
    #: Parameter sets that are tried, and in all.
    done: int = column.integer(default=0)
    total: int = column.integer(default=0)
    #: What has to be the same for the same result, and the result; both JSON.
    stamp: str | None = column.document(optional=True)
    result: str | None = column.document(optional=True)
    error: str = column.sentence(500, default="")
    #: Who works on the run as a whole, until when, and how often somebody has begun to.
    worker: str = column.name(120, default="")
    claimed_until: datetime | None = column.moment(optional=True)
    attempts: int = column.integer(default=0)
    created_at: datetime = column.moment()
    updated_at: datetime = column.moment()
    finished_at: datetime | None = column.moment(optional=True)


class RunFile(Row, table=True):
    """What a finished run can be taken away as: its report, its table of executions or trials."""

    __tablename__ = "run_files"
    __table_args__ = (OPTIONS,)

    run_id: int = column.key("runs.id")
    name: str = column.name_key(40)
    owner_id: int = column.link()
    #: Packed with zlib.
    content: bytes = column.large_bytes()


class RunChunk(Row, table=True):
    """Parameter sets of an optimisation that one worker tries together."""

    __tablename__ = "run_chunks"
    __table_args__ = (OPTIONS,)

    run_id: int = column.key("runs.id")
    name: str = column.name_key(60)
    owner_id: int = column.link()
    #: JSON: stage, and (number, places) of every set.
    content: str = column.document()
    #: Packed trials; nothing before they are done. The first result stays.
    result: bytes | None = column.large_bytes(optional=True)
    trials: int = column.integer()
    worker: str = column.name(120, default="")
    claimed_until: datetime | None = column.moment(optional=True)
    attempts: int = column.integer(default=0)
