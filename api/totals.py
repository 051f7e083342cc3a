"""What strategies come to together, added up from what their workers tell: exact, and of those alone that tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from domain.money import add, to_wire

#: Fields of a status hash that are added up.
AMOUNTS: Final = ("equity", "realised", "unrealised", "fees")


@dataclass(slots=True)
class _Sum:
    wanted: int = 0
    told: int = 0
    amounts: list[Decimal] = field(default_factory=lambda: [Decimal(0)] * len(AMOUNTS))


class Sums:
    """Sums by currency, paper and real money apart."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, bool], _Sum] = {}

    def count(self, currency: str, paper: bool, told: Sequence[str | bool]) -> None:
        """One strategy that should run, and its `AMOUNTS`; empty, or with a gap, where its worker tells none yet."""
        found = self._sums.setdefault((currency, paper), _Sum())
        found.wanted += 1
        amounts = _amounts(told)
        if amounts:
            found.told += 1
            found.amounts = [add(*pair) for pair in zip(found.amounts, amounts, strict=True)]

    def lines(self) -> list[dict[str, Any]]:
        """One for each currency, real money first."""
        return [
            {"currency": currency, "paper": paper, "wanted": one.wanted, "told": one.told}
            | {name: to_wire(amount) for name, amount in zip(AMOUNTS, one.amounts, strict=True)}
            for (currency, paper), one in sorted(self._sums.items(), key=lambda item: (item[0][1], item[0][0]))
        ]


def _amounts(told: Sequence[str | bool]) -> list[Decimal]:
    """All of them, or none: half of a result is no result."""
    try:
        amounts = [Decimal(one) for one in told if isinstance(one, str) and one]
    except InvalidOperation:
        return []
    return amounts if len(amounts) == len(AMOUNTS) and all(one.is_finite() for one in amounts) else []
