"""The range grid: a ladder of levels between two prices; each buys at its own step and sells one step above.

Slot 0 belongs to the grid as a whole (the purchase at the start); slots from 1 are the levels, lowest first at the
start. Levels above the price either start with something to sell (bought at market) or wait until the price is there.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, NamedTuple

from pydantic import ConfigDict, Field

from core.base_strategy import STRATEGIES, Plan, StrategyKind, StrategyParams, lots_of, ticks_of
from domain import events, grid, ladder, slots
from domain.errors import Refused
from domain.events import Event, View
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.ladder import BOTTOM, TOP
from domain.lawful import lawful
from domain.level_prices import Spacing, level_prices, lots_per_level
from domain.order import BUY, MARKET, START
from domain.proportion import scaled
from domain.sentences import say

WAITING: Final = 10
START_SLOT: Final = 0


class Params(StrategyParams):
    """What a person chooses."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"lower_price": "58000", "upper_price": "62000", "levels": 8, "quantity_per_level": "0.001"}]
        }
    )

    lower_price: Decimal = Field(title="Lowest price", description="Bottom of the range, in the quote asset.", gt=0)
    upper_price: Decimal = Field(title="Highest price", description="Top of the range, in the quote asset.", gt=0)
    levels: int = Field(20, title="Levels", description="Number of steps between the two prices.", ge=1, le=500)
    spacing: Literal["arithmetic", "geometric"] = Field(
        "geometric", title="Spacing", description="Steps of equal price, or of equal percentage."
    )
    quantity_per_level: Decimal | None = Field(
        None, title="Quantity per level", description="In the base asset; or give the total investment.", gt=0
    )
    total_investment: Decimal | None = Field(
        None, title="Total investment", description="In the quote asset, spread over the levels.", gt=0
    )
    split_at_start: bool = Field(
        True, title="Buy at start", description="Buy at market what the levels above the price will sell."
    )
    start_price: Decimal | None = Field(
        None, title="Start trigger", description="Begin when the price falls to this; at once when empty.", gt=0
    )
    stop_loss_price: Decimal | None = Field(
        None, title="Stop loss", description="At this price everything is sold and the grid ends.", gt=0
    )
    take_profit_price: Decimal | None = Field(
        None, title="Take profit", description="At this price everything is sold and the grid ends.", gt=0
    )
    trailing_up_limit: Decimal | None = Field(
        None, title="Trailing up to", description="Above the top the lowest level moves up, to this price.", gt=0
    )
    trailing_down_limit: Decimal | None = Field(
        None, title="Trailing down to", description="Below the bottom the highest level moves down, to this.", gt=0
    )
    reinvest: bool = Field(False, title="Reinvest", description="A level spends what it has earned on its next entry.")

    def check_together(self) -> None:
        """The range has a width, every level a quantity, stops lie outside the range."""
        lower, upper = self.lower_price, self.upper_price
        if lower >= upper:
            raise Refused(say("not_below_upper_price", "it must be below upper_price.", field="lower_price"))
        if (self.quantity_per_level is None) == (self.total_investment is None):
            raise Refused(
                say(
                    "either_quantity_or_investment",
                    "give either this or total_investment, not both and not neither.",
                    field="quantity_per_level",
                )
            )
        if self.stop_loss_price is not None and self.stop_loss_price >= lower:
            raise Refused(say("not_below_lower_price", "it must be below lower_price.", field="stop_loss_price"))
        if self.take_profit_price is not None and self.take_profit_price <= upper:
            raise Refused(say("not_above_upper_price", "it must be above upper_price.", field="take_profit_price"))
        if self.trailing_up_limit is not None and self.trailing_up_limit <= upper:
            raise Refused(say("not_above_upper_price", "it must be above upper_price.", field="trailing_up_limit"))
        if self.trailing_down_limit is not None and self.trailing_down_limit >= lower:
            raise Refused(say("not_below_lower_price", "it must be below lower_price.", field="trailing_down_limit"))


class Law(NamedTuple):
    """The same in integers: ticks and lots; 0 is off."""

    geometric: int
    split: int
    start: int
    stop_loss: int
    take_profit: int
    trail_up: int
    trail_down: int
    reinvest: int
    #: Prices of the ladder, lowest first; one more than levels.
    prices: tuple[int, ...]
    #: Lots of each level.
    lots: tuple[int, ...]


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """Check the parameters together and turn them into integers; `Refused` names the field."""
    lower = ticks_of("lower_price", params.lower_price, instrument)
    upper = ticks_of("upper_price", params.upper_price, instrument)
    params.check_together()
    prices = level_prices(lower, upper, params.levels, Spacing(params.spacing))
    if params.quantity_per_level is not None:
        lots = (lots_of("quantity_per_level", params.quantity_per_level, instrument),) * params.levels
    else:
        lots = lots_per_level(params.total_investment or Decimal(0), prices, instrument)
    law = Law(
        geometric=int(params.spacing == "geometric"),
        split=int(params.split_at_start),
        start=_ticks("start_price", params.start_price, instrument),
        stop_loss=_ticks("stop_loss_price", params.stop_loss_price, instrument),
        take_profit=_ticks("take_profit_price", params.take_profit_price, instrument),
        trail_up=_ticks("trailing_up_limit", params.trailing_up_limit, instrument),
        trail_down=_ticks("trailing_down_limit", params.trailing_down_limit, instrument),
        reinvest=int(params.reinvest),
        prices=prices,
        lots=lots,
    )
    return Plan(params=law, slots=params.levels + 1)


def _ticks(name: str, price: Decimal | None, instrument: Instrument) -> int:
    return 0 if price is None else ticks_of(name, price, instrument)


@lawful
def begin(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """Lay the ladder out and buy what the levels above the price are to sell."""
    state[slots.PHASE] = slots.ACTIVE
    state[BOTTOM] = law.prices[0]
    state[TOP] = law.prices[len(law.prices) - 1]
    to_buy = 0
    for level in range(len(law.lots)):
        at = slots.HEADER + (level + 1) * slots.WIDTH
        state[at + slots.LEVEL_ENTRY] = law.prices[level]
        state[at + slots.LEVEL_EXIT] = law.prices[level + 1]
        state[at + slots.LEVEL_LOTS] = law.lots[level]
        if law.prices[level] >= view.last_ticks:
            to_buy += law.lots[level]
    if law.split != 0 and to_buy > 0:
        grid.put_wish(state, START_SLOT, START, BUY, MARKET, 0, to_buy)
        count = grid.note(out, count, START_SLOT, grid.START_SPLIT)
    return refresh(state, view, out, count)


@lawful
def refresh(state: list[int], view: View, out: list[int], count: int) -> int:
    """Bring every level's wish in line. An entry above the price would be taken at once, so it waits for the price."""
    for slot in range(1, slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        if is_idle(state, slot) and state[at + slots.LEVEL_ENTRY] >= view.last_ticks:
            continue
        count = grid.wish_level(state, view, slot, out, count)
    return count


@lawful
def share_start(state: list[int], view: View, event: Event, out: list[int], count: int) -> int:
    """Hand the purchase at the start to the levels above the price, lowest first, cost in proportion."""
    base, cost = state[slots.HEADER + slots.HELD], state[slots.HEADER + slots.COST]
    if slots.is_finished(state):
        return grid.order_done(state, view, event, out, count)
    grid.put_wish(state, START_SLOT, 0, 0, 0, 0, 0)
    grid.start_over(state, START_SLOT)
    for slot in range(1, slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        wanted = state[at + slots.LEVEL_LOTS] * view.base_per_lot
        if not is_idle(state, slot) or wanted == 0 or base <= 0:
            continue
        part = min(wanted, base)
        paid = scaled(cost, part, base)
        state[at + slots.HELD] = part
        state[at + slots.COST] = paid
        state[at + slots.ENTRY_MS] = view.now_ms
        base -= part
        cost -= paid
        count = grid.wish_level(state, view, slot, out, count)
    state[slots.DUST] += max(base, 0)
    return count


@lawful
def arm(law: Law, state: list[int]) -> None:
    """Ask to be woken where something is due: stops, trailing, and levels that wait for the price to pass them."""
    state[slots.WAKE_ABOVE] = law.take_profit
    state[slots.WAKE_BELOW] = law.stop_loss
    if state[slots.PHASE] == WAITING:
        state[slots.WAKE_BELOW] = max(law.start, law.stop_loss)
    if state[slots.PHASE] != slots.ACTIVE:
        return
    for slot in range(1, slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        if is_idle(state, slot) and state[at + slots.LEVEL_LOTS] > 0:
            wake = state[at + slots.LEVEL_ENTRY] + 1
            state[slots.WAKE_ABOVE] = wake if state[slots.WAKE_ABOVE] == 0 else min(state[slots.WAKE_ABOVE], wake)
    if law.trail_up > 0:
        wake = state[TOP] + 1
        state[slots.WAKE_ABOVE] = wake if state[slots.WAKE_ABOVE] == 0 else min(state[slots.WAKE_ABOVE], wake)
    if law.trail_down > 0:
        state[slots.WAKE_BELOW] = max(state[slots.WAKE_BELOW], state[BOTTOM] - 1)


@lawful
def is_idle(state: list[int], slot: int) -> bool:
    """Whether a level holds nothing and wishes nothing."""
    at = slots.HEADER + slot * slots.WIDTH
    return state[at + slots.HELD] == 0 and state[at + slots.WISH_SIDE] == 0


@lawful
def on_price(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """The price has reached something that was waited for."""
    if slots.is_finished(state):
        return count
    if 0 < view.last_ticks <= law.stop_loss:
        state[slots.PHASE] = slots.CLOSING
        return grid.sell_everything(state, view, grid.STOP_LOSS, out, count)
    if 0 < law.take_profit <= view.last_ticks:
        state[slots.PHASE] = slots.CLOSING
        return grid.sell_everything(state, view, grid.TAKE_PROFIT, out, count)
    if state[slots.PHASE] == WAITING and view.last_ticks <= law.start:
        return begin(law, state, view, out, count)
    if state[slots.PHASE] != slots.ACTIVE:
        return count
    if law.trail_up > 0:
        ladder.trail_up(state, view, law.geometric, law.trail_up)
    if law.trail_down > 0:
        ladder.trail_down(state, view, law.geometric, law.trail_down)
    return refresh(state, view, out, count)


@lawful
def on_order_done(law: Law, state: list[int], view: View, event: Event, out: list[int], count: int) -> int:
    """An order has ended: share out the purchase at the start, or go on with the level."""
    if event.slot == START_SLOT and event.leg == START:
        return share_start(state, view, event, out, count)
    at = slots.HEADER + event.slot * slots.WIDTH
    earned = -state[at + slots.COST]
    sold_out = state[at + slots.HELD] <= 0 and event.side < 0
    if law.reinvest != 0 and sold_out and earned > 0 and state[at + slots.LEVEL_ENTRY] > 0:
        state[at + slots.LEVEL_LOTS] += earned // (state[at + slots.LEVEL_ENTRY] * view.tick_lot)
    return grid.order_done(state, view, event, out, count)


@lawful
def on_edit(law: Law, state: list[int], view: View, out: list[int], count: int) -> int:
    """A new ladder: levels that stay the same keep their slots and orders, the rest take free slots or retire."""
    for slot in range(1, slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        level = ladder.level_of(law.prices, state[at + slots.LEVEL_ENTRY], state[at + slots.LEVEL_EXIT])
        state[at + slots.LEVEL_LOTS] = law.lots[level] if level >= 0 else 0
    for level in range(len(law.lots)):
        if not ladder.has_level(state, law.prices[level], law.prices[level + 1]):
            slot = ladder.free_level(state)
            count = _settle(law, state, slot, level, out, count) if slot > 0 else count
    for slot in range(1, slots.count_of(state)):
        at = slots.HEADER + slot * slots.WIDTH
        if state[at + slots.LEVEL_LOTS] == 0 and state[at + slots.HELD] == 0:
            count = grid.no_wish(state, slot, grid.GRID_MOVED, out, count)
    state[BOTTOM], state[TOP] = law.prices[0], law.prices[len(law.prices) - 1]
    return refresh(state, view, out, count)


@lawful
def _settle(law: Law, state: list[int], slot: int, level: int, out: list[int], count: int) -> int:
    """Give a new level a slot that is free."""
    at = slots.HEADER + slot * slots.WIDTH
    state[at + slots.LEVEL_ENTRY] = law.prices[level]
    state[at + slots.LEVEL_EXIT] = law.prices[level + 1]
    state[at + slots.LEVEL_LOTS] = law.lots[level]
    return grid.no_wish(state, slot, grid.GRID_MOVED, out, count)


def decide(law: Law, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """The range grid's law; see `core.base_strategy.Decide`."""
    count = 0
    kind = event.kind
    is_order = kind == events.FILL or kind == events.ORDER_DONE
    was_idle = is_order and is_idle(state, event.slot)
    if kind == events.FILL:
        count = grid.fill(state, view, event, out, count)
    elif kind == events.ORDER_DONE:
        count = on_order_done(law, state, view, event, out, count)
    elif kind == events.START and state[slots.PHASE] == slots.NEW:
        if law.start > 0 and view.last_ticks > law.start:
            state[slots.PHASE] = WAITING
        else:
            count = begin(law, state, view, out, count)
    elif kind == events.PRICE:
        count = on_price(law, state, view, out, count)
    elif kind == events.EDIT and not slots.is_finished(state):
        count = on_edit(law, state, view, out, count)
    else:
        count = grid.on_verb(state, view, kind, out, count)
    # Only levels that are idle are waited for: an order of a level that is not, before or after, leaves all as it was.
    if not is_order or event.slot == START_SLOT or was_idle or is_idle(state, event.slot):
        arm(law, state)
    return count


STRATEGIES.register("grid")(
    StrategyKind(
        name="grid",
        title="Range grid",
        summary="Buys low and sells one step higher between two prices, over and over.",
        params=Params,
        prepare=prepare,
        decide=decide,
        reasons=grid.REASONS,
    )
)
