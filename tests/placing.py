"""A strategy that does what it is told, when it is told, for trying what becomes of single orders."""

from __future__ import annotations

from typing import NamedTuple

from core.base_strategy import Plan, StrategyKind, StrategyParams
from domain import events, slots
from domain.events import Event, View
from domain.grid import note, put_wish
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.order import BUY, ENTRY, POST_ONLY


class Step(NamedTuple):
    """From this moment on the slot wishes this order; side 0 wishes none."""

    at_ms: int
    slot: int
    side: int = BUY
    ticks: int = 0
    lots: int = 0
    type: int = POST_ONLY
    leg: int = ENTRY


class Told(StrategyParams):
    """The steps, earliest first."""

    steps: tuple[Step, ...]


def prepare(params: Told, instrument: Instrument, last_ticks: int) -> Plan:
    """A slot for each number that is named."""
    del instrument, last_ticks
    return Plan(params=params.steps, slots=1 + max(step.slot for step in params.steps))


def decide(law: tuple[Step, ...], state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """Carry out the steps whose time has come; an order that has ended is not sent again."""
    count = 0
    if event.kind == events.ORDER_DONE:
        state[slots.HEADER + event.slot * slots.WIDTH + slots.WISH_SIDE] = 0
        state[slots.HEADER + event.slot * slots.WIDTH + slots.CYCLE] += 1
    if event.kind in (events.START, events.TIMER):
        while state[slots.OWN] < len(law) and law[state[slots.OWN]].at_ms <= view.now_ms:
            step = law[state[slots.OWN]]
            state[slots.OWN] += 1
            put_wish(state, step.slot, step.leg, step.side, step.type, step.ticks, step.lots)
            count = note(out, count, step.slot, 1)
        state[slots.WAKE_MS] = law[state[slots.OWN]].at_ms if state[slots.OWN] < len(law) else 0
    return count


PLACING = StrategyKind(
    name="placing", title="Placing", summary="Sends what it is told.", params=Told, prepare=prepare, decide=decide
)  # fmt: skip
