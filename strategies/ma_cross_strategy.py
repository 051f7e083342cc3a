"""Moving-average cross: long while the fast average of closes is above the slow one, else flat."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from pydantic import ConfigDict, Field

from core.base_strategy import STRATEGIES, Plan, StrategyKind, StrategyParams, lots_of
from domain import events, indicators, single, slots
from domain.errors import Refused
from domain.events import Event, View
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.sentences import say

FAST_AT: Final = 0
#: Up to such a sum of closes products of it compare as quotients do, rounded or not: times a period it is below 2^51,
#: so of two means that differ the quotients do, too.
LARGEST: Final = 2**38


class Params(StrategyParams):
    """What a person chooses."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"fast": 10, "slow": 30, "size": "0.001"}]})

    fast: int = Field(10, title="Fast average", description="Bars of the fast moving average.", ge=1, le=1000)
    slow: int = Field(30, title="Slow average", description="Bars of the slow moving average.", ge=2, le=5000)
    size: Decimal = Field(title="Quantity", description="Bought at each entry, in the base asset.", gt=0)

    def check_together(self) -> None:
        """The fast average is shorter than the slow one."""
        if self.fast >= self.slow:
            raise Refused(say("fast_not_shorter", "it must be a shorter average than slow.", field="fast"))


class Law(NamedTuple):
    """The same in integers."""

    fast: int
    slow: int
    lots: int


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """Check the parameters together and turn them into integers; `Refused` names the field."""
    params.check_together()
    law = Law(params.fast, params.slow, lots_of("size", params.size, instrument))
    memory = indicators.sma_size(law.fast) + indicators.sma_size(law.slow)
    return Plan(params=law, slots=1, memory=memory, warm_up_bars=law.slow, wants_bars=True)


def decide(law: Law, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """The law of the cross; see `core.base_strategy.Decide`.

    It acts when the averages cross, not whenever one is above: a start in the middle of a trend waits for the next.
    """
    if event.kind != events.BAR:
        return single.on_common(state, view, event, out, 0)
    slow_at = FAST_AT + indicators.sma_size(law.fast)
    indicators.sma_update(memory, FAST_AT, law.fast, event.close)
    indicators.sma_update(memory, slow_at, law.slow, event.close)
    fast = indicators.sma_value(memory, FAST_AT, law.fast)
    slow = indicators.sma_value(memory, slow_at, law.slow)
    if not indicators.sma_ready(memory, slow_at, law.slow):
        return 0
    above = 1 if fast > slow else -1
    before = state[slots.OWN]
    state[slots.OWN] = above
    if before == -1 and above == 1 and single.is_flat(state):
        return single.enter(state, law.lots, single.SIGNAL_IN, out, 0)
    if above == -1 and single.is_long(state):
        return single.leave(state, view, single.SIGNAL_OUT, out, 0)
    return 0


def pass_bars(law: Law, state: list[int], memory: Memory, closes: list[int], place: int, end: int) -> int:
    """Bars at which the averages stay on their sides; see `core.base_strategy.PassBars`."""
    slow_at = FAST_AT + indicators.sma_size(law.fast)
    above = state[slots.OWN]
    if above == 0 or not indicators.sma_ready(memory, slow_at, law.slow) or (above < 0 and single.is_long(state)):
        return place
    begin = place
    fast, slow = int(indicators.sma_sum(memory, FAST_AT)), int(indicators.sma_sum(memory, slow_at))
    while place < end:
        next_fast = fast + closes[place] - closes[place - law.fast]
        next_slow = slow + closes[place] - closes[place - law.slow]
        is_above = next_fast * law.slow > next_slow * law.fast
        if next_slow > LARGEST:
            is_above = next_fast / law.fast > next_slow / law.slow
        if is_above != (above > 0):
            break
        fast, slow = next_fast, next_slow
        place += 1
    indicators.sma_pass(memory, FAST_AT, law.fast, closes, begin, place, fast)
    indicators.sma_pass(memory, slow_at, law.slow, closes, begin, place, slow)
    return place


STRATEGIES.register("ma_cross")(
    StrategyKind(
        name="ma_cross",
        title="Moving-average cross",
        summary="Long while the fast moving average is above the slow one.",
        params=Params,
        prepare=prepare,
        decide=decide,
        reasons=single.REASONS,
        pass_bars=pass_bars,
    )
)
