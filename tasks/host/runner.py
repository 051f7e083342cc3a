"""One strategy in this process: what is wanted of it, how far it has come, and what is to be told to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from db.queries.fleet import Waiting, Want
from db.queries.instances import FLAT, PAUSED, RUNNING, STOPPED
from domain import events, slots
from domain.order import is_terminal
from engine.engine_manager import EngineManager, InstanceSpec
from engine.trading_engine import TradingEngine

# Where a runner is; what the dashboard shows is `shown_state`.
CLAIMING: Final = "claiming"
LOADING: Final = "loading"
LIVE: Final = "running"
ERROR: Final = "error"

#: A verb that has changed nothing is told again after so long.
TELL_AGAIN_NS: Final = 5_000_000_000
_FINISHED: Final = (slots.DONE, slots.CLOSING)


@dataclass(slots=True, eq=False)
class Runner:
    """A strategy that this worker runs, is about to run, or cannot run and says why."""

    want: Want
    state: str = CLAIMING
    engine: TradingEngine | None = None
    manager: EngineManager | None = None
    #: Without its parameters, which thousands would keep for nothing: their text is enough to tell whether they change.
    spec: InstanceSpec | None = None
    parameters: str = ""
    #: Revision and generation of the row that the engine was made or edited by.
    revision: int = -1
    generation: int = -1
    started_ms: int = 0
    last_error: str = ""
    #: Why the last edit was refused, and the revision that it was.
    edit_refused: str = ""
    refused_revision: int = -1
    failures: int = 0
    #: Steady time before which nothing is tried again.
    retry_ns: int = 0
    told_verb: int = -1
    told_ns: int = 0
    commands: list[Waiting] = field(default_factory=list)
    is_dirty: bool = True
    published_ns: int = 0

    @property
    def number(self) -> int:
        """The instance's number."""
        return self.want.instance

    @property
    def phase(self) -> int:
        """The strategy's own phase; that of a new one while there is no engine."""
        return self.engine.instance.state[slots.PHASE] if self.engine is not None else slots.NEW

    @property
    def is_finished(self) -> bool:
        """Whether the strategy has ended and nothing of it works at the venue."""
        engine = self.engine
        return (
            engine is not None
            and self.phase in _FINISHED
            and engine.status.state == "running"
            and engine.is_idle
            and not engine.instance.live_orders()
        )

    @property
    def is_flat(self) -> bool:
        """Whether it has ended with less than a lot, or less than the venue would take, left of what it held."""
        engine = self.engine
        if engine is None or not self.is_finished:
            return False
        instrument, lots = engine.instance.instrument, 0
        lots = abs(engine.instance.position.lots) // instrument.base_per_lot
        if lots == 0 or engine.books.last_ticks <= 0:
            return lots == 0
        is_dust = instrument.notional(engine.books.last_ticks, lots) < instrument.min_notional
        return is_dust or lots * instrument.lot_size < instrument.min_quantity

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do for a strategy that is to be stopped or flat."""
        if self.want.desired == STOPPED:
            return self.is_finished
        return self.want.desired == FLAT and self.is_flat

    @property
    def begins_anew(self) -> bool:
        """Whether it was asked to start again and has nothing left to go on with."""
        return any(command.kind == "start" for command in self.commands) and self.is_flat

    @property
    def is_settled(self) -> bool:
        """Whether it runs, or pauses, as it should, so that there is nothing to tell it."""
        if self.want.desired == PAUSED:
            return self.phase in (slots.PAUSED, *_FINISHED)
        return self.want.desired == RUNNING and self.phase not in (slots.PAUSED, slots.DONE)

    @property
    def is_spent(self) -> bool:
        """Whether its engine has come to an end that nobody wished."""
        return self.engine is not None and self.engine.status.state in ("broken", "lost", "error")

    @property
    def is_calm(self) -> bool:
        """Whether nothing has to be done about it before something happens."""
        return self.state == LIVE and self.is_settled and not self.commands and not self.is_spent

    def verb(self, *, killed: bool, asked_to_start: bool) -> int:
        """What has to be told to the strategy to make it what is wished; -1 for nothing."""
        desired, phase = self.want.desired, self.phase
        if desired == RUNNING:
            if killed:
                return -1
            wants_again = phase == slots.PAUSED or (phase == slots.DONE and asked_to_start and not self.is_flat)
            return events.RESUME if wants_again else -1
        if desired == PAUSED:
            return events.PAUSE if phase not in (slots.PAUSED, *_FINISHED) else -1
        if desired == STOPPED:
            return events.STOP if phase not in _FINISHED else -1
        return events.FLATTEN if phase != slots.CLOSING else -1

    def shown_state(self, *, is_leased: bool) -> str:
        """The one word that people see."""
        engine = self.engine
        if self.state != LIVE or engine is None:
            return self.state
        if self.is_spent:
            return ERROR
        if engine.status.state == "suspended" or not is_leased:
            return "suspended"
        if self.want.desired in (STOPPED, FLAT):
            return "stopping"
        return "paused" if self.phase == slots.PAUSED else LIVE

    def counts(self) -> tuple[int, int, int]:
        """Buys and sells that work, and slots that hold something."""
        engine = self.engine
        if engine is None:
            return 0, 0, 0
        buys = sells = 0
        for order in engine.instance.orders.values():
            if not is_terminal(order):
                buys, sells = buys + (order.side > 0), sells + (order.side < 0)
        state = engine.instance.state
        held = sum(
            state[slots.HEADER + slot * slots.WIDTH + slots.HELD] != 0 for slot in range(slots.count_of(state))
        )  # fmt: skip
        return buys, sells, held
