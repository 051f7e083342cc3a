"""Runs in a database, worked on by several laboratories, some of which die; on both databases."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import orjson
import pytest
from sqlalchemy import Engine, update

import strategies
from core.base_jobs import StoredAccountOptimisation
from core.base_strategy import STRATEGIES
from core.clock import utc_from_ms
from db.models import HistoryPart, RunRow
from db.queries import runs
from db.unit_of_work import committed, reading
from domain.errors import Refused
from engine.backtest import Settings, run
from engine.backtest.optimiser import account_search_of, conclude, search_of, work
from tasks.claims import MOST_ATTEMPTS
from tasks.runs import Laboratory
from tests import journal_database
from tests.contract.journal_contract import ACCOUNTS
from tests.fakes.hands import Hands
from tests.joint import job, markets
from tests.markets import trending
from tests.optimising import find
from tests.runs import ask, crosses, look, one_cross, share

pytestmark = pytest.mark.services

HISTORY = trending(8, 400)
STRATEGIES.scan(strategies)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = journal_database.prepare(database_url, ACCOUNTS, exactly=True)
    yield opened
    opened.dispose()


@pytest.fixture
def clock() -> Hands:
    return Hands()


def laboratory(engine: Engine, clock: Hands, name: str) -> Laboratory:
    return Laboratory(engine, clock, name)


def kept_file(engine: Engine, number: int, name: str) -> str:
    with reading(engine) as unit:
        return zlib.decompress(runs.file(unit, number, name)).decode()


def to_the_end(number: int, *at_work: Laboratory) -> None:
    """Every laboratory takes its turn until nobody finds anything to do."""
    while sum([one.work(number) for one in at_work]):
        pass


def test_a_backtest_has_the_figures_of_one_that_was_run_by_hand(engine: Engine, clock: Hands) -> None:
    number = ask(engine, 1, share(engine, HISTORY), one_cross())
    to_the_end(number, laboratory(engine, clock, "one"))
    row = look(engine, number)
    assert (row.state, row.done, row.total, row.error) == (runs.DONE, 1, 1, "")
    kind = find("ma_cross")
    params = kind.params.model_validate({"fast": 4, "slow": 24, "size": "0.1"})
    expected = run(kind, params, HISTORY, Settings(maker_fee=Decimal(0), taker_fee=Decimal(0), runtime="interpreted"))
    found = orjson.loads(row.result or "")
    assert found["metrics"]["fills"] == expected.figures.fills > 4
    assert found["equity"][-1][0] == int(HISTORY.open_ms[-1]) + HISTORY.bar_ms
    stamp = orjson.loads(row.stamp or "")
    assert (stamp["data"], stamp["code"]) == (HISTORY.digest, expected.stamp.code)
    table = list(csv.DictReader(io.StringIO(kept_file(engine, number, "fills.csv"))))
    assert len(table) == expected.figures.fills
    assert sum(Decimal(one["realised"]) for one in table) == expected.amount(expected.figures.realised)
    assert {one["reason"] for one in table} <= set(kind.reasons.values())
    assert kept_file(engine, number, "report.html").startswith("<!doctype html>")


def test_a_part_of_a_history_is_run_in_longer_bars(engine: Engine, clock: Hands) -> None:
    since, until = (utc_from_ms(int(HISTORY.open_ms[at])) for at in (50, 350))
    period = {"since": since.isoformat(), "until": until.isoformat(), "bar_ms": 2 * HISTORY.bar_ms}
    number = ask(engine, 1, share(engine, HISTORY), one_cross(period=period))
    to_the_end(number, laboratory(engine, clock, "one"))
    row = look(engine, number)
    assert row.state == runs.DONE, row.error
    found = orjson.loads(row.result or "")
    assert (found["bars"], found["bar_ms"]) == (150, 2 * HISTORY.bar_ms)
    points = found["equity"]
    assert points[-1][0] == int(HISTORY.open_ms[350])
    assert min(Decimal(fall) for _, _, _, fall in points) <= 0
    deepest = min(float(fall) for _, _, _, fall in points)
    assert deepest == pytest.approx(-found["metrics"]["max_drawdown_percent"], abs=1e-3)


def test_a_period_without_bars_fails_with_its_reason(engine: Engine, clock: Hands) -> None:
    number = ask(engine, 1, share(engine, HISTORY), one_cross(period={"until": "2001-01-01T00:00:00Z"}))
    to_the_end(number, laboratory(engine, clock, "one"))
    row = look(engine, number)
    assert (row.state, "take a longer one" in row.error) == (runs.FAILED, True)


@pytest.mark.parametrize("method", ["exhaustive", "nsga"])
def test_two_laboratories_share_an_optimisation_and_its_end_is_that_of_one(
    engine: Engine, clock: Hands, method: str
) -> None:
    job = crosses(method=method, trials=16, population=8, validation="walk_forward", folds=2)
    number = ask(engine, 1, share(engine, HISTORY), job)
    to_the_end(number, laboratory(engine, clock, "one"), laboratory(engine, clock, "two"))
    row = look(engine, number)
    assert row.state == runs.DONE, row.error
    search = search_of(job, find("ma_cross"), HISTORY)
    expected = orjson.loads(orjson.dumps(conclude(search, work(search, find, processes=1)).as_dict()))
    found = orjson.loads(row.result or "")
    table = kept_file(engine, number, "trials.csv").splitlines()
    assert len(table) - 1 == found["counts"]["tried"] > 8
    assert found == expected


@pytest.mark.parametrize("validation", ["walk_forward", "purged"])
def test_two_laboratories_share_a_search_of_several_on_one_account(
    engine: Engine, clock: Hands, validation: str
) -> None:
    histories = markets(8, 400)
    numbers = [share(engine, history, f"market-{at}") for at, history in enumerate(histories)]
    wanted = job(method="random", trials=16, validation=validation, folds=2).model_dump(mode="json")
    for one, number in zip(wanted["instances"], numbers, strict=True):
        one["history_id"] = number
    stored = StoredAccountOptimisation.model_validate(wanted)
    number = ask(engine, 1, numbers[0], stored)
    dead = laboratory(engine, clock, "dead")
    assert dead.work(number) > 0
    with committed(engine) as unit:
        assert runs.claim_chunk(unit, number, dead._claim()) is not None
    clock.pass_time(timedelta(seconds=31))
    to_the_end(number, laboratory(engine, clock, "one"), laboratory(engine, clock, "two"))
    row = look(engine, number)
    assert row.state == runs.DONE, row.error
    search = account_search_of(stored, find, histories)
    expected = orjson.loads(orjson.dumps(conclude(search, work(search, find, processes=1)).as_dict()))
    found = orjson.loads(row.result or "")
    table = list(csv.DictReader(io.StringIO(kept_file(engine, number, "trials.csv"))))
    assert len(table) == found["counts"]["tried"] == 16
    for one in table:
        assert Decimal(one["net"]) == Decimal(one["trend.net"]) + Decimal(one["swing.net"])
    assert found == expected
    assert "What each instance had of the best" in kept_file(engine, number, "report.html")


def test_what_a_dead_worker_had_begun_is_done_by_another_once_its_claim_has_run_out(
    engine: Engine, clock: Hands
) -> None:
    number = ask(engine, 1, share(engine, HISTORY), crosses())
    dead, living = laboratory(engine, clock, "dead"), laboratory(engine, clock, "living")
    assert dead.work(number) > 0
    with committed(engine) as unit:
        taken = runs.claim_chunk(unit, number, dead._claim())
    assert taken is not None
    to_the_end(number, living)
    assert look(engine, number).state == runs.RUNNING
    assert living.deserted() == []
    clock.pass_time(timedelta(seconds=31))
    assert living.deserted() == [number]
    assert living.deserted() == []
    to_the_end(number, living)
    assert look(engine, number).state == runs.DONE


def test_a_part_that_ends_every_worker_is_given_up_with_a_reason(engine: Engine, clock: Hands) -> None:
    number = ask(engine, 1, share(engine, HISTORY), crosses())
    one = laboratory(engine, clock, "one")
    one.work(number)
    for _ in range(MOST_ATTEMPTS):
        with committed(engine) as unit:
            assert runs.claim_chunk(unit, number, one._claim()) is not None
        clock.pass_time(timedelta(seconds=31))
        with reading(engine) as unit:
            first = runs.results(unit, number)
    assert first == {}
    # Others of its parts may be done; the one that nobody survives is met by everybody, for it comes first.
    assert one.work(number) == 0
    row = look(engine, number)
    assert row.state == runs.FAILED
    assert "has ended 5 workers" in row.error


def test_results_of_two_codes_do_not_mix(engine: Engine, clock: Hands) -> None:
    number = ask(engine, 1, share(engine, HISTORY), crosses())
    one = laboratory(engine, clock, "one")
    one.work(number)
    with committed(engine) as unit:
        unit.connection.execute(update(RunRow).values(stamp='{"code": "another"}'))
    assert one.work(number) == 0
    assert "ask again" in look(engine, number).error


def test_a_cancelled_run_is_worked_on_no_more(engine: Engine, clock: Hands) -> None:
    number = ask(engine, 1, share(engine, HISTORY), crosses())
    one = laboratory(engine, clock, "one")
    one.work(number)
    one.work(number)
    with committed(engine) as unit:
        assert runs.finish(unit, number, runs.CANCELLED, look(engine, number).updated_at)
    assert one.work(number) == 0
    assert look(engine, number).state == runs.CANCELLED


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"space": {"fast": "2,4", "slow": "20", "colour": "red"}}, "colour"),
        ({"objectives": ["beauty"]}, "no such objective"),
        ({"validation": "walk_forward", "folds": 50}, "take fewer folds"),
    ],
)
def test_a_job_that_cannot_be_done_fails_in_words(
    engine: Engine, clock: Hands, changed: dict[str, object], told: str
) -> None:
    number = ask(engine, 1, share(engine, HISTORY), crosses(**changed))
    assert laboratory(engine, clock, "one").work(number) == 0
    row = look(engine, number)
    assert row.state == runs.FAILED
    assert told in row.error


def test_a_history_that_was_damaged_is_not_used(engine: Engine, clock: Hands) -> None:
    number = ask(engine, 1, share(engine, HISTORY), one_cross())
    with committed(engine) as unit:
        unit.connection.execute(update(HistoryPart).values(content=b"PAR1"))
    laboratory(engine, clock, "one").work(number)
    row = look(engine, number)
    assert row.state == runs.FAILED
    assert "import it again" in row.error


def test_nobody_may_have_too_many_runs_at_once(engine: Engine) -> None:
    history = share(engine, HISTORY)
    for _ in range(runs.MOST_OPEN):
        ask(engine, 1, history, one_cross())
    with pytest.raises(Refused, match="unfinished runs"):
        ask(engine, 1, history, one_cross())
