"""The contract of a strategy: a pure function over integers, and what has to be known to run and to show it.

A strategy is written once. Live it is interpreted, event by event; in a backtest the same function object is
compiled. So it uses nothing but its arguments, integers, the constants of `domain`, and plain control flow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from core.registry import Registry
from domain.errors import AresError, Refused
from domain.events import Event, View
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.learning.card import ModelCard
from domain.sentences import say

Decide = Callable[[Any, list[int], Memory, View, Event, list[int]], int]
"""`decide(params, state, memory, view, event, out) -> count`.

Changes `state` (integers: see `domain.slots`) and `memory` (floats, for indicators only), which are copies the
caller may drop, and writes (slot, reason) pairs for every slot whose wish it changed into `out`; gives their number.
"""

PassBars = Callable[[Any, list[int], Memory, Any, int, int], int]
"""`pass_bars(params, state, memory, closes, place, end) -> place`.

What a strategy that wants bars may add, to be replayed faster: it takes the bars from `place` on as `decide` would, one
after the other, up to before the first at which `decide` might do more than remember it, and gives that one's place,
`end` at most. `closes` are those of the whole history, in ticks; every bar before `place` has been shown. They
and `memory` are counted from the first only: compiled, a place below zero is none, and they have no length.
"""

#: Room in `out`: (slot, reason) pairs.
OUT_PAIRS: Final = 512


class StrategyParams(BaseModel):
    """Base of a strategy's parameters: unknown names are refused, every field has a title, a unit and bounds.

    Its schema shows `examples`; the first trades BTCUSDT near 60,000, and the contract's tests run the strategy on it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    def check_together(self) -> None:
        """Refuse values that do not go together, whatever the market: `Refused` begins with a parameter's name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A strategy prepared for one instrument."""

    #: A NamedTuple of integers and of tuples of integers, as `decide` wants it.
    params: tuple[Any, ...]
    slots: int
    #: Floats that the indicators need to remember.
    memory: int = 0
    #: Closed bars of history that are fed before the first decision.
    warm_up_bars: int = 0
    #: Whether it is woken by closed bars, or only by fills and price levels.
    wants_bars: bool = False


def ticks_of(name: str, price: Decimal, instrument: Instrument) -> int:
    """A price among the parameters, in ticks; `Refused` names the parameter."""
    return _named(name, instrument.to_ticks, price)


def lots_of(name: str, quantity: Decimal, instrument: Instrument) -> int:
    """A quantity among the parameters, in lots; `Refused` names the parameter."""
    return _named(name, instrument.to_lots, quantity)


def _named(name: str, convert: Callable[[Decimal], int], amount: Decimal) -> int:
    try:
        return convert(amount)
    except AresError as error:
        raise Refused(say("of_parameter", "{what}", what=error, field=name)) from error


def number_of(params: tuple[Any, ...]) -> int:
    """The number of prepared parameters: the same parameters have the same one, others have another."""
    return int.from_bytes(blake2b(repr(params).encode(), digest_size=7).digest()) | 1


@dataclass(frozen=True, slots=True)
class StrategyKind:
    """Everything the house knows of a strategy."""

    name: str
    title: str
    summary: str
    params: type[StrategyParams]
    #: Checks the parameters, together and against the instrument and the price now; raises `Refused` naming the field.
    prepare: Callable[[Any, Instrument, int], Plan]
    decide: Decide
    #: Reason code -> words.
    reasons: Mapping[int, str] = field(default_factory=dict)
    pass_bars: PassBars | None = None
    #: Of a strategy that learns: what it has learned, of its state and memory.
    card: Callable[[list[int], Memory], ModelCard] | None = None

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the parameters, from which the dashboard draws its form."""
        return self.params.model_json_schema()

    def example(self) -> StrategyParams:
        """The first example of the schema."""
        return self.params(**self.schema()["examples"][0])


STRATEGIES: Registry[StrategyKind] = Registry("strategy", suffix="_strategy")
