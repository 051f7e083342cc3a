"""One strategy instance as the law sees it: state, orders by slot, position, money; no I/O, no clock.

Reports and fills go in, in any order and as often as they like; actions come out. Whoever drives it (the live engine,
a test) vets, journals and carries out the actions, and tells it what became of them. A step that could not be
journaled is simply dropped: `propose` changes nothing until `adopt`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from domain import order as orders
from domain import slots
from domain.client_order_id import OrderKey, decode, encode, is_ours
from domain.errors import Broken
from domain.events import FILL, ORDER_DONE, Event, View
from domain.executions import Executions
from domain.fill import Fill, signed_lots
from domain.indicators import Memory, new_memory
from domain.instrument import Instrument
from domain.order import PENDING, Order, OrderReport
from domain.position_tracker import Position, lose_lots, trade
from domain.slots import Wish
from domain.working import WorkingOrders

OUT_PAIRS: Final = 512
PAST_ORDERS: Final = 16
#: Attempts that a name may take in one journal before those of a journal that replaced it begin.
ATTEMPTS: Final = 64


Decision = Callable[[Any, list[int], Memory, View, Event, list[int]], int]
"""`decide(law, state, memory, view, event, out)` of a strategy; see `core.base_strategy`."""


class Place(NamedTuple):
    """Send this order."""

    order: Order
    reason: int


class Cancel(NamedTuple):
    """Cancel the order of this slot."""

    order: Order
    reason: int


Action = Place | Cancel


class Proposal(NamedTuple):
    """What a decision would change and do. Nothing of it counts until it is adopted."""

    state: list[int]
    memory: Memory
    actions: tuple[Action, ...]


class Totals(NamedTuple):
    """Money of the instance in quanta, by its fills alone."""

    position: Position
    #: Fees by asset.
    fees: dict[str, int]
    trades: int


class Instance:
    """The law's memory of one running instance."""

    def __init__(
        self, deployment: int, instance: int, generation: int, instrument: Instrument, decision: Decision, law: Any
    ) -> None:
        self.deployment = deployment
        self.instance = instance
        self.generation = generation
        self.instrument = instrument
        self.decision = decision
        self.law = law
        self.state: list[int] = []
        self.memory: Memory = []
        #: The last order of every slot; put one by `_put`.
        self.orders: dict[int, Order] = {}
        #: Those of them that are not complete: asked for far more often than any changes.
        self.working = WorkingOrders()
        self.executions = Executions(self._held_after, Position())
        self.fees: dict[str, int] = {}
        self.trades = 0
        #: The newest orders that their slots have gone on from although they were not executed: any may yet prove
        #: to be alive.
        self._past: dict[str, Order] = {}
        #: The number that attempts begin with; see `avoid_names_up_to`.
        self._first_attempt = 0
        self._booked: set[str] = set()

    def begin(self, slot_count: int, memory_size: int) -> None:
        """Start with an empty state, or grow one to more slots after an edit."""
        missing = slots.size_of(slot_count) - len(self.state)
        self.state.extend([0] * max(missing, 0))
        self.memory.extend(new_memory(max(memory_size - len(self.memory), 0)))

    def propose(self, event: Event, view: View) -> Proposal:
        """What the strategy would do about an event. The event's own slot is looked at even when no wish changed."""
        state, memory, out = self.state.copy(), self.memory.copy(), [0] * (2 * OUT_PAIRS)
        if event.kind in (FILL, ORDER_DONE):
            _reach_cycle(state, event.slot, event.cycle)
        count = self.decision(self.law, state, memory, view, event, out)
        changed = {out[2 * place]: out[2 * place + 1] for place in range(count)}
        if event.kind == ORDER_DONE:
            changed.setdefault(event.slot, 0)
        actions = tuple(self._actions(state, changed))
        return Proposal(state, memory, actions)

    def adopt(self, proposal: Proposal) -> None:
        """Make a proposal's state the state, and take down the orders that are about to be sent."""
        self.state, self.memory = proposal.state, proposal.memory
        for action in proposal.actions:
            if isinstance(action, Place):
                self.track(action.order)

    def track(self, order: Order) -> None:
        """Take down an order of this instance: one about to be sent, or one read back from the journal."""
        last = self.orders.get(order.key.slot)
        if last is not None and last.filled < last.lots and last.client_order_id != order.client_order_id:
            self.recall(last)
        self._put(order)

    def recall(self, order: Order) -> None:
        """Keep an order in mind that its slot has gone on from: what is still told of it is folded into it."""
        self._past[order.client_order_id] = order
        if len(self._past) > PAST_ORDERS:
            del self._past[next(iter(self._past))]

    def rebuild(self, order: Order) -> None:
        """Take an order over of which only the venue had known."""
        key, last = order.key, self.orders.get(order.key.slot)
        self.avoid_names_up_to(key.attempt)
        if last is not None and (last.key.cycle > key.cycle or not orders.is_complete(last)):
            self.recall(order)
        elif order.filled or not orders.is_complete(order):
            self.begin(key.slot + 1, 0)
            self.track(order)
        else:
            _reach_cycle(self.state, key.slot, key.cycle)

    def avoid_names_up_to(self, attempt: int) -> None:
        """Give no name again that a journal gave which is lost: its orders up to this attempt were found at the venue.

        Those that came and went without executing anything show nowhere, so that their slots and cycles are not known.
        Attempts begin anew above all of them.
        """
        self._first_attempt = max(self._first_attempt, (attempt // ATTEMPTS + 1) * ATTEMPTS)

    def key_of(self, client_order_id: str) -> OrderKey | None:
        """The key of an order of this instance since its last reset; None for every other."""
        if not is_ours(client_order_id):
            return None
        key = decode(client_order_id)
        mine = (key.deployment, key.instance, key.generation) == (self.deployment, self.instance, self.generation)
        return key if mine else None

    def settle(self) -> Iterator[Action]:
        """Actions that bring every slot in line with its wish: for starts and for slots that had to wait."""
        return self._actions(self.state, dict.fromkeys(range(slots.count_of(self.state)), 0))

    def on_report(self, report: OrderReport, now_ms: int) -> list[Event]:
        """Fold what the venue said of an order; gives the events the strategy has to hear of."""
        before = self.order_named(report.client_order_id)
        if before is None:
            past = self._past.get(report.client_order_id)
            if past is not None:
                self._past[report.client_order_id] = orders.merge(past, report)
            return []
        after = orders.merge(before, report)
        self._put(after)
        return self._events_of(before, after, now_ms)

    def on_fill(self, fill: Fill, now_ms: int) -> list[Event]:
        """Book an execution, once; gives the events the strategy has to hear of."""
        name = f"{fill.symbol}:{fill.trade_id}"
        if name in self._booked:
            return []
        self._booked.add(name)
        self._count_money(fill)
        before = self.order_named(fill.client_order_id)
        if before is None:
            past = self._past.get(fill.client_order_id)
            if past is not None:
                self._past[fill.client_order_id] = orders.book(past, fill.lots)
            return self._late_fill(fill)
        after = orders.book(before, fill.lots)
        self._put(after)
        return [self._fill_event(after.key, fill), *self._events_of(before, after, now_ms)]

    def has_booked(self, symbol: str, trade_id: str) -> bool:
        """Whether a trade of the venue is in the books."""
        return f"{symbol}:{trade_id}" in self._booked

    def remember_fill(self, fill: Fill) -> None:
        """Take a fill from the journal into the money only: the state read with it already knows of it."""
        self._booked.add(f"{fill.symbol}:{fill.trade_id}")
        self._count_money(fill)

    def live_orders(self) -> list[Order]:
        """Orders that are not complete: working, unknown, or with executions still to be booked."""
        return list(self.working.by_slot.values())

    def is_free(self, slot: int) -> bool:
        """Whether the slot has no order, or one that is complete."""
        current = self.orders.get(slot)
        return current is None or orders.is_complete(current)

    def is_unanswered(self, client_order_id: str) -> bool:
        """Whether nothing is known of an order: neither its end, nor that it rests."""
        order = self.order_named(client_order_id)
        return order is not None and order.status == PENDING

    def order_named(self, client_order_id: str) -> Order | None:
        """The order of this name, if it is the last one of its slot."""
        # The name tells the slot, so that no instance has to keep a table of its names.
        found = self.orders.get(decode(client_order_id).slot) if is_ours(client_order_id) else None
        return found if found is not None and found.client_order_id == client_order_id else None

    def order_known(self, client_order_id: str) -> Order | None:
        """The order of this name: the last one of its slot, or one that its slot has gone on from not long ago."""
        return self.order_named(client_order_id) or self._past.get(client_order_id)

    def _put(self, order: Order) -> None:
        self.orders[order.key.slot] = order
        self.working.put(order)

    def _events_of(self, before: Order, after: Order, now_ms: int) -> list[Event]:
        if orders.is_complete(before) or not orders.is_complete(after):
            return []
        key = after.key
        done = Event(ORDER_DONE, now_ms, key.slot, key.leg, key.cycle, after.side, after.ticks, lots=after.filled)
        return [done]

    def _late_fill(self, fill: Fill) -> list[Event]:
        """An execution of an order that its slot has gone on from: the name of the order tells the slot."""
        key = self.key_of(fill.client_order_id)
        return [] if key is None else [self._fill_event(key, fill)]

    def _fill_event(self, key: OrderKey, fill: Fill) -> Event:
        base, quote = self._amounts(fill)
        base -= fill.fee if fill.fee_asset == self.instrument.base else 0
        quote -= fill.fee if fill.fee_asset == self.instrument.quote else 0
        return Event(FILL, fill.time_ms, key.slot, key.leg, key.cycle, fill.side, fill.ticks, fill.lots, base, quote)

    def _amounts(self, fill: Fill) -> tuple[int, int]:
        """Signed base and quote quanta of a fill before fees."""
        lots = signed_lots(fill)
        return lots * self.instrument.base_per_lot, -lots * fill.ticks * self.instrument.tick_lot

    @property
    def position(self) -> Position:
        """What is held, in base quanta, so that fees taken in base are exact; by the order of execution."""
        return self.executions.sum

    def _count_money(self, fill: Fill) -> None:
        self.executions.take(fill)
        self.fees[fill.fee_asset] = self.fees.get(fill.fee_asset, 0) + fill.fee
        self.trades += 1

    def _held_after(self, position: Position, fill: Fill) -> Position:
        base, quote = self._amounts(fill)
        after = trade(position, base, abs(quote))
        return lose_lots(after, fill.fee) if fill.fee_asset == self.instrument.base else after

    def _actions(self, state: list[int], changed: dict[int, int]) -> Iterator[Action]:
        for slot, reason in changed.items():
            wish, current = slots.wish_of(state, slot), self.orders.get(slot)
            action = slots.action_for(wish, current)
            if action == slots.PLACE:
                yield Place(self._order_for(wish, current), reason)
            elif action == slots.CANCEL and current is not None:
                yield Cancel(current, reason)

    def _order_for(self, wish: Wish, current: Order | None) -> Order:
        attempt = max(slots.next_attempt(wish, current), self._first_attempt)
        key = OrderKey(self.deployment, self.instance, self.generation, wish.slot, wish.cycle, wish.leg, attempt)
        if wish.lots <= 0:
            raise Broken(f"slot {wish.slot} wishes {wish.lots} lots; a wish is for at least one lot.")
        is_exit = wish.leg in (orders.EXIT, orders.STOP, orders.FLATTEN)
        return Order(
            key, encode(key), self.instrument.symbol, wish.side, wish.type, wish.ticks, wish.lots, reduce_only=is_exit
        )


def _reach_cycle(state: list[int], slot: int, cycle: int) -> None:
    """An order of a cycle that the state has not come to: what led there was not kept, and the slot goes on from it."""
    at = slots.HEADER + slot * slots.WIDTH + slots.CYCLE
    if at < len(state):
        state[at] = max(state[at], cycle)
