"""What verbs about the past have in common: a strategy by its name, a history from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.base_strategy import STRATEGIES, StrategyKind
from core.config import load_config
from domain.errors import Refused

if TYPE_CHECKING:
    from engine.backtest import History
    from engine.backtest.store import Store


def kind_named(name: str) -> StrategyKind:
    """The registered strategy of that name; `Refused` lists those that there are."""
    import strategies

    if name not in STRATEGIES:
        STRATEGIES.scan(strategies)
    if name not in STRATEGIES:
        raise Refused(f"{name}: there is no such strategy; choose from {', '.join(sorted(STRATEGIES))}.")
    return STRATEGIES.get(name)


def load(path: Path, symbol: str) -> History:
    """The history in a file, or the one of that name that was imported; `symbol` is base/quote of a file."""
    from engine.backtest import files

    if not path.exists() and (kept := store()).has(str(path)):
        return kept.get(str(path))
    base, _, money = symbol.partition("/")
    table = files.read(path)
    return files.history_of(table, files.instrument_of(table, base + money, base, money or "USDT"))


def store() -> Store:
    """Histories that were imported on this machine."""
    from engine.backtest.store import Store

    return Store(load_config().home / "histories")


def pairs(words: Sequence[str]) -> dict[str, str]:
    """name=value words as a mapping; `Refused` names one that is none."""
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise Refused(f"{word}: write it as name=value.")
        found[name.strip()] = value.strip()
    return found
