"""One parameter set and what came of it, small enough to keep a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from engine.backtest.optimiser.conditions import number

#: Figures were formed.
DONE = "done"
#: The strategy, or a condition on parameters, does not allow the set.
REFUSED = "refused"


@dataclass(frozen=True)
class Trial:
    """A trial. Amounts among the values are decimal text, ratios are floating."""

    number: int
    params: dict[str, str]
    status: str
    values: dict[str, Any] = field(default_factory=dict)
    #: Of the returns of each block of the history: how many, and the sums of their first four powers.
    moments: tuple[tuple[float, ...], ...] = ()
    #: Why it was refused, or what to know of it.
    words: str = ""

    def value(self, name: str) -> float | None:
        """A figure as a number."""
        return number(self.values, name)


def dumped(trials: Sequence[Trial]) -> bytes:
    """Trials as JSON; floats are written so that they read back the same."""
    return orjson.dumps([asdict(trial) for trial in trials])


def loaded(content: bytes) -> list[Trial]:
    """Trials from JSON."""
    return [
        Trial(**{**row, "moments": tuple(tuple(block) for block in row["moments"])}) for row in orjson.loads(content)
    ]
