"""A logistic model that learns from one label at a time, judged on predictions made before their labels were known.

The step is stochastic gradient descent with a decaying rate and L2 (L. Bottou, Stochastic Gradient Descent Tricks,
2012); inputs are scaled by running moments (B. P. Welford, 1962); scores are prequential (A. P. Dawid, 1984): predict,
be told, learn. Predictions are calibrated by bins (B. Zadrozny and C. Elkan, 2001), drawn to the model's own word where
a bin has seen little. Two models run: the champion's word counts, the challenger learns on, and takes over when its
loss over the last labels is lower by a margin.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

from domain.indicators import Memory
from domain.lawful import lawful
from domain.learning import layout as lay
from domain.learning.numbers import bounded, chance_of, log_loss

PARTS: Final = 1_000_000
#: A scaled input beyond so many standard deviations counts as that.
FARTHEST: Final = 4.0
#: Labels that a bin's own share has to outweigh.
PRIOR: Final = 20.0
#: What an average remembers at most: beyond so many the oldest fade.
BIN_MEMORY: Final = 200.0
BASE_MEMORY: Final = 500.0
EDGE_MEMORY: Final = 200.0
#: The edge of fewer trades is no edge.
LEAST_TAKEN: Final = 20.0
#: The rate of the first step, and how strongly weights are drawn to 0.
RATE: Final = 0.1
DECAY: Final = 0.002
NOTHING: Final = 1e-9


@lawful
def scaled_input(memory: Memory, model: int, place: int, value: float) -> float:
    """An input in standard deviations from its mean, as the model has seen it; 0 before it has seen it vary."""
    count = memory[model + lay.SCALED]
    if count < 2.0:
        return 0.0
    deviation = sqrt(memory[model + lay.SPREADS + place] / count)
    if deviation < NOTHING:
        return 0.0
    return bounded((value - memory[model + lay.MEANS + place]) / deviation, FARTHEST)


@lawful
def score_of(memory: Memory, model: int, signal: int, inputs: int) -> float:
    """The sum of weights times scaled inputs; `inputs` says where in the memory they lie."""
    weights = model + lay.WEIGHTS + signal * lay.WEIGHTS_EACH
    total = memory[weights]
    for place in range(lay.INPUTS):
        total += memory[weights + 1 + place] * scaled_input(memory, model, place, memory[inputs + place])
    return total


@lawful
def predict(memory: Memory, model: int, signal: int, inputs: int) -> float:
    """The chance that the proposal of a signal wins, before calibration."""
    return chance_of(score_of(memory, model, signal, inputs))


@lawful
def bin_of(chance: float) -> int:
    """Which bin of the calibration a predicted chance falls into."""
    return min(int(chance * lay.BINS), lay.BINS - 1)


@lawful
def calibrated(memory: Memory, model: int, chance: float) -> float:
    """What share of predictions like this one has won, drawn to the prediction where few were seen."""
    at = model + lay.CALIBRATION + bin_of(chance) * lay.BIN_WIDTH
    return (memory[at] * memory[at + 2] + PRIOR * chance) / (memory[at] + PRIOR)


@lawful
def trust(memory: Memory, model: int, chance: float) -> float:
    """From 0 to 1: how much of a calibrated chance was seen rather than claimed."""
    seen = memory[model + lay.CALIBRATION + bin_of(chance) * lay.BIN_WIDTH]
    return seen / (seen + PRIOR)


@lawful
def judge(memory: Memory, model: int, chance: float, label: int) -> None:
    """Take the end of a trade into the loss of what had been predicted for it."""
    memory[model + lay.LOSS] += log_loss(chance, label)
    memory[model + lay.COMPARED] += 1.0


@lawful
def calibrate(memory: Memory, model: int, chance: float, label: int) -> None:
    """Take the end of a trade into the bin of what had been predicted for it."""
    at = model + lay.CALIBRATION + bin_of(chance) * lay.BIN_WIDTH
    count = min(memory[at] + 1.0, BIN_MEMORY)
    memory[at] = count
    memory[at + 1] += (chance - memory[at + 1]) / count
    memory[at + 2] += (label - memory[at + 2]) / count


@lawful
def judge_taken(memory: Memory, model: int, result: float) -> None:
    """Take the result, after costs, of a trade that the model would have taken into its edge."""
    memory[model + lay.TAKEN] += 1.0
    count = min(memory[model + lay.EDGE_COUNT] + 1.0, EDGE_MEMORY)
    before = result - memory[model + lay.EDGE_MEAN]
    memory[model + lay.EDGE_COUNT] = count
    memory[model + lay.EDGE_MEAN] += before / count
    after = result - memory[model + lay.EDGE_MEAN]
    memory[model + lay.EDGE_VARIANCE] += (before * after - memory[model + lay.EDGE_VARIANCE]) / count


@lawful
def edge_in_errors(memory: Memory, model: int) -> float:
    """The mean result of trades that the model would have taken, in standard errors of that mean; 0 of none."""
    count, mean = memory[model + lay.EDGE_COUNT], memory[model + lay.EDGE_MEAN]
    if count < 2.0:
        return 0.0
    error = sqrt(memory[model + lay.EDGE_VARIANCE] / count)
    return mean / max(error, NOTHING)


@lawful
def has_proof(memory: Memory, model: int, proof_ppm: int) -> bool:
    """Whether what the model would have traded has brought so many standard errors more than nothing, after costs.

    Nothing has to be proven when none are asked for.
    """
    if proof_ppm == 0:
        return True
    is_known = memory[model + lay.EDGE_COUNT] >= LEAST_TAKEN and memory[model + lay.EDGE_MEAN] > 0.0
    return is_known and edge_in_errors(memory, model) * PARTS >= proof_ppm


@lawful
def scale(memory: Memory, model: int, inputs: int) -> None:
    """Take inputs into their running means and spreads."""
    count = memory[model + lay.SCALED] + 1.0
    memory[model + lay.SCALED] = count
    for place in range(lay.INPUTS):
        value, at = memory[inputs + place], model + lay.MEANS + place
        before = value - memory[at]
        memory[at] += before / count
        memory[model + lay.SPREADS + place] += before * (value - memory[at])


@lawful
def step(memory: Memory, model: int, signal: int, inputs: int, label: int) -> None:
    """One step down the gradient of the log-loss of this label; the rate falls as labels come, weights are drawn to 0.

    The constant of each signal is not drawn to 0: how often it wins is no complication.
    """
    rate = RATE / (1.0 + RATE * DECAY * memory[model + lay.SEEN])
    error = predict(memory, model, signal, inputs) - label
    weights = model + lay.WEIGHTS + signal * lay.WEIGHTS_EACH
    memory[weights] -= rate * error
    for place in range(lay.INPUTS):
        slope = error * scaled_input(memory, model, place, memory[inputs + place])
        memory[weights + 1 + place] -= rate * (slope + DECAY * memory[weights + 1 + place])
    memory[model + lay.SEEN] += 1.0


@lawful
def count_label(memory: Memory, label: int) -> None:
    """Take a label into the share of wins, and into what predicting nothing but that share would have cost."""
    rate = memory[lay.BASE_RATE] if memory[lay.LABELS] > 0.0 else 0.5
    memory[lay.BASE_LOSS] += log_loss(max(0.01, min(0.99, rate)), label)
    memory[lay.LABELS] += 1.0
    # The first counts as three, so that the share begins near a coin's.
    memory[lay.BASE_RATE] = rate + (label - rate) / min(memory[lay.LABELS] + 2.0, BASE_MEMORY)


@lawful
def compare(memory: Memory, labels: int, margin_ppm: int, is_frozen: int) -> bool:
    """Once so many labels have come, see whose loss was lower; whether the challenger takes over."""
    count = memory[lay.CHAMPION + lay.COMPARED]
    if count < labels:
        return False
    for model in (lay.CHAMPION, lay.CHALLENGER):
        memory[model + lay.LAST_LOSS] = memory[model + lay.LOSS] / count
        memory[model + lay.LOSS] = 0.0
        memory[model + lay.COMPARED] = 0.0
    memory[lay.LAST_BASE_LOSS] = memory[lay.BASE_LOSS] / count
    memory[lay.BASE_LOSS] = 0.0
    better = memory[lay.CHAMPION + lay.LAST_LOSS] - memory[lay.CHALLENGER + lay.LAST_LOSS]
    if is_frozen != 0 or better <= margin_ppm / PARTS:
        return False
    for place in range(lay.MODEL):
        memory[lay.CHAMPION + place] = memory[lay.CHALLENGER + place]
    memory[lay.PROMOTIONS] += 1.0
    return True
