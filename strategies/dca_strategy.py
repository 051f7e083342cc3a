"""Dollar-cost averaging: buys for a fixed amount at fixed times, and sells all of it at a profit if asked to.

Slot 0 buys and remembers what is held; slot 1 offers all of it above the average cost.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from pydantic import ConfigDict, Field

from core.base_strategy import STRATEGIES, Plan, StrategyKind, StrategyParams
from domain import events, grid, slots
from domain.errors import Refused
from domain.events import Event, View
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.lawful import lawful
from domain.money import divmod_exact
from domain.order import BUY, ENTRY, EXIT, FLATTEN, LIMIT, MARKET, SELL
from domain.proportion import scaled
from domain.sentences import say

PPM: Final = 1_000_000
BUYING: Final = 0
SELLING: Final = 1
#: Purchases made since the last time everything was sold.
BOUGHT: Final = slots.OWN

DUE: Final = 20
PROFIT: Final = 21


class Params(StrategyParams):
    """What a person chooses."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"amount": "50", "interval_minutes": 60, "take_profit_percent": "1"}]}
    )

    amount: Decimal = Field(title="Amount", description="Spent at each purchase, in the quote asset.", gt=0)
    interval_minutes: int = Field(
        1440, title="Interval (minutes)", description="Time between purchases.", ge=1, le=525_600
    )
    max_purchases: int = Field(0, title="Most purchases", description="Stop buying after so many; 0 is no limit.", ge=0)
    take_profit_percent: Decimal = Field(
        Decimal(0), title="Take profit (%)", description="Sell all this far above the average cost; 0 is never.", ge=0
    )


class Law(NamedTuple):
    """The same in integers: quote quanta, milliseconds, parts per million."""

    amount: int
    interval_ms: int
    max_purchases: int
    take_profit: int


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """Check the parameters together and turn them into integers; `Refused` names the field."""
    if params.amount < instrument.notional(last_ticks, 1):
        raise Refused(
            say("buys_less_than_a_lot", "it buys less than one lot at the price now; spend more.", field="amount")
        )
    amount, _ = divmod_exact(params.amount, instrument.quote_quantum)
    ppm = params.take_profit_percent * 10_000
    if ppm != int(ppm):
        raise Refused(
            say(
                "finer_than_counted",
                "it is finer than 0.0001 %; give at most four decimals.",
                field="take_profit_percent",
            )
        )
    law = Law(amount, params.interval_minutes * 60_000, params.max_purchases, int(ppm))
    return Plan(params=law, slots=2)


@lawful
def buy(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """Wish the purchase that is due, and the next time."""
    state[slots.WAKE_MS] = view.now_ms + law.interval_ms
    done = 0 < law.max_purchases <= state[BOUGHT]
    lots = law.amount // (view.last_ticks * view.tick_lot)
    if done or lots < view.min_lots or state[slots.HEADER + slots.WISH_SIDE] != 0:
        return count
    if grid.put_wish(state, BUYING, ENTRY, BUY, MARKET, 0, lots):
        return grid.note(out, count, BUYING, DUE)
    return count


@lawful
def offer(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """Wish to sell all that is held at the average cost plus the profit."""
    held, cost = state[slots.HEADER + slots.HELD], state[slots.HEADER + slots.COST]
    lots = (held + state[slots.DUST]) // view.base_per_lot
    if law.take_profit == 0 or lots < view.min_lots or cost <= 0:
        return grid.no_wish(state, SELLING, PROFIT, out, count)
    ticks = -scaled(-cost, PPM + law.take_profit, PPM * lots * view.tick_lot)
    if grid.put_wish(state, SELLING, EXIT, SELL, LIMIT, ticks, lots):
        return grid.note(out, count, SELLING, PROFIT)
    return count


@lawful
def book(state: list[int], event: Event) -> None:
    """Take an execution of either slot into what slot 0 remembers."""
    state[slots.HEADER + slots.HELD] += event.base
    state[slots.HEADER + slots.COST] -= event.quote


@lawful
def on_order_done(law: Law, state: list[int], view: View, event: Event, out: list[int], count: int) -> int:
    """A purchase moves the offer; a full sale starts over."""
    selling = slots.HEADER + SELLING * slots.WIDTH
    is_ending = state[selling + slots.WISH_LEG] == FLATTEN or state[slots.PHASE] == slots.CLOSING
    grid.put_wish(state, event.slot, 0, 0, 0, 0, 0)
    at = slots.HEADER + event.slot * slots.WIDTH
    if event.slot == BUYING:
        state[BOUGHT] += 1 if event.lots > 0 else 0
        state[at + slots.CYCLE] += 1
    elif state[slots.HEADER + slots.HELD] < view.base_per_lot:
        state[slots.DUST] += state[slots.HEADER + slots.HELD]
        state[slots.HEADER + slots.HELD] = 0
        state[slots.HEADER + slots.COST] = 0
        state[BOUGHT] = 0
        state[at + slots.CYCLE] += 1
    elif event.lots > 0:
        state[at + slots.CYCLE] += 1  # the rest is another order, also when it is for the same quantity
    if is_ending:
        return sell_all(state, view, out, count)
    if state[slots.PHASE] == slots.DONE:
        return count
    return offer(law, state, view, out, count)


@lawful
def sell_all(state: list[int], view: View, out: list[int], count: int) -> int:
    """Wish to sell at market all that is held."""
    lots = (state[slots.HEADER + slots.HELD] + state[slots.DUST]) // view.base_per_lot
    if lots >= view.min_lots and lots > 0 and grid.put_wish(state, SELLING, FLATTEN, SELL, MARKET, 0, lots):
        return grid.note(out, count, SELLING, grid.GRID_ENDED)
    return count


@lawful
def on_verb(law: Law, state: list[int], view: View, kind: int, out: list[int], count: int) -> int:
    """What a person asked for."""
    if kind == events.PAUSE and state[slots.PHASE] == slots.ACTIVE:
        state[slots.PHASE] = slots.PAUSED
    elif kind == events.RESUME and (state[slots.PHASE] == slots.PAUSED or state[slots.PHASE] == slots.DONE):
        state[slots.PHASE] = slots.ACTIVE
        state[slots.WAKE_MS] = max(state[slots.WAKE_MS], view.now_ms)
    elif kind == events.EDIT and not slots.is_finished(state):
        return offer(law, state, view, out, count)
    elif kind == events.STOP or kind == events.FLATTEN:
        state[slots.PHASE] = slots.DONE if kind == events.STOP else slots.CLOSING
        count = grid.withdraw_all(state, grid.GRID_ENDED, out, count)
        if kind == events.FLATTEN:
            return sell_all(state, view, out, count)
    return count


def decide(law: Law, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """The law of averaging; see `core.base_strategy.Decide`."""
    kind = event.kind
    if kind == events.FILL:
        if event.slot == BUYING and state[slots.HEADER + slots.WISH_SIDE] == 0:
            # A purchase that the state does not know it has wished: the database was older. The next is due from there.
            state[slots.WAKE_MS] = max(state[slots.WAKE_MS], event.time_ms + law.interval_ms)
        book(state, event)
        selling = slots.HEADER + SELLING * slots.WIDTH
        is_late = state[slots.PHASE] == slots.CLOSING and state[selling + slots.WISH_SIDE] == 0
        return sell_all(state, view, out, 0) if is_late and event.base > 0 else 0
    if kind == events.ORDER_DONE:
        return on_order_done(law, state, view, event, out, 0)
    if kind == events.START and state[slots.PHASE] == slots.NEW:
        state[slots.PHASE] = slots.ACTIVE
        return buy(law, state, view, out, 0)
    if kind == events.TIMER and state[slots.PHASE] == slots.ACTIVE:
        return buy(law, state, view, out, 0)
    return on_verb(law, state, view, kind, out, 0)


STRATEGIES.register("dca")(
    StrategyKind(
        name="dca",
        title="Dollar-cost averaging",
        summary="Buys for the same amount at fixed times; may sell all of it at a profit.",
        params=Params,
        prepare=prepare,
        decide=decide,
        reasons={
            **grid.REASONS,
            DUE: say("dca_due", "The time for the next purchase has come."),
            PROFIT: say("dca_profit", "All that is held is offered at its average cost plus the profit asked for."),
        },
    )
)
