"""Column types that keep what they are given, on SQLite as on MySQL and MariaDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, Numeric, String
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine

from domain.errors import Refused
from domain.money import FRACTION_DIGITS, WHOLE_DIGITS, check_storable, exact

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NaiveTime(Refused):
    """A moment without a time zone cannot be stored; make it aware, in UTC."""


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal with 18 digits before and 18 after the point: DECIMAL(36,18).

    SQLite's own numeric type is a float underneath, so there it is kept as text with all 18 digits; compare and add
    such columns in Python. Floats, and amounts that would lose a digit, are refused on every database.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """DECIMAL(36,18), or text on SQLite."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(WHOLE_DIGITS + FRACTION_DIGITS + 2))
        return dialect.type_descriptor(Numeric(WHOLE_DIGITS + FRACTION_DIGITS, FRACTION_DIGITS))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Exact or refused, whatever the database would have done."""
        if value is None:
            return None
        stored = check_storable(exact(value))
        return format(stored, "f") if dialect.name == "sqlite" else stored

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """The decimal that was stored, with 18 digits after the point."""
        del dialect
        return None if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, exact to the microsecond.

    DATETIME(6) on MySQL and MariaDB; on SQLite whole microseconds since 1970, which sort and compare as they should.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """DATETIME(6), or an integer on SQLite."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(mysql.DATETIME(fsp=6))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Moments of any zone are stored as UTC; naive ones are refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveTime(f"{value.isoformat()} has no time zone; make it aware, in UTC.")
        if dialect.name == "sqlite":
            return (value - _EPOCH) // timedelta(microseconds=1)
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The moment, aware, in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        moment: datetime = value.replace(tzinfo=UTC)
        return moment


def identifier(length: int) -> TypeEngine[str]:
    """Text in which case matters, on every database: ids that differ only in case are different ids."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
    )
