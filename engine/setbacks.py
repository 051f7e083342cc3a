"""What one instance has to wait for at the venue: its symbol's standing, and orders that were refused or withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.base_exchange import CAME_LATE, KEY_REFUSED, NOTHING_SENT
from core.clock import Clock
from domain.order import CANCELLED, EXPIRED, REJECTED, Order, OrderReport, is_terminal
from domain.sentences import say
from engine.books import Books
from engine.gate import PAUSING, SlotPauses, Standing


class Setbacks:
    """Counts refusals in a row, by steps; lets single slots pause; says what holds an order back, and in which words.

    Orders that never left this machine, came after their time, or fail with the account's key, say nothing of the
    strategy and do not count.
    """

    def __init__(
        self, standing: Standing, books: Books, clock: Clock, pauses: SlotPauses, tell: Callable[[str], None]
    ) -> None:
        self.standing = standing
        #: Told of every refusal: the venue's rules may have changed.
        self.on_refusal: Callable[[], None] = lambda: None
        self._books = books
        self._clock = clock
        self._pauses = pauses
        self._tell = tell
        self._steps = 0
        #: Client order id -> the step that sent it; those whose first answer has not come.
        self._sent: dict[str, int] = {}
        #: Steps whose refusal has been counted last, of entries and of exits.
        self._counted = [0, 0]
        #: Orders that we have asked to cancel; keys alone, since nearly always there are none.
        self._cancels: dict[str, None] = {}

    def objection(self, order: Order, last_ticks: int) -> str:
        """The name of what holds an order back before the risk rules are asked; empty when nothing does."""
        if self._pauses.waits(order.key.slot, self._clock.machine.now_ms()):
            return PAUSING
        return self.standing.objection(order, last_ticks)

    def approve(self, machine_ms: int) -> None:
        """One more order is about to be kept and sent."""
        self._books.count_message(machine_ms)
        self.standing.approve()

    def sending(self, orders: Iterable[Order], cancels: Iterable[str]) -> None:
        """A step is about to be sent."""
        self._steps += 1
        self._sent.update((order.client_order_id, self._steps) for order in orders)
        self._cancels.update(dict.fromkeys(cancels))

    def traded(self, slot: int) -> None:
        """An order of the slot was executed."""
        self._pauses.worked(slot)

    def forgive(self) -> None:
        """A person has put right what was wrong, or the venue trades again."""
        self._books.rejections = self._books.exit_rejections = 0
        self._pauses.forgive()

    def take(self, before: Order | None, after: Order | None, report: OrderReport) -> None:
        """The venue has said something of an order."""
        if before is None or after is None or after.status == before.status:
            return
        step = self._sent.pop(report.client_order_id, 0)
        if not self._sent:
            self._sent.clear()  # one that is empty keeps the room it has needed
        if after.status == REJECTED and report.reason:
            self._refused(after, step, report.reason)
        elif after.status in (CANCELLED, EXPIRED) and report.client_order_id not in self._cancels:
            self._withdrawn(after)
        else:
            self._count(after, 0)
        if is_terminal(after):
            self._cancels.pop(report.client_order_id, None)

    def _refused(self, order: Order, step: int, reason: str) -> None:
        pause_ms = self._pauses.refused(order.key.slot, self._clock.machine.now_ms())
        self.on_refusal()
        if reason.startswith((KEY_REFUSED, NOTHING_SENT)):
            return  # the account tells of it
        if reason.startswith(CAME_LATE):
            self._tell(
                say(
                    "order_came_late",
                    "order {order} of slot {slot} was refused: {reason}; it is tried again in {seconds} s. "
                    "A busy machine or a wrong clock is behind it.",
                    order=order.client_order_id,
                    slot=order.key.slot,
                    reason=reason,
                    seconds=f"{pause_ms / 1000:g}",
                )
            )
            return
        kind = int(order.reduce_only)
        if step > self._counted[kind]:
            self._counted[kind] = step
            self._count(order, 1)
        refusals = self._books.exit_rejections if kind else self._books.rejections
        self._tell(
            say(
                "order_refused",
                "order {order} of slot {slot} was refused: {reason}; it is tried again in {seconds} s "
                "({refusals} in a row; where orders wait for a person, put it right and resume the strategy).",
                order=order.client_order_id,
                slot=order.key.slot,
                reason=reason,
                seconds=f"{pause_ms / 1000:g}",
                refusals=refusals,
            )
        )

    def _withdrawn(self, order: Order) -> None:
        pause_ms = self._pauses.withdrawn(order.key.slot, self._clock.machine.now_ms())
        self._tell(
            say(
                "order_withdrawn_again",
                "order {order} of slot {slot} was ended at the venue and not by this strategy; "
                "it is placed again in {seconds} s, then ever more slowly.",
                order=order.client_order_id,
                slot=order.key.slot,
                seconds=f"{pause_ms / 1000:g}",
            )
            if pause_ms
            else say(
                "order_withdrawn",
                "order {order} of slot {slot} was ended at the venue and not by this strategy; "
                "it is placed again once, then ever more slowly.",
                order=order.client_order_id,
                slot=order.key.slot,
            )
        )

    def _count(self, order: Order, by: int) -> None:
        """One more refusal in a row, or with 0 the end of the row."""
        books = self._books
        if order.reduce_only:
            books.exit_rejections = books.exit_rejections + 1 if by else 0
        else:
            books.rejections = books.rejections + 1 if by else 0
