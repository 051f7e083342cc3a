"""Conditions and objectives in words: `fast < slow`, `max_drawdown_percent <= 20`, `max:sharpe`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain.errors import Refused
from domain.sentences import say

#: Figures of which less is better, unless the objective says otherwise.
LESS_IS_BETTER: Final = frozenset(
    {"max_drawdown_percent", "fees", "turnover", "exposure_percent", "refused_orders", "held_back"}
)
_SHAPE: Final = re.compile(r"^\s*([\w.+-]+)\s*(<=|>=|<|>)\s*([\w.+-]+)\s*$")


class BadCondition(Refused):
    """A condition or an objective cannot be understood."""


class Objective(NamedTuple):
    """A figure and its better direction."""

    name: str
    is_max: bool

    def goodness(self, values: Mapping[str, Any]) -> float | None:
        """The value, turned so that more is better; None when the figure could not be formed."""
        value = number(values, self.name)
        return None if value is None else value if self.is_max else -value


class Condition(NamedTuple):
    """Two sides, each a number, a parameter or a figure, and what must hold between them."""

    left: str
    sign: str
    right: str

    def names(self) -> list[str]:
        """The sides that are not numbers."""
        return [side for side in (self.left, self.right) if _plain(side) is None]

    def excess(self, values: Mapping[str, Any]) -> float | None:
        """By how much it is violated, above zero when it is; None when a side is not known."""
        left, right = number(values, self.left), number(values, self.right)
        if left is None or right is None:
            return None
        over = left - right if self.sign.startswith("<") else right - left
        # A strict condition is violated by equality, too.
        return 5e-324 if over == 0 and len(self.sign) == 1 else over


def number(values: Mapping[str, Any], name: str) -> float | None:
    """A number, or the value of that name as one."""
    plain = _plain(name)
    if plain is not None:
        return plain
    value = values.get(name)
    return None if value is None else _plain(str(value))


def _plain(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value - value == 0 else None


def objectives_of(words: Sequence[str], known: Collection[str]) -> tuple[Objective, ...]:
    """Objectives from words; `BadCondition` names one that is no figure."""
    found = []
    for word in words:
        way, _, name = word.rpartition(":")
        if name not in known or way not in ("", "min", "max"):
            raise BadCondition(
                say(
                    "no_such_objective",
                    "{word}: there is no such objective; choose from {choices}.",
                    word=word,
                    choices=", ".join(sorted(known)),
                )
            )
        found.append(Objective(name, way == "max" if way else name not in LESS_IS_BETTER))
    if not found or len({one.name for one in found}) != len(found):
        raise BadCondition(say("objectives_once", "give one or more, each once.", field="objectives"))
    return tuple(found)


def conditions_of(words: Sequence[str], known: Collection[str]) -> tuple[Condition, ...]:
    """Conditions from words; `BadCondition` names what is neither number, parameter nor figure."""
    found = []
    for word in words:
        shape = _SHAPE.match(word)
        if shape is None:
            raise BadCondition(
                say("not_a_comparison", "{word!r}: write it as `fast < slow` or `fills >= 30`.", word=word)
            )
        condition = Condition(*shape.groups())
        for name in condition.names():
            if name not in known:
                raise BadCondition(
                    say(
                        "neither_number_nor_figure",
                        "{word!r}: {name} is neither a number, a parameter nor a figure.",
                        word=word,
                        name=name,
                    )
                )
        found.append(condition)
    return tuple(found)
