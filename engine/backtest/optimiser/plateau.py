"""Whether a best result stands on a plateau or on a needle: what its neighbours in the search space earn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median
from typing import Final

from engine.backtest.optimiser.conditions import Objective
from engine.backtest.optimiser.space import Space
from engine.backtest.optimiser.trial import DONE, Trial

#: Cells of a side beyond which a map cannot be looked at.
LARGEST_SIDE: Final = 100
MOST_MAPS: Final = 6

Places = tuple[int, ...]


@dataclass(frozen=True)
class Heatmap:
    """The objective over two parameters: in each cell the middle of all sets that share the two values."""

    x: str
    y: str
    x_values: tuple[str, ...]
    y_values: tuple[str, ...]
    #: Rows by y; None where nothing was tried.
    cells: tuple[tuple[float | None, ...], ...]


class Landscape:
    """The goodness of every set that was tried, found by its place."""

    def __init__(self, space: Space, objective: Objective, trials: Sequence[Trial]) -> None:
        self._space = space
        self._objective = objective
        self._places = [{value: at for at, value in enumerate(one.values)} for one in space.dimensions]
        self._goodness: dict[Places, float] = {}
        for trial in trials:
            good = objective.goodness(trial.values) if trial.status == DONE else None
            if good is not None:
                self._goodness[self.place(trial)] = good
        self._middle = median(self._goodness.values()) if self._goodness else 0.0

    def place(self, trial: Trial) -> Places:
        """Where a trial stands."""
        dimensions = self._space.dimensions
        return tuple(at[trial.params[one.name]] for at, one in zip(self._places, dimensions, strict=True))

    def plateau(self, trial: Trial) -> float | None:
        """1 when the neighbours, one step away in one parameter, are as good; 0 when they are no better than the
        middle of all. None when fewer than half of them were tried.
        """
        place = self.place(trial)
        own, around = self._goodness.get(place), self._neighbours(place)
        if own is None or around is None or own <= self._middle:
            return None
        return min(max((fmean(around) - self._middle) / (own - self._middle), 0.0), 1.0)

    def steadiness(self, trial: Trial) -> float | None:
        """The mean goodness of a set and its neighbours, by which the most robust set is found."""
        place = self.place(trial)
        own, around = self._goodness.get(place), self._neighbours(place)
        return None if own is None or around is None else fmean([own, *around])

    def heatmaps(self) -> list[Heatmap]:
        """One for each pair of parameters that can be looked at."""
        sides = [at for at, one in enumerate(self._space.dimensions) if len(one.values) <= LARGEST_SIDE]
        return [self._heatmap(x, y) for x, y in list(combinations(sides, 2))[:MOST_MAPS]]

    def _heatmap(self, x: int, y: int) -> Heatmap:
        found: dict[tuple[int, int], list[float]] = {}
        for place, good in self._goodness.items():
            found.setdefault((place[y], place[x]), []).append(good if self._objective.is_max else -good)
        across, up = self._space.dimensions[x], self._space.dimensions[y]
        cells = tuple(
            tuple(_middle_of(found, (row, column)) for column in range(len(across.values)))
            for row in range(len(up.values))
        )
        return Heatmap(across.name, up.name, across.values, up.values, cells)

    def _neighbours(self, place: Places) -> list[float] | None:
        wanted = [
            (*place[:at], place[at] + step, *place[at + 1 :])
            for at, one in enumerate(self._space.dimensions)
            for step in ((-1, 1) if one.is_ordered else ())
            if 0 <= place[at] + step < len(one.values)
        ]
        known = [self._goodness[other] for other in wanted if other in self._goodness]
        return known if known and 2 * len(known) >= len(wanted) else None


def _middle_of(found: Mapping[tuple[int, int], list[float]], cell: tuple[int, int]) -> float | None:
    return median(found[cell]) if cell in found else None
