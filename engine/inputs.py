"""What can be handed to an engine: news of orders, executions, funding, prices, and events of the law."""

from __future__ import annotations

from dataclasses import dataclass

from core.base_exchange import Bar
from domain import events
from domain.events import Event
from domain.fill import Fill
from domain.funding import FundingShare
from domain.order import OrderReport


@dataclass(frozen=True, slots=True)
class Price:
    """The price has reached a level that this instance waits for."""

    ticks: int
    time_ms: int


Input = OrderReport | Fill | FundingShare | Price | Event


def bar_event(bar: Bar) -> Event:
    """A closed bar as the strategy hears of it."""
    return Event(
        events.BAR, bar.open_ms, ticks=bar.close,
        open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume,
    )  # fmt: skip
