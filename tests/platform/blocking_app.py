"""The platform's app, on nodes that know one more strategy: one that never comes back from deciding."""

from __future__ import annotations

import threading
from typing import NamedTuple

from celery_app import app as app
from core.base_strategy import STRATEGIES, Plan, StrategyKind, StrategyParams
from domain.events import Event, View
from domain.instrument import Instrument

BLOCKER = "blocker"


class Params(StrategyParams):
    """Nothing to choose."""


class Law(NamedTuple):
    """Nothing in integers."""

    nothing: int = 0


def prepare(params: Params, instrument: Instrument, last_ticks: int) -> Plan:
    """Always ready."""
    del params, instrument, last_ticks
    return Plan(params=Law(), slots=1)


def decide(law: Law, state: list[int], memory: list[float], view: View, event: Event, out: list[int]) -> int:
    """Hold the loop for ever."""
    del law, state, memory, view, event, out
    threading.Event().wait()
    return 0


STRATEGIES.register(BLOCKER)(
    StrategyKind(
        name=BLOCKER, title="Blocker", summary="Never comes back.", params=Params, prepare=prepare, decide=decide
    )
)
