"""The one place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from db.database import for_reading
from domain.errors import Broken, Refused, Transient


class NotOpen(Broken):
    """The unit of work is used outside its `with` block."""


class DatabaseUnavailable(Transient):
    """The database cannot be reached or is busy; try again in a moment."""


class AlreadyThere(Refused):
    """Something of this name is there already, or came at the same moment; take another name or look again."""


class UnitOfWork:
    """One transaction: all of it is kept by `commit()`, or nothing of it.

    Leaving the `with` block without a commit, by an error or by forgetting, rolls back.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._transaction: RootTransaction | None = None
        self._session: Session | None = None

    def __enter__(self) -> Self:
        self._connection = self._engine.connect()
        self._transaction = self._connection.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        if self._session is not None:
            self._session.close()
        if self._connection is not None:
            self._connection.close()
        self._connection = self._transaction = self._session = None

    @property
    def connection(self) -> Connection:
        """Where statements of this unit are executed."""
        if self._connection is None:
            raise NotOpen
        return self._connection

    @property
    def session(self) -> Session:
        """The unit's objects: they belong to its transaction, and are plain values after it."""
        if self._session is None:
            self._session = Session(self.connection, expire_on_commit=False, join_transaction_mode="rollback_only")
        return self._session

    def commit(self) -> None:
        """Keep everything done so far. Raises what the database raises; an answer that got lost is not a refusal."""
        if self._transaction is None:
            raise NotOpen
        if self._session is not None:
            self._session.flush()
        self._transaction.commit()
        self._transaction = None


@contextmanager
def committed(engine: Engine) -> Iterator[UnitOfWork]:
    """A unit of work that is kept when its block ends, and of which nothing is kept when it ends by an error."""
    with _told(), UnitOfWork(engine) as unit:
        yield unit
        unit.commit()


@contextmanager
def reading(engine: Engine) -> Iterator[UnitOfWork]:
    """A unit of work that changes nothing, sees one moment of the database and holds nobody up."""
    with _told(), UnitOfWork(for_reading(engine)) as unit:
        yield unit


@contextmanager
def _told() -> Iterator[None]:
    """What the database refuses, in the words of the house."""
    try:
        yield
    except IntegrityError as error:
        raise AlreadyThere from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise DatabaseUnavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable from error
        raise
