from __future__ import annotations

import pytest

from domain.errors import Transient
from engine.market_data.breaker import Breaker, CircuitOpen


class Machine:
    """Machine time that the test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000

    def now_ms(self) -> int:
        return self.seconds * 1_000

    def steady_ns(self) -> int:
        return self.seconds * 1_000_000_000


def opened() -> tuple[Breaker, Machine]:
    machine = Machine()
    breaker = Breaker("venue REST", 5, 60_000, machine)
    for _ in range(5):
        breaker.enter()
        breaker.fail(Transient())
    return breaker, machine


def test_five_failures_in_a_row_open_it_and_four_do_not() -> None:
    breaker = Breaker("venue REST", 5, 60_000, Machine())
    for _ in range(4):
        breaker.enter()
        breaker.fail(Transient())
    assert breaker.state == "closed"
    breaker.enter()
    breaker.succeed()
    for _ in range(4):
        breaker.enter()
        breaker.fail(Transient())
    assert (breaker.state, breaker.opened) == ("closed", 0)
    breaker.enter()
    breaker.fail(Transient())
    assert (breaker.state, breaker.opened) == ("opened", 1)


def test_nothing_passes_for_sixty_seconds() -> None:
    breaker, machine = opened()
    machine.seconds += 59
    assert not breaker.permits()
    with pytest.raises(CircuitOpen, match="left alone after 5 failures"):
        breaker.enter()


def test_then_a_single_request_finds_out_how_things_are() -> None:
    breaker, machine = opened()
    machine.seconds += 60
    assert breaker.permits()
    breaker.enter()
    assert (breaker.state, breaker.permits()) == ("half-opened", False)
    with pytest.raises(CircuitOpen, match="being tried"):
        breaker.enter()
    breaker.succeed()
    assert (breaker.state, breaker.permits()) == ("closed", True)


def test_a_failed_trial_opens_it_for_as_long_again() -> None:
    breaker, machine = opened()
    machine.seconds += 60
    breaker.enter()
    breaker.fail(Transient())
    assert (breaker.state, breaker.opened) == ("opened", 2)
    machine.seconds += 59
    assert not breaker.permits()


def test_a_trial_that_was_given_up_lets_the_next_one_try() -> None:
    breaker, machine = opened()
    machine.seconds += 60
    breaker.enter()
    breaker.give_up()
    breaker.enter()
    breaker.succeed()
    assert breaker.state == "closed"
