"""RSI reversion: buys when the relative strength index comes up out of oversold, sells when it is overbought."""

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

#: Bars fed before the first decision, in periods: Wilder's smoothing forgets slowly.
WARM_UP_PERIODS: Final = 10


class Params(StrategyParams):
    """What a person chooses."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"period": 14, "oversold": 30, "overbought": 70, "size": "0.001"}]}
    )

    period: int = Field(14, title="Period", description="Bars of the index.", ge=2, le=500)
    oversold: int = Field(30, title="Oversold", description="Buy when the index rises through this.", ge=1, le=99)
    overbought: int = Field(70, title="Overbought", description="Sell when the index is at this or above.", ge=1, le=99)
    size: Decimal = Field(title="Quantity", description="Bought at each entry, in the base asset.", gt=0)

    def check_together(self) -> None:
        """The two bounds leave something between them."""
        if self.oversold >= self.overbought:
            raise Refused(say("oversold_not_below", "it must be below overbought.", field="oversold"))


class Law(NamedTuple):
    """The same in integers."""

    period: int
    oversold: int
    overbought: int
    lots: int


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """Check the parameters together and turn them into integers; `Refused` names the field."""
    params.check_together()
    law = Law(params.period, params.oversold, params.overbought, lots_of("size", params.size, instrument))
    warm_up = params.period * WARM_UP_PERIODS
    return Plan(params=law, slots=1, memory=indicators.rsi_size(), warm_up_bars=warm_up, wants_bars=True)


def decide(law: Law, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """The law of the reversion; see `core.base_strategy.Decide`."""
    if event.kind != events.BAR:
        return single.on_common(state, view, event, out, 0)
    was_ready = indicators.rsi_ready(memory, 0, law.period)
    before = indicators.rsi_value(memory, 0, law.period)
    indicators.rsi_update(memory, 0, law.period, event.close)
    now = indicators.rsi_value(memory, 0, law.period)
    if not was_ready or state[slots.PHASE] == slots.NEW:
        return 0
    if before < law.oversold <= now and single.is_flat(state):
        return single.enter(state, law.lots, single.SIGNAL_IN, out, 0)
    if now >= law.overbought and single.is_long(state):
        return single.leave(state, view, single.SIGNAL_OUT, out, 0)
    return 0


STRATEGIES.register("rsi")(
    StrategyKind(
        name="rsi",
        title="RSI reversion",
        summary="Buys out of oversold, sells into overbought.",
        params=Params,
        prepare=prepare,
        decide=decide,
        reasons=single.REASONS,
    )
)
