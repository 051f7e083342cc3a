"""Backtests and optimisations on many workers: each does one piece at a time, and any of them may die.

What is to be done and what is done are rows. A piece is claimed for a while and the claim is renewed as long as
somebody works on it; what nobody renews is taken up by others. A piece that is done twice is kept once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog

from core.base_jobs import STORED_SEARCH, AccountJob, BacktestJob, MemberJob, Period, StoredAccountOptimisation
from core.base_strategy import STRATEGIES, StrategyKind
from core.clock import MachineTime, ms_from_utc, utc_from_ms
from core.registry import Registry
from db.database import Database
from db.models import RunChunk, RunRow
from db.queries import histories, runs
from db.queries.claims import Claim
from db.unit_of_work import committed, reading
from domain.errors import AresError, Refused, Transient, sentence_of
from domain.sentences import say
from engine.backtest import History, Prints, kept, run, store
from engine.backtest.optimiser import Search, conclude, report, search_again
from engine.backtest.optimiser.bench import Bench
from engine.backtest.optimiser.chunks import Chunk, Course
from engine.backtest.optimiser.search import settings_of
from engine.backtest.optimiser.trial import Trial, dumped, loaded
from engine.backtest.runtime import code_version
from engine.backtest.taped import taped
from engine.backtest.together import Member, run_together, shared
from tasks.claims import CLAIM, MOST_ATTEMPTS, renewed

log = structlog.get_logger(__name__)

#: Pieces of one run that are under way at once, so that others get their turn.
MOST_AT_ONCE: Final = 8


@dataclass
class Laboratory:
    """What a worker needs to work on runs."""

    database: Database
    time: MachineTime
    worker: str
    kinds: Registry[StrategyKind] = field(default_factory=lambda: STRATEGIES)
    claim: timedelta = CLAIM
    #: The search that was worked on last, and its bench: reading the history again would cost more than a chunk.
    _last: tuple[int, Search, Bench] | None = None

    def work(self, number: int) -> int:
        """Do one piece of a run; gives how many pieces may be asked for now: 0 when there is nothing more to do."""
        with reading(self.database) as unit:
            row = runs.get(unit, number)
        if row is None or row.state not in runs.OPEN:
            return 0
        try:
            if row.kind == "optimisation":
                return self._optimise(row)
            return self._backtest(row) if row.kind == "backtest" else self._together(row)
        except Transient:
            raise
        except AresError as error:
            self._fail(number, str(error))
        except Exception as error:
            log.exception("run_failed", run=number)
            self._fail(number, say("see_the_log", "{kind}; the worker's log has more.", kind=type(error).__name__))
        return 0

    def deserted(self) -> list[int]:
        """Runs on which nobody seems to work; each is given to one of those who ask."""
        now = self._now()
        with committed(self.database) as unit:
            return runs.take_deserted(unit, now - self.claim, now)

    def _backtest(self, row: RunRow) -> int:
        number = row.id or 0
        with self._whole(number) as is_mine:
            if is_mine:
                job = BacktestJob.model_validate_json(row.job)
                kind, history = self.kinds.get(job.strategy), self._history(row.history_id, job.period)
                result = run(kind, kind.params(**job.params), history, settings_of(job.assumptions))
                found = kept.result_of(result)
                stamp = {**found["stamp"], "assumptions": found["assumptions"]}
                self._finish(number, stamp, found, kept.files_of(result), 1)
        return 0

    def _together(self, row: RunRow) -> int:
        number, job = row.id or 0, AccountJob.model_validate_json(row.job)
        with self._whole(number) as is_mine:
            if is_mine:
                members = [self._member(one) for one in job.instances]
                if job.is_equal:
                    members = shared(members, job.capital)
                found = run_together(members, job.capital)
                told = kept.account_of(found)
                stamp = {"code": code_version(), "instances": [one["stamp"] for one in told["instances"]]}
                self._finish(number, stamp, told, kept.account_files(found), 1)
        return 0

    def _member(self, job: MemberJob) -> Member:
        kind = self.kinds.get(job.strategy)
        history = self._history(job.history_id, job.period)
        return Member(kind, kind.params(**job.params), history, settings_of(job.assumptions))

    def _optimise(self, row: RunRow) -> int:
        number = row.id or 0
        if row.stamp is not None and orjson.loads(row.stamp)["code"] != code_version():
            raise Refused(
                say(
                    "code_has_changed",
                    "the code has changed since it was begun, and results of two codes do not mix; ask again.",
                )
            )
        search, bench = self._search(row)
        with committed(self.database) as unit:
            chunk = runs.claim_chunk(unit, number, self._claim())
        if chunk is not None:
            return self._chunk(number, bench, chunk)
        with reading(self.database) as unit:
            if runs.has_open_chunks(unit, number):
                return 0  # others are at it, and whoever ends last goes on
        with self._whole(number) as is_mine:
            return self._plan(number, row.owner_id, search) if is_mine else 0

    def _chunk(self, number: int, bench: Bench, row: RunChunk) -> int:
        if row.attempts > MOST_ATTEMPTS:
            raise Refused(
                say(
                    "part_ended_workers",
                    "part {name} has ended {attempts} workers; try smaller steps or a shorter history.",
                    name=row.name,
                    attempts=MOST_ATTEMPTS,
                )
            )
        content = orjson.loads(row.content)
        sets = tuple((at, tuple(places)) for at, places in content["sets"])
        with self._renewed(number, row.name):
            trials = bench.do(Chunk(row.name, content["stage"], sets))
        with committed(self.database) as unit:
            runs.keep_chunk(unit, number, row.name, zlib.compress(dumped(trials), 6), self._now())
        return 1

    def _plan(self, number: int, owner: int, search: Search) -> int:
        """Everything that was planned is done: plan more, or come to the end."""
        with reading(self.database) as unit:
            packed = runs.results(unit, number)
        done = {name: loaded(zlib.decompress(content)) for name, content in packed.items()}
        course = Course(search)
        chunks = course.next(done)
        if not chunks:
            outcome = conclude(search, done)
            files = {
                "report.html": report.to_html(outcome).encode(),
                "trials.csv": kept.table(*_trials(search, course, done)).encode(),
            }
            self._finish(number, search.stamp(), outcome.as_dict(), files, None)
            return 0
        rows = [
            RunChunk(
                run_id=number, name=chunk.name, owner_id=owner, trials=len(chunk.sets), attempts=0,
                content=orjson.dumps({"stage": chunk.stage, "sets": chunk.sets}).decode(),
            )
            for chunk in chunks
        ]  # fmt: skip
        with committed(self.database) as unit:
            runs.plan(unit, number, rows, course.total, orjson.dumps(search.stamp()).decode(), self._now())
        return min(len(rows), MOST_AT_ONCE)

    @contextmanager
    def _whole(self, number: int) -> Iterator[bool]:
        """Work on the run as a whole, if nobody else does."""
        with committed(self.database) as unit:
            is_mine = runs.claim_run(unit, number, self._claim())
            row = runs.get(unit, number)
        if not is_mine or row is None:
            yield False
            return
        if row.attempts > MOST_ATTEMPTS:
            raise Refused(
                say(
                    "run_ended_workers",
                    "it has ended {attempts} workers; take a shorter history or fewer parameter sets.",
                    attempts=MOST_ATTEMPTS,
                )
            )
        with self._renewed(number, None):
            yield True
        with committed(self.database) as unit:
            runs.release_run(unit, number, self.worker)

    def _renewed(self, number: int, chunk: str | None) -> AbstractContextManager[None]:
        return renewed(
            self.database, f"run {number}", self.claim, lambda unit: runs.renew(unit, number, chunk, self._claim())
        )

    def _search(self, row: RunRow) -> tuple[Search, Bench]:
        if self._last is None or self._last[0] != row.id:
            job = STORED_SEARCH.validate_json(row.job)
            if isinstance(job, StoredAccountOptimisation):
                histories = [self._history(one.history_id, one.period) for one in job.instances]
            else:
                histories = [self._history(row.history_id, job.period)]
            search = search_again(job, self.kinds.get, histories)
            self._last = row.id or 0, search, Bench(search)
        return self._last[1:]

    def _history(self, number: int, period: Period) -> History:
        with reading(self.database) as unit:
            row = histories.get(unit, number)
            content = histories.content(unit, number)
        if store.checksum(content) != row.digest:
            raise store.Damaged(
                say(
                    "of_history",
                    "history {title}: {what}",
                    title=row.title or row.name,
                    what=sentence_of(store.Damaged),
                )
            )
        history = store.unpack(content)
        if period.bar_ms is not None and period.bar_ms != history.bar_ms:
            if period.walk_trades and isinstance(history, Prints):
                history = taped(history, period.bar_ms)
            else:
                history = store.resampled(history, period.bar_ms)
        since, until = (None if moment is None else ms_from_utc(moment) for moment in (period.since, period.until))
        return history.between(since, until)

    def _finish(
        self, number: int, stamp: dict[str, Any], result: dict[str, Any], files: dict[str, bytes], total: int | None
    ) -> None:
        counted = {} if total is None else {"done": total, "total": total}
        texts = {"stamp": orjson.dumps(stamp).decode(), "result": orjson.dumps(result).decode()}
        with committed(self.database) as unit:
            if runs.finish(unit, number, runs.DONE, self._now(), **texts, **counted):
                runs.drop_chunks(unit, number)
                runs.keep_files(unit, number, {name: zlib.compress(content, 6) for name, content in files.items()})

    def _fail(self, number: int, words: str) -> None:
        with committed(self.database) as unit:
            runs.finish(unit, number, runs.FAILED, self._now(), error=words)

    def _claim(self) -> Claim:
        now = self._now()
        return Claim(self.worker, now, now + self.claim)

    def _now(self) -> datetime:
        return utc_from_ms(self.time.now_ms())


def _trials(
    search: Search, course: Course, done: dict[str, list[Trial]]
) -> tuple[list[str], Iterator[tuple[str, ...]]]:
    """Every trial as a row of text: its parameters, then every figure of merit."""
    names = [*(one.name for one in search.space.dimensions), *search.space.fixed]
    rows = (
        (str(trial.number), *(str(trial.params[name]) for name in names), trial.status,
         *(_text(trial.values.get(figure)) for figure in search.figures), trial.words)
        for trial in course.trials(0, done)
    )  # fmt: skip
    return ["number", *names, "status", *search.figures, "words"], rows


def _text(value: Any) -> str:
    return "" if value is None else str(value)
