"""Backtests through the public API beside kernels written by hand, and beside other engines doing the same work.

`python -m benchmarks.bench_backtest FOLDER [own] [WORK...]` does the works of `benchmarks.backtest_works` one at a
time, each in a process of its own, and writes `benchmarks/results/backtest.md`; `own` measures no other engine again
but shows what was found of them. Works that are named (as `trades_queued`) are measured alone, ours and the others in
turn, and only their tables are written anew. FOLDER holds what was found, the market, and an environment for each of
the others, made where it is missing.
The kernels by hand (`benchmarks.by_hand`) keep fees, money, equity and its deepest fall, and nothing else: no rules, no
ledger, no record. The one that keeps these too (`benchmarks.by_hand_kept`) finds the same as ours in every row.

On a shared machine CPU time is the steadier figure: rounds are interleaved, medians shown, ratios are of CPU time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy

from benchmarks import backtest_works as works
from benchmarks import by_hand
from benchmarks.by_hand_kept import Kept
from benchmarks.outside import HFTBACKTEST, environment
from benchmarks.outside_clock import tell, timed
from engine.backtest import History, Result, Settings, run, sweep
from engine.backtest.queueing import Queue
from engine.backtest.runtime import prepare

ROUNDS = 11
#: Of works that are named, with those of others between.
TURNS = 3
RESULTS = Path(__file__).parent / "results" / "backtest.md"
#: What comes after it in the results is written by a person.
MARK = "<!-- Above: written by the command. Below: by hand. -->"
PACKAGES = {
    "signals": ("vectorbt[rust]==1.2.0", "raptorbt==0.13.4", "backtesting==0.6.6"),
    "nautilus": ("nautilus-trader==1.221.0",),
    "hftbacktest": (HFTBACKTEST,),
}
#: Work, environment, and the words after `python -m benchmarks.speed_ENVIRONMENT`, before the folder.
OTHERS = (
    ("averages", "signals", ("raptorbt", "averages")), ("averages", "signals", ("vectorbt_rust", "averages")),
    ("averages", "signals", ("vectorbt", "averages")), ("averages", "signals", ("backtesting", "averages")),
    ("averages", "nautilus", ("averages",)), ("grid", "signals", ("vectorbt", "grid")),
    ("grid", "signals", ("backtesting", "grid")), ("grid", "nautilus", ("grid",)),
    ("averages_sweep", "signals", ("raptorbt", "averages_sweep")),
    ("averages_sweep", "signals", ("vectorbt", "averages_sweep")),
    ("grid_sweep", "signals", ("vectorbt", "grid_sweep")), ("trades", "hftbacktest", ()),
    ("trades", "nautilus", ("trades",)), ("trades_queued", "hftbacktest", ()),
)  # fmt: skip
TITLES = {
    "averages": "W1: averages of 10 and 30 over a year of minutes", "grid": "W2: 20 levels over it",
    "averages_sweep": "W3: a thousand pairs of averages over it, two threads",
    "grid_sweep": "W3: a thousand grids over it, two threads",
    "trades": "W4: 20 levels over five million trades, filled by a touch",
    "trades_queued": "W4: the same, every request a millisecond late, no order filled beyond what a queue lets through",
    "averages_plain": "W1 in plain Python", "grid_plain": "W2 in plain Python",
}  # fmt: skip
Row = dict[str, Any]


def in_turn(jobs: dict[str, Callable[[], Any]]) -> dict[str, tuple[float, float, Any]]:
    """Jobs one after the other, again and again; the first of each compiles and is not counted.

    Of every round the clocks are kept, and of the last what it found: a kernel by hand keeps no record, and a result
    that was held on to would make the next one's record lie where no memory has been touched before.
    """
    clocks: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    found: dict[str, Any] = {name: job() for name, job in jobs.items()}
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            found[name] = None
            cpu, wall, found[name] = timed(job)
            clocks[name].append((cpu, wall))
    middle = {
        name: [sorted(pair[clock] for pair in pairs)[ROUNDS // 2] for clock in (0, 1)] for name, pairs in clocks.items()
    }
    return {name: (*middle[name], last) for name, last in found.items()}


def beside(units: int, hand: Callable[[], Any], ours: Callable[[], Result]) -> None:
    """The same work by hand and through the API, in turn."""
    for name, (cpu, wall, last) in in_turn({"by hand": hand, "ours": ours}).items():
        fills, equity = (last.figures.fills, float(last.equity)) if isinstance(last, Result) else last[:2]
        tell(name, units, cpu, wall, fills, equity)


def compile_by_hand(kernel: Callable[..., Any]) -> Any:
    """A kernel by hand, compiled."""
    import numba

    return numba.njit(nogil=True)(kernel)


def averages(folder: Path) -> None:
    history, cross = works.bars_in(folder), compile_by_hand(by_hand.cross)
    opens, closes = history.open / 100, history.close / 100
    beside(
        len(history),
        lambda: cross(opens, closes, numpy.append(0.0, numpy.cumsum(closes))),
        lambda: run(works.kind("ma_cross"), works.averages(), history, works.SETTINGS),
    )


def grid(folder: Path) -> None:
    history, ladder = works.bars_in(folder), compile_by_hand(by_hand.grid)
    highs, lows, closes = history.high / 100, history.low / 100, history.close / 100
    kind, params = works.kind("grid"), works.ladder(works.LEVELS)
    kept = Kept(compile_by_hand, history, prepare(kind, params, history), works.SETTINGS)

    def ours() -> Result:
        return run(kind, params, history, works.SETTINGS)

    beside(len(history), lambda: ladder(highs, lows, closes, numpy.array(works.LEVELS)), ours)
    name = "by hand, with rules, ledger and record"
    found = in_turn({name: kept, "ours": ours})
    kept.check(found["ours"][2])
    cpu, wall, last = found[name]
    tell(name, len(history), cpu, wall, *last)


def trades(folder: Path) -> None:
    history, ladder = works.trades_in(folder), compile_by_hand(by_hand.grid)
    prices, levels = history.close * 0.1, works.levels(0.001, tick=0.1)
    beside(
        len(history),
        lambda: ladder(prices, prices, prices, numpy.array(levels), works.TRADE_FEE),
        lambda: run(works.kind("grid"), works.ladder(levels), history, works.TRADE_SETTINGS),
    )


def trades_queued(folder: Path) -> None:
    """With a queue, at its front: there is no book from which more could be known."""
    history, levels = works.trades_in(folder), works.levels(0.001, tick=0.1)
    settings = replace(
        works.TRADE_SETTINGS, bar_model="path", fill_model="queue", queue=Queue(whole_beyond=True), latency_ms=1
    )
    taken = [timed(lambda: run(works.kind("grid"), works.ladder(levels), history, settings)) for _ in range(6)][1:]
    cpu, wall = (sorted(clocks[place] for clocks in taken)[2] for place in (0, 1))
    found = taken[-1][2]
    tell("ours", len(history), cpu, wall, found.figures.fills, float(found.equity))


def averages_sweep(folder: Path) -> None:
    history, kind = works.bars_in(folder), works.kind("ma_cross")
    many(history, kind, [works.averages(*pair) for pair in works.periods()])
    cross = compile_by_hand(by_hand.cross)
    opens, closes = history.open / 100, history.close / 100
    sums = numpy.append(0.0, numpy.cumsum(closes))
    cross(opens, closes, sums, 10, 30)
    few = works.periods()[::10]
    cpu, wall, _ = timed(lambda: [cross(opens, closes, sums, *pair) for pair in few])
    tell("by hand, one thread", len(few), cpu, wall)


def grid_sweep(folder: Path) -> None:
    history, kind, ladders = works.bars_in(folder), works.kind("grid"), works.ladders()
    many(history, kind, [works.ladder(prices) for prices in ladders])
    ladder = compile_by_hand(by_hand.grid)
    highs, lows, closes = history.high / 100, history.low / 100, history.close / 100
    ladder(highs, lows, closes, numpy.array(ladders[0]))
    cpu, wall, _ = timed(lambda: [ladder(highs, lows, closes, numpy.array(prices)) for prices in ladders[::10]])
    tell("by hand, one thread", works.SETS // 10, cpu, wall)


def many(history: Any, kind: Any, sets: list[Any]) -> None:
    """A thousand sets on two threads, preparing them included."""
    sweep(kind, [prepare(kind, sets[0], history)], history, works.SETTINGS)
    cpu, wall, found = timed(
        lambda: sweep(kind, [prepare(kind, each, history) for each in sets], history, works.SETTINGS)
    )
    tell("ours", len(sets), cpu, wall, sum(figures.fills for figures in found))


def plain(folder: Path, name: str, params: Any) -> None:
    """A registered strategy that is not compiled, over a tenth of the year."""
    history = works.bars_in(folder).part(0, works.BARS // 10)
    settings = Settings(**{**vars(works.SETTINGS), "runtime": "interpreted"})
    cpu, wall, found = timed(lambda: run(works.kind(name), params, history, settings))
    tell("ours, plain Python, a tenth of the year", len(history), cpu, wall, found.figures.fills, float(found.equity))


def start(folder: Path) -> None:
    """From nothing to the first result: the least work, in a new process."""
    del folder
    row = numpy.full(100, 3_000_000, numpy.int64)
    times = 60_000 * numpy.arange(100, dtype=numpy.int64)
    history = History(works.BITCOIN, 60_000, times, row, row, row, row, row)
    run(works.kind("ma_cross"), works.averages(), history, works.SETTINGS)
    tell("from nothing to the first result, kernels kept", 1, time.process_time(), 0.0)


OWN: dict[str, Callable[[Path], None]] = {
    "averages": averages, "grid": grid, "trades": trades, "trades_queued": trades_queued,
    "averages_sweep": averages_sweep, "grid_sweep": grid_sweep,
    "averages_plain": lambda folder: plain(folder, "ma_cross", works.averages()),
    "grid_plain": lambda folder: plain(folder, "grid", works.ladder(works.LEVELS)), "start": start,
}  # fmt: skip


def measured(python: Path | str, *words: str) -> list[Row]:
    """What another process has measured."""
    begun = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([str(python), "-m", *words], capture_output=True, text=True, env=environment, check=False)
    rows = [json.loads(line[9:]) for line in done.stdout.splitlines() if line.startswith("MEASURED ")]
    if not rows:
        print(f"{' '.join(words)} gave nothing: {done.stderr[-2_000:]}", file=sys.stderr)
    return [{**row, "whole": time.perf_counter() - begun} for row in rows]


def table(work: str, rows: list[Row]) -> list[str]:
    """One work's measurements and how ours compares."""
    ours = next((row for row in rows if row["name"].startswith("ours")), None)
    speed = ours["units"] / ours["cpu"] if ours else 0.0
    by_clock = ours["units"] / ours["wall"] if ours else 0.0
    lines = [f"\n**{TITLES[work]}**\n"]
    lines.append(
        "| engine | CPU s | clock s | a second of CPU | fills | equity | MB | ours is, of CPU | by the clock |"
    )
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        rate = row["units"] / row["cpu"]
        shown = f"{rate / 1e6:,.2f} M" if rate >= 1e5 else f"{rate:,.2f}" if rate < 1e3 else f"{rate:,.0f}"
        equity = f"{row['equity']:,.2f}" if row["equity"] else ""
        times = " | " if row is ours else f"{speed / rate:,.2f} x | {by_clock * row['wall'] / row['units']:,.2f} x"
        fills = f"{row['fills']:,}" if row["fills"] else ""
        lines.append(
            f"| {row['name']} | {row['cpu']:.4f} | {row['wall']:.4f} | {shown} | {fills} | {equity} | {row['rss']:.0f} "
            f"| {times} |"
        )
    return lines


def of_others(folder: Path, work: str) -> list[Row]:
    """What the other engines take for a work."""
    rows: list[Row] = []
    for name, engine, words in OTHERS:
        if name == work:
            rows += measured(
                environment(folder / engine, *PACKAGES[engine]), f"benchmarks.speed_{engine}", *words, str(folder)
            )
    return rows


def by_turns(folder: Path, work: str) -> list[Row]:
    """Ours and the others one after the other, `TURNS` times; of each the round of middle CPU time."""
    found: dict[str, list[Row]] = {}
    for _ in range(TURNS):
        ours = measured(sys.executable, "benchmarks.bench_backtest", "--work", work, str(folder))
        for row in ours + of_others(folder, work):
            found.setdefault(row["name"], []).append(row)
    return [sorted(rows, key=lambda row: row["cpu"])[len(rows) // 2] for rows in found.values()]


def again(folder: Path, chosen: list[str]) -> None:
    """Measure some works, and write their tables in the place of those that there are."""
    folder.mkdir(parents=True, exist_ok=True)
    works.write(folder)
    numpy.save(folder / "ladders.npy", numpy.array(works.ladders()))
    for work in chosen:
        lines = table(work, by_turns(folder, work))
        print("\n".join(lines), flush=True)
        text, title = RESULTS.read_text(), f"**{TITLES[work]}**"
        before, _, rest = text.partition(title) if title in text else text.partition("\nFrom nothing")
        # A table ends with an empty line.
        behind = rest.split("\n\n", 2)[2] if title in text else text[len(before) + 1 :]
        RESULTS.write_text(f"{before.rstrip()}\n" + "\n".join(lines) + f"\n\n{behind.lstrip()}")


def main(folder: Path, is_own: bool) -> None:
    """Measure everything and write it down."""
    folder.mkdir(parents=True, exist_ok=True)
    works.write(folder)
    numpy.save(folder / "ladders.npy", numpy.array(works.ladders()))
    lines = ["# Backtests\n", "`python -m benchmarks.bench_backtest FOLDER`: figures and what they mean."]
    kept_at = folder / "others.json"
    others: dict[str, list[Row]] = json.loads(kept_at.read_text()) if is_own and kept_at.exists() else {}
    if others:
        lines.append("\nThe other engines were measured in a run before; compare the kernels by hand of both.")
    for work in TITLES:
        rows = measured(sys.executable, "benchmarks.bench_backtest", "--work", work, str(folder))
        if not is_own:
            others[work] = of_others(folder, work)
            kept_at.write_text(json.dumps(others))
        same = [row for row in others.get(work.removesuffix("_plain"), []) if row["name"].startswith("backtesting.py")]
        lines += table(work, rows + (same if work.endswith("_plain") else others.get(work, [])))
        print("\n".join(lines[-4 - len(rows) - len(others.get(work, [])) :]), flush=True)
    measured(sys.executable, "benchmarks.bench_backtest", "--work", "start", str(folder))
    starts = [measured(sys.executable, "benchmarks.bench_backtest", "--work", "start", str(folder)) for _ in range(5)]
    cpu, whole = (sorted(rows[0][clock] for rows in starts if rows)[2] for clock in ("cpu", "whole"))
    lines.append(f"\nFrom nothing to the first result, kernels kept: {cpu:.2f} s of CPU, {whole:.2f} s by the clock.")
    print(lines[-1])
    kept = RESULTS.read_text().partition(MARK)[2] if RESULTS.exists() else ""
    RESULTS.write_text("\n".join([*lines, "", MARK]) + kept)


if __name__ == "__main__":
    if sys.argv[1] == "--work":
        OWN[sys.argv[2]](Path(sys.argv[3]))
    elif named := [word for word in sys.argv[2:] if word in TITLES]:
        again(Path(sys.argv[1]), named)
    else:
        main(Path(sys.argv[1]), "own" in sys.argv[2:])
