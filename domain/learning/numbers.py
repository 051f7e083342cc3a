"""Exponential and logarithm of the four operations alone: the same bits on every machine, compiled or not."""

from __future__ import annotations

from typing import Final

from domain.lawful import lawful

_LOG2_E: Final = 1.4426950408889634
#: The logarithm of two in two parts: a whole number of times the first is exact.
_LN2_HIGH: Final = 0.6931471803691238
_LN2_LOW: Final = 1.9082149292705877e-10
_LN2: Final = 0.6931471805599453
#: Beyond this a chance is as good as certain.
LARGEST_SCORE: Final = 30.0
#: A prediction never claims more: one that is wrong costs a bounded loss.
LEAST_CHANCE: Final = 0.001


@lawful
def bounded(value: float, bound: float) -> float:
    """The value, no farther from zero than the bound."""
    return max(-bound, min(bound, value))


@lawful
def exponential(power: float) -> float:
    """e to a power between -30 and 30: a power of two times a Taylor series of what is left."""
    power = bounded(power, LARGEST_SCORE)
    twos = int(power * _LOG2_E + 0.5) if power >= 0.0 else -int(0.5 - power * _LOG2_E)
    rest = power - twos * _LN2_HIGH - twos * _LN2_LOW
    total = 1.0
    for term in range(14, 0, -1):
        total = 1.0 + total * rest / term
    return total * (1 << twos) if twos >= 0 else total / (1 << -twos)


@lawful
def logarithm(value: float) -> float:
    """The natural logarithm of a number above zero: halved or doubled to near one, then the series of the inverse
    hyperbolic tangent."""
    twos = 0
    while value > 1.5:
        value = value * 0.5
        twos += 1
    while value < 0.75:
        value = value * 2.0
        twos -= 1
    ratio = (value - 1.0) / (value + 1.0)
    square, total = ratio * ratio, 0.0
    for term in range(21, 0, -2):
        total = total * square + 1.0 / term
    return 2.0 * ratio * total + twos * _LN2


@lawful
def chance_of(score: float) -> float:
    """The logistic function: a score as a chance, never quite 0 or 1."""
    chance = 1.0 / (1.0 + exponential(-score))
    return max(LEAST_CHANCE, min(1.0 - LEAST_CHANCE, chance))


@lawful
def log_loss(chance: float, label: int) -> float:
    """What a predicted chance costs once the label (1 or 0) is known; a coin's 0.5 costs 0.693."""
    return -logarithm(chance if label != 0 else 1.0 - chance)
