"""Copying as a kind of instance: the trading engine runs it like any strategy; its targets come as events."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict, Field

from core.base_strategy import Plan, StrategyKind, StrategyParams
from domain.copying import follow
from domain.instrument import Instrument


class Params(StrategyParams):
    """What the account allows."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"can_short": True}]})

    can_short: bool = Field(
        False, title="May be short", description="Whether the venue keeps short positions on this symbol."
    )


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """The law of following on this account."""
    del instrument, last_ticks
    return Plan(params=follow.Law(int(params.can_short)), slots=1)


#: Not among the strategies that people start: its instances are made for relationships, one per account and symbol.
COPY: Final = StrategyKind(
    name="copy",
    title="Copy",
    summary="Holds what the masters of its account hold, scaled.",
    params=Params,
    prepare=prepare,
    decide=follow.decide,
    reasons=follow.REASONS,
)
