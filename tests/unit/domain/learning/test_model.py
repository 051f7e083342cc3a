from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.indicators import Memory, new_memory
from domain.learning import layout as lay
from domain.learning import model, numbers, signals, sizing

#: Where the inputs of a proposal lie in these tests.
INPUTS = lay.PAPER_AT + lay.SEEN_INPUTS


def memory_of(inputs: list[float]) -> Memory:
    memory = new_memory(signals.MEMORY)
    memory[INPUTS : INPUTS + lay.INPUTS] = inputs
    return memory


@given(power=some.floats(-30, 30))
def test_the_exponential_is_that_of_the_library_to_the_last_digits(power: float) -> None:
    assert numbers.exponential(power) == pytest.approx(math.exp(power), rel=1e-14)


@given(value=some.floats(1e-9, 1e9))
def test_the_logarithm_is_that_of_the_library_to_the_last_digits(value: float) -> None:
    assert numbers.logarithm(value) == pytest.approx(math.log(value), rel=1e-13, abs=1e-15)


def test_a_coin_costs_the_logarithm_of_two_and_certainty_is_bounded() -> None:
    assert numbers.log_loss(0.5, 1) == pytest.approx(math.log(2))
    assert numbers.chance_of(1_000.0) == 0.999
    assert numbers.chance_of(-1_000.0) == 0.001


def test_a_step_is_the_one_worked_out_by_hand() -> None:
    memory = memory_of([3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    challenger = lay.CHALLENGER
    memory[challenger + lay.SCALED] = 4.0
    memory[challenger + lay.MEANS] = 1.0
    memory[challenger + lay.SPREADS] = 16.0  # of four: a deviation of 2, so that the input is 1 of them from the mean
    weights = challenger + lay.WEIGHTS + lay.BREAKOUT * lay.WEIGHTS_EACH
    memory[weights + 1] = 0.5
    model.step(memory, challenger, lay.BREAKOUT, INPUTS, 1)
    predicted = 1 / (1 + math.exp(-0.5))
    assert memory[weights] == pytest.approx(0.1 * (1 - predicted))
    assert memory[weights + 1] == pytest.approx(0.5 + 0.1 * ((1 - predicted) - 0.002 * 0.5))
    assert memory[weights + 2] == 0.0  # an input that never varied says nothing
    assert memory[challenger + lay.SEEN] == 1.0
    others = [challenger + lay.WEIGHTS + signal * lay.WEIGHTS_EACH for signal in (lay.TREND, lay.SURGE)]
    assert all(memory[one + 1] == 0.0 for one in others)


def test_the_scale_is_the_mean_and_deviation_of_what_was_seen() -> None:
    memory, seen = memory_of([0.0] * lay.INPUTS), [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]
    for value in seen:
        memory[INPUTS] = value
        model.scale(memory, lay.CHALLENGER, INPUTS)
    assert memory[lay.CHALLENGER + lay.MEANS] == pytest.approx(5.0)
    assert model.scaled_input(memory, lay.CHALLENGER, 0, 7.0) == pytest.approx(1.0)  # their deviation is 2
    assert model.scaled_input(memory, lay.CHALLENGER, 0, 1e9) == 4.0


def test_a_model_learns_which_input_tells() -> None:
    memory = memory_of([0.0] * lay.INPUTS)
    for number in range(400):
        tells, noise = (1.0 if number % 2 else -1.0), (1.0 if number % 3 else -1.0)
        memory[INPUTS : INPUTS + 2] = [tells, noise]
        model.scale(memory, lay.CHALLENGER, INPUTS)
        model.step(memory, lay.CHALLENGER, lay.TREND, INPUTS, number % 2)
    memory[INPUTS : INPUTS + 2] = [1.0, -1.0]
    assert model.predict(memory, lay.CHALLENGER, lay.TREND, INPUTS) > 0.9
    memory[INPUTS : INPUTS + 2] = [-1.0, -1.0]
    assert model.predict(memory, lay.CHALLENGER, lay.TREND, INPUTS) < 0.1


def test_a_bin_is_calibrated_by_the_share_that_won_drawn_to_what_was_predicted() -> None:
    memory = new_memory(signals.MEMORY)
    assert model.calibrated(memory, lay.CHAMPION, 0.75) == 0.75
    assert model.trust(memory, lay.CHAMPION, 0.75) == 0.0
    for number in range(60):
        model.calibrate(memory, lay.CHAMPION, 0.75, 1 if number % 4 == 0 else 0)
    at = lay.CHAMPION + lay.CALIBRATION + 7 * lay.BIN_WIDTH
    assert memory[at : at + 3] == [60.0, pytest.approx(0.75), pytest.approx(0.25)]
    assert model.calibrated(memory, lay.CHAMPION, 0.75) == pytest.approx((60 * 0.25 + 20 * 0.75) / 80)
    assert model.trust(memory, lay.CHAMPION, 0.75) == pytest.approx(60 / 80)


def compared(champion: float, challenger: float, is_frozen: int = 0) -> tuple[bool, Memory]:
    memory = new_memory(signals.MEMORY)
    memory[lay.CHALLENGER + lay.WEIGHTS] = 1.5
    said = []
    for _ in range(10):
        model.judge(memory, lay.CHAMPION, champion, 1)
        model.judge(memory, lay.CHALLENGER, challenger, 1)
        model.count_label(memory, 1)
        said.append(model.compare(memory, 10, 5_000, is_frozen))
    assert not any(said[:-1]), "a comparison ends with its last label"
    return said[-1], memory


def test_the_challenger_takes_over_when_its_loss_was_lower_by_the_margin() -> None:
    took_over, memory = compared(0.5, 0.6)
    assert took_over
    assert memory[lay.CHAMPION : lay.MODEL] == memory[lay.CHALLENGER : lay.CHALLENGER + lay.MODEL]
    assert memory[lay.CHAMPION + lay.WEIGHTS] == 1.5
    assert memory[lay.CHALLENGER + lay.LAST_LOSS] == pytest.approx(-math.log(0.6))
    assert memory[lay.PROMOTIONS] == 1.0


@pytest.mark.parametrize(("champion", "challenger"), [(0.6, 0.5), (0.6, 0.6), (0.6, 0.602)])
def test_a_challenger_that_is_no_better_by_the_margin_does_not_take_over(champion: float, challenger: float) -> None:
    took_over, memory = compared(champion, challenger)
    assert not took_over
    assert memory[lay.CHAMPION + lay.WEIGHTS] == 0.0
    assert memory[lay.CHAMPION + lay.LAST_LOSS] == pytest.approx(-math.log(0.6))
    assert memory[lay.CHAMPION + lay.COMPARED] == 0.0, "the next comparison begins anew"


def test_nothing_takes_over_from_a_frozen_champion() -> None:
    took_over, memory = compared(0.5, 0.9, is_frozen=1)
    assert not took_over
    assert memory[lay.PROMOTIONS] == 0.0


def test_an_edge_is_the_mean_in_its_standard_errors_and_few_trades_prove_nothing() -> None:
    memory = new_memory(signals.MEMORY)
    for number in range(19):
        model.judge_taken(memory, lay.CHAMPION, 0.02 if number % 2 else 0.0)
    assert not model.has_proof(memory, lay.CHAMPION, 1)
    assert model.has_proof(memory, lay.CHAMPION, 0), "none is asked for"
    for number in range(19, 100):
        model.judge_taken(memory, lay.CHAMPION, 0.02 if number % 2 else 0.0)
    assert memory[lay.CHAMPION + lay.EDGE_MEAN] == pytest.approx(0.01)
    assert model.edge_in_errors(memory, lay.CHAMPION) == pytest.approx(0.01 / (0.01 / math.sqrt(100)))
    assert model.has_proof(memory, lay.CHAMPION, 9_000_000)
    assert not model.has_proof(memory, lay.CHAMPION, 11_000_000)


def test_leverage_is_the_asked_share_of_what_kelly_found_and_never_above_its_cap() -> None:
    # Even odds of 1 % either way, won 55 times of a hundred: ten times the capital grows fastest.
    assert sizing.leverage_ppm(0.55, 1.0, 0.01, 0.01, 1_000_000, 125_000_000) == pytest.approx(10_000_000, abs=1)
    assert sizing.leverage_ppm(0.55, 0.5, 0.01, 0.01, 250_000, 125_000_000) == pytest.approx(1_250_000, abs=1)
    assert sizing.leverage_ppm(0.55, 1.0, 0.01, 0.01, 1_000_000, 3_000_000) == 3_000_000
    assert sizing.leverage_ppm(0.45, 1.0, 0.01, 0.01, 1_000_000, 3_000_000) == 0


@pytest.mark.parametrize("trusts", [(0.0, 0.1, 0.5, 1.0)])
def test_the_less_of_a_chance_was_seen_the_smaller_the_trade(trusts: tuple[float, ...]) -> None:
    sizes = [sizing.leverage_ppm(0.6, trust, 0.01, 0.01, 250_000, 3_000_000) for trust in trusts]
    assert sizes[0] == 0
    assert all(less <= more for less, more in pairwise(sizes))
