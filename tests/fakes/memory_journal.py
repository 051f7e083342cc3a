"""A journal in memory that keeps the journal's contract, and fails when it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Final

from core.base_journal import (
    REBUILT,
    CommitUnknown,
    Conflict,
    Fenced,
    JournalDown,
    RiskMetrics,
    Step,
    Stored,
    StoredState,
    UnitsChanged,
    check,
)
from core.clock import SystemTime
from domain.fill import Fill, new_fills
from domain.instrument import Instrument
from domain.ledger import Entry
from domain.order import Order, is_complete

_MACHINE = SystemTime()

# What the next commit meets.
DOWN: Final = "down"
UNKNOWN_KEPT: Final = "unknown, kept"
UNKNOWN_LOST: Final = "unknown, lost"
FENCED: Final = "fenced"


@dataclass(frozen=True, slots=True)
class Intent:
    """What was journaled of an order before it was sent."""

    order: Order
    reason: int
    epoch: int
    committed_ms: int


@dataclass
class Book:
    """Everything of one instance. Replaced as a whole, so a step is kept whole or not at all."""

    account: int = 1
    epoch: int = 0
    owner: str = ""
    generation: int = 0
    units: tuple[object, ...] | None = None
    base_per_lot: int = 1
    version: int = 0
    state: StoredState | None = None
    metrics: RiskMetrics | None = None
    intents: dict[str, Intent] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    #: Slot -> client order id of the order that lives there.
    live: dict[int, str] = field(default_factory=dict)
    cancels: list[str] = field(default_factory=list)
    fills: dict[tuple[str, str], Fill] = field(default_factory=dict)
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def copy(self) -> Book:
        """A copy whose containers may be changed."""
        return replace(
            self,
            intents=dict(self.intents),
            orders=dict(self.orders),
            live=dict(self.live),
            cancels=list(self.cancels),
            fills=dict(self.fills),
            entries=dict(self.entries),
        )


class MemoryJournal:
    """`BaseJournal` in memory. Instances exist as soon as they are named; all are on account 1 unless `add` says else.

    `fail_next(UNKNOWN_KEPT, DOWN)` lets the next two commits fail so; `is_down` lets every call fail until it is
    switched back. `steps` holds what was kept, in order.
    """

    def __init__(self, now_ms: Callable[[], int] = _MACHINE.now_ms) -> None:
        self.is_down = False
        self.steps: list[Step] = []
        self._now_ms = now_ms
        self._books: dict[int, Book] = {}
        self._faults: deque[str] = deque()

    def add(self, instance: int, account: int = 1) -> None:
        """Make an instance."""
        self._books[instance] = Book(account=account)

    def book(self, instance: int) -> Book:
        """What is journaled of an instance, for tests to look at."""
        return self._books.setdefault(instance, Book())

    def back_up(self, instance: int) -> Book:
        """What is journaled of an instance now, for `go_back`."""
        return self.book(instance).copy()

    def go_back(self, instance: int, backup: Book) -> None:
        """The journal is restored from an older backup: what was kept of the instance since then is gone."""
        self._books[instance] = backup.copy()

    def fail_next(self, *faults: str) -> None:
        """What the next commits meet, one each."""
        self._faults.extend(faults)

    def reset(self, instance: int) -> None:
        """A new generation from scratch: what a person's reset does."""
        book = self.book(instance)
        book.generation, book.state, book.units = book.generation + 1, None, None

    async def commit(self, step: Step) -> int:
        """Keep a step, or meet the next fault."""
        await asyncio.sleep(0)
        self._check_up()
        fault = self._faults.popleft() if self._faults else ""
        if fault == DOWN:
            raise JournalDown
        if fault == UNKNOWN_LOST:
            raise CommitUnknown
        if fault == FENCED:
            self.book(step.instance).epoch += 1
        committed_ms = self._keep(_snapshot(step))
        if fault == UNKNOWN_KEPT:
            raise CommitUnknown
        return committed_ms

    async def load(self, instance: int) -> Stored:
        """Everything journaled for an instance."""
        await asyncio.sleep(0)
        self._check_up()
        book = self.book(instance)
        last = {order.key.slot: name for name, order in book.orders.items() if order.key.generation == book.generation}
        wanted = set(last.values())
        chosen = [order for name, order in book.orders.items() if name in wanted or not is_complete(order)]
        state = deepcopy(book.state)
        entries = sorted(book.entries.values(), key=lambda entry: (entry.time_ms, entry.kind, entry.reference))
        fills = new_fills(set(), list(book.fills.values()))
        taken = [intent.order.key for intent in book.intents.values() if intent.reason == REBUILT]
        newest = max((key.attempt for key in taken if key.generation == book.generation), default=-1)
        return Stored(state, chosen, fills, entries, book.metrics, book.epoch, newest)

    async def raise_epoch(self, instance: int, owner: str) -> int:
        """Become the owner."""
        await asyncio.sleep(0)
        self._check_up()
        book = self.book(instance)
        book.epoch, book.owner = book.epoch + 1, owner
        return book.epoch

    async def pin_units(self, instance: int, instrument: Instrument) -> None:
        """Record the units an instance counts in."""
        self._check_up()
        one = instrument
        units = (one.base, one.quote, one.tick_size, one.lot_size, one.base_quantum, one.quote_quantum)
        book = self.book(instance)
        if book.units not in (None, units):
            raise UnitsChanged
        book.units, book.base_per_lot = units, instrument.base_per_lot

    async def has_intents(self, instance: int, client_order_ids: list[str]) -> set[str]:
        """Which of these orders are journaled."""
        await asyncio.sleep(0)
        self._check_up()
        return set(client_order_ids) & set(self.book(instance).intents)

    async def find_orders(self, instance: int, client_order_ids: list[str]) -> list[Order]:
        """Those of these orders that are journaled."""
        await asyncio.sleep(0)
        self._check_up()
        orders = self.book(instance).orders
        return [orders[name] for name in client_order_ids if name in orders]

    async def held_before(self, instance: int, symbol: str, time_ms: int) -> dict[int, int]:
        """What the instances of an account held of a symbol, in base quanta."""
        self._check_up()
        held: dict[int, int] = {}
        for number, book in self._books.items():
            for fill in book.fills.values():
                if (book.account, fill.symbol) == (self.book(instance).account, symbol) and fill.time_ms < time_ms:
                    held[number] = held.get(number, 0) + fill.side * fill.lots * book.base_per_lot
        return held

    async def holders(self, account: int) -> dict[int, str]:
        """Instances of an account that hold something."""
        self._check_up()
        mine = {number: book for number, book in self._books.items() if book.account == account}
        sums: dict[tuple[int, str], int] = {}
        for number, book in mine.items():
            for fill in book.fills.values():
                sums[number, fill.symbol] = sums.get((number, fill.symbol), 0) + fill.side * fill.lots
        return {number: symbol for (number, symbol), lots in sums.items() if lots}

    async def watermark(self, account: int, symbol: str) -> str:
        """The newest trade id booked on an account and symbol."""
        self._check_up()
        fills = [
            fill
            for book in self._books.values()
            for fill in book.fills.values()
            if book.account == account and fill.symbol == symbol
        ]
        newest = max(fills, key=lambda fill: (fill.time_ms, len(fill.trade_id), fill.trade_id), default=None)
        return newest.trade_id if newest else ""

    def _check_up(self) -> None:
        if self.is_down:
            raise JournalDown

    def _keep(self, step: Step) -> int:
        book = self.book(step.instance)
        if step.epoch != book.epoch:
            raise Fenced(f"instance {step.instance} is at epoch {book.epoch}, and this step has {step.epoch}.")
        check(step)
        after, committed_ms = book.copy(), self._now_ms()
        for order in step.orders:
            self._update(after, order)
        for order, reason in zip(step.intents, step.reasons, strict=True):
            self._intend(after, Intent(order, reason, step.epoch, committed_ms))
        after.cancels += step.cancels
        for fill in step.fills:
            self._book_fill(after, step.instance, fill)
        for entry in step.entries:
            self._book_entry(after, step.instance, entry)
        after.state = step.state if step.state is not None else after.state
        after.metrics = step.metrics if step.metrics is not None else after.metrics
        after.version += 1
        self._books[step.instance] = after
        self.steps.append(step)
        return committed_ms

    def _update(self, book: Book, order: Order) -> None:
        name = order.client_order_id
        if name not in book.intents:
            raise Conflict(f"order {name} is updated and has no intent; journal its intent first.")
        book.orders[name] = order
        if is_complete(order) and book.live.get(order.key.slot) == name:
            del book.live[order.key.slot]

    def _intend(self, book: Book, intent: Intent) -> None:
        order, name = intent.order, intent.order.client_order_id
        if any(name in other.intents for other in self._books.values() if other.account == book.account):
            raise Conflict(f"order {name} is journaled already.")
        is_living = not is_complete(order)
        if name in book.intents or (is_living and order.key.slot in book.live):
            raise Conflict(f"slot {order.key.slot} holds {book.live.get(order.key.slot, name)}; record its end first.")
        book.intents[name] = intent
        book.orders[name] = order
        if is_living:
            book.live[order.key.slot] = name

    def _book_fill(self, book: Book, instance: int, fill: Fill) -> None:
        name = (fill.symbol, fill.trade_id)
        for number, other in self._books.items():
            if number != instance and other.account == book.account and name in other.fills:
                raise Conflict(f"trade {name} is booked by instance {number}.")
        if book.fills.setdefault(name, fill) != fill:
            raise Conflict(f"trade {name} is booked with another content.")

    def _book_entry(self, book: Book, instance: int, entry: Entry) -> None:
        name = (entry.kind, entry.reference)
        for number, other in self._books.items():
            if number != instance and other.account == book.account and name in other.entries:
                raise Conflict(f"ledger entry {name} is booked by instance {number}.")
        if book.entries.setdefault(name, entry) != entry:
            raise Conflict(f"ledger entry {name} is booked with another content.")


def _snapshot(step: Step) -> Step:
    """The step as it is now, whatever its lists become later."""
    return replace(
        step,
        intents=list(step.intents),
        reasons=list(step.reasons),
        cancels=list(step.cancels),
        orders=list(step.orders),
        fills=list(step.fills),
        entries=list(step.entries),
        state=deepcopy(step.state),
    )
