"""Backtests and optimisations: kept before they are answered, worked on by compute workers."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast
from uuid import uuid4

import orjson
from fastapi.concurrency import run_in_threadpool

from api.checking import (
    SHARE,
    Searched,
    check_account_space,
    check_amount,
    check_space,
    checked_model,
    checked_parameters,
    plain,
)
from api.cursors import after, unpack
from api.errors import BadFields, FieldError
from api.identity import Caller
from api.markets import Market
from api.schemas.run import (
    AccountBacktestCreate,
    AccountOptimisationCreate,
    BacktestCreate,
    Headline,
    OptimisationCreate,
    Run,
    RunDetail,
    RunInstance,
    RunList,
    RunStage,
)
from api.services import Services
from core.base_jobs import STORED_SEARCH, Assumptions, names_of
from core.base_strategy import StrategyKind
from core.registry import NotRegistered
from db.models import RunRow
from db.queries import audit, histories, runs
from db.unit_of_work import UnitOfWork, committed, reading
from domain.money import add, to_wire
from domain.sentences import say, words_of

BACKTEST: Final = "backtest"
OPTIMISATION: Final = "optimisation"
TOGETHER: Final = "together"


async def submit_backtest(services: Services, caller: Caller, body: BacktestCreate, key: str | None) -> Run:
    """Keep a backtest whose parameters fit its strategy."""
    kind = _kind(services, body.strategy)
    params = json.loads(checked_parameters(kind, body.params))
    period = body.period.model_dump(mode="json")
    job = {"strategy": kind.name, "params": params, "period": period, "assumptions": _assumed(body.assumptions)}
    return await _submit(services, caller, BACKTEST, [Market.of(body)], job, key)


async def submit_account_backtest(
    services: Services, caller: Caller, body: AccountBacktestCreate, key: str | None
) -> Run:
    """Keep a backtest of several strategies on one account, whose shares are no more than there is."""
    _check_shares(body)
    members = []
    for place, one in enumerate(body.instances):
        with _of_instance(place):
            kind = _kind(services, one.strategy)
            params = json.loads(checked_parameters(kind, one.params))
            assumed = _assumed(one.assumptions)
        period = one.period.model_dump(mode="json")
        members.append({
            "history_id": one.history_id, "strategy": kind.name, "params": params, "period": period,
            "assumptions": assumed,
        })  # fmt: skip
    is_equal = "quote" not in body.instances[0].assumptions.model_fields_set
    job = {"capital": to_wire(body.capital), "instances": members, "is_equal": is_equal}
    wanted = [Market.of(one, f"instances.{place}.") for place, one in enumerate(body.instances)]
    return await _submit(services, caller, TOGETHER, wanted, job, key)


@contextmanager
def _of_instance(place: int) -> Iterator[None]:
    """Fields that are wrong within are those of an instance."""
    try:
        yield
    except BadFields as error:
        raise BadFields(FieldError(f"instances.{place}.{field}", why) for field, why in error.errors) from error


def _check_shares(
    body: AccountBacktestCreate | AccountOptimisationCreate, searched: Collection[int] = frozenset()
) -> None:
    """All have their share, or none; together no more than there is; and the account is of spot or of futures.
    Instances whose shares are `searched` for have one.
    """
    assumed = [one.assumptions for one in body.instances]
    check_amount("capital", body.capital)
    wrong = []
    named = ["quote" in one.model_fields_set or place in searched for place, one in enumerate(assumed)]
    if any(named) and not all(named):
        place = named.index(False)
        wrong.append(
            FieldError(
                f"instances.{place}.assumptions.quote",
                say("shares_for_all_or_none", "give every instance its share, or none"),
            )
        )
    elif all(named) and (owned := add(*(one.quote for place, one in enumerate(assumed) if place not in searched))) > (
        body.capital
    ):
        wrong.append(
            FieldError(
                "capital",
                say("shares_exceed_capital", "the instances own {owned} together, which is more", owned=to_wire(owned)),
            )
        )
    on_futures = [one.futures is not None for one in assumed]
    if len(set(on_futures)) > 1:
        place = on_futures.index(not on_futures[0])
        wrong.append(
            FieldError(
                f"instances.{place}.assumptions.futures", say("spot_or_futures", "an account is of spot or of futures")
            )
        )
    if wrong:
        raise BadFields(wrong)


async def submit_optimisation(services: Services, caller: Caller, body: OptimisationCreate, key: str | None) -> Run:
    """Keep an optimisation whose search space names parameters of its strategy."""
    kind = _kind(services, body.strategy)
    check_space(kind, body.space)
    job = {
        **body.model_dump(mode="json", exclude={"history_id", "assumptions"}),
        "assumptions": _assumed(body.assumptions),
    }
    return await _submit(services, caller, OPTIMISATION, [Market.of(body)], job, key)


async def submit_account_optimisation(
    services: Services, caller: Caller, body: AccountOptimisationCreate, key: str | None
) -> Run:
    """Keep an optimisation of several strategies on one account; it is one among the optimisations."""
    names = _names(body)
    searched = {place for place, name in enumerate(names) if f"{name}.{SHARE}" in body.space}
    _check_shares(body, searched)
    members, kinds = [], []
    for place, (name, one) in enumerate(zip(names, body.instances, strict=True)):
        with _of_instance(place):
            kinds.append(Searched(name, _kind(services, one.strategy), one.params))
            assumed = _assumed(one.assumptions)
        members.append({
            "name": name, "history_id": one.history_id, "strategy": one.strategy, "params": plain(one.params),
            "period": one.period.model_dump(mode="json"), "assumptions": assumed,
        })  # fmt: skip
    check_account_space(kinds, body.space)
    is_equal = not searched and "quote" not in body.instances[0].assumptions.model_fields_set
    terms = body.model_dump(mode="json", exclude={"instances", "capital"})
    job = {**terms, "capital": to_wire(body.capital), "instances": members, "is_equal": is_equal}
    wanted = [Market.of(one, f"instances.{place}.") for place, one in enumerate(body.instances)]
    return await _submit(services, caller, OPTIMISATION, wanted, job, key)


def _names(body: AccountOptimisationCreate) -> tuple[str, ...]:
    """What the instances are called; no two may be called the same."""
    given = [one.name for one in body.instances]
    for place, name in enumerate(given):
        if name and name in given[:place]:
            raise BadFields(
                [FieldError(f"instances.{place}.name", say("instance_name_taken", "another instance has this name"))]
            )
    return names_of([(one.name, one.strategy) for one in body.instances])


async def listed(services: Services, caller: Caller, kind: str, cursor: str | None, limit: int) -> RunList:
    """The caller's runs of a kind, newest first."""
    before = unpack(cursor, int, (int,))

    def read() -> RunList:
        with reading(services.database) as unit:
            rows = runs.listed(unit, caller.id, kind, before, limit + 1)
            found, next_cursor = after(rows, limit, lambda row: [row.id])
            return RunList(items=[_shown(unit, row) for row in found], next_cursor=next_cursor)

    return await run_in_threadpool(read)


def one(services: Services, caller: Caller, kind: str, number: int) -> RunDetail:
    """A run of the caller with what was found."""
    with reading(services.database) as unit:
        row = runs.of_owner(unit, number, caller.id, kind)
        shown, stages = _shown(unit, row), _stages(unit, row)
    stamp = None if row.stamp is None else orjson.loads(row.stamp)
    result = None if row.result is None else orjson.loads(row.result)
    return RunDetail(**shown.model_dump(), job=orjson.loads(row.job), stamp=stamp, result=result, stages=stages)


def cancel(services: Services, caller: Caller, kind: str, number: int) -> Run:
    """No more of it is worked on; one that has ended stays as it is."""
    now = services.now()
    with committed(services.database) as unit:
        row = runs.of_owner(unit, number, caller.id, kind)
        if runs.finish(unit, number, runs.CANCELLED, now):
            runs.drop_chunks(unit, number)
            audit.record(unit, audit.Deed(caller.login, f"{kind}_cancel", {"run": number}, caller.id), now)
        unit.session.refresh(row)
        return _shown(unit, row)


def remove(services: Services, caller: Caller, kind: str, number: int) -> None:
    """Take it out with everything it found; one that is worked on is cancelled by it."""
    now = services.now()
    with committed(services.database) as unit:
        runs.remove(unit, runs.of_owner(unit, number, caller.id, kind))
        audit.record(unit, audit.Deed(caller.login, f"{kind}_delete", {"run": number}, caller.id), now)


async def _submit(
    services: Services, caller: Caller, kind: str, wanted: Sequence[Market], job: dict[str, Any], key: str | None
) -> Run:
    kept = await run_in_threadpool(_keep, services, caller, kind, wanted, job, key)
    if kept.state in runs.OPEN:
        services.doorbell.compute(kept.id)
    return kept


def _keep(
    services: Services, caller: Caller, kind: str, wanted: Sequence[Market], job: dict[str, Any], key: str | None
) -> Run:  # fmt: skip
    now = services.now()
    row = RunRow(
        owner_id=caller.id, request_key=key or uuid4().hex, kind=kind, history_id=wanted[0].history_id,
        state=runs.QUEUED, job=json.dumps(job, sort_keys=True, separators=(",", ":")), created_at=now, updated_at=now,
    )  # fmt: skip
    with committed(services.database) as unit:
        for market in wanted:
            market.check(unit, caller.id)
        kept = runs.add(unit, row)
        if kept is row:
            audit.record(unit, audit.Deed(caller.login, f"{kind}_create", {"run": row.id, **job}, caller.id), now)
        return _shown(unit, kept)


def _kind(services: Services, name: str) -> StrategyKind:
    try:
        return services.kinds.get(name)
    except NotRegistered as error:
        raise BadFields([FieldError("strategy", str(error))]) from error


def _assumed(assumptions: Assumptions) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(checked_model(Assumptions, assumptions.model_dump(), "assumptions"))
    return found


def _shown(unit: UnitOfWork, row: RunRow) -> Run:
    history, job = histories.get(unit, row.history_id), orjson.loads(row.job)
    return Run(
        id=row.id or 0,
        history_id=row.history_id,
        history=history.title or history.name,
        symbol=history.symbol,
        strategy=job.get("strategy", TOGETHER),
        state=cast("Any", row.state),
        done=row.done,
        total=row.total,
        error=row.error,
        error_words=words_of(row.error),
        created_at=row.created_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
        headline=None if row.result is None else _headline(orjson.loads(row.result)),
        instances=[_instance(unit, one) for one in job.get("instances", ())],
    )


def _stages(unit: UnitOfWork, row: RunRow) -> list[RunStage]:
    """How far each is. All try as many sets, and what each has tried goes when the run ends."""
    if row.kind != OPTIMISATION or row.state not in runs.OPEN or not row.total:
        return []
    names = STORED_SEARCH.validate_json(row.job).stage_names
    if len(names) == 1:
        return []
    tried = runs.tried_by_stage(unit, row.id or 0)
    return [RunStage(name=name, done=tried.get(name, 0), total=row.total // len(names)) for name in names]


def _instance(unit: UnitOfWork, asked: dict[str, Any]) -> RunInstance:
    history = histories.get(unit, asked["history_id"])
    name = history.title or history.name
    return RunInstance(
        name=asked.get("name", ""), strategy=asked["strategy"], symbol=history.symbol, history_id=history.id or 0,
        history=name,
    )  # fmt: skip


def _headline(result: dict[str, Any]) -> Headline | None:
    best = (result.get("best") or [{}])[0]
    figures = result.get("metrics") or best.get("values")
    if not figures:
        return None
    told = {name: figures.get(name) for name in ("return_percent", "max_drawdown_percent", "sharpe", "fills")}
    verdict = best.get("luck", {}).get("verdict", "")
    return Headline(net=figures["net"], currency=result.get("quote", ""), verdict=verdict, **told)
