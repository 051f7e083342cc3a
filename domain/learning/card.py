"""What was learned, for a person to read: read back from a memory, changing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from domain.indicators import Memory
from domain.learning import layout as lay
from domain.learning import model
from domain.learning.sizing import paper_of

#: What the weights of a signal belong to.
TERMS = ("constant", *lay.INPUTS_TOLD)


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions between two chances: how many count, their mean, and the share of them that won."""

    low: float
    high: float
    count: int
    predicted: float
    won: float


@dataclass(frozen=True, slots=True)
class Term:
    """A number that belongs to an input of the model."""

    input: str
    value: float


@dataclass(frozen=True, slots=True)
class ModelScore:
    """One of the two models."""

    #: Labels it has learned from.
    learned: int
    #: Mean loss of its predictions in the last comparison, and how many labels of the next have come.
    last_loss: float | None
    compared: int
    #: Trades on paper that it would have taken, their mean result after costs as a share, in standard errors of it.
    taken: int
    edge: float
    edge_errors: float
    calibration: tuple[Bin, ...]
    #: Signal -> its weights, the constant first.
    weights: dict[str, tuple[Term, ...]]


@dataclass(frozen=True, slots=True)
class SignalScore:
    """One of the signals: its trades on paper."""

    name: str
    wins: int
    losses: int
    #: Means of what a win brings and a loss costs after costs, as shares of what is traded.
    win: float
    loss: float
    #: The side of the one that is open, 0 for none, and the chance that the champion gave it.
    side: int
    chance: float | None


@dataclass(frozen=True, slots=True)
class Choice:
    """The proposal that was chosen last, and why: what each input added to the score."""

    signal: str
    side: int
    time_ms: int
    chance: float
    expected: float
    contributions: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything that was learned."""

    #: Why nothing is entered, as a code of the strategy's reasons; 0 before it has begun.
    waits: int
    labels: int
    promotions: int
    #: The share of wins among labels, and what predicting that alone has cost in the last comparison.
    base_rate: float
    base_loss: float | None
    champion: ModelScore
    challenger: ModelScore
    signals: tuple[SignalScore, ...]
    choice: Choice | None


def card_of(memory: Memory, waits: int) -> ModelCard:
    """The card of an instance's memory; of one that has not begun to learn it is all zeros."""
    has_compared = memory[lay.CHAMPION + lay.LAST_LOSS] > 0
    return ModelCard(
        waits=waits,
        labels=int(memory[lay.LABELS]),
        promotions=int(memory[lay.PROMOTIONS]),
        base_rate=memory[lay.BASE_RATE],
        base_loss=memory[lay.LAST_BASE_LOSS] if has_compared else None,
        champion=_score(memory, lay.CHAMPION),
        challenger=_score(memory, lay.CHALLENGER),
        signals=tuple(_signal(memory, place) for place in range(lay.GROUPS)),
        choice=_choice(memory),
    )


def _score(memory: Memory, at: int) -> ModelScore:
    bins = range(lay.BINS)
    weights = {}
    for place, name in enumerate(lay.SIGNALS):
        first = at + lay.WEIGHTS + place * lay.WEIGHTS_EACH
        weights[name] = _terms(memory, first)
    last_loss = memory[at + lay.LAST_LOSS]
    return ModelScore(
        learned=int(memory[at + lay.SEEN]),
        last_loss=last_loss if last_loss > 0 else None,
        compared=int(memory[at + lay.COMPARED]),
        taken=int(memory[at + lay.TAKEN]),
        edge=memory[at + lay.EDGE_MEAN],
        edge_errors=model.edge_in_errors(memory, at),
        calibration=tuple(chain.from_iterable(_bin(memory, at, place) for place in bins)),
        weights=weights,
    )


def _bin(memory: Memory, at: int, place: int) -> tuple[Bin, ...]:
    """A bin that has seen something."""
    count, predicted, won = memory[at + lay.CALIBRATION + place * lay.BIN_WIDTH :][: lay.BIN_WIDTH]
    return (Bin(place / lay.BINS, (place + 1) / lay.BINS, int(count), predicted, won),) if count > 0 else ()


def _signal(memory: Memory, place: int) -> SignalScore:
    at = paper_of(place)
    side = int(memory[at + lay.SIDE])
    return SignalScore(
        name=lay.SIGNALS[place],
        wins=int(memory[at + lay.WINS]),
        losses=int(memory[at + lay.LOSSES]),
        win=memory[at + lay.WIN],
        loss=memory[at + lay.LOSS_EACH],
        side=side,
        chance=model.calibrated(memory, lay.CHAMPION, memory[at + lay.CHANCE]) if side else None,
    )


def _choice(memory: Memory) -> Choice | None:
    chosen = int(memory[lay.CHOSEN])
    if chosen == 0:
        return None
    return Choice(
        signal=lay.SIGNALS[chosen - 1],
        side=int(memory[lay.CHOSEN_SIDE]),
        time_ms=int(memory[lay.CHOSEN_MS]),
        chance=memory[lay.CHOSEN_CHANCE],
        expected=memory[lay.CHOSEN_VALUE],
        contributions=_terms(memory, lay.CONTRIBUTIONS),
    )


def _terms(memory: Memory, first: int) -> tuple[Term, ...]:
    return tuple(Term(name, memory[first + place]) for place, name in enumerate(TERMS))
