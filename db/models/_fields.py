"""Short names for the columns that the tables are made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, MetaData, String
from sqlmodel import Field, SQLModel

from db.columns import (
    ExactDecimal,
    Spoken,
    UtcDateTime,
    WholeNumber,
    identifier,
    long_text,
    packed,
    row_number,
    venue_name,
)

#: Every constraint has a name: without one it cannot be changed or dropped on SQLite.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
#: Last of `__table_args__`.
OPTIONS = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


class Row(SQLModel):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMES)


def key(target: str | None = None, *, counts_up: bool = False) -> Any:
    """A number that is the table's primary key, or part of it; `target` is the row it belongs to."""
    links = [ForeignKey(target)] if target else []
    if counts_up:
        return Field(default=None, sa_column=Column(row_number(), primary_key=True, autoincrement=True))
    return Field(sa_column=Column(BigInteger(), *links, primary_key=True, autoincrement=False))


def link(target: str | None = None, *, optional: bool = False) -> Any:
    """The number of another row; with a `target` the database holds it to exist."""
    links = [ForeignKey(target)] if target else []
    return _field(Column(BigInteger(), *links, nullable=optional), optional)


def name_key(length: int, *, of_venue: bool = False) -> Any:
    """Text that is part of the primary key."""
    return Field(sa_column=Column(venue_name(length) if of_venue else identifier(length), primary_key=True))


def name(length: int, *, optional: bool = False, **options: Any) -> Any:
    """Text in ASCII in which case matters."""
    return _field(Column(identifier(length), nullable=optional), optional, **options)


def venue_text(length: int, *, optional: bool = False, **options: Any) -> Any:
    """A symbol, an asset, or what holds one."""
    return _field(Column(venue_name(length), nullable=optional), optional, **options)


def words(length: int, *, optional: bool = False, **options: Any) -> Any:
    """Text for people."""
    return _field(Column(String(length), nullable=optional), optional, **options)


def sentence(length: int, *, optional: bool = False, **options: Any) -> Any:
    """A sentence for people, with its code and values."""
    return _field(Column(Spoken(length), nullable=optional), optional, **options)


def document(*, optional: bool = False, **options: Any) -> Any:
    """Long text, most often JSON."""
    return _field(Column(long_text(), nullable=optional), optional, **options)


def integer(*, big: bool = True, optional: bool = False, **options: Any) -> Any:
    """A whole number that fits 64 bits, or 32."""
    return _field(Column(BigInteger() if big else Integer(), nullable=optional), optional, **options)


def quanta(*, optional: bool = False, **options: Any) -> Any:
    """An amount in the finest unit of its asset, of any size."""
    return _field(Column(WholeNumber(), nullable=optional), optional, **options)


def amount(*, optional: bool = False, **options: Any) -> Any:
    """An exact decimal."""
    return _field(Column(ExactDecimal(), nullable=optional), optional, **options)


def flag(**options: Any) -> Any:
    """Yes or no."""
    return _field(Column(Boolean(), nullable=False), optional=False, **options)


def moment(*, optional: bool = False) -> Any:
    """An aware moment in UTC, in microseconds."""
    return _field(Column(UtcDateTime(), nullable=optional), optional)


def moment_key() -> Any:
    """A moment that is part of the primary key."""
    return Field(sa_column=Column(UtcDateTime(), primary_key=True))


def secret_bytes() -> Any:
    """Encrypted content, or nothing."""
    return _field(Column(LargeBinary(4096), nullable=True), optional=True)


def large_bytes(*, optional: bool = False) -> Any:
    """Packed content of up to 16 MB."""
    return _field(Column(packed(), nullable=optional), optional)


def _field(column: Column[Any], optional: bool, **options: Any) -> Any:
    if optional:
        options.setdefault("default", None)
    return Field(sa_column=column, **options)
