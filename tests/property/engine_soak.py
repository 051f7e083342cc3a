"""Long seeded runs of the engine's state machine, every verb drawn by weight; a failing run is cut down to its core."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from domain import events
from domain.order import CANCELLED, EXPIRED
from domain.outcome import Rejected
from tests.fakes.fake_orders import Lost
from tests.fakes.memory_journal import DOWN, UNKNOWN_KEPT, UNKNOWN_LOST
from tests.property.test_engine_settles_whatever_happens import EngineMachine

Call = tuple[str, dict[str, Any]]

_ANSWERS = (None, Lost(kept=True), Lost(kept=False), Rejected("-2010 refused"))
_BREAKS = (DOWN, UNKNOWN_KEPT, UNKNOWN_LOST)
_MOVES = (-90_000, -31_000, -7_000, 7_000, 31_000, 90_000, 150_000)


def _some(chance: random.Random, choices: tuple[Any, ...]) -> list[Any]:
    return [chance.choice(choices) for _ in range(chance.randint(1, 3))]


#: Verb -> its weight, and how its arguments are drawn.
VERBS: dict[str, tuple[int, Callable[[random.Random], dict[str, Any]]]] = {
    "a_few_steps_of_the_loop": (6, lambda chance: {"count": chance.randint(1, 6)}),
    "time_passes": (6, lambda chance: {"seconds": chance.choice((0.01, 0.6, 2.0, 15.0, 70.0))}),
    "the_next_placements_end_so": (3, lambda chance: {"answers": _some(chance, _ANSWERS)}),
    "the_next_cancels_end_so": (3, lambda chance: {"answers": _some(chance, _ANSWERS)}),
    "an_order_trades": (
        6, lambda chance: {"index": chance.randint(0, 9), "percent": chance.choice((10, 50, 100, 100))}
    ),
    "the_venue_ends_an_order": (
        2, lambda chance: {"index": chance.randint(0, 9), "status": chance.choice((CANCELLED, EXPIRED))}
    ),
    "a_lost_order_arrives": (3, lambda chance: {"index": chance.randint(0, 9)}),
    "the_price_moves": (5, lambda chance: {"delta": chance.choice(_MOVES)}),
    "answers_are_held": (2, lambda chance: {"is_holding": chance.random() < 0.5}),
    "events_are_held": (1, lambda chance: {}),
    "events_come_mixed_and_doubled": (2, lambda chance: {"seed": chance.randint(0, 1_000)}),
    "old_events_come_again": (2, lambda chance: {"count": chance.randint(1, 40)}),
    "the_stream_loses_events": (2, lambda chance: {"is_losing": chance.random() < 0.4}),
    "reads_fail": (1, lambda chance: {"times": chance.randint(1, 4)}),
    "queries_deny_what_exists": (2, lambda chance: {"times": chance.randint(1, 5)}),
    "commits_break": (2, lambda chance: {"faults": _some(chance, _BREAKS)}),
    "the_journal_goes_down_or_comes_back": (2, lambda chance: {"is_down": chance.random() < 0.4}),
    "the_process_dies_and_another_comes": (2, lambda chance: {}),
    "another_process_takes_over": (1, lambda chance: {}),
    "the_instance_is_let_go_and_taken_up_again": (1, lambda chance: {}),
    "a_person_pauses_or_resumes": (
        2, lambda chance: {"verb": chance.choice((events.PAUSE, events.RESUME, events.RESUME))}
    ),
    "a_person_edits": (2, lambda chance: {"number": chance.randint(0, 2)}),
}  # fmt: skip


def drawn(seed: int) -> tuple[dict[str, Any], list[Call]]:
    """The run of a seed: how it begins, and its verbs."""
    chance = random.Random(seed)
    begin = {"kind": chance.choice(("grid", "trailing_grid")), "fee": chance.choice((0, 1_000))}
    names, weights = list(VERBS), [weight for weight, _ in VERBS.values()]
    calls: list[Call] = []
    for _ in range(chance.randint(5, 40)):
        name = chance.choices(names, weights)[0]
        calls.append((name, VERBS[name][1](chance)))
    return begin, calls


def play(begin: dict[str, Any], calls: list[Call]) -> Exception | None:
    """What went wrong in a run; None when everything held and settled."""
    machine = EngineMachine()
    try:
        machine.begin(**begin)
        machine.what_must_always_hold()
        for name, arguments in calls:
            getattr(machine, name)(**arguments)
            machine.what_must_always_hold()
        machine.end()
    except Exception as error:  # noqa: BLE001 - any failure is a finding
        return error
    finally:
        machine.world.close()
    return None


def cut_down(begin: dict[str, Any], calls: list[Call]) -> list[Call]:
    """A shorter run that still fails."""
    size = max(len(calls) // 2, 1)
    while size:
        at = 0
        while at < len(calls):
            shorter = calls[:at] + calls[at + size :]
            if play(begin, shorter) is not None:
                calls = shorter
            else:
                at += size
        size //= 2
    return calls


def told(begin: dict[str, Any], calls: list[Call], error: Exception) -> str:
    """A failing run in words, ready to be played again."""
    lines = [f"play({begin!r}, ["] + [f"    ({name!r}, {arguments!r})," for name, arguments in calls] + ["])"]
    return "\n".join([*lines, f"{type(error).__name__}: {error}"])
