"""How a piece of work is timed, the same here and in the environments of other engines; the standard library alone."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

MONEY, FEE, TRADE_FEE = 10_000_000, 0.001, 0.0002


def timed(job: Callable[[], Any], rounds: int = 1) -> tuple[float, float, Any]:
    """Medians of CPU and wall seconds, and what the last round gave."""
    cpus, walls, given = [], [], None
    for _ in range(rounds):
        cpu, wall = time.process_time(), time.perf_counter()
        given = job()
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return statistics.median(cpus), statistics.median(walls), given


def tell(name: str, units: int, cpu: float, wall: float, fills: int = 0, equity: float = 0.0) -> None:
    """Print a measurement: so many bars, trades or sets were done in so many seconds."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = {"name": name, "units": units, "cpu": cpu, "wall": wall, "fills": fills, "equity": equity, "rss": peak}
    print("MEASURED " + json.dumps(row), flush=True)
