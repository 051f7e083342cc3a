"""Keeps one stream of a venue alive: one connection for everything that is wanted of its kind.

When more is wanted, or the stream has gone silent, a new connection is made first, and the old one ends only when the
new one has told something. When it breaks it is made again after a pause of chance.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import structlog

from core.base_exchange import MarketEvent
from core.clock import Clock
from engine.market_data.connects import ConnectBudget, full_jitter_seconds
from engine.market_data.settings import MarketSettings

log = structlog.get_logger(__name__)

# What an event was worth.
#: Nobody's, or nonsense.
WORTHLESS: Final = 0
#: True, and known already: the connection lives, but may be frozen.
KNOWN: Final = 1
NEWS: Final = 2

Key = TypeVar("Key")
#: Opens a stream of these keys that hands over its events until it breaks.
Connect = Callable[[set[Any], Callable[[MarketEvent], None]], Coroutine[Any, Any, None]]


@dataclass(eq=False, slots=True)
class Connection(Generic[Key]):
    """One running stream."""

    keys: frozenset[Key]
    opened_ns: int
    task: asyncio.Task[None] | None = None
    #: Set by the first event that was true.
    has_told: asyncio.Event = field(default_factory=asyncio.Event)
    #: When it last told something new, or was found to have missed nothing.
    sound_ns: int = 0

    @property
    def is_dead(self) -> bool:
        """Whether it has ended."""
        return self.task is not None and self.task.done()


@dataclass(slots=True)
class StreamCounts:
    """What a stream went through."""

    connects: int = 0
    #: Connections made because the one before broke or stalled.
    reconnects: int = 0
    #: Times it was found silent or frozen.
    stalls: int = 0
    #: Connections made because something more was wanted.
    changes: int = 0
    #: Events whose handling failed.
    failures: int = 0


class StreamKeeper(Generic[Key]):
    """The stream of one kind of one venue. `take(event)` says what an event was worth: `NEWS`, `KNOWN`, ..."""

    def __init__(
        self, name: str, connect: Connect, take: Callable[[MarketEvent], int], budget: ConnectBudget, clock: Clock,
        settings: MarketSettings, chance: random.Random,
    ) -> None:  # fmt: skip
        self.name = name
        self.counts = StreamCounts()
        self.last_error = ""
        self._connect = connect
        self._take = take
        self._budget = budget
        self._machine = clock.machine
        self._settings = settings
        self._chance = chance
        self._wanted: Counter[Key] = Counter()
        self._bell = asyncio.Event()
        self._current: Connection[Key] | None = None
        self._is_renewing = False
        self._stalled = ""
        self._failures = 0

    def want(self, key: Key) -> None:
        """Someone more wants this."""
        self._wanted[key] += 1
        self._bell.set()

    def drop(self, key: Key) -> None:
        """Someone wants this no more. It leaves the stream when that is renewed for another reason."""
        self._wanted[key] -= 1
        if self._wanted[key] <= 0:
            del self._wanted[key]
        self._bell.set()

    def wants(self, key: Key) -> bool:
        """Whether anyone wants this."""
        return key in self._wanted

    @property
    def wanted(self) -> int:
        """How many keys are wanted."""
        return len(self._wanted)

    @property
    def is_busy(self) -> bool:
        """Whether a connection is to be made or replaced."""
        return self._is_renewing or self._needs_work()

    @property
    def is_up(self) -> bool:
        """Whether there is a connection and nothing is held against it."""
        return self._current is not None and not self._current.is_dead and not self._stalled

    @property
    def is_sound(self) -> bool:
        """Whether it is up and has told something."""
        return self.is_up and self._current is not None and self._current.has_told.is_set()

    def covers(self, key: Key) -> bool:
        """Whether the connection was made with this key."""
        return self._current is not None and key in self._current.keys

    def silent_ms(self) -> int:
        """How long the connection has told nothing new; 0 when there is none, or it is being replaced."""
        if self._current is None or self.is_busy:
            return 0
        return (self._machine.steady_ns() - self._current.sound_ns) // 1_000_000

    def note_sound(self) -> None:
        """Its silence was compared with REST: it has missed nothing."""
        if self._current is not None:
            self._current.sound_ns = self._machine.steady_ns()

    def replace(self, reason: str) -> None:
        """It was found to have missed something: make another."""
        if self._stalled or self._current is None:
            return
        self._stalled = self.last_error = reason
        self._failures += 1
        self.counts.stalls += 1
        log.warning("stream_stalled", stream=self.name, reason=reason)
        self._bell.set()

    async def run(self) -> None:
        """Keep the stream until cancelled."""
        try:
            while True:
                while not self._needs_work():
                    self._bell.clear()
                    await self._bell.wait()
                self._is_renewing = True
                await self._work()
                self._is_renewing = False
        finally:
            self._is_renewing = False
            await self._end(self._current)

    def _needs_work(self) -> bool:
        current = self._current
        if not self._wanted:
            return current is not None
        return current is None or current.is_dead or bool(self._stalled) or not current.keys.issuperset(self._wanted)

    async def _work(self) -> None:
        if not self._wanted:
            ended, self._current, self._stalled = self._current, None, ""
            await self._end(ended)
            return
        if self._current is not None and self._current.is_dead:
            self._bury(self._current)
        await asyncio.sleep(self._pause())
        await self._budget.take()
        if self._wanted:
            await self._renew()

    def _pause(self) -> float:
        settings = self._settings
        if not self._failures:
            return settings.collect_ms / 1000
        return full_jitter_seconds(self._failures, settings.backoff_ms, settings.backoff_max_ms, self._chance)

    async def _renew(self) -> None:
        if self._current is not None and self._current.is_dead:
            self._bury(self._current)
        old, fresh = self._current, self._open()
        if old is None:
            self._current = fresh
        elif await self._is_taken_over(fresh):
            self._current, self._stalled = fresh, ""
            await self._end(old)

    def _open(self) -> Connection[Key]:
        self.counts.connects += 1
        now = self._machine.steady_ns()
        fresh = Connection(frozenset(self._wanted), now, sound_ns=now)
        task = asyncio.create_task(
            self._connect(set(fresh.keys), lambda event: self._deliver(fresh, event)), name=f"stream {self.name}"
        )
        fresh.task = task
        task.add_done_callback(lambda _: self._bell.set())
        return fresh

    async def _is_taken_over(self, fresh: Connection[Key]) -> bool:
        """Wait for the new connection to tell something; when it ends instead, the old one stays."""
        assert fresh.task is not None  # noqa: S101 - given by _open
        was_stalled = bool(self._stalled)
        told = asyncio.create_task(fresh.has_told.wait())
        try:
            await asyncio.wait(
                {fresh.task, told}, timeout=self._settings.overlap_ms / 1000, return_when=asyncio.FIRST_COMPLETED
            )
        except asyncio.CancelledError:
            await self._end(fresh)
            raise
        finally:
            told.cancel()
        if fresh.is_dead:
            self._failures += 1
            self._note_end(fresh)
            return False
        self.counts.reconnects += was_stalled
        self.counts.changes += not was_stalled
        if fresh.has_told.is_set():
            self._failures = 0
        return True

    def _deliver(self, connection: Connection[Key], event: MarketEvent) -> None:
        try:
            worth = self._take(event)
        except Exception as error:  # noqa: BLE001 - one event that cannot be handled must not end the stream
            self.counts.failures += 1
            log.error("event_failed", stream=self.name, error=f"{type(error).__name__}: {error}")
            return
        if worth == NEWS:
            connection.sound_ns = self._machine.steady_ns()
        if worth:
            connection.has_told.set()

    def _bury(self, dead: Connection[Key]) -> None:
        """Account for a connection that ended by itself."""
        lived_ms = (self._machine.steady_ns() - dead.opened_ns) // 1_000_000
        if dead.has_told.is_set() and lived_ms >= self._settings.steady_ms:
            self._failures = 0
        self._failures += 1
        self.counts.reconnects += 1
        self._stalled = ""
        self._note_end(dead)
        self._current = None

    def _note_end(self, dead: Connection[Key]) -> None:
        error = None if dead.task is None or dead.task.cancelled() else dead.task.exception()
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]  # a group's own words name no cause
        self.last_error = f"{type(error).__name__}: {error}" if error else "the stream ended"
        log.warning("stream_broke", stream=self.name, error=self.last_error, failures=self._failures)

    async def _end(self, connection: Connection[Key] | None) -> None:
        if connection is not None and connection.task is not None:
            connection.task.cancel()
            await asyncio.gather(connection.task, return_exceptions=True)
