from __future__ import annotations

import pytest

from domain.errors import AresError, Broken, Refused, Transient, Unknown
from domain.outcome import Accepted, Rejected, is_settled, outcome_of_failure
from domain.outcome import Unknown as UnknownOutcome


class InsufficientFunds(Refused):
    """The account does not hold enough.

    Not part of the message.
    """


class SilentlyBroken(Broken): ...


def test_the_first_line_of_the_docstring_is_the_default_message() -> None:
    assert str(InsufficientFunds()) == "The account does not hold enough."


def test_words_given_replace_the_default_message() -> None:
    assert str(InsufficientFunds("3 BTC are missing.")) == "3 BTC are missing."


def test_a_class_without_a_docstring_speaks_like_its_parent() -> None:
    assert str(SilentlyBroken()) == str(Broken())


def test_every_error_has_a_stable_code_from_its_name() -> None:
    codes = [kind.code for kind in (AresError, Refused, Transient, Unknown, Broken, InsufficientFunds)]
    assert codes == ["ares_error", "refused", "transient", "unknown", "broken", "insufficient_funds"]


def test_a_request_that_never_left_is_rejected_whatever_happened() -> None:
    assert outcome_of_failure(Transient(), request_left=False) == Rejected(str(Transient()))
    assert outcome_of_failure(RuntimeError("no route"), request_left=False) == Rejected("no route")


@pytest.mark.parametrize("error", [Transient(), Unknown(), Broken(), TimeoutError(), ValueError("odd answer")])
def test_anything_but_a_refusal_after_the_request_left_is_unknown(error: Exception) -> None:
    outcome = outcome_of_failure(error, request_left=True)
    assert isinstance(outcome, UnknownOutcome)
    assert type(error).__name__ in outcome.cause
    assert not is_settled(outcome)


def test_a_refusal_of_the_venue_settles_the_order() -> None:
    outcome = outcome_of_failure(InsufficientFunds(), request_left=True)
    assert outcome == Rejected("The account does not hold enough.")
    assert is_settled(outcome)
    assert is_settled(Accepted("42"))
