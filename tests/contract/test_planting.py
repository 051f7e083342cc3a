"""A bad strategy and a bad venue in one file each: the suites find them, and say what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

import strategies
from core.base_strategy import STRATEGIES
from domain import grid, slots
from domain.events import START, Event, View
from domain.order import BUY, ENTRY, LIMIT
from tests.conftest import ROOT
from tests.contract.test_strategies import checked
from tests.law_harness import Bench

STRATEGIES.scan(strategies)

STRATEGY = """
from core.base_strategy import STRATEGIES, Plan, StrategyKind, StrategyParams
from domain import single
from pydantic import Field

class Params(StrategyParams):
    model_config = {"json_schema_extra": {"examples": [{"size": 1}]}}
    size: int = Field(1, gt=0)

def decide(law, state, memory, view, event, out):
    return single.on_common(state, view, event, out, 0)

STRATEGIES.register("planted")(
    StrategyKind("planted", "Planted", "It does nothing", Params, lambda *_: Plan((1,), 1), decide, {})
)
"""

VENUE = """
from core.base_exchange import EXCHANGES, Capabilities

class Planted:
    name = "another"
    capabilities = Capabilities(market="spot")
    def __init__(self, settings, clock): ...
    async def open(self): raise KeyError("no answer")
    async def close(self): ...
    async def place(self, order, committed_ms): raise TimeoutError

EXCHANGES.register("planted")(Planted)
"""

FOUND = {
    ("planted_strategy.py", STRATEGY): (
        "test_every_field_has_a_title_a_sentence_and_if_it_is_a_number_a_unit_and_a_bound[planted]",
        "test_it_is_told_in_words[planted]",
    ),
    ("planted.py", VENUE): (
        "test_it_is_made_without_touching_the_network_and_says_what_it_can[planted]",
        "test_a_venue_that_does_not_answer_is_told_as_such_and_nothing_is_left_open[planted]",
        "test_what_cannot_be_sent_is_rejected_and_never_raises[planted]",
    ),
}


@pytest.mark.parametrize("file", list(FOUND), ids=lambda file: str(file[0]))
def test_a_planted_file_is_picked_up_by_its_suite_and_its_faults_are_named(
    file: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / file[0]
    path.write_text(file[1])
    command = [sys.executable, "-m", "tests.contract", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    for test in FOUND[file]:
        assert f"FAILED tests/contract/{_suite(file[0])}::{test}" in done.stdout, done.stdout[-3_000:]


def _suite(name: str) -> str:
    return "test_strategies.py" if name.endswith("_strategy.py") else "test_exchanges.py"


Fault = Callable[[list[int], list[int]], int]
_CALLS = count()


def counts_its_calls(state: list[int], out: list[int]) -> int:
    state[slots.OWN] = next(_CALLS)
    return 0


def wishes_without_a_word(state: list[int], out: list[int]) -> int:
    grid.put_wish(state, 0, ENTRY, BUY, LIMIT, 6_000_000, 100)
    return 0


def gives_a_reason_nobody_knows(state: list[int], out: list[int]) -> int:
    grid.put_wish(state, 0, ENTRY, BUY, LIMIT, 6_000_000, 100)
    return grid.note(out, 0, 0, 999)


def wishes_nothing_of_something(state: list[int], out: list[int]) -> int:
    grid.put_wish(state, 0, ENTRY, BUY, LIMIT, 6_000_000, 0)
    return grid.note(out, 0, 0, 1)


def counts_in_fractions(state: list[int], out: list[int]) -> int:
    state[slots.OWN] = 0.5  # type: ignore[call-overload]
    return 0


def grows(state: list[int], out: list[int]) -> int:
    state.append(0)
    return 0


FAULTS: dict[Fault, str] = {
    counts_its_calls: "another output",
    wishes_without_a_word: "without a word",
    gives_a_reason_nobody_knows: "reasons without words",
    wishes_nothing_of_something: "no order the venue takes",
    counts_in_fractions: "float",
    grows: "len",
}


@pytest.mark.parametrize("fault", list(FAULTS), ids=lambda fault: str(fault.__name__))
def test_a_decision_that_breaks_the_contract_is_caught(fault: Fault) -> None:
    kind = STRATEGIES.get("rsi")

    def decide(law: object, state: list[int], memory: object, view: View, event: Event, out: list[int]) -> int:
        return fault(state, out)

    bench = Bench(checked(replace(kind, decide=decide)), kind.example(), 6_000_000)
    with pytest.raises(AssertionError, match=FAULTS[fault]):
        bench.tell(START)
