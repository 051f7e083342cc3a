"""What people ask for, what was done, and where readers of the venue have got to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class Command(Row, table=True):
    """Something a person asked of an instance; it has exactly one outcome."""

    __tablename__ = "commands"
    __table_args__ = (
        UniqueConstraint("strategy_instance_id", "sequence"),
        UniqueConstraint("owner_id", "request_key"),
        # Those that wait are asked for every second.
        Index(None, "outcome"),
        OPTIONS,
    )

    id: int | None = column.key(counts_up=True)
    strategy_instance_id: int = column.link("strategy_instances.id")
    owner_id: int = column.link("users.id")
    #: Chosen by whoever asks; asking again with the same key is the same command.
    request_key: str = column.name(64)
    #: "start", "pause", "stop", "flatten", "edit", ...
    kind: str = column.name(20)
    payload: str = column.document(default="{}")
    #: Counts the commands of the instance; they are carried out in this order.
    sequence: int = column.integer()
    created_at: datetime = column.moment()
    expires_at: datetime = column.moment()
    #: "done", "rejected", "expired" or "superseded"; empty while it waits.
    outcome: str | None = column.name(12, optional=True)
    detail: str = column.sentence(500, default="")
    finished_at: datetime | None = column.moment(optional=True)


class AuditRecord(Row, table=True):
    """One thing that was done, chained to the one before by its hash."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "strategy_instance_id"), Index(None, "owner_id"), OPTIONS)

    #: 1, 2, 3, ... without a gap.
    sequence: int = column.key()
    owner_id: int | None = column.link(optional=True)
    strategy_instance_id: int | None = column.link(optional=True)
    actor: str = column.words(120)
    action: str = column.name(60)
    #: JSON with sorted keys.
    content: str = column.document()
    recorded_at: datetime = column.moment()
    #: SHA-256, in hexadecimal, of everything above together with the previous row's hash.
    previous_hash: str = column.name(64)
    hash: str = column.name(64)


class AuditHead(Row, table=True):
    """The end of the chain: one row, locked by whoever adds to it."""

    __tablename__ = "audit_head"
    __table_args__ = (OPTIONS,)

    id: int = column.key()
    sequence: int = column.integer()
    hash: str = column.name(64)


class Cursor(Row, table=True):
    """How far something of an account has been read."""

    __tablename__ = "cursors"
    __table_args__ = (OPTIONS,)

    account_id: int = column.key("accounts.id")
    name: str = column.name_key(100, of_venue=True)
    owner_id: int = column.link()
    position: str = column.words(200)
    updated_at: datetime = column.moment()


class PaperBook(Row, table=True):
    """Orders and balances of a paper account, as the paper venue wrote them."""

    __tablename__ = "paper_books"
    __table_args__ = (OPTIONS,)

    account_id: int = column.key("accounts.id")
    owner_id: int = column.link()
    #: Rises with every change and with every process that takes the book up, so that the one before cannot write on.
    version: int = column.integer()
    content: str = column.document()
    updated_at: datetime = column.moment()


class PaperRecord(Row, table=True):
    """What has happened to a paper account since its book was last written whole, in the order of versions."""

    __tablename__ = "paper_records"
    __table_args__ = (OPTIONS,)

    account_id: int = column.key("accounts.id")
    version: int = column.key()
    owner_id: int = column.link()
    content: str = column.document()
