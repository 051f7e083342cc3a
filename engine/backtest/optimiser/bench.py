"""Where sets are tried: a part of the history that is made ready, and what trying on it has in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.backtest.history import History
from engine.backtest.optimiser.chunks import Chunk
from engine.backtest.optimiser.instance import Instance
from engine.backtest.optimiser.joint import Replays, joint_of
from engine.backtest.optimiser.scores import Grid, evaluate, grid_of
from engine.backtest.optimiser.search import Search
from engine.backtest.optimiser.trial import REFUSED, Trial


class Ground(Protocol):
    """A part of the history on which sets are tried."""

    @property
    def grid(self) -> Grid:
        """Its periods and blocks."""

    def trial(self, number: int, params: dict[str, str]) -> Trial:
        """Try one set."""


@dataclass(frozen=True)
class Alone:
    """The ground of one instance."""

    instance: Instance
    grid: Grid

    def trial(self, number: int, params: dict[str, str]) -> Trial:
        """Try one set."""
        one = self.instance
        return evaluate(one.kind, number, params, one.history, one.settings, self.grid)


def ground_of(search: Search, histories: Sequence[History], replays: Replays | None = None, stage: int = 0) -> Ground:
    """The ground for a search that these histories are, one of each instance."""
    if search.capital is not None:
        return joint_of(search.instances, search.capital, histories, replays or Replays(), stage)
    return Alone(search.instances[0]._replace(history=histories[0]), grid_of(histories[0]))


@dataclass
class Bench:
    """Does chunks; keeps what its stages have in common."""

    search: Search
    replays: Replays = field(default_factory=Replays)
    _grounds: dict[int, Ground] = field(default_factory=dict)

    def do(self, chunk: Chunk) -> list[Trial]:
        """Try every set of the chunk."""
        return [self.one(chunk.stage, number, self.search.space.of(places)) for number, places in chunk.sets]

    def one(self, stage: int, number: int, params: dict[str, str]) -> Trial:
        """Try one set; what a condition on parameters rules out is not replayed."""
        search = self.search
        for condition in search.conditions:
            if set(condition.names()) <= params.keys() and (condition.excess(params) or 0) > 0:
                told = f"{condition.left} {condition.sign} {condition.right} does not hold"
                return Trial(number, params, REFUSED, words=told)
        if stage not in self._grounds:
            self._grounds[stage] = ground_of(search, search.parts(search.stages[stage]), self.replays, stage)
        return self._grounds[stage].trial(number, params)
