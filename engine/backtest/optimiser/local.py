"""A search on all cores of one machine."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from core.base_jobs import SearchTerms
from core.base_strategy import StrategyKind
from domain.errors import Transient
from engine.backtest.history import History
from engine.backtest.optimiser.bench import Bench
from engine.backtest.optimiser.chunks import Chunk, Course
from engine.backtest.optimiser.folder import Folder
from engine.backtest.optimiser.search import Search, search_again
from engine.backtest.optimiser.trial import Trial

#: Trials that are done and trials in all.
Progress = Callable[[int, int], None]
#: Gives a strategy by its name; a function of a module, so that another process can find it.
Find = Callable[[str], StrategyKind]


class WorkerDied(Transient):
    """A process that tried parameter sets has died; start the same search again and it goes on where it was."""


def work(
    search: Search, find: Find, folder: Folder | None = None, processes: int = 0, progress: Progress | None = None
) -> dict[str, list[Trial]]:
    """Do what is left of a search; gives every chunk. `processes` 0 is one for each core, 1 stays in this process."""
    done = folder.load() if folder else {}
    course = Course(search)
    tell = progress or (lambda count, total: None)

    def keep(name: str, trials: list[Trial]) -> None:
        if folder:
            folder.keep(name, trials)
        done[name] = trials
        tell(sum(map(len, done.values())), course.total)

    tell(sum(map(len, done.values())), course.total)
    processes = processes or len(os.sched_getaffinity(0))
    if processes == 1:
        bench = Bench(search)
        while chunks := course.next(done):
            for chunk in chunks:
                keep(chunk.name, bench.do(chunk))
        return done
    _in_processes(search, find, course, done, keep, processes)
    return done


def _in_processes(
    search: Search, find: Find, course: Course, done: dict[str, list[Trial]], keep: Callable[[str, list[Trial]], None],
    count: int,
) -> None:  # fmt: skip
    """Chunks are handed out a few at a time, so that an end does not have to wait for many."""
    given = search.job, [one.history for one in search.instances], find
    pool = ProcessPoolExecutor(
        count,
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=given,
    )
    try:
        while chunks := course.next(done):
            queue, running = iter(chunks), dict[Future[list[Trial]], str]()
            while True:
                while len(running) < 2 * count and (chunk := next(queue, None)) is not None:
                    running[pool.submit(_do, chunk)] = chunk.name
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    keep(running.pop(future), future.result())
    except BrokenProcessPool as error:
        raise WorkerDied from error
    finally:
        pool.shutdown(cancel_futures=True)


_BENCH: list[Bench] = []


def _begin(job: SearchTerms, histories: Sequence[History], find: Find) -> None:
    """In a new process: make the search ready, and end when the process that began it has."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _BENCH[:] = [Bench(search_again(job, find, histories))]


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _do(chunk: Chunk) -> list[Trial]:
    return _BENCH[0].do(chunk)
