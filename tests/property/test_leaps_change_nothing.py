"""What a replay leaves out because nothing happens there changes nothing: legs of a bar, and limits that are off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.base_strategy import STRATEGIES
from domain.risk_manager import RiskLimits
from engine.backtest import Result, Settings, compiler, run
from engine.backtest.kernel import market
from tests.histories import chance
from tests.property.test_backtest_is_the_law import FUTURES, PARAMETERS, SETTINGS, SHORT_AND_LONG
from tests.two_sided import TWO_SIDED, Params

#: As every instance has them: nothing that needs the position, or what works.
FEW = some.fixed_dictionaries(
    {"max_messages": some.sampled_from([3, 50]), "max_rejections": some.sampled_from([0, 3])}
).map(lambda limits: RiskLimits(**limits))


class AllRead(RiskLimits):
    """The same limits, of which each is read."""

    @property
    def are_few(self) -> bool:
        return False


@pytest.fixture(autouse=True)
def kernels_of_its_own() -> Iterator[None]:
    """What these tests put into the kernel stays here."""
    yield
    compiler.interpreted.cache_clear()


def same(one: Result, other: Result) -> None:
    assert one.figures == other.figures
    assert (one.moves == other.moves).all()
    assert (one.orders == other.orders).all()


@pytest.mark.parametrize("name", sorted(PARAMETERS))
@settings(max_examples=10, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000), assumed=SETTINGS)
def test_a_bar_that_leaps_is_a_bar_that_goes_through_every_stage(
    name: str, data: some.DataObject, seed: int, assumed: dict[str, Any]
) -> None:
    kind = STRATEGIES.get(name)
    params, history = kind.params(**data.draw(PARAMETERS[name])), chance(seed, count=200)
    settings = Settings(**assumed, log_orders=True, runtime="interpreted")
    compiler.interpreted.cache_clear()
    leaping = run(kind, params, history, settings)
    compiler.interpreted.cache_clear()
    with patch.object(market, "is_calm", lambda cells, state, start: False):
        same(leaping, run(kind, params, history, settings))


@settings(max_examples=100, deadline=None)
@given(law=SHORT_AND_LONG, futures=FUTURES, assumed=SETTINGS, seed=some.integers(0, 10_000))
def test_nor_does_it_leap_over_a_liquidation_or_a_funding(
    law: dict[str, Any], futures: Any, assumed: dict[str, Any], seed: int
) -> None:
    history, settings = (
        chance(seed, count=150),
        Settings(**assumed, futures=futures, log_orders=True, runtime="interpreted"),
    )
    compiler.interpreted.cache_clear()
    leaping = run(TWO_SIDED, Params(**law), history, settings)
    compiler.interpreted.cache_clear()
    with patch.object(market, "is_calm", lambda cells, state, start: False):
        same(leaping, run(TWO_SIDED, Params(**law), history, settings))


@pytest.mark.parametrize("name", sorted(PARAMETERS))
@settings(max_examples=10, deadline=None)
@given(data=some.data(), seed=some.integers(0, 10_000), assumed=SETTINGS, few=FEW)
def test_limits_that_are_off_need_not_be_read(
    name: str, data: some.DataObject, seed: int, assumed: dict[str, Any], few: RiskLimits
) -> None:
    kind = STRATEGIES.get(name)
    params, history = kind.params(**data.draw(PARAMETERS[name])), chance(seed, count=200)
    assert few.are_few
    found = [
        run(kind, params, history, Settings(**{**assumed, "limits": limits}, log_orders=True, runtime="interpreted"))
        for limits in (few, AllRead(*few))
    ]
    same(*found)
