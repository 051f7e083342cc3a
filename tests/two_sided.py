"""A strategy for trying futures: long after bars that rose, short after others, out after a while, with a stop."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from pydantic import Field

from core.base_strategy import Plan, StrategyKind, StrategyParams, lots_of
from domain import events, slots
from domain.events import Event, View
from domain.grid import no_wish, note, put_wish
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.lawful import lawful
from domain.order import BUY, ENTRY, EXIT, LIMIT, MARKET, SELL, STOP, STOP_MARKET

MAIN: Final = 0
GUARD: Final = 1
BARS: Final = slots.OWN


class Params(StrategyParams):
    """What may be chosen."""

    size: Decimal = Field(gt=0)
    hold: int = Field(1, ge=1)
    stop_ticks: int = Field(0, ge=0)
    limit_ticks: int = Field(0, ge=0)


class Law(NamedTuple):
    """The same in integers."""

    lots: int
    hold: int
    stop_ticks: int
    limit_ticks: int


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """Nothing but the quantity depends on the instrument."""
    del last_ticks
    law = Law(lots_of("size", params.size, instrument), params.hold, params.stop_ticks, params.limit_ticks)
    return Plan(params=law, slots=2, wants_bars=True)


def decide(law: Law, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """Every `hold` bars: in if it is out, out if it is in."""
    main, guard = slots.HEADER, slots.HEADER + slots.WIDTH
    held = state[main + slots.HELD]
    if event.kind == events.FILL:
        held += event.base
        state[main + slots.HELD] = held
        if event.leg == ENTRY and law.stop_ticks > 0:
            stop, lots = event.ticks - event.side * law.stop_ticks, abs(held) // view.base_per_lot
            put_wish(state, GUARD, STOP, -event.side, STOP_MARKET, stop, lots)
            return note(out, 0, GUARD, 1)
    elif event.kind == events.ORDER_DONE:
        at = slots.HEADER + event.slot * slots.WIDTH
        state[at + slots.WISH_SIDE] = 0
        state[at + slots.CYCLE] += 1
        if held == 0 and state[guard + slots.WISH_SIDE] != 0:
            return no_wish(state, GUARD, 2, out, 0)
    elif event.kind == events.START:
        state[slots.PHASE] = slots.ACTIVE
    elif event.kind == events.BAR and state[slots.PHASE] == slots.ACTIVE:
        state[BARS] += 1
        is_free = state[main + slots.WISH_SIDE] == 0
        return turn(law, state, view, event, out) if is_free and state[BARS] % law.hold == 0 else 0
    return 0


@lawful
def turn(law: Law, state: list[int], view: View, event: Event, out: list[int]) -> int:
    """Out if it is in; in, long after a rise, if it is out."""
    held = state[slots.HEADER + slots.HELD]
    if held != 0:
        put_wish(state, MAIN, EXIT, SELL if held > 0 else BUY, MARKET, 0, abs(held) // view.base_per_lot)
        return note(out, 0, MAIN, 3)
    side = BUY if event.close >= event.open else SELL
    kind, ticks = (LIMIT, event.close - side * law.limit_ticks) if law.limit_ticks > 0 else (MARKET, 0)
    put_wish(state, MAIN, ENTRY, side, kind, ticks, law.lots)
    return note(out, 0, MAIN, 4)


TWO_SIDED = StrategyKind(
    name="two_sided", title="Two-sided", summary="Long after a rise, short after a fall.", params=Params,
    prepare=prepare, decide=decide,
)  # fmt: skip
