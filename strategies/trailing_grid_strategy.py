"""The trailing grid: bids in steps below the price, offers a step above each purchase, and follows a rising price.

Level i bids at `price x (1 - offset x i)`; what it buys is offered at `purchase x (1 + sell offset)`. When the price
has risen by the reprice threshold above the price the bids were made from, bids with nothing executed move up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from pydantic import ConfigDict, Field

from core.base_strategy import STRATEGIES, Plan, StrategyKind, StrategyParams, lots_of
from domain import events, grid, slots
from domain.errors import Refused
from domain.events import Event, View
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.lawful import lawful
from domain.order import ENTRY, FLATTEN
from domain.sentences import say

PPM: Final = 1_000_000
ANCHOR: Final = slots.OWN
TIME_STOP: Final = 20
PRICE_STOP: Final = 21


class Params(StrategyParams):
    """What a person chooses."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"grid_levels": 5, "quantity": "0.001"}]})

    grid_levels: int = Field(10, title="Levels", description="How many bids rest below the price.", ge=1, le=200)
    offset_percent: Decimal = Field(
        Decimal("0.5"), title="Distance of bids (%)", description="Step between bids, of the price.", gt=0, le=20
    )
    sell_offset_percent: Decimal = Field(
        Decimal("0.5"), title="Profit step (%)", description="How far above its purchase a level offers.", gt=0, le=50
    )
    quantity: Decimal = Field(title="Quantity per level", description="In the base asset.", gt=0)
    reprice_percent: Decimal = Field(
        Decimal("1"), title="Reprice threshold (%)", description="Rise of the price at which bids move up.", gt=0, le=50
    )
    stop_loss_percent: Decimal = Field(
        Decimal(0), title="Price stop (%)", description="Loss of a level at which it is sold; 0 is off.", ge=0, lt=100
    )
    time_stop_minutes: int = Field(
        0, title="Time stop (minutes)", description="Age of a level's position at which it is sold; 0 is off.", ge=0
    )

    def check_together(self) -> None:
        """The lowest level has a price."""
        if self.offset_percent * self.grid_levels >= 100:
            raise Refused(
                say(
                    "levels_reach_zero",
                    "{grid_levels} levels of {offset_percent} % reach a price of zero; lower one of the two.",
                    grid_levels=self.grid_levels,
                    offset_percent=self.offset_percent,
                    field="offset_percent",
                )
            )


class Law(NamedTuple):
    """The same in integers: parts per million, lots, milliseconds."""

    levels: int
    offset: int
    sell_offset: int
    lots: int
    reprice: int
    stop_loss: int
    time_stop_ms: int


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """Check the parameters together and turn them into integers; `Refused` names the field."""
    params.check_together()
    law = Law(
        levels=params.grid_levels,
        offset=_ppm("offset_percent", params.offset_percent),
        sell_offset=_ppm("sell_offset_percent", params.sell_offset_percent),
        lots=lots_of("quantity", params.quantity, instrument),
        reprice=_ppm("reprice_percent", params.reprice_percent),
        stop_loss=_ppm("stop_loss_percent", params.stop_loss_percent),
        time_stop_ms=params.time_stop_minutes * 60_000,
    )
    if last_ticks * law.offset // PPM < 1:
        raise Refused(
            say(
                "step_below_a_tick",
                "the step between bids is less than one tick at this price; raise it.",
                field="offset_percent",
            )
        )
    return Plan(params=law, slots=params.grid_levels)


def _ppm(name: str, percent: Decimal) -> int:
    parts = percent * 10_000
    if parts != int(parts):
        raise Refused(
            say(
                "percent_finer_than_counted",
                "{percent} % is finer than 0.0001 %; give at most four decimals.",
                percent=percent,
                field=name,
            )
        )
    return int(parts)


@lawful
def anchor(law: Law, state: list[int], view: View, price: int, out: list[int], count: int) -> int:
    """Lay the bids out from a price. A level that holds something keeps its prices until it has sold."""
    state[ANCHOR] = price
    state[slots.WAKE_ABOVE] = -(-price * (PPM + law.reprice) // PPM)
    for slot in range(law.levels):
        at = slots.HEADER + slot * slots.WIDTH
        state[at + slots.LEVEL_LOTS] = law.lots
        if state[at + slots.HELD] == 0:
            bid = price * (PPM - law.offset * (slot + 1)) // PPM
            state[at + slots.LEVEL_ENTRY] = bid
            state[at + slots.LEVEL_EXIT] = -(-bid * (PPM + law.sell_offset) // PPM)
        count = grid.wish_level(state, view, slot, out, count)
    return count


@lawful
def arm_stops(law: Law, state: list[int]) -> None:
    """Ask to be woken when the first price stop or time stop of any level is due."""
    state[slots.WAKE_BELOW] = 0
    state[slots.WAKE_MS] = 0
    for slot in range(slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        if state[at + slots.HELD] <= 0:
            continue
        stop = state[at + slots.LEVEL_ENTRY] * (PPM - law.stop_loss) // PPM
        if law.stop_loss > 0:
            state[slots.WAKE_BELOW] = max(state[slots.WAKE_BELOW], stop)
        due = state[at + slots.ENTRY_MS] + law.time_stop_ms
        if law.time_stop_ms > 0 and (state[slots.WAKE_MS] == 0 or due < state[slots.WAKE_MS]):
            state[slots.WAKE_MS] = due


@lawful
def fire_stops(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """Sell at market every level whose price stop or time stop is due, and only those."""
    for slot in range(slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        if state[at + slots.HELD] <= 0:
            continue
        stop = state[at + slots.LEVEL_ENTRY] * (PPM - law.stop_loss) // PPM
        if law.stop_loss > 0 and view.last_ticks <= stop:
            count = grid.sell_level(state, view, slot, PRICE_STOP, out, count)
        elif law.time_stop_ms > 0 and view.now_ms >= state[at + slots.ENTRY_MS] + law.time_stop_ms:
            count = grid.sell_level(state, view, slot, TIME_STOP, out, count)
    return count


@lawful
def on_market(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """The price or the time has reached something that was waited for."""
    count = fire_stops(law, state, view, out, count)
    if state[slots.PHASE] == slots.ACTIVE and view.last_ticks >= state[slots.WAKE_ABOVE]:
        count = anchor(law, state, view, view.last_ticks, out, count)
    return count


@lawful
def on_order_done(law: Law, state: list[int], view: View, event: Event, out: list[int], count: int) -> int:
    """A level's order has ended: go on with the next, from the present anchor if it starts over."""
    at = slots.HEADER + event.slot * slots.WIDTH
    if event.leg != ENTRY and state[at + slots.HELD] <= 0 and event.slot < law.levels:
        bid = state[ANCHOR] * (PPM - law.offset * (event.slot + 1)) // PPM
        if event.leg == FLATTEN and bid >= view.last_ticks:
            # Stopped out below its bid: to bid there again would buy back at once, and be stopped out again.
            bid = view.last_ticks * (PPM - law.offset * (event.slot + 1)) // PPM
        state[at + slots.LEVEL_ENTRY] = bid
        state[at + slots.LEVEL_EXIT] = -(-bid * (PPM + law.sell_offset) // PPM)
    elif event.leg == ENTRY and event.ticks > 0 and state[at + slots.HELD] > 0 and event.lots > 0:
        # The bid may have moved while the order traded: what was bought is offered a step above what was paid.
        state[at + slots.LEVEL_ENTRY] = event.ticks
        state[at + slots.LEVEL_EXIT] = -(-event.ticks * (PPM + law.sell_offset) // PPM)
    return grid.order_done(state, view, event, out, count)


@lawful
def on_edit(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """New parameters: levels beyond the new number retire once they have sold; the others move only if they must."""
    for slot in range(law.levels, slots.count_of(state)):
        state[slots.HEADER + slot * slots.WIDTH + slots.LEVEL_LOTS] = 0
        if state[slots.HEADER + slot * slots.WIDTH + slots.HELD] <= 0:
            count = grid.no_wish(state, slot, grid.GRID_MOVED, out, count)
    price = state[ANCHOR] if state[ANCHOR] > 0 else view.last_ticks
    return anchor(law, state, view, price, out, count)


def decide(law: Law, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """The trailing grid's law; see `core.base_strategy.Decide`."""
    count = 0
    kind = event.kind
    if kind == events.FILL:
        count = grid.fill(state, view, event, out, count)
    elif kind == events.ORDER_DONE:
        count = on_order_done(law, state, view, event, out, count)
    elif kind == events.START and state[slots.PHASE] == slots.NEW:
        state[slots.PHASE] = slots.ACTIVE
        count = anchor(law, state, view, view.last_ticks, out, count)
    elif kind == events.PRICE or kind == events.TIMER:
        count = on_market(law, state, view, out, count)
    elif kind == events.EDIT and not slots.is_finished(state):
        count = on_edit(law, state, view, out, count)
    else:
        count = grid.on_verb(state, view, kind, out, count)
    arm_stops(law, state)
    return count


STRATEGIES.register("trailing_grid")(
    StrategyKind(
        name="trailing_grid",
        title="Trailing grid",
        summary="Bids below the price, sells each purchase a step higher, follows a rising price.",
        params=Params,
        prepare=prepare,
        decide=decide,
        reasons={
            **grid.REASONS,
            TIME_STOP: say(
                "trailing_time_stop", "The level has held longer than the time stop allows, so it is sold at market."
            ),
            PRICE_STOP: say(
                "trailing_price_stop", "The level has lost as much as its price stop allows, so it is sold at market."
            ),
        },
    )
)
