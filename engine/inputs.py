"""What can be handed to an engine: news of orders, executions, funding, prices, and events of the law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.base_exchange import Bar
from domain import events, slots
from domain.events import Event
from domain.fill import Fill
from domain.funding import FundingShare
from domain.order import Order, OrderReport


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


def bar_event(bar: Bar) -> Event:
    """A closed bar as the strategy hears of it."""
    return Event(
        events.BAR, bar.open_ms, ticks=bar.close,
        open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume,
    )  # fmt: skip
