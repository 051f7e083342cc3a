"""What the platform as a whole remembers: switches, nodes, and who is signed in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class PlatformSetting(Row, table=True):
    """One thing that holds for everybody, or for everything of one owner; its name says which."""

    __tablename__ = "platform_settings"
    __table_args__ = (OPTIONS,)

    name: str = column.name_key(60)
    #: JSON.
    value: str = column.document()
    updated_at: datetime = column.moment()


class Node(Row, table=True):
    """A worker process and where it listens, so that it can be reached while Redis is down."""

    __tablename__ = "nodes"
    __table_args__ = (OPTIONS,)

    worker_id: str = column.name_key(120)
    hostname: str = column.words(255)
    ip: str = column.name(45)
    http_port: int = column.integer(big=False)
    version: str = column.name(40)
    started_at: datetime = column.moment()
    last_seen_at: datetime = column.moment()


class LoginLink(Row, table=True):
    """A link that signs its user in once. Only the hash of its token is kept."""

    __tablename__ = "login_links"
    __table_args__ = (OPTIONS,)

    #: SHA-256 in hexadecimal.
    token_hash: str = column.name_key(64)
    owner_id: int = column.link("users.id")
    expires_at: datetime = column.moment()
    used_at: datetime | None = column.moment(optional=True)


class LoginSession(Row, table=True):
    """A browser that is signed in. Only the hash of its token is kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "owner_id"), OPTIONS)

    #: SHA-256 in hexadecimal.
    token_hash: str = column.name_key(64)
    owner_id: int = column.link("users.id")
    created_at: datetime = column.moment()
    expires_at: datetime = column.moment()
