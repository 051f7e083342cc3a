"""What a prediction is worth: the expected result of a trade, and the part of the capital that it deserves."""

from __future__ import annotations

from typing import Final

from domain.events import View
from domain.indicators import Memory
from domain.lawful import lawful
from domain.learning import layout as lay
from domain.learning import model
from domain.learning.terms import Terms
from domain.proportion import scaled

PARTS: Final = 1_000_000
#: Trades that what was seen has to outweigh what the exits promise.
PRIOR: Final = 10.0
#: What an average remembers at most.
REMEMBERS: Final = 200.0


@lawful
def paper_of(signal: int) -> int:
    """Where the trade on paper of a signal lies."""
    return lay.PAPER_AT + signal * lay.PAPER


@lawful
def count_result(memory: Memory, signal: int, result: float) -> None:
    """Take a result after costs, as a share of what was traded, into what a win brings or a loss costs."""
    at = paper_of(signal) + (lay.WINS if result > 0.0 else lay.LOSSES)
    count = memory[at] + 1.0
    memory[at] = count
    memory[at + 1] += (abs(result) - memory[at + 1]) / min(count, REMEMBERS)


@lawful
def win_of(memory: Memory, signal: int, take_ppm: int, cost_ppm: int) -> float:
    """What a win of a signal brings after costs: as seen, drawn to its take profit where few were seen."""
    at = paper_of(signal)
    seen = min(memory[at + lay.WINS], REMEMBERS)
    return (seen * memory[at + lay.WIN] + PRIOR * (take_ppm - cost_ppm) / PARTS) / (seen + PRIOR)


@lawful
def loss_of(memory: Memory, signal: int, stop_ppm: int, cost_ppm: int) -> float:
    """What a loss of a signal costs: as seen, drawn to its stop where few were seen."""
    at = paper_of(signal)
    seen = min(memory[at + lay.LOSSES], REMEMBERS)
    return (seen * memory[at + lay.LOSS_EACH] + PRIOR * (stop_ppm + cost_ppm) / PARTS) / (seen + PRIOR)


@lawful
def value_of(chance: float, win: float, loss: float) -> float:
    """The expected result of a trade after costs, as a share of what is traded."""
    return chance * win - (1.0 - chance) * loss


@lawful
def leverage_ppm(chance: float, trust: float, win: float, loss: float, kelly_ppm: int, most_ppm: int) -> int:
    """How many times the capital to trade, in parts per million: the share of Kelly's optimum that is asked for.

    The optimum of a bet that brings `win` or costs `loss` per unit traded is chance / loss - (1 - chance) / win times
    the capital (J. L. Kelly, 1956; E. O. Thorp, 2006). It is scaled by the trust in the chance.
    """
    optimum = chance / loss - (1.0 - chance) / win
    parts = optimum * trust * kelly_ppm
    return int(max(0.0, min(parts, float(most_ppm))))


@lawful
def lots_of(memory: Memory, terms: Terms, view: View, signal: int, ticks: int) -> int:
    """Lots that a chosen proposal deserves at the price it was made at; 0 when that is less than the venue takes.

    Where there is no margin, what is paid for is there. The price is the bar's and not the last one, which depends on
    how soon the bar is told.
    """
    if ticks <= 0:
        return 0
    raw = memory[paper_of(signal) + lay.CHANCE]
    chance, trusted = model.calibrated(memory, lay.CHAMPION, raw), model.trust(memory, lay.CHAMPION, raw)
    win, loss = win_of(memory, signal, terms.take, terms.cost), loss_of(memory, signal, terms.stop, terms.cost)
    most = terms.max_leverage if view.is_margin != 0 else 1
    parts = leverage_ppm(chance, trusted, win, loss, terms.kelly, most * PARTS)
    worth = scaled(terms.stake, parts, PARTS)
    if view.is_margin == 0:
        worth = min(worth, scaled(max(view.free_quote, 0), PARTS - terms.cost, PARTS))
    lots = min(worth // (ticks * view.tick_lot), view.max_lots)
    is_small = lots < view.min_lots or lots * ticks * view.tick_lot < view.min_notional
    return 0 if is_small else lots
