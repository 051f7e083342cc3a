"""Each safety mechanism switched off alone is caught: the scenario that is harmless with it does harm without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from structlog.testing import capture_logs

from tests.exchange_venue import OPTIONS
from tests.negative import (
    at_the_backup,
    at_the_engine,
    at_the_journal,
    at_the_lease,
    at_the_rules,
    at_the_sweep,
    at_the_venue,
)
from tests.negative.mechanism import Harm, Mechanism, Stage
from tests.simulator_process import SimulatorProcess, simulator_process

PLACES = (at_the_backup, at_the_engine, at_the_journal, at_the_lease, at_the_rules, at_the_sweep, at_the_venue)
MECHANISMS = [mechanism for place in PLACES for mechanism in place.MECHANISMS]
each = pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda mechanism: mechanism.name.replace(" ", "_"))


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with simulator_process(tmp_path_factory.mktemp("negative"), *OPTIONS) as process:
        yield process


@pytest.fixture
def empty_redis(redis_url: str) -> str:
    with Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    with capture_logs():  # a broken step is told with every local variable, which takes seconds to write
        yield Stage(
            tmp_path, lambda: request.getfixturevalue("venue"), lambda: str(request.getfixturevalue("empty_redis"))
        )


@each
def test_no_harm_is_done_while_the_mechanism_is_on(mechanism: Mechanism, stage: Stage) -> None:
    mechanism.scenario(stage)


@each
def test_the_mechanism_switched_off_alone_is_caught(
    mechanism: Mechanism, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    mechanism.switch_off(monkeypatch)
    with pytest.raises(Harm):
        mechanism.scenario(stage)


def test_no_two_mechanisms_are_the_same() -> None:
    assert len({mechanism.name for mechanism in MECHANISMS}) == len(MECHANISMS) >= 28
