"""The contract of the journal: everything one step of an instance changes, kept whole or not at all.

A step is committed before a byte of it is sent. The lease epoch is checked in the same transaction, so a stale owner
cannot journal, hence cannot send. Steps of many instances share one commit; a bad one fails alone.

A new intent is kept only when no other order lives in its slot: the step that places it, or one before, must record
that the slot's last order is complete; an intent that is complete itself, written down after the fact, takes no slot.
Order updates are kept as given, save that a slot once freed stays free.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from domain.client_order_id import encode
from domain.errors import Refused, Transient, Unknown
from domain.fill import Fill
from domain.instrument import Instrument
from domain.ledger import Entry
from domain.order import Order
from domain.sentences import say

#: Reason code of an intent that is written down after the fact: the journal was older than what the venue knew.
REBUILT: Final = -1
REBUILT_WORDS: Final = say(
    "rebuilt_from_venue", "Taken over from the exchange: the database was older than this order."
)


class Fenced(Refused):
    """Another owner has a newer epoch for this instance; stop without sending anything."""


class Conflict(Refused):
    """The step contradicts what is journaled; nothing of it was kept.

    An intent that is journaled already, a second live order in a slot, or a fill or ledger entry that is booked with
    another content or by another instance. Fills and entries that are booked already, word for word, are no conflict:
    they are left out, so that a step without intents may be committed again after `CommitUnknown`.
    """


class NoSuchInstance(Refused):
    """There is no strategy instance with this number."""


class UnitsChanged(Refused):
    """The venue counts in other ticks or lots than the instance's state does; reset the instance to go on."""


class JournalDown(Transient):
    """The database cannot be reached; nothing was written."""


class CommitUnknown(Unknown):
    """The connection broke during the commit; read the step's intents by id before acting on them."""


class StoredState(NamedTuple):
    """A strategy's state as stored: integers, and the floats of its indicators."""

    state: list[int]
    memory: list[float]


class RiskMetrics(NamedTuple):
    """Results of one trading day of one instance, after fees, in quote quanta."""

    instance: int
    #: Day number since 1970 in the instance's own day boundary.
    day: int
    realised: int
    fees: int
    trades: int
    losses_in_a_row: int
    last_loss_ms: int


@dataclass(slots=True)
class Step:
    """What one step of one instance changes. Empty parts are left alone."""

    instance: int
    epoch: int
    #: Orders whose intent is new: they may be sent once the step is committed.
    intents: list[Order]
    #: Reason code of each intent, in the same order.
    reasons: list[int]
    #: Client order ids that are about to be cancelled.
    cancels: list[str]
    #: Orders whose status or quantities have changed.
    orders: list[Order]
    fills: list[Fill]
    entries: list[Entry]
    state: StoredState | None = None
    metrics: RiskMetrics | None = None
    #: Trading time of the step in milliseconds.
    time_ms: int = 0
    #: Machine time at which its news was taken in, before anything of it was kept.
    began_ms: int = 0
    #: Client order id -> machine time in ms at which the first word of the order in this step came.
    heard: dict[str, int] = field(default_factory=dict)


class Stored(NamedTuple):
    """Everything an owner needs to take an instance up."""

    state: StoredState | None
    #: Orders that are the last of their slot, and any that are not complete.
    orders: list[Order]
    fills: list[Fill]
    entries: list[Entry]
    metrics: RiskMetrics | None
    #: The newest epoch: a step of whoever does not own the instance is kept under it, unless somebody takes it up.
    epoch: int = 0
    #: The highest attempt among orders that were taken over from the venue since the last reset; -1: there are none.
    taken_over: int = -1


class BaseJournal(Protocol):
    """Where steps go."""

    async def commit(self, step: Step) -> int:
        """Keep a step; gives the machine time in ms, read just before the commit: sign orders with it.

        `Fenced`, `Conflict`, `NoSuchInstance` and `JournalDown`: nothing was kept. `CommitUnknown`: ask `has_intents`.
        """

    async def load(self, instance: int) -> Stored:
        """Everything journaled for an instance, oldest first; orders of older generations only if not complete."""

    async def raise_epoch(self, instance: int, owner: str) -> int:
        """Become the owner: the instance's epoch plus one, by compare-and-set; older owners are fenced from here on."""

    async def pin_units(self, instance: int, instrument: Instrument) -> None:
        """Record the units an instance counts in, once, before its first step; `UnitsChanged` when others are there."""

    async def has_intents(self, instance: int, client_order_ids: list[str]) -> set[str]:
        """Which of these orders are journaled: what to ask after `CommitUnknown`."""

    async def find_orders(self, instance: int, client_order_ids: list[str]) -> list[Order]:
        """Those of these orders of an instance that are journaled, however old."""

    async def held_before(self, instance: int, symbol: str, time_ms: int) -> dict[int, int]:
        """Every instance of this one's account -> base quanta it held by its booked fills of a symbol before a time."""

    async def holders(self, account: int) -> dict[int, str]:
        """Instances of an account that hold something by their booked fills -> its symbol, whether they run or not."""

    async def watermark(self, account: int, symbol: str) -> str:
        """The newest trade id booked on an account and symbol, by the venue's time; empty when none is."""


class ForwardingJournal:
    """A journal before another one: hands everything on. Whoever adds something to a part of it overrides that part."""

    def __init__(self, journal: BaseJournal) -> None:
        self._journal = journal

    async def commit(self, step: Step) -> int:
        """Keep a step; see `BaseJournal`."""
        return await self._journal.commit(step)

    async def load(self, instance: int) -> Stored:
        """Everything of an instance; see `BaseJournal`."""
        return await self._journal.load(instance)

    async def raise_epoch(self, instance: int, owner: str) -> int:
        """Become the owner; see `BaseJournal`."""
        return await self._journal.raise_epoch(instance, owner)

    async def pin_units(self, instance: int, instrument: Instrument) -> None:
        """Record the units of an instance; see `BaseJournal`."""
        await self._journal.pin_units(instance, instrument)

    async def has_intents(self, instance: int, client_order_ids: list[str]) -> set[str]:
        """Which orders are journaled; see `BaseJournal`."""
        return await self._journal.has_intents(instance, client_order_ids)

    async def find_orders(self, instance: int, client_order_ids: list[str]) -> list[Order]:
        """Orders by their names; see `BaseJournal`."""
        return await self._journal.find_orders(instance, client_order_ids)

    async def held_before(self, instance: int, symbol: str, time_ms: int) -> dict[int, int]:
        """What the account's instances held; see `BaseJournal`."""
        return await self._journal.held_before(instance, symbol, time_ms)

    async def holders(self, account: int) -> dict[int, str]:
        """Who holds something on an account; see `BaseJournal`."""
        return await self._journal.holders(account)

    async def watermark(self, account: int, symbol: str) -> str:
        """The newest trade id; see `BaseJournal`."""
        return await self._journal.watermark(account, symbol)


def check(step: Step) -> None:
    """`Conflict` when the step contradicts itself: what every journal refuses before it looks at anything stored."""
    if len(step.intents) != len(step.reasons):
        raise Conflict(f"{len(step.intents)} intents have {len(step.reasons)} reasons; give one for each.")
    for order in (*step.intents, *step.orders):
        if order.key.instance != step.instance:
            raise Conflict(f"order {order.client_order_id} belongs to instance {order.key.instance}, not to this one.")
        if encode(order.key) != order.client_order_id:
            raise Conflict(f"order {order.client_order_id} is not named by its key, {encode(order.key)}.")
