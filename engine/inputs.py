"""What can be handed to an engine: news of orders, executions, funding, prices, and events of the law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.base_exchange import Bar
from core.clock import MachineTime
from domain import events, slots
from domain.events import Event
from domain.fill import Fill
from domain.funding import FundingShare
from domain.order import REJECTED, Order, OrderReport


@dataclass(frozen=True, slots=True)
class Price:
    """The price has reached a level that this instance waits for."""

    ticks: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Found:
    """An order of this instance that it did not have in mind, as the journal or the venue tells of it."""

    order: Order
    #: Whether the journal has it; otherwise only the venue knew of it, and its intent is journaled now.
    is_journaled: bool


def wakes(price: Price, state: Sequence[int]) -> list[Event]:
    """The event of a price that an instance in this state asked to be woken at; nothing otherwise."""
    above, below = state[slots.WAKE_ABOVE], state[slots.WAKE_BELOW]
    if (0 < above <= price.ticks) or price.ticks <= below:
        return [Event(events.PRICE, price.time_ms, ticks=price.ticks)]
    return []


Input = OrderReport | Fill | Found | FundingShare | Price | Event


class Inbox:
    """What waits to be taken up in the next step, in the order in which it came."""

    __slots__ = ("_heard", "_items")

    def __init__(self) -> None:
        self._items: list[Input] = []
        self._heard: dict[str, int] = {}

    def put(self, item: Input, machine: MachineTime) -> None:
        """Add something; of orders it is noted when the first word came."""
        self._items.append(item)
        if isinstance(item, OrderReport):
            self._heard.setdefault(item.client_order_id, machine.now_ms())

    def take(self) -> tuple[list[Input], dict[str, int]]:
        """Everything, and by client order id the machine time in ms at which the first word of an order came."""
        items, heard = self._items, self._heard
        self._items, self._heard = [], {}
        return items, heard

    def __len__(self) -> int:
        return len(self._items)

    @property
    def can_wait(self) -> bool:
        """Whether there is nothing but word of orders that the venue has taken, and of their executions."""
        return all(
            isinstance(item, Fill) or (isinstance(item, OrderReport) and item.status != REJECTED)
            for item in self._items
        )


def bar_event(bar: Bar) -> Event:
    """A closed bar as the strategy hears of it."""
    return Event(
        events.BAR, bar.open_ms, ticks=bar.close,
        open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume,
    )  # fmt: skip
