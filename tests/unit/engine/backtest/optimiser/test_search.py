from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.base_jobs import OptimisationJob
from core.base_strategy import StrategyKind
from engine.backtest import History, Settings, run
from engine.backtest.metrics import metrics
from engine.backtest.optimiser import Folder, conclude, look_ahead, search_of, work
from engine.backtest.optimiser.chunks import Course
from engine.backtest.optimiser.folder import AnotherSearch
from engine.backtest.optimiser.trial import DONE, REFUSED, Trial, dumped, loaded
from tests.markets import trending
from tests.optimising import FREE, SPACE, cross, find, goes_on_where_it_was_killed, to_be_killed

WAYS = ["exhaustive", "random", "tpe", "nsga"]


@pytest.mark.parametrize("method", WAYS)
def test_a_search_that_is_taken_up_anywhere_ends_the_same(method: str, tmp_path: Path) -> None:
    objectives = ["sharpe", "max_drawdown_percent"] if method == "nsga" else ["sharpe"]
    search = cross(
        trending(2, 500), method=method, trials=20, population=6, objectives=objectives, conditions=["fills >= 4"]
    )
    whole = work(search, find, processes=1)
    course, done = Course(search), dict[str, list[Trial]]()
    # Whoever works knows only what is kept, and is another one for every chunk; chunks come in any order.
    while chunks := Course(search).next(done):
        done[chunks[-1].name] = loaded(dumped(whole[chunks[-1].name]))
    assert done == whole
    assert conclude(search, done).as_dict() == conclude(search, whole).as_dict()
    assert course.next(whole) == []
    numbers = [trial.number for trial in course.trials(0, whole)]
    assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("method", ["random", "tpe", "nsga"])
def test_the_seed_decides_what_is_tried(method: str) -> None:
    def tried(seed: int) -> list[dict[str, str]]:
        search = cross(trending(2, 300), method=method, trials=12, population=6, seed=seed)
        return [trial.params for trial in Course(search).trials(0, work(search, find, processes=1))]

    assert tried(1) == tried(1) != tried(2)


def test_a_search_that_was_killed_goes_on_and_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    goes_on_where_it_was_killed("tests.optimising", to_be_killed(), tmp_path)
    with pytest.raises(AnotherSearch, match="another folder"):
        Folder(tmp_path, cross(trending(6, 600)))


def test_figures_of_a_trial_are_those_of_the_backtest() -> None:
    history = trending(1, 2_400)
    search = cross(history, assumptions={**FREE, "taker_fee": "0.1"})
    trials = Course(search).trials(0, work(search, find, processes=1))
    for trial in trials[:: len(trials) // 3]:
        result = run(find("ma_cross"), find("ma_cross").params(**trial.params), history, search.settings)
        expected = metrics(result)
        shared = {name for name in trial.values if name in expected} - {"sharpe", "sortino"}
        assert len(shared) > 15
        assert {name: trial.values[name] for name in shared} == pytest.approx({name: expected[name] for name in shared})
        # The optimiser counts days from the first bar, the report from the first that is traded.
        assert trial.values["sharpe"] == pytest.approx(expected["sharpe"], rel=0.05)


def test_what_a_strategy_or_a_condition_does_not_allow_is_told_and_not_ranked() -> None:
    search = cross(
        trending(1, 300),
        space={"fast": "10,20", "slow": "15,30", "size": "0.1"},
        conditions=["fast < slow", "fills >= 2"],
    )
    outcome = conclude(search, work(search, find, processes=1))
    assert [trial.status for trial in outcome.trials] == [DONE, DONE, REFUSED, DONE]
    assert any("fast < slow does not hold (1 of 4" in words for words in outcome.warnings)
    assert all(trial.values["fills"] >= 2 for trial in outcome.ranking)


def test_several_objectives_give_the_sets_that_no_other_beats() -> None:
    search = cross(trending(1, 800), objectives=["net", "max_drawdown_percent"])
    outcome = conclude(search, work(search, find, processes=1))
    points = [(float(t.values["net"]), -t.values["max_drawdown_percent"]) for t in outcome.trials]

    def beaten(point: tuple[float, float]) -> bool:
        return any(other != point and other[0] >= point[0] and other[1] >= point[1] for other in points)

    found = {(float(b.trial.values["net"]), -b.trial.values["max_drawdown_percent"]) for b in outcome.best}
    assert found == {point for point in points if not beaten(point)}


def test_purged_folds_choose_without_the_fold_that_is_tried() -> None:
    search = cross(trending(3, 1_500), validation="purged", folds=3, embargo_bars=10)
    assert [(stage.begin, stage.end) for stage in search.stages[1:]] == [(0, 500), (510, 1000), (1010, 1500)]
    found = conclude(search, work(search, find, processes=1)).validated
    assert found is not None
    assert len(found.folds) == 3
    assert found.share_positive == 1.0


def test_a_strategy_that_was_made_from_the_future_is_found_out() -> None:
    honest = find("ma_cross")
    history = trending(1, 400)
    params = honest.params.model_validate({"fast": 3, "slow": 12, "size": "0.1"})
    settings = Settings(runtime="interpreted")
    assert look_ahead(honest, params, history, settings) == []

    def trained(seen: History) -> StrategyKind:
        """Its period is 'learned' from all bars that there are, the later ones included."""
        learned = honest.params.model_validate({"fast": 3 + int(seen.close[-1]) % 7, "slow": 12, "size": "0.1"})
        return replace(honest, prepare=lambda _, instrument, ticks: honest.prepare(learned, instrument, ticks))

    found = look_ahead(trained, params, history, settings)
    assert found
    assert "change with what comes after" in found[0]


def test_the_same_job_on_other_data_is_another_search() -> None:
    job = OptimisationJob(strategy="ma_cross", space=SPACE)
    one, other = (search_of(job, find("ma_cross"), trending(seed, 300)) for seed in (1, 2))
    assert one.digest != other.digest
    assert one.digest == search_of(job, find("ma_cross"), trending(1, 300)).digest
