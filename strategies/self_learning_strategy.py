"""Self-learning: several signals bid for a trade, a model learns which of them pay, and it trades once that is proven.

Every proposal is followed on paper by the exits that are traded by, so it learns before it trades and while it waits.
What it learned is in its memory (`domain.learning`); what it holds is in one slot.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from pydantic import ConfigDict, Field

from core.base_strategy import STRATEGIES, Plan, StrategyKind, StrategyParams
from domain import events, sided, slots
from domain.errors import Refused
from domain.events import Event, View
from domain.grid import no_wish
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.lawful import lawful
from domain.learning import layout, model, paper, signals, sizing
from domain.learning.card import ModelCard, card_of
from domain.learning.terms import Terms
from domain.money import divmod_exact
from domain.order import ENTRY, EXIT, FLATTEN
from domain.sentences import say

PPM: Final = 1_000_000
PER_PERCENT: Final = 10_000

# What the state remembers of the trade on paper that the position follows: 1 + its signal, its number, its price.
SIGNAL: Final = slots.OWN
SERIAL: Final = slots.OWN + 1
ENTRY_TICKS: Final = slots.OWN + 2
#: Why nothing is entered: a reason's code.
WAITS: Final = slots.OWN + 3

# Reasons; from 1 the signals in their order, from 10 what `domain.learning.paper` ends a trade by.
EMERGENCY: Final = 15
MISSED: Final = 16
ENDED: Final = 17
PAUSED: Final = 18
WARMING_UP: Final = 20
FEW_SAMPLES: Final = 21
NO_EDGE: Final = 22
NO_BID: Final = 23
TOO_SMALL: Final = 24
IN_A_TRADE: Final = 25
THE_REST: Final = 26
TOO_LATE: Final = 27
REASONS: Final = {
    1: say("learning_trend", "The trend is expected to go on, and that was the best bid."),
    2: say("learning_reversion", "The price has gone far and is expected to come back, and that was the best bid."),
    3: say("learning_breakout", "The price has left its range and is expected to go on, and that was the best bid."),
    4: say(
        "learning_surge",
        "Far more than usual was traded and the price is expected to follow, and that was the best bid.",
    ),
    paper.STOP_LOSS: say("learning_stop_loss", "The stop loss is reached, so the position is closed at market."),
    paper.TAKE_PROFIT: say("learning_take_profit", "The take profit is reached, so the position is closed at market."),
    paper.HORIZON: say(
        "learning_horizon", "The trade has lasted as long as it may, so the position is closed at market."
    ),
    paper.PREMISE_GONE: say(
        "learning_premise_gone", "What the signal had seen is gone, so the position is closed at market."
    ),
    paper.COUNTER_TREND: say(
        "learning_counter_trend", "The trend has turned against the position, so it is closed at market."
    ),
    EMERGENCY: say(
        "learning_emergency",
        "The loss has reached the part of the margin that may be lost, so the position is closed at market.",
    ),
    MISSED: say(
        "learning_missed",
        "The trade that the position followed has ended while nobody watched, so it is closed at market.",
    ),
    ENDED: say("learning_ended", "The strategy has ended."),
    PAUSED: say("learning_paused", "The strategy is paused: it learns on and enters nothing."),
    WARMING_UP: say("learning_warming_up", "It waits until it has seen enough bars."),
    FEW_SAMPLES: say("learning_few_samples", "It waits until enough trades on paper have taught it."),
    NO_EDGE: say(
        "learning_no_edge",
        "It waits: what it would have traded has not earned more than its costs with enough certainty.",
    ),
    NO_BID: say("learning_no_bid", "It waits for a bid that is worth its costs."),
    TOO_SMALL: say("learning_too_small", "It waits: what the bid deserves is less than the venue's smallest order."),
    IN_A_TRADE: say("learning_in_a_trade", "It is in a trade."),
    THE_REST: say(
        "learning_the_rest", "An order has closed a part of the position only, so the rest is closed at market."
    ),
    TOO_LATE: say(
        "learning_too_late", "The trade that was to be entered has ended on paper, so its entry is withdrawn."
    ),
}


class Params(StrategyParams):
    """What a person chooses."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"stake": "500", "take_profit_percent": "1.5", "stop_loss_percent": "1"}]}
    )

    stake: Decimal = Field(
        title="Stake", description="Capital that trades are sized from, in the quote asset.", gt=0, le=1_000_000_000
    )
    direction: Literal["long", "both"] = Field(
        "long", title="Direction", description="Long only, or also short; short needs a futures account."
    )
    take_profit_percent: Decimal = Field(
        Decimal(1), title="Take profit (%)", description="Distance from the entry.", gt=0, le=50
    )
    stop_loss_percent: Decimal = Field(
        Decimal(1), title="Stop loss (%)", description="Distance from the entry.", gt=0, le=50
    )
    horizon_bars: int = Field(48, title="Horizon", description="Bars that a trade may last.", ge=1, le=10_000)
    cost_percent: Decimal = Field(
        Decimal("0.2"), title="Costs (%)", description="Fees and slippage of entry and exit together.", ge=0, le=5
    )
    trend_bars: int = Field(48, title="Trend", description="Bars of the slow average.", ge=4, le=1000)
    range_bars: int = Field(
        24, title="Range", description="Bars of the range that is broken out of.", ge=2, le=signals.MOST_BARS
    )
    counter_trend_ranges: Decimal = Field(
        Decimal(3), title="Counter-trend exit",
        description="Number of bar ranges by which the trend may turn against a trade; 0 is any.", ge=0, le=100,
    )  # fmt: skip
    min_confidence_percent: Decimal = Field(
        Decimal(50), title="Least confidence (%)", description="Chance of a win below which no bid counts.", ge=0, le=99
    )
    min_samples: int = Field(
        200, title="Samples", description="Number of trades on paper before the first real one.", ge=0, le=100_000
    )
    proof: Decimal = Field(
        Decimal(2), title="Proof",
        description="Number of standard errors by which its edge has to exceed zero; 0 asks for none.", ge=0, le=10,
    )  # fmt: skip
    kelly_percent: Decimal = Field(
        Decimal(25), title="Share of Kelly (%)", description="Of the size that would let capital grow fastest.",
        gt=0, le=100,
    )  # fmt: skip
    max_leverage: int = Field(
        3, title="Highest leverage", description="Times the stake that a futures position may be worth.", ge=1, le=125
    )
    emergency_loss_percent: Decimal = Field(
        Decimal(20), title="Emergency exit (%)",
        description="Loss of the margin, at the highest leverage, at which a position is closed.", gt=0, le=99,
    )  # fmt: skip
    promotion_samples: int = Field(
        100, title="Comparison", description="Number of trades on paper that champion and challenger are compared on.",
        ge=10, le=10_000,
    )  # fmt: skip
    promotion_margin: Decimal = Field(
        Decimal("0.005"), title="Margin", description="Number of nats by which the challenger has to be better.",
        ge=0, le=1,
    )  # fmt: skip
    history_bars: int = Field(
        500, title="History", description="Bars of the past that it learns from before it begins.", ge=0, le=1000
    )
    is_frozen: bool = Field(False, title="Frozen", description="It trades by what it knows and learns no more.")

    def check_together(self) -> None:
        """The exits leave a trade room to win."""
        if self.take_profit_percent <= self.cost_percent:
            raise Refused(
                say(
                    "profit_below_costs",
                    "it must be above the costs, or no trade can win.",
                    field="take_profit_percent",
                )
            )
        if self.emergency_loss_percent <= self.cost_percent * self.max_leverage:
            raise Refused(
                say(
                    "leverage_eats_margin",
                    "at it the costs alone take the part of the margin that may be lost; lower it, or raise "
                    "emergency_loss_percent.",
                    field="max_leverage",
                )
            )


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """Check the parameters together and turn them into integers; `Refused` names the field."""
    params.check_together()
    if params.stake < instrument.notional(last_ticks, 1):
        raise Refused(say("stake_below_a_lot", "it buys less than one lot at the price now; give more.", field="stake"))
    stake, _ = divmod_exact(params.stake, instrument.quote_quantum)
    law = Terms(
        trend_bars=params.trend_bars,
        range_bars=params.range_bars,
        take=_parts("take_profit_percent", params.take_profit_percent, PER_PERCENT),
        stop=_parts("stop_loss_percent", params.stop_loss_percent, PER_PERCENT),
        horizon=params.horizon_bars,
        counter_trend=_parts("counter_trend_ranges", params.counter_trend_ranges, PPM),
        cost=_parts("cost_percent", params.cost_percent, PER_PERCENT),
        allows_short=int(params.direction == "both"),
        confidence=_parts("min_confidence_percent", params.min_confidence_percent, PER_PERCENT),
        min_samples=params.min_samples,
        proof=_parts("proof", params.proof, PPM),
        stake=stake,
        kelly=_parts("kelly_percent", params.kelly_percent, PER_PERCENT),
        max_leverage=params.max_leverage,
        emergency=_parts("emergency_loss_percent", params.emergency_loss_percent, PER_PERCENT),
        compared=params.promotion_samples,
        margin=_parts("promotion_margin", params.promotion_margin, PPM),
        is_frozen=int(params.is_frozen),
    )
    warm_up = max(signals.bars_needed(law.trend_bars, law.range_bars), params.history_bars)
    return Plan(params=law, slots=1, memory=signals.MEMORY, warm_up_bars=warm_up, wants_bars=True)


def _parts(name: str, value: Decimal, each: int) -> int:
    """A number in parts of a million; finer ones are refused."""
    parts = value * each
    if parts != int(parts):
        raise Refused(
            say("too_fine_here", "{value} is finer than is counted here; give fewer decimals.", value=value, field=name)
        )
    return int(parts)


@lawful
def waits_for(law: Terms, memory: Memory) -> int:
    """Why nothing may be entered yet; 0 when it has earned it."""
    if memory[layout.LABELS] < law.min_samples:
        return FEW_SAMPLES
    if not model.has_proof(memory, layout.CHAMPION, law.proof):
        return NO_EDGE
    return 0


@lawful
def bid(law: Terms, state: list[int], memory: Memory, view: View, event: Event, out: list[int], chosen: int) -> int:
    """Enter the proposal that was chosen (1 + its signal), or write down why not."""
    waits = waits_for(law, memory)
    if waits != 0 or chosen == 0:
        state[WAITS] = waits if waits != 0 else NO_BID
        return 0
    at = sizing.paper_of(chosen - 1)
    side = int(memory[at + layout.SIDE])
    lots = sizing.lots_of(memory, law, view, chosen - 1, event.close)
    if lots == 0 or (side < 0 and view.is_margin == 0):
        state[WAITS] = TOO_SMALL if lots == 0 else NO_BID
        return 0
    state[SIGNAL] = chosen
    state[SERIAL] = int(memory[at + layout.SERIAL])
    state[ENTRY_TICKS] = event.close
    state[WAITS] = IN_A_TRADE
    return sided.enter(state, side, lots, chosen, out, 0)


@lawful
def on_bar(law: Terms, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """Learn from the bar, then leave what has ended on paper, or enter what was chosen."""
    signals.update(memory, event, law.trend_bars, law.range_bars)
    chosen = 0
    is_ready = signals.is_ready(memory, law.trend_bars, law.range_bars)
    if is_ready:
        paper.follow(memory, law, event)
        chosen = paper.propose(memory, law, event)
    phase, held = state[slots.PHASE], sided.held(state, view)
    if phase != slots.ACTIVE and phase != slots.PAUSED:
        state[WAITS] = WARMING_UP if phase == slots.NEW else ENDED
        return 0
    signal = max(state[SIGNAL] - 1, 0)
    is_over = state[SIGNAL] == 0 or not paper.is_open(memory, signal, state[SERIAL])
    if held != 0:
        state[WAITS] = IN_A_TRADE
        if not is_over or is_leaving(state):
            return 0
        at = sizing.paper_of(signal)
        is_known = state[SIGNAL] != 0 and int(memory[at + layout.SERIAL]) == state[SERIAL]
        why = int(memory[at + layout.ENDED_BY]) if is_known else MISSED
        return sided.leave(state, view, FLATTEN if why == paper.STOP_LOSS else EXIT, why, out, 0)
    if sided.is_waiting(state):
        return no_wish(state, sided.SLOT, TOO_LATE, out, 0) if is_over else 0
    if phase == slots.PAUSED or not is_ready:
        state[WAITS] = PAUSED if phase == slots.PAUSED else WARMING_UP
        return 0
    return bid(law, state, memory, view, event, out, chosen)


@lawful
def is_leaving(state: list[int]) -> bool:
    """Whether an order is wished that closes the position."""
    return sided.is_waiting(state) and state[slots.HEADER + slots.WISH_LEG] != ENTRY


@lawful
def stop_distance(law: Terms) -> int:
    """How far the price may go against a position, in parts per million: the stop, or the margin that may be lost."""
    return min(law.stop, law.emergency // law.max_leverage)


@lawful
def on_price(law: Terms, state: list[int], view: View, out: list[int]) -> int:
    """A price that was asked for has come: the stop, or the take profit."""
    held = sided.held(state, view)
    if held == 0 or is_leaving(state) or slots.is_finished(state) or state[slots.PHASE] == slots.NEW:
        return 0
    side, entry = (1 if held > 0 else -1), state[ENTRY_TICKS]
    if (view.last_ticks - paper.stop_ticks(entry, side, stop_distance(law))) * side <= 0:
        why = paper.STOP_LOSS if stop_distance(law) == law.stop else EMERGENCY
        return sided.leave(state, view, FLATTEN, why, out, 0)
    if (view.last_ticks - paper.take_ticks(entry, side, law.take)) * side >= 0:
        return sided.leave(state, view, EXIT, paper.TAKE_PROFIT, out, 0)
    return 0


@lawful
def watch(law: Terms, state: list[int], view: View) -> None:
    """Ask to be woken at the prices at which what is held is closed."""
    held = sided.held(state, view)
    state[slots.WAKE_ABOVE] = 0
    state[slots.WAKE_BELOW] = 0
    if held == 0 or is_leaving(state) or slots.is_finished(state):
        return
    side, entry = (1 if held > 0 else -1), state[ENTRY_TICKS]
    stop, take = paper.stop_ticks(entry, side, stop_distance(law)), paper.take_ticks(entry, side, law.take)
    state[slots.WAKE_ABOVE] = take if side > 0 else stop
    state[slots.WAKE_BELOW] = stop if side > 0 else take


def decide(law: Terms, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """The law of learning; see `core.base_strategy.Decide`."""
    kind = event.kind
    if kind == events.BAR:
        count = on_bar(law, state, memory, view, event, out)
    elif kind == events.FILL:
        count = sided.on_fill(state, view, event, ENDED, out, 0)
    elif kind == events.ORDER_DONE:
        count = sided.on_order_done(state, view, event, THE_REST, out, 0)
    elif kind == events.PRICE:
        count = on_price(law, state, view, out)
    else:
        count = sided.on_verb(state, view, kind, PAUSED, ENDED, out, 0)
    watch(law, state, view)
    return count


def card(state: list[int], memory: Memory) -> ModelCard:
    """What it has learned, and why it waits."""
    return card_of(memory, state[WAITS])


STRATEGIES.register("self_learning")(
    StrategyKind(
        name="self_learning",
        title="Self-learning",
        summary="Learns on paper which of several signals pay, and trades once that is proven.",
        params=Params,
        prepare=prepare,
        decide=decide,
        reasons=REASONS,
        card=card,
    )
)
