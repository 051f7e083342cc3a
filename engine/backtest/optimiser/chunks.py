"""The work of a search in chunks: what is to be done next, given what is done. Whoever does it, the end is the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy

from engine.backtest.optimiser.guide import Guide, Places, generations_of
from engine.backtest.optimiser.search import Search
from engine.backtest.optimiser.trial import Trial


@dataclass(frozen=True)
class Chunk:
    """Parameter sets of one stage that are tried together."""

    name: str
    stage: int
    #: (number of the trial, its place in each dimension).
    sets: tuple[tuple[int, Places], ...]


@dataclass
class Course:
    """Knows what comes next. Made anew from what is done, it goes on where another one stopped."""

    search: Search
    _guides: dict[int, Guide] = field(default_factory=dict)
    _chunks: dict[tuple[int, int], list[Chunk]] = field(default_factory=dict)
    #: The number of the next trial of each stage.
    _numbers: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Trials of all stages, at most."""
        return self.search.trials * len(self.search.stages)

    def next(self, done: Mapping[str, list[Trial]]) -> list[Chunk]:
        """Chunks that can be done now and are not; none when the search has ended."""
        missing: list[Chunk] = []
        for stage in range(len(self.search.stages)):
            missing += self._of_stage(stage, done)
        return missing

    def trials(self, stage: int, done: Mapping[str, list[Trial]]) -> list[Trial]:
        """The trials of a stage in the order of their numbers."""
        mark = f"{self.search.stages[stage].name}."
        found = [trial for name, trials in done.items() if name.startswith(mark) for trial in trials]
        return sorted(found, key=lambda trial: trial.number)

    def _of_stage(self, stage: int, done: Mapping[str, list[Trial]]) -> list[Chunk]:
        count = generations_of(self.search) if self.search.is_guided else 1
        for generation in range(count):
            missing = [chunk for chunk in self._of_generation(stage, generation, done) if chunk.name not in done]
            if missing:
                return missing
        return []

    def _of_generation(self, stage: int, generation: int, done: Mapping[str, list[Trial]]) -> list[Chunk]:
        """Called with all generations before this one done."""
        if (stage, generation) not in self._chunks:
            if self.search.is_guided:
                places = self._guided(stage, done)
            else:
                places = [self.search.space.places(number) for number in _numbers(self.search, stage)]
            self._chunks[stage, generation] = self._cut(stage, generation, places)
        return self._chunks[stage, generation]

    def _guided(self, stage: int, done: Mapping[str, list[Trial]]) -> list[Places]:
        if stage not in self._guides:
            self._guides[stage] = Guide(self.search, stage)
        guide = self._guides[stage]
        known: dict[Places, Trial] = {}
        for generation in range(len(guide.generations)):
            for chunk in self._chunks[stage, generation]:
                trials = {trial.number: trial for trial in done[chunk.name]}
                known |= {places: trials[number] for number, places in chunk.sets}
        return guide.propose(known)

    def _cut(self, stage: int, generation: int, places: list[Places]) -> list[Chunk]:
        name, size = self.search.stages[stage].name, self.search.chunk_size
        begin = self._numbers.get(stage, 0)
        self._numbers[stage] = begin + len(places)
        numbered = list(enumerate(places, begin))
        return [
            Chunk(f"{name}.{generation:04}.{at // size:05}", stage, tuple(numbered[at : at + size]))
            for at in range(0, len(numbered), size)
        ]


def _numbers(search: Search, stage: int) -> list[int]:
    """Numbers of the sets that are chosen in advance. Folds try the sets of the whole history."""
    if search.job.method == "exhaustive":
        return list(range(search.space.size))
    which = 0 if search.job.validation == "purged" else stage
    dice = numpy.random.default_rng([search.job.seed, which])
    return [int(number) for number in dice.choice(search.space.size, search.trials, replace=False)]
