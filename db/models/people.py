"""Who trades, and on which accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint

from db.models import _fields as column
from db.models._fields import OPTIONS, Row


class User(Row, table=True):
    """A person, or the one local person of an embedded installation."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("login"), OPTIONS)

    id: int | None = column.key(counts_up=True)
    #: What the sign-in proxy calls them.
    login: str = column.name(190)
    display_name: str = column.words(190, default="")
    role: str = column.name(20, default="trader")
    disabled: bool = column.flag(default=False)
    created_at: datetime = column.moment()
    #: What the sign-in proxy told with the first sign-in; the same login with another address is another person.
    email: str | None = column.words(254, optional=True)


class Account(Row, table=True):
    """An account at a venue. Credentials are stored as `core.secrets` encrypted them; nothing here can read them."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("owner_id", "name"), OPTIONS)

    id: int | None = column.key(counts_up=True)
    owner_id: int = column.link("users.id")
    name: str = column.words(100)
    #: Name in the registry of exchanges.
    exchange: str = column.name(40)
    #: Paper and live accounts never share a strategy instance.
    paper: bool = column.flag()
    #: What the venue adapter needs beside credentials, as JSON.
    settings: str = column.document(default="{}")
    api_key: bytes | None = column.secret_bytes()
    api_secret: bytes | None = column.secret_bytes()
    passphrase: bytes | None = column.secret_bytes()
    #: Which encryption key the three were encrypted with.
    key_id: str | None = column.name(64, optional=True)
    #: "unknown", "verified", or "refused" when the key can withdraw.
    rights: str = column.name(20, default="unknown")
    rights_checked_at: datetime | None = column.moment(optional=True)
    disabled: bool = column.flag(default=False)
    created_at: datetime = column.moment()
    updated_at: datetime = column.moment()
    #: When its owner agreed to trade with a key whose rights the venue does not tell.
    rights_consent_at: datetime | None = column.moment(optional=True)
    #: The last characters of the key, so that its owner can tell it from others.
    key_hint: str | None = column.name(8, optional=True)
    #: When its owner removed it; its history stays.
    removed_at: datetime | None = column.moment(optional=True)
