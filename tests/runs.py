"""Backtests and optimisations in a database, as the API asks for them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from core.base_jobs import BacktestJob, OptimisationJob, SearchTerms
from db.models import RunRow
from db.queries import histories, runs
from db.unit_of_work import committed, reading
from engine.backtest import History, store
from tasks.imports import row_of
from tests.optimising import FREE, SPACE


def share(engine: Engine, history: History, name: str = "market", owner: int | None = None) -> int:
    """Make a history known, to everybody or to its owner; gives its number."""
    content = store.pack(history)
    with committed(engine) as unit:
        return histories.add(unit, row_of(name, history, content, now(), owner), content).id or 0


def ask(engine: Engine, owner: int, history: int, job: BacktestJob | SearchTerms) -> int:
    """Keep a run; gives its number."""
    kind = "backtest" if isinstance(job, BacktestJob) else "optimisation"
    row = RunRow(
        owner_id=owner, request_key=secrets.token_hex(8), kind=kind, history_id=history, job=job.model_dump_json(),
        state=runs.QUEUED, created_at=now(), updated_at=now(),
    )  # fmt: skip
    with committed(engine) as unit:
        return runs.add(unit, row).id or 0


def look(engine: Engine, number: int) -> RunRow:
    """A run as it is now."""
    with reading(engine) as unit:
        found = runs.get(unit, number)
    assert found is not None
    return found


def crosses(**changed: Any) -> OptimisationJob:
    """An optimisation of moving-average crosses."""
    return OptimisationJob.model_validate({"strategy": "ma_cross", "space": SPACE, "assumptions": FREE, **changed})


def one_cross(**changed: Any) -> BacktestJob:
    """A backtest of one of them."""
    params = {"fast": 4, "slow": 24, "size": "0.1"}
    return BacktestJob.model_validate({"strategy": "ma_cross", "params": params, "assumptions": FREE, **changed})


def now() -> datetime:
    return datetime.now(UTC)
