"""What a result says of how it came about, beside its figures."""

from __future__ import annotations

from datetime import datetime

from domain.sentences import Sentence, say


def book_passed_over(model: str) -> Sentence:
    """The history has a recorded book, and this model of fills does not look at it."""
    return say(
        "book_not_looked_at", "the recorded book was not looked at: fill_model {model} is of trades alone", model=model
    )


def liquidated(moment: datetime) -> Sentence:
    """The venue has closed the position, and with it the run."""
    when = f"{moment:%Y-%m-%d %H:%M}"
    return say("liquidated_at", "liquidated at {moment}: nothing was traded afterwards", moment=when)


def interpreted(kind: str, error: Exception) -> Sentence:
    """The strategy's law uses what cannot be compiled."""
    why = str(error).splitlines()[0]
    return say("was_interpreted", "{kind} does not compile and was interpreted: {why}", kind=kind, why=why)


def too_wide(symbol: str, kind: str) -> Sentence:
    """Amounts may not fit the integers of the compiled runtime."""
    return say(
        "too_wide_to_compile",
        "{symbol}: its largest position, or the capital, needs more than 64 bits in the venue's finest "
        "units, so {kind} was interpreted; lower max_position.",
        symbol=symbol,
        kind=kind,
    )
