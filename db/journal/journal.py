"""The journal as the engine sees it: awaitable, on two threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from core.base_journal import Step, Stored
from core.clock import MachineTime
from db.journal import drivers
from db.journal.drivers import Driver
from db.journal.reader import Reader
from db.journal.transaction import PinUnits, RaiseEpoch, Request
from db.journal.writer import BATCH, Writer
from domain.instrument import Instrument
from domain.order import Order

T = TypeVar("T")
Waiter = asyncio.Future[Any]


class GroupCommitJournal:
    """`BaseJournal` on SQLite, MySQL or MariaDB: one per process, usable from any of its event loops.

    Steps that wait are committed together. Does not connect before it is used, and connects again by itself.
    Cancelling a `commit` that has begun does not undo it: load the instance anew, as after any crash.
    """

    def __init__(
        self, url: str, machine: MachineTime, batch: int = BATCH, connect: Callable[[], Driver] | None = None
    ) -> None:
        opened = connect or partial(drivers.connect, url)
        self._told: dict[asyncio.AbstractEventLoop, list[tuple[Waiter, Any]]] = {}
        self._writer = Writer(opened, machine, batch, self._deliver)
        self._reader = Reader(opened)
        self._read_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-reader")

    async def commit(self, step: Step) -> int:
        """Keep a step; see `BaseJournal`."""
        committed_ms: int = await self._write(step)
        return committed_ms

    async def raise_epoch(self, instance: int, owner: str) -> int:
        """Become the owner; see `BaseJournal`."""
        epoch: int = await self._write(RaiseEpoch(instance, owner))
        return epoch

    async def pin_units(self, instance: int, instrument: Instrument) -> None:
        """Record the units of an instance; see `BaseJournal`."""
        await self._write(PinUnits(instance, instrument))

    async def load(self, instance: int) -> Stored:
        """Everything of an instance; see `BaseJournal`."""
        return await self._read(self._reader.load, instance)

    async def has_intents(self, instance: int, client_order_ids: list[str]) -> set[str]:
        """Which orders are journaled; see `BaseJournal`."""
        return await self._read(self._reader.has_intents, instance, client_order_ids)

    async def find_orders(self, instance: int, client_order_ids: list[str]) -> list[Order]:
        """Orders by their names; see `BaseJournal`."""
        return await self._read(self._reader.find_orders, instance, client_order_ids)

    async def held_before(self, instance: int, symbol: str, time_ms: int) -> dict[int, int]:
        """What the account's instances held; see `BaseJournal`."""
        return await self._read(self._reader.held_before, instance, symbol, time_ms)

    async def holders(self, account: int) -> dict[int, str]:
        """Who holds something on an account; see `BaseJournal`."""
        return await self._read(self._reader.holders, account)

    async def watermark(self, account: int, symbol: str) -> str:
        """The newest trade id; see `BaseJournal`."""
        return await self._read(self._reader.watermark, account, symbol)

    async def close(self) -> None:
        """Write what waits, end both threads; later commits are `JournalDown`."""
        await asyncio.to_thread(self._writer.close)
        await self._read(self._reader.close)
        self._read_thread.shutdown(wait=True)

    def counts(self) -> tuple[int, int]:
        """Transactions committed so far, and the requests in them."""
        return self._writer.batches, self._writer.written

    async def _write(self, request: Request) -> Any:
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        self._writer.submit(request, partial(self._note, loop, waiter), waiter.cancelled)
        return await waiter

    async def _read(self, question: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._read_thread, question, *arguments)

    def _note(self, loop: asyncio.AbstractEventLoop, waiter: Waiter, result: Any) -> None:
        self._told.setdefault(loop, []).append((waiter, result))

    def _deliver(self) -> None:
        """Wake each event loop once per batch. Runs on the writer's thread."""
        told, self._told = self._told, {}
        for loop, results in told.items():
            # A loop that has been closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, results)


def _settle(results: list[tuple[Waiter, Any]]) -> None:
    for waiter, result in results:
        if waiter.done():
            continue
        if isinstance(result, BaseException):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)
