"""Leases from heartbeat to heartbeat: renewed on a loop of their own; what is not simply renewed is dealt with here.

Dealing with it takes its time: it reads the database and ends engines. No lease waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog
from redis.exceptions import RedisError

from core.redis_names import account_lock, strategy_lock
from db.queries import fleet
from domain.errors import AresError
from tasks.host.account import AccountRunner
from tasks.host.leases import Renewal
from tasks.wiring import Parts

log = structlog.get_logger(__name__)


class LeaseTender:
    """Takes again what the server forgot; lets go what others have."""

    def __init__(self, parts: Parts, accounts: dict[int, AccountRunner], is_alive: Callable[[], bool]) -> None:
        #: Accounts that are being let go; nobody takes one up here before the last of it has ended.
        self.ending: set[int] = set()
        self._parts = parts
        self._accounts = accounts
        self._is_alive = is_alive
        self._forgotten: set[str] = set()
        self._lost: set[str] = set()
        self._bell = asyncio.Event()

    async def run(self) -> None:
        """Renew and tend, until cancelled."""
        loop, seconds = asyncio.get_running_loop(), self._parts.config.worker.heartbeat_seconds

        def note(found: Renewal) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._note, found)

        renewing = asyncio.create_task(self._parts.leases.keep_renewed(seconds, self._is_alive, note), name="renewing")
        try:
            while True:
                await self._bell.wait()
                self._bell.clear()
                await self._tend()
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    def _note(self, found: Renewal) -> None:
        self._lost.update(found.lost)
        self._forgotten.update(found.gone)
        self._bell.set()

    async def _tend(self) -> None:
        """What cannot be done now is found again by the next heartbeat."""
        lost, self._lost = self._lost, set()
        forgotten, self._forgotten = self._forgotten - lost, set()
        try:
            if lost:
                await self._lose(lost)
            if forgotten:
                await self._retake(forgotten)
        except (AresError, RedisError, OSError) as error:
            log.warning("leases_not_tended", reason=str(error) or type(error).__name__)
        except Exception:
            log.exception("leases_not_tended")

    async def _lose(self, lost: set[str]) -> None:
        log.warning("leases_lost", count=len(lost))
        self._parts.leases.drop(lost)
        ending = []
        for account in list(self._accounts.values()):
            if account_lock(account.number) in lost:
                ending.append(self._end(account))
            elif numbers := [number for number in account.runners if strategy_lock(number) in lost]:
                ending.append(account.lose(numbers))
        await asyncio.gather(*ending)

    async def _end(self, account: AccountRunner) -> None:
        del self._accounts[account.number]
        self.ending.add(account.number)
        try:
            await account.drain(is_lost=True)
        finally:
            self.ending.discard(account.number)

    async def _retake(self, forgotten: set[str]) -> None:
        """Take them again. Ours still, without reading anything anew, if nobody has raised the epoch."""
        leases = self._parts.leases
        keys = sorted(forgotten & leases.held.keys())
        before_ns = self._parts.clock.machine.steady_ns()
        taken = await leases.retake(keys)
        runners = [runner for account in self._accounts.values() for runner in account.runners.values()]
        epochs = {
            strategy_lock(runner.number): (runner.number, runner.engine.epoch if runner.engine else -1)
            for runner in runners
        }
        numbers = [epochs[key][0] for key in taken if key in epochs]
        newest = await self._parts.database.read(partial(fleet.epochs, instances=numbers))
        proven = {key for key in taken if key not in epochs or epochs[key][1] in (-1, newest.get(epochs[key][0]))}
        leases.confirm(proven, before_ns)
        log.warning("leases_taken_again", count=len(proven), lost=len(keys) - len(proven))
        if lost := set(keys) - proven:
            await leases.release(lost & taken)
            await self._lose(lost)
