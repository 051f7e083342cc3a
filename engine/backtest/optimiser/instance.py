"""Whose parameters are searched: one instance of a strategy, alone or among others on its account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from core.base_strategy import StrategyKind
from engine.backtest.history import History
from engine.backtest.settings import Settings

#: In the place of a parameter: the share of the capital that an instance owns.
SHARE: Final = "quote"


class Instance(NamedTuple):
    """What is replayed with every parameter set: a law on a history."""

    #: In front of its parameters, with a dot between; empty where it is searched alone.
    name: str
    kind: StrategyKind
    history: History
    settings: Settings
    #: What the search leaves as it is.
    params: Mapping[str, Any] = {}

    def own(self, chosen: Mapping[str, str]) -> dict[str, Any]:
        """Its parameters in a set: those that were given, and those that were chosen."""
        if not self.name:
            return {**self.params, **chosen}
        return {**self.params, **{name: value for name, value in self._of(chosen).items() if name != SHARE}}

    def settings_in(self, chosen: Mapping[str, str]) -> Settings:
        """What is assumed for it in a set, with the share that was chosen."""
        share = self._of(chosen).get(SHARE) if self.name else None
        return self.settings if share is None else replace(self.settings, quote=Decimal(share))

    def _of(self, chosen: Mapping[str, str]) -> dict[str, str]:
        mark = f"{self.name}."
        return {name.removeprefix(mark): value for name, value in chosen.items() if name.startswith(mark)}
