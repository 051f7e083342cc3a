"""The one thread of a process that writes the journal: what waits is written together, in one transaction."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from core.base_journal import CommitUnknown, JournalDown
from core.clock import MachineTime
from core.crash_points import reach
from db.journal.drivers import AGAIN, LOST, Driver
from db.journal.transaction import LOCKED, Request, Transaction
from domain.errors import AresError
from domain.sentences import say

#: Most requests in one transaction.
BATCH = 64
#: How often a batch is tried again when the database rolled it back.
TRIES = 5
#: The first wait before connecting again, and the longest, in milliseconds.
FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS = 50, 1_000
#: How long a step waits for its instance's row while another transaction holds it.
PATIENCE_MS = 5_000
_MILLISECOND: Final = 1_000_000
_BREATH: Final = timedelta(milliseconds=1).total_seconds()
#: Other writers are let in at least so often.
_BREATHLESS_MS: Final = 5


class Pending(NamedTuple):
    """A request, when it must be done by (steady ns), and whom to tell."""

    request: Request
    deadline_ns: int
    #: Takes the result, or the error as a value; called on the writer's thread.
    tell: Callable[[Any], None]
    #: Whether nobody waits for it any more.
    is_abandoned: Callable[[], bool]


class _Again(Exception):
    """The database rolled the batch back; it may be tried again."""


class Writer:
    """Gathers, writes, tells. `flush` is called after the results of a batch have been told."""

    def __init__(
        self, connect: Callable[[], Driver], machine: MachineTime, batch: int, flush: Callable[[], None]
    ) -> None:
        self._connect = connect
        self._machine = machine
        self._batch = batch
        self._flush = flush
        self._waiting: deque[Pending] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._driver: Driver | None = None
        self._backoff_ms = 0
        self._connect_after_ns = 0
        #: When others last had the time to write (steady ns).
        self._rested_ns = 0
        #: Transactions committed and requests they held, for benchmarks and metrics.
        self.batches = 0
        self.written = 0
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def submit(self, request: Request, tell: Callable[[Any], None], is_abandoned: Callable[[], bool]) -> None:
        """Take a request; `JournalDown` when the writer is closing."""
        deadline = self._machine.steady_ns() + PATIENCE_MS * _MILLISECOND
        with self._changed:
            if self._closing:
                raise JournalDown(say("journal_is_closed", "the journal is closed; nothing was written."))
            self._waiting.append(Pending(request, deadline, tell, is_abandoned))
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while batch := self._gather():
                self._serve(batch)
                self._flush()
                self._breathe()
        finally:
            self._hang_up()

    def _gather(self) -> list[Pending]:
        """What waits, one request per instance; empty when the writer is closed and has nothing left."""
        with self._changed:
            while True:
                if not self._waiting and not self._closing:
                    self._rest()
                chosen = self._choose()
                if chosen or (self._closing and not self._waiting):
                    return chosen

    def _choose(self) -> list[Pending]:
        chosen: dict[int, Pending] = {}
        later: list[Pending] = []
        while self._waiting and len(chosen) < self._batch:
            one = self._waiting.popleft()
            if one.request.instance in chosen:
                later.append(one)
            elif not one.is_abandoned():
                chosen[one.request.instance] = one
        self._waiting.extendleft(reversed(later))
        return list(chosen.values())

    def _rest(self) -> None:
        """Wait for work."""
        began_ns = self._machine.steady_ns()
        while not self._waiting and not self._closing:
            self._changed.wait()
        now_ns = self._machine.steady_ns()
        if now_ns - began_ns >= _MILLISECOND:
            self._rested_ns = now_ns

    def _breathe(self) -> None:
        """Let other writers in where the database has one lock for all and has not been free lately."""
        if self._driver is not None and self._driver.locks_rows:
            return
        if self._machine.steady_ns() - self._rested_ns >= _BREATHLESS_MS * _MILLISECOND:
            threading.Event().wait(_BREATH)
            self._rested_ns = self._machine.steady_ns()

    def _serve(self, batch: list[Pending]) -> None:
        requests = [one.request for one in batch]
        try:
            results: Sequence[Any] = self._written(requests)
        except AresError as error:
            results = [error] * len(batch)
        locked: list[Pending] = []
        for one, result in zip(batch, results, strict=True):
            if result is not LOCKED:
                one.tell(result)
            elif self._machine.steady_ns() > one.deadline_ns:
                one.tell(
                    JournalDown(
                        say(
                            "row_is_held",
                            "the row of instance {instance} is held by another transaction.",
                            instance=one.request.instance,
                        )
                    )
                )
            else:
                locked.append(one)
        if locked:
            with self._changed:
                self._waiting.extendleft(reversed(locked))
            threading.Event().wait(_BREATH)

    def _written(self, requests: list[Request]) -> list[Any]:
        """The results of a batch; `JournalDown` or `CommitUnknown` when they are the same for all of it."""
        careful, lost = False, False
        for _ in range(TRIES):
            driver = self._connected()
            try:
                results = self._prepare(driver, requests, careful=careful)
            except _Again:
                continue
            except _BadRow:
                careful = True
                continue
            except _Lost as error:
                # An idle connection that the server has closed shows now; nothing was kept, so one more try is safe.
                if lost:
                    raise JournalDown(str(error)) from error
                lost = True
                continue
            try:
                return self._finish(driver, results)
            except _Again:
                continue
        raise JournalDown(
            say(
                "batch_rolled_back",
                "the database rolled the batch back {tries} times; nothing was written.",
                tries=TRIES,
            )
        )

    def _prepare(self, driver: Driver, requests: list[Request], *, careful: bool) -> list[Any]:
        """Everything but the commit; on an error nothing of it stays."""
        try:
            driver.begin()
            return Transaction(driver, self._machine.now_ms, careful=careful).run(requests)
        except Exception as error:
            raise self._rolled_back(driver, error) from error

    def _rolled_back(self, driver: Driver, error: Exception) -> Exception:
        meaning = driver.meaning(error)
        if meaning == LOST:
            self._hang_up()
            return _Lost(f"the database was lost before the commit: {error}")
        try:
            driver.drop()
        except Exception as second:  # noqa: BLE001 - whatever it is, the connection is of no use any more
            self._hang_up()
            return _Lost(f"the database was lost before the commit: {second}")
        return _Again() if meaning == AGAIN else _BadRow(str(error))

    def _finish(self, driver: Driver, results: list[Any]) -> list[Any]:
        """Commit, unless there is nothing to keep."""
        good = [result for result in results if result is not LOCKED and not isinstance(result, AresError)]
        try:
            if good:
                reach("journal.before_keep")
                driver.keep()
                reach("journal.after_keep")
            else:
                driver.drop()
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer did not come
            return self._unknown(driver, results, error)
        self.batches += bool(good)
        self.written += len(good)
        return results

    def _unknown(self, driver: Driver, results: list[Any], error: Exception) -> list[Any]:
        """What a commit that raised leaves: known where the database can say that it did not happen."""
        if driver.meaning(error) == AGAIN:
            self._rolled_back(driver, error)
            raise _Again
        not_kept = driver.in_transaction()
        self._hang_up()
        words = f"the database was lost during the commit: {error}"
        fate: AresError = JournalDown(words) if not_kept else CommitUnknown(words)
        return [result if result is LOCKED or isinstance(result, AresError) else fate for result in results]

    def _connected(self) -> Driver:
        """The connection, or a new one; while the database is away, refused at once between two tries."""
        if self._driver is not None:
            return self._driver
        if self._machine.steady_ns() < self._connect_after_ns:
            raise JournalDown(
                say("database_is_away", "the database is away; the next connection is tried in a moment.")
            )
        try:
            self._driver = self._connect()
        except Exception as error:
            self._backoff_ms = min(max(2 * self._backoff_ms, FIRST_BACKOFF_MS), LONGEST_BACKOFF_MS)
            self._connect_after_ns = self._machine.steady_ns() + self._backoff_ms * _MILLISECOND
            raise JournalDown(
                say("database_unreachable", "the database cannot be reached: {error}", error=error)
            ) from error
        self._backoff_ms = 0
        return self._driver

    def _hang_up(self) -> None:
        if self._driver is not None:
            self._driver.close()
            self._driver = None


class _BadRow(Exception):
    """The content of some step was refused; each has to be tried by itself."""


class _Lost(Exception):
    """The connection broke before the commit."""
