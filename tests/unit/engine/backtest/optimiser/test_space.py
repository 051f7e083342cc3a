from __future__ import annotations

import pytest

from domain.errors import Refused
from engine.backtest.optimiser.conditions import conditions_of, objectives_of
from engine.backtest.optimiser.space import space_of
from tests.histories import chance
from tests.optimising import cross, find


def test_words_become_exact_values_and_every_set_has_a_number() -> None:
    space = space_of(find("ma_cross"), {"fast": "2:8:3", "slow": "20, 40", "size": "0.1:0.3:0.1"})
    assert [one.values for one in space.dimensions] == [("2", "5", "8"), ("20", "40"), ("0.1", "0.2", "0.3")]
    sets = [space.at(number) for number in range(space.size)]
    assert len({tuple(one.items()) for one in sets}) == space.size == 18
    assert sets[-1] == {"fast": "8", "slow": "40", "size": "0.3"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"colour": "1,2"}, "no such parameter"),
        ({"fast": "0:10:2"}, "fast: 0 cannot be"),
        ({"fast": "1:1001:500", "size": "1"}, "fast: 1001 cannot be"),
        ({"fast": "5,ten"}, "fast: ten cannot be"),
        ({"fast": "5,5"}, "one twice"),
        ({"fast": "5:1:1"}, "goes nowhere"),
        ({"fast": "5:9:0"}, "goes nowhere"),
        ({"fast": "a:b:c"}, "not from:to:step"),
        ({"fast": "5", "slow": "20", "size": "1"}, "more than one value"),
    ],
)
def test_what_cannot_be_searched_is_named(words: dict[str, str], told: str) -> None:
    with pytest.raises(Refused, match=told):
        space_of(find("ma_cross"), words)


def test_objectives_know_their_better_direction() -> None:
    sharpe, fall, fills = objectives_of(
        ["sharpe", "max_drawdown_percent", "min:fills"], {"sharpe", "fills", "max_drawdown_percent"}
    )
    assert (sharpe.is_max, fall.is_max, fills.is_max) == (True, False, False)
    assert fall.goodness({"max_drawdown_percent": 12.5}) == -12.5
    with pytest.raises(Refused, match="no such objective"):
        objectives_of(["beauty"], {"sharpe"})


def test_a_condition_tells_by_how_much_it_is_violated() -> None:
    (less,) = conditions_of(["fast < slow"], {"fast", "slow"})
    assert less.excess({"fast": "5", "slow": "9"}) == -4
    assert (less.excess({"fast": "9", "slow": "9"}) or 0) > 0
    assert less.excess({"fast": "9"}) is None
    (least,) = conditions_of(["fills >= 30"], {"fills"})
    assert least.excess({"fills": 10}) == 20
    for words, told in (("fast ! slow", "write it as"), ("speed < 3", "neither")):
        with pytest.raises(Refused, match=told):
            conditions_of([words], {"fast"})


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"method": "tpe", "objectives": ["sharpe", "net"]}, "take method nsga"),
        ({"method": "tpe", "validation": "purged"}, "chosen in advance"),
        ({"validation": "walk_forward", "folds": 50}, "take fewer folds"),
        ({"validation": "purged", "folds": 5, "embargo_bars": 500}, "smaller embargo"),
        ({"space": {"fast": "1:1000:1", "slow": "2:2000:1", "size": "1"}}, "larger steps"),
    ],
)
def test_a_search_that_cannot_be_is_refused_before_it_begins(changed: dict[str, object], told: str) -> None:
    with pytest.raises(Refused, match=told):
        cross(chance(1, 900), **changed)
