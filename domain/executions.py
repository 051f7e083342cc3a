"""What executions add up to, in the order in which they happened, however late they are told.

An average cost depends on the order. The journal gives executions back by their time, so whoever has added them up as
they came would have another cost than the next owner. One that comes late is put in its place, and what follows is
added up again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from domain.errors import Broken
from domain.fill import Fill

#: Executions that are kept to be added up again; of older ones only what they have come to.
KEPT: Final = 8

Sum = TypeVar("Sum")


class Place(NamedTuple):
    """When an execution happened; among those of one millisecond the venue's numbers decide."""

    time_ms: int
    length: int
    trade_id: str


def place_of(fill: Fill) -> Place:
    """Where an execution stands among those of its symbol."""
    return Place(fill.time_ms, len(fill.trade_id), fill.trade_id)


class Executions(Generic[Sum]):
    """A sum over executions; `add(sum, fill)` is a pure function."""

    def __init__(self, add: Callable[[Sum, Fill], Sum], nothing: Sum) -> None:
        self._add = add
        self._nothing = nothing
        #: What all of them come to.
        self.sum = nothing
        #: The newest of them, oldest first, each with what those before it come to.
        self._newest: list[tuple[Place, Fill, Sum]] = []
        self._is_whole = True

    def reaches(self, fill: Fill) -> bool:
        """Whether an execution that happened then can be taken; otherwise all of them are needed once more."""
        return self._is_whole or place_of(fill) > self._newest[0][0]

    def take(self, fill: Fill) -> None:
        """Count an execution, each once. `Broken` for one before all that are kept; see `reaches`."""
        place = place_of(fill)
        if not self._newest or place > self._newest[-1][0]:
            self._newest.append((place, fill, self.sum))
            self.sum = self._add(self.sum, fill)
            return
        if not self.reaches(fill):
            raise Broken(f"trade {fill.trade_id} comes too late to be put in its place; read all executions first.")
        at = bisect_left(self._newest, place, key=lambda each: each[0])
        later = [each[1] for each in self._newest[at:]]
        self.sum = self._newest[at][2]
        del self._newest[at:]
        for each in (fill, *later):
            self.take(each)

    def trim(self) -> None:
        """Keep the newest alone, once there are many."""
        if len(self._newest) > 2 * KEPT:
            del self._newest[:-KEPT]
            self._is_whole = False

    def relearn(self, fills: Iterable[Fill]) -> None:
        """Begin again, with all executions there are."""
        self.sum, self._newest, self._is_whole = self._nothing, [], True
        for fill in sorted(fills, key=place_of):
            self.take(fill)
