"""Column types that keep what they are given, on SQLite as on MySQL and MariaDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, Numeric, String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator, TypeEngine

from domain import sentences
from domain.errors import Refused
from domain.money import FRACTION_DIGITS, WHOLE_DIGITS, TooFine, check_storable, exact

WHOLE_NUMBER_DIGITS = 38

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WHOLE_LIMIT = 10**WHOLE_NUMBER_DIGITS


@lru_cache(4096)
def _microseconds(moment: datetime) -> int:
    """Since 1970. The rows of one transaction mostly share the moments that they tell of."""
    return (moment - _EPOCH) // _MICROSECOND


@lru_cache(4096)
def _text(amount: Decimal) -> str:
    """With 18 digits after the point; of amounts that are the same number all have one text."""
    return format(check_storable(amount), "f")


_ZERO = _text(Decimal(0))


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
        amount = exact(value)
        if dialect.name == "sqlite":
            return _text(amount) if amount else _ZERO
        return check_storable(amount)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """The decimal that was stored, with 18 digits after the point."""
        del dialect
        return None if value is None else Decimal(value)


class WholeNumber(TypeDecorator[int]):
    """A whole number of up to 38 digits: quanta of cheap assets outgrow 64 bits.

    DECIMAL(38,0) on MySQL and MariaDB; text on SQLite, whose larger integers would become floats. Add them in Python.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """DECIMAL(38,0), or text on SQLite."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(WHOLE_NUMBER_DIGITS + 1))
        return dialect.type_descriptor(Numeric(WHOLE_NUMBER_DIGITS, 0))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """An integer of at most 38 digits, or refused."""
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _WHOLE_LIMIT:
            raise TooFine(f"{value!r} is not a whole number of at most {WHOLE_NUMBER_DIGITS} digits.")
        return str(value) if dialect.name == "sqlite" else Decimal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """The number that was stored."""
        del dialect
        return None if value is None else int(value)


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
            return _microseconds(value)
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


def venue_name(length: int) -> TypeEngine[str]:
    """Text of the venue in which case matters: symbols and assets, some of which are not written in ASCII."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
    )


def packed() -> TypeEngine[Any]:
    """Bytes of up to 16 MB."""
    return LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def long_text() -> TypeEngine[str]:
    """Text of up to 16 MB; the plain type of MySQL would end at 64 kB."""
    return Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def row_number() -> TypeEngine[int]:
    """The type of keys that count up by themselves: SQLite does so for INTEGER only."""
    return BigInteger().with_variant(Integer(), "sqlite")


class Spoken(TypeDecorator[str]):
    """Text for people: a sentence with its code and values where it has them, its English where that does not fit."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self._most = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The English, and what a page needs to say it in another language."""
        return None if value is None else sentences.packed(value, self._most)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """The sentence that was stored."""
        return None if value is None else sentences.unpacked(value)
