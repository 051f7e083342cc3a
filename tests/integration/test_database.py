from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Column, Engine, MetaData, Table, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from db.columns import ExactDecimal, NaiveTime, Spoken, UtcDateTime, identifier
from db.database import UnsupportedDatabase, for_reading, open_database, opened
from db.unit_of_work import NotOpen, UnitOfWork
from domain.errors import Refused
from domain.money import NotAnAmount, TooFine
from domain.sentences import Sentence, say, words_of
from tests.services import Service, create_schema

pytestmark = pytest.mark.services

METADATA = MetaData()
FILLS = Table(
    "fills",
    METADATA,
    Column("id", identifier(32), primary_key=True),
    Column("amount", ExactDecimal()),
    Column("moment", UtcDateTime()),
    Column("why", Spoken(120)),
)
AMOUNTS = some.decimals(
    min_value=Decimal("-999999999999999999.999999999999999999"),
    max_value=Decimal("999999999999999999.999999999999999999"),
    allow_nan=False,
    allow_infinity=False,
    places=18,
)
MOMENTS = some.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001 - the zone is added


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_database(database_url)
    METADATA.create_all(opened)
    yield opened
    opened.dispose()


def store(engine: Engine, name: str, amount: Decimal | None, moment: datetime | None) -> None:
    with UnitOfWork(engine) as unit:
        unit.connection.execute(insert(FILLS).values(id=name, amount=amount, moment=moment))
        unit.commit()


def stored(engine: Engine) -> list[tuple[Any, ...]]:
    with UnitOfWork(engine) as unit:
        return [tuple(row)[:3] for row in unit.connection.execute(select(FILLS).order_by(FILLS.c.moment, FILLS.c.id))]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(amount=AMOUNTS, moment=MOMENTS)
def test_amounts_and_moments_come_back_to_the_last_digit(engine: Engine, amount: Decimal, moment: datetime) -> None:
    with UnitOfWork(engine) as unit:
        unit.connection.execute(insert(FILLS).values(id="one", amount=amount, moment=moment))
        row = unit.connection.execute(select(FILLS)).one()
    assert (row.amount, row.moment) == (amount, moment)
    assert row.moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("sentence", "is_whole"),
    [
        (say("no_account", "there is no account {account}.", account="价 'ä'"), True),
        (say("no_account", "there is no account {account}.", account="9" * 90), False),
    ],
)
def test_a_sentence_comes_back_with_its_code_where_it_fits(engine: Engine, sentence: Sentence, is_whole: bool) -> None:
    with UnitOfWork(engine) as unit:
        unit.connection.execute(insert(FILLS).values(id="one", why=sentence))
        told = unit.connection.execute(select(FILLS.c.why)).scalar_one()
    assert told == sentence[:120]
    assert words_of(told) == (words_of(sentence) if is_whole else None)


def test_the_smallest_and_the_largest_amount_survive_a_commit(engine: Engine) -> None:
    amounts = [Decimal("0.000000000000000001"), Decimal("999999999999999999.999999999999999999"), Decimal("-0.1")]
    start = datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    for index, amount in enumerate(amounts):
        store(engine, f"fill-{index}", amount, start + timedelta(microseconds=index))
    assert [row[1] for row in stored(engine)] == amounts
    assert [row[2].microsecond for row in stored(engine)] == [1, 2, 3]


def test_nothing_stays_nothing(engine: Engine) -> None:
    store(engine, "empty", None, None)
    assert stored(engine) == [("empty", None, None)]


def test_moments_of_another_zone_are_stored_as_utc(engine: Engine) -> None:
    shanghai = timezone(timedelta(hours=8))
    store(engine, "fill", Decimal(1), datetime(2026, 5, 1, 8, 0, tzinfo=shanghai))
    assert stored(engine)[0][2] == datetime(2026, 5, 1, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("amount", [0.1, Decimal("1e-19"), Decimal(10) ** 18, Decimal("NaN"), True])
def test_an_amount_that_would_lose_digits_is_refused(engine: Engine, amount: Decimal) -> None:
    with pytest.raises(StatementError) as refused:
        store(engine, "fill", amount, None)
    assert isinstance(refused.value.orig, NotAnAmount | TooFine)
    assert stored(engine) == []


def test_a_moment_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError) as refused:
        store(engine, "fill", None, datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    assert isinstance(refused.value.orig, NaiveTime)


def test_ids_that_differ_only_in_case_are_two_ids(engine: Engine) -> None:
    store(engine, "Order-a", Decimal(1), None)
    store(engine, "Order-A", Decimal(2), None)
    assert {row[0] for row in stored(engine)} == {"Order-a", "Order-A"}
    with pytest.raises(IntegrityError):
        store(engine, "Order-a", Decimal(3), None)


def test_without_a_commit_nothing_is_kept(engine: Engine) -> None:
    with UnitOfWork(engine) as unit:
        unit.connection.execute(insert(FILLS).values(id="forgotten"))
    with UnitOfWork(engine) as unit, contextlib.suppress(Refused):
        unit.connection.execute(insert(FILLS).values(id="failed"))
        raise Refused
    assert stored(engine) == []


def test_a_closed_unit_of_work_refuses_to_work(engine: Engine) -> None:
    unit = UnitOfWork(engine)
    with pytest.raises(NotOpen):
        _ = unit.connection
    with pytest.raises(NotOpen):
        unit.commit()
    with unit:
        unit.commit()
        with pytest.raises(NotOpen):
            unit.commit()


def test_sqlite_takes_the_write_lock_when_a_transaction_begins(tmp_path: Path) -> None:
    path = tmp_path / "lock.sqlite3"
    engine = open_database(f"sqlite:///{path}")
    with UnitOfWork(engine) as unit:
        assert unit.connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert unit.connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    engine.dispose()


def test_whoever_only_reads_sees_one_moment_and_holds_no_writer_up(engine: Engine) -> None:
    row = insert(FILLS).values(id="a", amount=Decimal(1), moment=datetime(2026, 5, 1, tzinfo=UTC))
    with UnitOfWork(for_reading(engine)) as reader:
        assert reader.connection.execute(select(FILLS.c.id)).all() == []
        with UnitOfWork(engine) as writer:
            writer.connection.execute(row)
            writer.commit()
        assert reader.connection.execute(select(FILLS.c.id)).all() == []
    with UnitOfWork(for_reading(engine)) as later:
        assert later.connection.execute(select(FILLS.c.id)).scalars().all() == ["a"]


def test_mariadb_reads_committed_rows_and_counts_time_in_utc(mariadb_service: Service) -> None:
    engine = open_database(create_schema(mariadb_service, "ares_settings"))
    with UnitOfWork(engine) as unit:
        assert unit.connection.execute(text("SELECT @@tx_isolation")).scalar_one() == "READ-COMMITTED"
        assert unit.connection.execute(text("SELECT @@session.time_zone")).scalar_one() == "+00:00"
        assert "STRICT_ALL_TABLES" in unit.connection.execute(text("SELECT @@session.sql_mode")).scalar_one()
    engine.dispose()


def test_other_databases_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedDatabase, match="use sqlite:// or mysql"):
        open_database("mysql+mysqldb://root@127.0.0.1/ares")


def test_all_who_open_a_new_database_at_once_get_it(tmp_path: Path) -> None:
    def opening(number: int, gate: threading.Barrier) -> str:
        with opened(f"sqlite:///{tmp_path / f'{number}.sqlite3'}") as engine:
            gate.wait()
            with engine.connect() as connection:
                return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())

    with ThreadPoolExecutor(6) as pool:
        for number in range(30):
            gate = threading.Barrier(6)
            assert set(pool.map(opening, [number] * 6, [gate] * 6)) == {"wal"}
