"""Trades on paper, worked out by hand: a label is what became of a proposal by the strategy's own exits."""

from __future__ import annotations

import pytest

from domain import events
from domain.events import Event
from domain.indicators import Memory, new_memory
from domain.learning import layout as lay
from domain.learning import paper, signals, sizing
from domain.learning.terms import Terms

TERMS = Terms(
    trend_bars=8, range_bars=4, take=20_000, stop=10_000, horizon=3, counter_trend=0, cost=2_000, allows_short=1,
    confidence=0, min_samples=0, proof=0, stake=10**11, kelly=250_000, max_leverage=3, emergency=200_000, compared=10,
    margin=0, is_frozen=0,
)  # fmt: skip
ENTRY = 1_000_000
#: In the memory of a market that goes up: a trade of the trend, long, keeps its premise.
RISING = {signals.COUNT: 20.0, signals.FAST: 1_020_000.0, signals.SLOW: 1_000_000.0, signals.RANGE: 10_000.0}


def traded(side: int = 1) -> Memory:
    memory = new_memory(signals.MEMORY)
    for place, value in RISING.items():
        memory[place] = value
    at = sizing.paper_of(lay.TREND)
    memory[at + lay.SIDE], memory[at + lay.ENTRY], memory[at + lay.SERIAL] = float(side), float(ENTRY), 1.0
    memory[at + lay.CHANCE] = memory[at + lay.CHALLENGER_CHANCE] = 0.5
    memory[at + lay.TAKEN_BY] = 1.0
    if side < 0:
        memory[signals.FAST] = 980_000.0
    return memory


def bar(opened: int, high: int, low: int, close: int) -> Event:
    return Event(events.BAR, 60_000, open=opened, high=high, low=low, close=close, volume=1)


QUIET = bar(ENTRY, ENTRY + 100, ENTRY - 100, ENTRY + 50)


@pytest.mark.parametrize(
    ("side", "closed", "why", "result"),
    [
        (1, bar(ENTRY, 1_020_000, 995_000, 1_019_000), paper.TAKE_PROFIT, 0.02 - 0.002),
        (1, bar(ENTRY, 1_000_500, 990_000, 991_000), paper.STOP_LOSS, -0.01 - 0.002),
        (1, bar(ENTRY, 1_030_000, 980_000, 1_010_000), paper.STOP_LOSS, -0.01 - 0.002),
        (1, bar(970_000, 975_000, 960_000, 972_000), paper.STOP_LOSS, -0.03 - 0.002),
        (-1, bar(ENTRY, 1_005_000, 980_000, 985_000), paper.TAKE_PROFIT, 0.02 - 0.002),
        (-1, bar(ENTRY, 1_010_000, 995_000, 1_001_000), paper.STOP_LOSS, -0.01 - 0.002),
        (-1, bar(1_040_000, 1_050_000, 1_030_000, 1_045_000), paper.STOP_LOSS, -0.04 - 0.002),
    ],
    ids=["take", "stop", "both in one bar", "a gap", "short take", "short stop", "a gap against a short"],
)
def test_a_trade_ends_where_its_exits_are(side: int, closed: Event, why: int, result: float) -> None:
    memory = traded(side)
    paper.follow(memory, TERMS, closed)
    at = sizing.paper_of(lay.TREND)
    assert memory[at + lay.SIDE] == 0.0
    assert memory[at + lay.ENDED_BY] == why
    won = result > 0
    assert memory[at + (lay.WINS if won else lay.LOSSES)] == 1.0
    assert memory[at + (lay.WIN if won else lay.LOSS_EACH)] == pytest.approx(abs(result))
    assert memory[lay.CHAMPION + lay.EDGE_MEAN] == pytest.approx(result)
    assert memory[lay.CHALLENGER + lay.TAKEN] == 0.0, "the challenger would not have traded it"
    assert memory[lay.LABELS] == 1.0
    constant = memory[lay.CHALLENGER + lay.WEIGHTS]
    assert constant == pytest.approx(0.05 if won else -0.05), "half a chance away from what came, times the rate"


def test_a_trade_that_reaches_nothing_ends_at_its_horizon_for_what_it_is_worth() -> None:
    memory, at = traded(), sizing.paper_of(lay.TREND)
    for _ in range(2):
        paper.follow(memory, TERMS, QUIET)
        assert paper.is_open(memory, lay.TREND, 1)
    paper.follow(memory, TERMS, bar(ENTRY, 1_006_000, 999_000, 1_005_000))
    assert memory[at + lay.ENDED_BY] == paper.HORIZON
    assert memory[at + lay.WIN] == pytest.approx(0.005 - 0.002)
    assert not paper.is_open(memory, lay.TREND, 1)


def test_a_trade_ends_when_its_premise_is_gone() -> None:
    memory, at = traded(), sizing.paper_of(lay.TREND)
    memory[signals.FAST] = 999_000.0
    paper.follow(memory, TERMS, QUIET)
    assert memory[at + lay.ENDED_BY] == paper.PREMISE_GONE
    assert memory[at + lay.LOSS_EACH] == pytest.approx(0.002 - 0.00005)


def test_a_trade_ends_when_the_trend_has_turned_by_so_much_against_it() -> None:
    memory, at = traded(), sizing.paper_of(lay.TREND)
    memory[at + lay.SEEN_INPUTS] = 5.1  # ranges in its favour when it was entered; there are two now
    paper.follow(memory, TERMS._replace(counter_trend=3_200_000), QUIET)
    assert paper.is_open(memory, lay.TREND, 1)
    paper.follow(memory, TERMS._replace(counter_trend=3_000_000), QUIET)
    assert memory[at + lay.ENDED_BY] == paper.COUNTER_TREND


def test_a_frozen_model_is_judged_and_learns_nothing() -> None:
    memory = traded()
    paper.follow(memory, TERMS._replace(is_frozen=1), bar(ENTRY, 1_020_000, 995_000, 1_019_000))
    assert memory[lay.CHALLENGER + lay.WEIGHTS] == 0.0
    assert memory[lay.CHALLENGER + lay.SCALED] == 0.0
    assert not any(memory[lay.CHAMPION + lay.CALIBRATION : lay.MODEL])
    assert memory[sizing.paper_of(lay.TREND) + lay.WINS] == 0.0
    assert memory[lay.CHAMPION + lay.TAKEN] == 1.0


def test_the_best_bid_is_chosen_and_none_while_another_is_open() -> None:
    memory = new_memory(signals.MEMORY)
    for place, value in RISING.items():
        memory[place] = value
    memory[signals.LONG_RANGE] = 10_000.0
    memory[signals.CLOSE] = 1_021_000.0  # above the range: the trend and the breakout both propose to buy
    memory[signals.HIGHEST], memory[signals.LOWEST], memory[signals.RSI] = 1_019_000.0, 990_000.0, 20.0
    memory[signals.RSI + 2] = memory[signals.RSI + 3] = 1.0
    memory[lay.CHAMPION + lay.WEIGHTS + lay.BREAKOUT * lay.WEIGHTS_EACH] = 1.0
    closed = bar(1_020_000, 1_021_000, 1_019_500, 1_021_000)
    assert paper.propose(memory, TERMS, closed) == 1 + lay.BREAKOUT
    assert [memory[sizing.paper_of(signal) + lay.SIDE] for signal in range(lay.GROUPS)] == [1.0, 0.0, 1.0, 0.0]
    assert memory[lay.CHOSEN_CHANCE] == pytest.approx(0.7310585786)
    assert memory[lay.CONTRIBUTIONS] == 1.0
    memory[sizing.paper_of(lay.TREND) + lay.SIDE] = 0.0
    assert paper.propose(memory, TERMS, closed) == 0, "what it chose before is still open"
    assert memory[sizing.paper_of(lay.TREND) + lay.SIDE] == 1.0, "it is followed all the same"


def test_nothing_is_chosen_without_confidence_or_an_expected_result_above_the_costs() -> None:
    memory = new_memory(signals.MEMORY)
    for place, value in RISING.items():
        memory[place] = value
    at = sizing.paper_of(lay.TREND)
    assert paper.value(memory, TERMS, lay.CHAMPION, lay.TREND, 0.5) == pytest.approx(0.5 * 0.018 - 0.5 * 0.012)
    assert paper.value(memory, TERMS._replace(confidence=510_000), lay.CHAMPION, lay.TREND, 0.5) < 0
    memory[at + lay.LOSSES], memory[at + lay.LOSS_EACH] = 10.0, 0.03  # its losses were larger than its stop
    assert paper.value(memory, TERMS, lay.CHAMPION, lay.TREND, 0.5) == pytest.approx(0.5 * 0.018 - 0.5 * 0.021)


@pytest.mark.parametrize("allows_short", [0, 1])
def test_only_what_may_be_traded_is_followed(allows_short: int) -> None:
    memory = new_memory(signals.MEMORY)
    for place, value in {**RISING, signals.FAST: 980_000.0, signals.LONG_RANGE: 10_000.0}.items():
        memory[place] = value
    memory[signals.CLOSE] = memory[signals.HIGHEST] = memory[signals.LOWEST] = 980_000.0
    memory[signals.RSI], memory[signals.RSI + 2], memory[signals.RSI + 3] = 20.0, 1.0, 1.0
    paper.propose(memory, TERMS._replace(allows_short=allows_short), bar(980_000, 980_000, 980_000, 980_000))
    assert memory[sizing.paper_of(lay.TREND) + lay.SIDE] == -allows_short
