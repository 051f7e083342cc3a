"""Searches to try the optimiser with, small enough to be interpreted; as a program, one that waits to be killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import strategies
from core.base_jobs import Assumptions, OptimisationJob
from core.base_strategy import STRATEGIES, StrategyKind
from engine.backtest import History
from engine.backtest.optimiser import Folder, Search, conclude, search_of, work
from engine.backtest.optimiser.chunks import Course
from tests.markets import trending

SPACE = {"fast": "2:12:2", "slow": "15:60:9", "size": "0.1"}
FREE: dict[str, Any] = {"maker_fee": 0, "taker_fee": 0, "runtime": "interpreted"}


def find(name: str) -> StrategyKind:
    """A registered strategy."""
    if name not in STRATEGIES:
        STRATEGIES.scan(strategies)
    return STRATEGIES.get(name)


def cross(history: History, **changed: Any) -> Search:
    """A search among moving-average crosses, without fees."""
    wanted = {"strategy": "ma_cross", "space": SPACE, "assumptions": Assumptions(**FREE), **changed}
    return search_of(OptimisationJob(**wanted), find("ma_cross"), history)


def to_be_killed() -> Search:
    """The search of the program below."""
    return cross(trending(5, 600), method="random", trials=24, validation="walk_forward", folds=2)


def work_until_killed(search: Search) -> None:
    """Work with two processes in a folder, say so after a few chunks, and wait for the end that comes from outside."""

    def progress(done: int, total: int) -> None:
        if done * 3 > total:
            sys.stdout.write("half way\n")
            sys.stdout.flush()
            sys.stdin.read()

    work(search, find, Folder(Path(sys.argv[1]), search), processes=2, progress=progress)


def goes_on_where_it_was_killed(program: str, search: Search, folder: Path) -> None:
    """Kill a program that works on a search, go on with what it has kept, and compare with one that nobody killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", program, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"half way\n"
        child.kill()
    kept = Folder(folder, search).load()
    assert 0 < sum(map(len, kept.values())) < Course(search).total
    goes_on = work(search, find, Folder(folder, search), processes=2)
    assert all(goes_on[name] == trials for name, trials in kept.items())
    assert conclude(search, goes_on).as_dict() == conclude(search, work(search, find, processes=1)).as_dict()


if __name__ == "__main__":
    work_until_killed(to_be_killed())
