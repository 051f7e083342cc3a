"""Searches among several instances on one account; as a program, one that waits to be killed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.base_jobs import AccountOptimisationJob
from engine.backtest import History
from engine.backtest.optimiser import Search, account_search_of
from tests.markets import trending
from tests.optimising import FREE, find, work_until_killed

#: One crosses averages on one symbol, the other on another.
SPACE = {"trend.fast": "2:8:3", "trend.slow": "15,30", "swing.fast": "3,5", "swing.slow": "20:40:10"}


def of(history: History, base: str) -> History:
    """The same bars of another symbol."""
    return replace(history, instrument=replace(history.instrument, symbol=f"{base}USDT", base=base))


def markets(seed: int = 1, count: int = 500) -> list[History]:
    """Two symbols; the second begins later, and ends later."""
    late = of(trending(seed + 1, count), "ETH")
    return [trending(seed, count), replace(late, open_ms=late.open_ms + 30 * late.bar_ms)]


def job(**changed: Any) -> AccountOptimisationJob:
    """Two crosses on one account, whose shares are given."""
    one, other = (
        {"name": name, "strategy": "ma_cross", "params": {"size": size}, "assumptions": {**FREE, "quote": share}}
        for name, size, share in (("trend", "0.1", "20000"), ("swing", "0.05", "10000"))
    )
    wanted = {"capital": "35000", "instances": [one, other], "space": SPACE, **changed}
    return AccountOptimisationJob.model_validate(wanted)


def together(histories: list[History], **changed: Any) -> Search:
    """A search among them."""
    return account_search_of(job(**changed), find, histories)


def to_be_killed() -> Search:
    """The search of the program below."""
    return together(markets(3), method="random", trials=24, validation="walk_forward", folds=2)


if __name__ == "__main__":
    work_until_killed(to_be_killed())
