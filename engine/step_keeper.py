"""Brings a step into the journal: however long it takes, once, and only as the owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from core.base_journal import REBUILT, BaseJournal, CommitUnknown, JournalDown, Step
from core.clock import Clock
from core.crash_points import reach
from domain.events import PRICE
from domain.fill import Fill
from domain.instance import Instance, Proposal
from domain.order import Order


class StepKeeper:
    """One instance's way to the journal under one lease epoch."""

    def __init__(
        self, instance: int, epoch: int, journal: BaseJournal, clock: Clock, retry: float, tell: Callable[[str], None]
    ) -> None:
        self._instance = instance
        self._epoch = epoch
        self._journal = journal
        self._clock = clock
        #: Seconds between attempts.
        self._retry = retry
        #: Told why the journal does not answer, each time.
        self._tell = tell

    def new_step(self, heard: dict[str, int] | None = None) -> Step:
        """A step of nothing; `heard` is when the first word of each order in it came."""
        now_ms = self._clock.machine.now_ms()
        return Step(self._instance, self._epoch, [], [], [], [], [], [], began_ms=now_ms, heard=heard or {})

    async def prove_ownership(self) -> None:
        """Return if the journal still knows this engine as the owner; `Fenced` when another has taken over."""
        await self._journal.commit(self.new_step())

    async def booked(self) -> list[Fill]:
        """Every execution that the journal has; asks until it is told."""
        while True:
            try:
                return (await self._journal.load(self._instance)).fills
            except JournalDown as error:
                await self._suspend(error)

    async def keep(self, step: Step) -> int:
        """Keep a step; gives the machine time that signs its orders. `Fenced` when another has taken over."""
        while True:
            began_ms = self._clock.machine.now_ms()
            try:
                return await self._journal.commit(step)
            except JournalDown as error:
                await self._suspend(error)
            except CommitUnknown as error:
                await self._suspend(error)
                reach("engine.commit_unknown")
                if await self._was_kept(step):
                    # The moment of the commit is not known, only that it was not earlier: the venue's window counts
                    # from there, so that an owner who was cut off for long is refused.
                    return began_ms

    async def _suspend(self, error: JournalDown | CommitUnknown) -> None:
        self._tell(str(error))
        await asyncio.sleep(self._retry)

    async def _was_kept(self, step: Step) -> bool:
        """Whether a step whose commit broke is in the journal; asks until it is told.

        A step without intents is simply made again.
        """
        names = [order.client_order_id for order in step.intents]
        while names:
            try:
                if await self._journal.has_intents(step.instance, names) != set(names):
                    return False
                # The same order has the same name under every owner: what is there may be a newer owner's.
                await self.prove_ownership()
            except (JournalDown, CommitUnknown) as error:
                await self._suspend(error)
            else:
                return True
        return False


@dataclass(slots=True)
class Draft:
    """A step in the making."""

    step: Step
    #: Orders that reports and fills have changed, as they are now.
    orders: dict[str, Order] = field(default_factory=dict)
    cancels: dict[str, Order] = field(default_factory=dict)
    #: Orders that only the venue had known: their intents are kept with this step, and nothing is sent.
    rebuilt: dict[str, Order] = field(default_factory=dict)
    #: What is to be sent once the step is kept.
    placed: list[Order] = field(default_factory=list)
    has_state: bool = False

    def note_state(self, kind: int, instance: Instance, proposal: Proposal) -> None:
        """The strategy has heard of an event of this kind; a price that changes nothing leaves nothing to keep."""
        is_same = proposal.state == instance.state and proposal.memory == instance.memory
        self.has_state = self.has_state or kind != PRICE or not is_same

    def complete(self) -> None:
        """Bring what has become of the orders into the step."""
        step = self.step
        rebuilt = [self.orders.pop(name, order) for name, order in self.rebuilt.items()]
        step.intents = [*rebuilt, *self.placed]
        step.reasons = [REBUILT] * len(rebuilt) + step.reasons
        step.orders.extend(self.orders.values())
        step.cancels.extend(self.cancels)

    @property
    def has_content(self) -> bool:
        """Whether there is anything to keep or to send."""
        step = self.step
        return self.has_state or bool(step.intents or step.cancels or step.orders or step.fills or step.entries)
