"""A process killed at every labelled place of an order's life, under every outcome: nothing doubled, orphaned or lost.

In CI every place once, under some class; `make acceptance` sweeps every point under every class. The whole sweep of one
build, which goes on where it was broken off and tells its figures, is `python -m tests.acceptance.crash`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from engine.order_gateway import ResolveSettings
from tests.acceptance.crash.child import Times
from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.driver import Run, Verdict
from tests.acceptance.crash.points import CANCEL_TAKEN, OUTCOMES, PLACE_TAKEN, POINTS, labels
from tests.acceptance.crash.sweep import (
    Case,
    Hands,
    by_place,
    exhaustive,
    hands_in,
    matrix,
    run_all,
    sample,
    sqlite,
    told,
    twice,
    twice_sample,
    venue_process,
)
from tests.services import Service, create_schema

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
BY_NAME = {point.name: point for point in POINTS}


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    """More than there are processors: a run waits for dead times more than it works."""
    with hands_in(tmp_path_factory.mktemp("hands"), 3) as made:
        yield made


def test_every_labelled_place_is_swept_and_no_other() -> None:
    swept = {point.place for point in POINTS}
    assert swept - {PLACE_TAKEN, CANCEL_TAKEN} == labels()
    assert len(swept) >= 30
    assert {case.point.place for case in sample()} == swept
    assert {(case.point.place, case.outcome) for case in matrix()} == set(product(swept, OUTCOMES))
    assert {case.outcome for case in sample()} == set(OUTCOMES)


@pytest.fixture(scope="module", autouse=True)
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[Verdict]]:
    """A run that waits for the dead times of live trading, while others go on."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(patient_run, tmp_path_factory.mktemp("patient") / "venue")


def patient_run(folder: Path) -> Verdict:
    with venue_process(folder) as venue:
        # Nobody knows whether the orders have left: the successor has to wait until none of them can arrive any more.
        point = BY_NAME["engine.after_commit in start"]
        run = Run(Desk(venue, folder, sqlite(folder)), point, "accepted", Times.real())
        run.is_command = True
        return run.whole()


def test_a_death_at_every_place_loses_and_doubles_nothing(hands: Hands) -> None:
    verdicts = run_all(sample(), hands, sqlite)
    assert not told(verdicts), told(verdicts)


def test_deaths_on_mariadb_lose_and_double_nothing(hands: Hands, mariadb_service: Service) -> None:
    cases = [case for case in sample() if case.point.place.startswith("journal.") or case.point.place == PLACE_TAKEN]
    url = create_schema(mariadb_service, "ares_crash")
    with hands.one() as hand:  # one after the other: they share the database
        verdicts = [hand.do(case, lambda _: url) for case in cases]
    assert not told(verdicts), told(verdicts)


def test_the_sweep_finds_the_double_order_of_an_engine_that_believes_the_first_denial(hands: Hands) -> None:
    """The proof that it can fail: without its dead time the engine takes an order for lost that the venue has."""
    hasty = replace(Times(), dead_margin_ms=-10_000, denials=1)
    with hands.one() as hand:
        verdict = Run(hand.desk(sqlite), BY_NAME["gateway.before_place in start"], "late", hasty).whole()
    assert any("came alive in slot" in complaint for complaint in verdict.complaints), verdict


def test_a_second_death_while_the_first_is_recovered_loses_and_doubles_nothing(hands: Hands) -> None:
    verdicts = run_all(twice_sample(8), hands, sqlite)
    assert not told(verdicts), told(verdicts)
    assert sum(verdict.died_twice for verdict in verdicts) >= len(verdicts) // 2


def test_deaths_on_futures_lose_and_double_nothing(hands: Hands) -> None:
    taken = Case(BY_NAME[f"{PLACE_TAKEN} in start"], "reply closed")  # several orders in one request
    verdicts = run_all([*sample()[::7], taken], hands, sqlite, "binance_futures")
    assert not told(verdicts), told(verdicts)


@pytest.mark.last
def test_processes_of_the_command_line_wait_as_long_as_in_live_trading(patient: Future[Verdict]) -> None:
    verdict = patient.result()
    assert not verdict.complaints, verdict
    assert verdict.seconds > ResolveSettings().dead_margin_ms / 1000


@pytest.mark.acceptance
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("place", by_place())
def test_a_death_at_a_place_in_every_part_under_every_outcome(hands: Hands, place: str) -> None:
    sweep(exhaustive(place), hands)


@pytest.mark.acceptance
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("place", by_place())
def test_a_death_at_a_place_on_futures_under_every_outcome(hands: Hands, place: str) -> None:
    sweep([case for case in matrix() if case.point.place == place], hands, "binance_futures")


@pytest.mark.acceptance
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("place", by_place())
def test_a_second_death_at_every_place_of_recovering(hands: Hands, place: str) -> None:
    sweep(twice(place), hands)


def sweep(cases: Sequence[Case], hands: Hands, market: str = "binance_spot") -> None:
    verdicts = run_all(cases, hands, sqlite, market)
    seconds, processes = sum(one.seconds for one in verdicts), sum(one.processes for one in verdicts)
    deaths = sum(1 + one.died_twice for one in verdicts)
    print(f"{len(verdicts)} runs, {deaths} deaths at named places, {processes} processes, {seconds:.0f} s")
    assert not told(verdicts), told(verdicts)
