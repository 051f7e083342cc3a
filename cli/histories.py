"""What verbs about the past have in common: a strategy by its name, a history from a file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from core.base_strategy import STRATEGIES, StrategyKind
from core.config import load_config
from domain.errors import Refused

if TYPE_CHECKING:
    from engine.backtest import History
    from engine.backtest.download import Wanted
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


def load_prints(path: Path, symbol: str) -> History:
    """The trades in a file; `symbol` is its base/quote."""
    from engine.backtest.prints import read_prints

    base, _, money = symbol.partition("/")
    return read_prints(path, base + money, base, money or "USDT")


def load_depth(path: Path, symbol: str) -> History:
    """The depth and trades of a recording; `symbol` is its base/quote."""
    from engine.backtest.frames import read_depth

    base, _, money = symbol.partition("/")
    return read_depth(path, base + money, base, money or "USDT")


def store() -> Store:
    """Histories that were imported on this machine."""
    from engine.backtest.store import Store

    return Store(load_config().home / "histories")


def fetched(wanted: Wanted, path: Path, console: Console) -> History:
    """A history from a venue, gathered in the file at `path`; a bar on the console shows how far it is."""
    from tasks import fetching

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"{wanted.symbol} {wanted.interval}", total=None)

        def tell(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return asyncio.run(fetching.fetched(wanted, path, load_config().venues.get(wanted.venue), tell))


def pairs(words: Sequence[str]) -> dict[str, str]:
    """name=value words as a mapping; `Refused` names one that is none."""
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise Refused(f"{word}: write it as name=value.")
        found[name.strip()] = value.strip()
    return found
