"""The leases of this process: what it holds, until when, and what it finds out when it renews them."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from redis.exceptions import RedisError

from core.base_journal import BaseJournal, ForwardingJournal, JournalDown, Step
from core.clock import MachineTime
from core.lease import GONE, KEPT, Answer, Lease, LeaseStore, pieces
from core.redis_names import strategy_lock
from domain.sentences import say
from tasks.host.send_gate import SendGate

log = structlog.get_logger(__name__)
_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
T = TypeVar("T")


@dataclass(slots=True)
class Held:
    """One lease: its value in Redis, and the steady time at which it runs out."""

    value: str
    deadline_ns: int
    #: The server has lost it, so others may have had it: renewed no more until it is proven that nobody had.
    is_forgotten: bool = False


@dataclass(slots=True)
class Renewal:
    """What a heartbeat found: what the server forgot and nobody has proven since, and what others have."""

    gone: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


class LeaseThread:
    """A loop of its own for leases: however much the engines have to do, renewing them does not wait for it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="leases", daemon=True)
        self._thread.start()

    async def there(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry it out on that loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def stop(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(2)
        self._loop.close()


class LeaseKeeper:
    """Takes, renews and gives back. A lease counts from before its request left, so the server never ends it first."""

    def __init__(
        self, store: LeaseStore, machine: MachineTime, worker_id: str, margin_ms: int, thread: LeaseThread | None = None
    ) -> None:
        self._thread = thread
        self.held: dict[str, Held] = {}
        self.boot = ""
        self.boot_age_ms = 0
        self._store = store
        self._machine = machine
        self._worker_id = worker_id
        self._margin_ns = margin_ms * _MILLISECOND
        self._ttl_ns = store.ttl_ms * _MILLISECOND
        self._seen_ns = machine.steady_ns()

    @property
    def is_young(self) -> bool:
        """Whether the server may have forgotten leases that others still count on: one term has to pass first."""
        age_ns = self.boot_age_ms * _MILLISECOND + self._machine.steady_ns() - self._seen_ns
        return not self.boot or age_ns < self._ttl_ns

    def is_good(self, key: str) -> bool:
        """Whether the lease lasts for at least the margin."""
        return self.left_ns(key) > self._margin_ns

    def left_ns(self, key: str) -> int:
        """Nanoseconds until the lease runs out; below zero when it has, or is not held."""
        held = self.held.get(key)
        return -1 if held is None else held.deadline_ns - self._machine.steady_ns()

    def shortest_ns(self) -> int:
        """Nanoseconds until the first lease runs out; 0 while none is held."""
        deadlines = [held.deadline_ns for held in list(self.held.values())]
        return min(deadlines) - self._machine.steady_ns() if deadlines else 0

    def may_act(self, instance: int) -> bool:
        """Whether an instance may journal and send."""
        return self.is_good(strategy_lock(instance))

    async def acquire(self, keys: Iterable[str]) -> set[str]:
        """Take what is free; gives what was taken. Raises what the Redis client raises."""
        return await self._there(self._acquire(list(keys)))

    async def retake(self, keys: Iterable[str]) -> set[str]:
        """Take again, under the same value, what the server has forgotten. It counts only once `confirm` is called."""
        return await self._there(self._retake(list(keys)))

    async def keep_renewed(
        self, seconds: float, is_alive: Callable[[], bool], on_found: Callable[[Renewal], None]
    ) -> None:
        """Renew every so many seconds, while the caller lives, until cancelled; waits for nobody else's work.

        `is_alive` and `on_found` are called on the leases' own thread.
        """
        await self._there(self._keep_renewed(seconds, is_alive, on_found))

    async def renew(self) -> Renewal:
        """A term more for everything held. Raises what the Redis client raises; what was renewed until then counts."""
        return await self._there(self._renew())

    async def release(self, keys: Iterable[str]) -> None:
        """Give back; from here on they are not held, whether the server hears of it or not."""
        leases = [Lease(key, held.value) for key in keys if (held := self.held.pop(key, None)) is not None]
        await self._there(self._release(leases))

    async def holders(self, keys: Iterable[str]) -> list[str]:
        """Who holds each key, by any worker; empty for nobody."""
        return await self._there(self._store.holders(list(keys)))

    def drop(self, keys: Iterable[str]) -> None:
        """Hold these no more; others have them."""
        for key in keys:
            self.held.pop(key, None)

    def close(self) -> None:
        """End the thread, if there is one."""
        if self._thread is not None:
            self._thread.stop()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await (work if self._thread is None else self._thread.there(work))

    async def _acquire(self, keys: list[str]) -> set[str]:
        taken: set[str] = set()
        for some in pieces(keys):
            leases = [Lease(key, f"{self._worker_id}|{secrets.token_hex(6)}") for key in some]
            taken |= await self._take(leases)
        return taken

    async def _retake(self, keys: list[str]) -> set[str]:
        taken: set[str] = set()
        for some in pieces([key for key in keys if key in self.held]):
            answer = await self._store.acquire([Lease(key, self.held[key].value) for key in some])
            self._note(answer)
            taken |= {key for key, result in zip(some, answer.results, strict=True) if result == KEPT}
        return taken

    def confirm(self, keys: Iterable[str], since_ns: int) -> None:
        """These were taken again at or after a moment, and nobody ran them in between."""
        for key in keys:
            if key in self.held:
                self.held[key].deadline_ns = since_ns + self._ttl_ns
                self.held[key].is_forgotten = False

    async def _keep_renewed(
        self, seconds: float, is_alive: Callable[[], bool], on_found: Callable[[Renewal], None]
    ) -> None:
        while True:
            began_ns = self._machine.steady_ns()
            try:
                found = await self._renew(round(seconds / 4 * _SECOND), is_alive)
            except (RedisError, OSError) as error:
                log.warning("leases_not_renewed", count=len(self.held), reason=str(error) or type(error).__name__)
            else:
                if found.gone or found.lost:
                    on_found(found)
            took = (self._machine.steady_ns() - began_ns) / _SECOND
            await asyncio.sleep(max(seconds - took, seconds / 4))

    async def _renew(self, over_ns: int = 0, is_alive: Callable[[], bool] = lambda: True) -> Renewal:
        """Batch by batch, spread over so many ns where that leaves time: thousands at once would slow the engines down.

        Each lease is renewed as often as without that, and none any more once the caller does not live.
        """
        found, began_ns = Renewal(), self._machine.steady_ns()
        if not self.held and is_alive():
            self._note(await self._store.renew([]))
        batches = list(pieces(list(self.held.items())))
        for place, some in enumerate(batches):
            early_ns = began_ns + place * over_ns // len(batches) - self._machine.steady_ns()
            if early_ns > 0:
                await asyncio.sleep(early_ns / _SECOND)
            if not is_alive():
                break
            before_ns = self._machine.steady_ns()
            answer = await self._store.renew([Lease(key, held.value) for key, held in some])
            self._note(answer)
            for (key, held), result in zip(some, answer.results, strict=True):
                if self.held.get(key) is not held:
                    continue  # given back meanwhile
                held.is_forgotten = held.is_forgotten or result == GONE
                if result not in (KEPT, GONE):
                    found.lost.append(key)
                elif held.is_forgotten:
                    found.gone.append(key)
                else:
                    held.deadline_ns = before_ns + self._ttl_ns
        return found

    async def _release(self, leases: list[Lease]) -> None:
        try:
            await self._store.release(leases)
        except (RedisError, OSError) as error:
            log.warning("leases_not_released", count=len(leases), reason=str(error))

    async def _take(self, leases: list[Lease]) -> set[str]:
        before_ns = self._machine.steady_ns()
        answer = await self._store.acquire(leases)
        self._note(answer)
        taken: set[str] = set()
        for lease, result in zip(leases, answer.results, strict=True):
            if result == KEPT:
                self.held[lease.key] = Held(lease.value, before_ns + self._ttl_ns)
                taken.add(lease.key)
        return taken

    def _note(self, answer: Answer) -> None:
        if self.boot and answer.boot != self.boot:
            log.warning("redis_lost_its_memory", leases=len(self.held))
        self.boot, self.boot_age_ms, self._seen_ns = answer.boot, answer.boot_age_ms, self._machine.steady_ns()


class LeasedJournal(ForwardingJournal):
    """A journal in which nobody writes whose lease is about to run out. They wait, as if the database were away."""

    def __init__(self, journal: BaseJournal, leases: LeaseKeeper, gate: SendGate | None = None) -> None:
        super().__init__(journal)
        self._leases = leases
        self._gate = gate
        #: Told of every step that was kept.
        self.on_kept: Callable[[Step], None] = lambda _: None

    async def commit(self, step: Step) -> int:
        """Keep a step; see `BaseJournal`."""
        if not self._leases.may_act(step.instance):
            raise JournalDown(say("lease_run_out", "the lease has run out; waiting for it to be renewed."))
        if self._gate is None or not step.intents:
            committed_ms = await self._journal.commit(step)
        else:
            committed_ms = await self._commit_in_turn(step, self._gate)
        self.on_kept(step)
        return committed_ms

    async def _commit_in_turn(self, step: Step, gate: SendGate) -> int:
        """The gateway leaves the gate once the orders are answered."""
        await gate.enter(len(step.intents))
        try:
            if not self._leases.may_act(step.instance):
                raise JournalDown(say("lease_run_out", "the lease has run out; waiting for it to be renewed."))
            return await self._journal.commit(step)
        except BaseException:
            gate.leave(len(step.intents))
            raise

    async def raise_epoch(self, instance: int, owner: str) -> int:
        """Become the owner; see `BaseJournal`."""
        if not self._leases.may_act(instance):
            raise JournalDown(say("lease_run_out", "the lease has run out; waiting for it to be renewed."))
        return await self._journal.raise_epoch(instance, owner)
