"""What a decision is told: one event, and a read-only view of the world, all in integers."""

from __future__ import annotations

from typing import Final, NamedTuple

# Kinds of events.
START: Final = 0
#: The price has reached a level that the strategy asked to be woken at.
PRICE: Final = 1
#: A bar has closed.
BAR: Final = 2
#: Part of a slot's order was executed and is booked.
FILL: Final = 3
#: A slot's order has ended and all of its executions are booked.
ORDER_DONE: Final = 4
#: The parameters were changed while running.
EDIT: Final = 5
PAUSE: Final = 6
RESUME: Final = 7
#: Cancel everything, keep the position.
STOP: Final = 8
#: Cancel everything and close the position.
FLATTEN: Final = 9
#: The trading time that the strategy asked to be woken at has come.
TIMER: Final = 10
#: A follower's target has changed: `lots` is the target with its sign, `cycle` its version, `ticks` the price it was
#: decided at, `high` and `low` the worst prices at which it may be bought or sold into (0 is any), `base` the trading
#: time in milliseconds until which it may be entered (0 is for ever).
TARGET: Final = 11

EVENT_NAMES: Final = (
    "start", "price", "bar", "fill", "order_done", "edit", "pause", "resume", "stop", "flatten", "timer",
    "target",
)  # fmt: skip


class Event(NamedTuple):
    """What happened. Fields that do not belong to its kind are 0."""

    kind: int
    time_ms: int
    slot: int = 0
    leg: int = 0
    cycle: int = 0
    side: int = 0
    ticks: int = 0
    #: FILL: lots executed. ORDER_DONE: lots executed in all.
    lots: int = 0
    #: FILL: base quanta gained or given, after a fee in base. Signed.
    base: int = 0
    #: FILL: quote quanta gained or given, after a fee in quote. Signed.
    quote: int = 0
    #: BAR: prices in ticks; volume in lots.
    open: int = 0
    high: int = 0
    low: int = 0
    close: int = 0
    volume: int = 0


class View(NamedTuple):
    """A read-only snapshot for the decision."""

    now_ms: int
    last_ticks: int
    #: Notional of one tick times one lot, in quote quanta.
    tick_lot: int
    #: Base quanta in one lot.
    base_per_lot: int
    #: Smallest order the venue takes, in quote quanta, and the smallest and largest quantity in lots.
    min_notional: int
    min_lots: int
    max_lots: int
    #: Quote quanta and base quanta that the instance may still spend.
    free_quote: int
    free_base: int
    #: 1 where the venue keeps a position that may be short and needs margin, not the full amount.
    is_margin: int = 0
