"""Takes what has happened into the instance and its books, and tells which events the strategy has to hear of."""

from __future__ import annotations

from collections.abc import Iterable

from core.crash_points import reach
from domain.events import Event
from domain.fill import Fill
from domain.funding import FundingShare
from domain.instance import Instance
from domain.order import OPEN, PENDING, Order, OrderReport
from engine.books import Books
from engine.inputs import Found, Input, Price, wakes
from engine.order_gateway import OrderGateway
from engine.setbacks import Setbacks
from engine.step_keeper import Draft


class Folding:
    """One instance's way of taking news in."""

    def __init__(
        self, instance: Instance, books: Books, setbacks: Setbacks, gateway: OrderGateway, unsure: set[int], now_ms: int
    ) -> None:
        self._instance = instance
        self._books = books
        self._setbacks = setbacks
        self._gateway = gateway
        #: Slots whose order may no longer be the one that is wished.
        self._unsure = unsure
        #: Time of the newest trade booked when it was loaded; trades before it may be missing too, but not long before.
        #: While nothing is booked, the oldest time that the venue has told of an order: its market may live in another
        #: time than this machine.
        self.known_from_ms = now_ms

    def tell_time(self, venue_ms: int) -> None:
        """An order was there at a time of the venue: no trade of this instance is older while none is booked."""
        if venue_ms and not self._instance.trades:
            self.known_from_ms = min(self.known_from_ms, venue_ms)

    def needs_history(self, inputs: Iterable[Input]) -> bool:
        """Whether an execution comes so late that those after it are not all in mind."""
        fills = (item for item in inputs if isinstance(item, Fill))
        late = (fill for fill in fills if not self._instance.executions.reaches(fill))
        return any(not self._instance.has_booked(fill.symbol, fill.trade_id) for fill in late)

    def take(self, item: Input, draft: Draft, now_ms: int) -> list[Event]:
        """Fold one piece of news; gives what the strategy has to hear."""
        if isinstance(item, OrderReport):
            return self._take_report(item, draft, now_ms)
        if isinstance(item, Fill):
            return self._take_fill(item, draft, now_ms)
        if isinstance(item, Found):
            self._take_found(item, draft)
            return []
        if isinstance(item, FundingShare):
            draft.step.entries += self._books.fund(item)
            return []
        if isinstance(item, Price):
            return wakes(item, self._instance.state)
        return [item]

    def _take_report(self, report: OrderReport, draft: Draft, now_ms: int) -> list[Event]:
        self.tell_time(report.time_ms)
        before = self._instance.order_known(report.client_order_id)
        found = self._instance.on_report(report, now_ms)
        self._setbacks.take(before, self._instance.order_named(report.client_order_id), report)
        self._note_change(before, report.client_order_id, draft)
        return found

    def _take_fill(self, fill: Fill, draft: Draft, now_ms: int) -> list[Event]:
        if self._instance.has_booked(fill.symbol, fill.trade_id):
            return []
        before = self._instance.order_known(fill.client_order_id)
        found = self._instance.on_fill(fill, now_ms)
        self._note_change(before, fill.client_order_id, draft)
        if before is not None:
            self._setbacks.traded(before.key.slot)
        entry = self._books.entry_of(fill)
        self._books.post(entry, fill)
        reach("engine.fill_folded")
        draft.step.fills.append(fill)
        draft.step.entries.append(entry)
        return found

    def _take_found(self, found: Found, draft: Draft) -> None:
        order = found.order
        if self._instance.order_known(order.client_order_id) is not None:
            return
        if found.is_journaled:
            self._instance.recall(order)
            return
        self._instance.rebuild(order)
        reach("engine.order_rebuilt")
        self._unsure.add(order.key.slot)
        draft.rebuilt[order.client_order_id] = order
        draft.has_state = True

    def _note_change(self, before: Order | None, client_order_id: str, draft: Draft) -> None:
        after = self._instance.order_known(client_order_id)
        if after is not None and after != before:
            draft.orders[client_order_id] = after
            if before is not None and before.status == PENDING and after.status == OPEN:
                self._gateway.settled(client_order_id)
                self._unsure.add(after.key.slot)
