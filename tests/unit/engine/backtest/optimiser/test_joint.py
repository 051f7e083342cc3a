from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.base_jobs import STORED_SEARCH, AccountOptimisationJob, names_of
from domain.errors import Refused
from engine.backtest.optimiser import account_search_of, conclude, report, search_of, work
from engine.backtest.optimiser.bench import Bench
from engine.backtest.optimiser.chunks import Course
from engine.backtest.optimiser.joint import Replays
from engine.backtest.optimiser.search import Search
from engine.backtest.optimiser.trial import DONE, REFUSED, Trial, dumped, loaded
from engine.backtest.together import Member, run_together
from tests.joint import job, markets, to_be_killed, together
from tests.markets import trending
from tests.optimising import FREE, cross, find, goes_on_where_it_was_killed


def tried(search: Search) -> list[Trial]:
    return Course(search).trials(0, work(search, find, processes=1))


def on_account(search: Search, trial: Trial) -> Any:
    """The backtest of an account with one of its sets."""
    members = [
        Member(one.kind, one.kind.params(**one.own(trial.params)), one.history, one.settings_in(trial.params))
        for one in search.instances
    ]
    assert search.capital is not None
    return run_together(members, search.capital)


FEES = {**FREE, "maker_fee": "0.02", "taker_fee": "0.05"}


def test_every_set_has_the_result_of_the_account_that_is_replayed_by_itself() -> None:
    trend, swing = job().instances
    different = [
        trend.model_copy(update={"assumptions": trend.assumptions.model_copy(update={"maker_fee": Decimal("0.1")})}),
        swing.model_copy(update={"assumptions": swing.assumptions.model_copy(update={"taker_fee": Decimal("0.3")})}),
    ]
    search = together(markets(), instances=[one.model_dump() for one in different])
    trials = tried(search)
    assert len(trials) == search.space.size == 36
    for trial in trials:
        assert trial.status == DONE
        found = on_account(search, trial)
        assert found.adds_up
        exact = {name: Decimal(trial.values[name]) for name in ("net", "fees", "realised", "unrealised", "equity")}
        assert exact == {name: getattr(found.sum, name) for name in exact}
        assert trial.values["fills"] == found.sum.fills > 4
        assert trial.values["max_drawdown_percent"] == 100 * found.sum.max_drawdown > 0
        for one, result in zip(search.instances, found.results, strict=True):
            assert Decimal(trial.values[f"{one.name}.net"]) == result.net
            assert trial.values[f"{one.name}.fills"] == result.figures.fills
        assert sum(Decimal(trial.values[f"{one.name}.net"]) for one in search.instances) == exact["net"]
    assert len({trial.values["net"] for trial in trials}) > 30


def test_one_instance_on_an_account_is_searched_as_it_is_alone() -> None:
    history, space = trending(2, 900), {"fast": "2:8:3", "slow": "15,30", "size": "0.1"}
    alone = cross(history, space=space, assumptions=FEES)
    wanted = {
        "capital": "10000", "is_equal": True, "space": {f"ma_cross.{name}": words for name, words in space.items()},
        "instances": [{"strategy": "ma_cross", "assumptions": FEES}],
        "conditions": ["ma_cross.fast < ma_cross.slow"],
    }  # fmt: skip
    shared = account_search_of(AccountOptimisationJob.model_validate(wanted), find, [history])
    for one, other in zip(tried(alone), tried(shared), strict=True):
        assert other.values.items() >= {name: other.values[name] for name in one.values}.items()
        assert {name: other.values[name] for name in one.values} == pytest.approx(one.values)
        assert [*map(list, other.moments)] == [pytest.approx(list(block)) for block in one.moments]
    luck = [conclude(search, work(search, find, processes=1)).best[0].luck for search in (alone, shared)]
    assert luck[0].deflated_sharpe == pytest.approx(luck[1].deflated_sharpe)
    assert luck[0].verdict == luck[1].verdict


def test_no_instance_is_replayed_twice_with_the_same_parameters() -> None:
    search = together(markets())
    for replays, expected in ((Replays(), 3 * 2 + 2 * 3), (Replays(0), 3 * 2 + 36)):
        bench, trials = Bench(search, replays), []
        for chunk in Course(search).next({}):
            trials += bench.do(chunk)
        assert trials == tried(search)
        # Without room only what the set before had is known: the first instance's, which changes slowest.
        assert replays.made == expected


@pytest.mark.parametrize("method", ["exhaustive", "random", "tpe", "nsga"])
@pytest.mark.parametrize("validation", ["none", "walk_forward"])
def test_a_search_of_several_that_is_taken_up_anywhere_ends_the_same(method: str, validation: str) -> None:
    objectives = ["sharpe", "max:swing.net"] if method == "nsga" else ["sharpe"]
    search = together(
        markets(), method=method, trials=20, population=6, objectives=objectives, validation=validation, folds=2,
        conditions=["trend.fills >= 2", "max_drawdown_percent < 90"],
    )  # fmt: skip
    whole = work(search, find, processes=1)
    done = dict[str, list[Trial]]()
    while chunks := Course(search).next(done):
        done[chunks[-1].name] = loaded(dumped(Bench(search).do(chunks[-1])))
    assert done == whole
    assert conclude(search, done).as_dict() == conclude(search, whole).as_dict()


def test_a_search_of_several_that_was_killed_goes_on_and_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    goes_on_where_it_was_killed("tests.joint", to_be_killed(), tmp_path)


def test_parts_of_the_time_are_the_same_moments_for_all() -> None:
    search = together(markets(), validation="purged", folds=3, embargo_bars=10)
    for stage in search.stages[1:]:
        begin, end = (int(search.timeline[place]) for place in (stage.begin, stage.end - 1))
        for part in search.parts(stage):
            assert begin <= part.open_ms[0]
            assert part.open_ms[-1] <= end
    # The second begins 30 bars after the first, so the first fold has as many fewer of it.
    assert [len(part) for part in search.parts(search.stages[1])] == [176, 146]
    found = conclude(search, work(search, find, processes=1)).validated
    assert found is not None
    assert len(found.folds) == 3
    walked = together(markets(), validation="walk_forward", folds=2)
    outcome = conclude(walked, work(walked, find, processes=1))
    assert outcome.validated is not None
    assert [fold.end for fold in outcome.validated.folds] == [353, 530]
    assert all(set(fold.params) >= {"trend.fast", "swing.slow"} for fold in outcome.validated.folds)


def test_shares_of_the_capital_are_searched_like_parameters() -> None:
    space = {"trend.fast": "2,5", "trend.slow": "30", "swing.fast": "5", "swing.slow": "30"}
    shares = {"trend.quote": "10000,20000,30000", "swing.quote": "10000"}
    search = together(markets(), space={**space, **shares})
    trials = tried(search)
    assert [trial.status for trial in trials].count(REFUSED) == 2
    assert all("own 40000 together, and 35000 is all" in trial.words for trial in trials if trial.status == REFUSED)
    outcome = conclude(search, work(search, find, processes=1))
    best = outcome.as_dict()["best"][0]
    assert [share["capital"] for share in best["shares"]] == [best["params"]["trend.quote"], "10000"]
    assert sum(share["part_percent"] for share in best["shares"]) == pytest.approx(100)
    found = on_account(search, outcome.best[0].trial)
    assert found.sum.net == Decimal(best["values"]["net"])


def test_what_came_of_it_names_every_instance(tmp_path: Path) -> None:
    search = together(markets(), objectives=["net"])
    outcome = conclude(search, work(search, find, processes=1))
    told = outcome.as_dict()
    assert [(one["name"], one["symbol"], one["bars"]) for one in told["instances"]] == [
        ("trend", "BTCUSDT", 500),
        ("swing", "ETHUSDT", 500),
    ]
    assert (told["capital"], told["quote"], told["bars"]) == ("35000", "USDT", 530)
    assert {(heat["x"], heat["y"]) for heat in told["heatmaps"]} >= {("trend.fast", "swing.slow")}
    assert told["stamp"]["strategy"] == "trend=ma_cross, swing=ma_cross"
    page = report.to_html(outcome)
    assert "What each instance had of the best" in page
    assert "Moving-average cross on BTCUSDT, Moving-average cross on ETHUSDT: 36 sets tried" in page
    report.write_trials(outcome, tmp_path / "trials.parquet")
    import polars

    rows = polars.read_parquet(tmp_path / "trials.parquet")
    assert rows.shape[0] == 36
    assert {"trend.fast", "trend.size", "swing.net", "net"} <= set(rows.columns)


def test_an_instance_that_refuses_a_set_is_named() -> None:
    search = together(
        markets(), space={"trend.fast": "5,400", "trend.slow": "490", "swing.fast": "5", "swing.slow": "20"}
    )
    search = replace(search, conditions=())
    words = [trial.words for trial in tried(search) if trial.status == REFUSED]
    assert all(one.startswith("trend: ") for one in words)
    few = together(markets(), space={"trend.fast": "20,5", "trend.slow": "15", "swing.fast": "5", "swing.slow": "20"})
    refused, done = tried(few)
    assert (refused.status, refused.words.startswith("trend: ")) == (REFUSED, True)
    assert done.status == DONE


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"space": {"fast": "2,4"}}, "fast: write it as instance.parameter; the instances are trend, swing"),
        ({"space": {"other.fast": "2,4"}}, "other.fast: write it as"),
        ({"space": {"trend.": "2,4"}}, "trend.: write it as"),
        ({"space": {"trend.colour": "red,blue"}}, "trend.colour: ma_cross has no such parameter"),
        ({"space": {"trend.fast": "2,x"}}, "trend.fast: x cannot be"),
        ({"space": {"trend.fast": "2", "trend.slow": "20"}}, "no parameter has more than one value"),
        ({"space": {"trend.quote": "0,5", "swing.quote": "5"}}, "trend.quote: 0 cannot be"),
        ({"is_equal": True, "space": {"trend.quote": "1,5"}}, "shares of the capital are searched for"),
        ({"objectives": ["trend.beauty"]}, "no such objective"),
        ({"objectives": ["trend.fast"]}, "no such objective"),
        ({"conditions": ["fast < slow"]}, "fast is neither"),
        ({"capital": "29999"}, "capital: the instances own 30000 together, and 29999 is all there is"),
        ({"validation": "purged", "method": "tpe"}, "validation"),
        ({"validation": "walk_forward", "folds": 25}, "bars of"),
        ({"space": {"trend.size": "1:400:1", "trend.slow": "2:401:1"}}, "160000 parameter sets are more than 100000"),
    ],
)
def test_what_cannot_be_searched_together_is_named(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused) as refused:
        together(markets(), **changed)
    assert told in str(refused.value)


def test_what_no_account_can_hold_together_is_refused() -> None:
    one, other = markets()
    with pytest.raises(Refused, match="2 are searched, and 1 histories"):
        together([one])
    foreign = replace(other, instrument=replace(other.instrument, quote="EUR"))
    with pytest.raises(Refused, match="instance 2: it is paid in EUR"):
        together([one, foreign])
    instances = [entry.model_dump() for entry in job().instances]
    instances[1]["params"]["colour"] = "red"
    with pytest.raises(Refused, match="swing: ma_cross has no parameter colour"):
        together([one, other], instances=instances)


@pytest.mark.parametrize("name", ["2", "a.b", "a b", "a" * 41, "-a"])
def test_a_name_that_no_parameter_can_carry_is_refused(name: str) -> None:
    instances = [entry.model_dump() for entry in job().instances]
    instances[0]["name"] = name
    with pytest.raises(ValidationError, match=r"instances\.0\.name"):
        job(instances=instances)
    instances[0]["name"] = "swing"
    with pytest.raises(ValidationError, match="two are called swing"):
        job(instances=instances)


def test_a_nameless_instance_is_called_as_its_strategy() -> None:
    assert names_of([("", "grid"), ("", "grid"), ("grid-2", "dca"), ("", "dca")]) == ("grid", "grid-3", "grid-2", "dca")


def test_a_search_that_was_kept_is_known_again() -> None:
    kept = search_of(cross(trending(1, 300)).job, find("ma_cross"), trending(1, 300)).job  # type: ignore[arg-type]
    assert STORED_SEARCH.validate_json(kept.model_dump_json()) == kept
    wanted = job().model_dump(mode="json")
    for number, one in enumerate(wanted["instances"], 1):
        one["history_id"] = number
    stored = STORED_SEARCH.validate_python(wanted)
    assert STORED_SEARCH.validate_json(stored.model_dump_json()) == stored
    assert stored.stage_names == ("all",)
