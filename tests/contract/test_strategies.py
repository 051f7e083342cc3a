"""What every strategy of the registry must do. A new file in `strategies/` is held to it without a word here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import ValidationError

import strategies
from core.base_strategy import OUT_PAIRS, STRATEGIES, StrategyKind
from domain import events, slots
from domain.errors import Refused
from domain.events import Event, View
from domain.indicators import Memory
from domain.instance import Instance
from domain.order import LIMIT, MARKET
from tests.law_harness import BTCUSDT, Bench

STRATEGIES.scan(strategies)
PRICE = 6_000_000
#: Words that tell in what a number is counted.
UNITS = re.compile(r"asset|price|%|minutes?|bars?|days?|hours?|number|many|index|levels?|times", re.IGNORECASE)
VERBS = [events.PAUSE, events.RESUME, events.EDIT, events.STOP, events.FLATTEN, events.START, events.TIMER]
#: A move of the price in thousands of ticks, and a verb of a person or none.
SCRIPTS = some.lists(
    some.tuples(some.integers(-60, 60), some.sampled_from([*VERBS, *[-1] * 21])), min_size=5, max_size=50
)
VALUES = some.sampled_from(
    [0, 1, 2, 3, 17, 99, 250, 100_000, *map(Decimal, ("0.0000012", "0.001", "0.5", "33.33333", "59000", "61000.005"))]
)
each = pytest.mark.parametrize("name", list(STRATEGIES))


@each
def test_every_field_has_a_title_a_sentence_and_if_it_is_a_number_a_unit_and_a_bound(name: str) -> None:
    schema = STRATEGIES.get(name).schema()
    for field, about in STRATEGIES.get(name).params.model_fields.items():
        assert about.title, f"{field} has no title"
        assert (about.description or "").endswith("."), f"{field} has no sentence that describes it"
        if {"integer", "number"} & _types(schema["properties"][field]):
            assert UNITS.search(f"{about.title} {about.description}"), f"{field} does not say in what it is counted"
            assert any(isinstance(rule, Gt | Ge | Lt | Le) for rule in about.metadata), f"{field} has no bound"


def _types(field: dict[str, Any]) -> set[str]:
    return {part.get("type", "") for part in [field, *field.get("anyOf", [])]}


@each
def test_it_is_told_in_words(name: str) -> None:
    kind = STRATEGIES.get(name)
    assert kind.name == name
    assert kind.title
    assert kind.summary.endswith(".")
    assert kind.reasons
    assert all(code > 0 and words.endswith(".") for code, words in kind.reasons.items())


@each
def test_its_example_can_be_traded(name: str) -> None:
    kind = STRATEGIES.get(name)
    plan = kind.prepare(kind.example(), BTCUSDT, PRICE)
    assert plan.slots >= 1
    numbers = [number for part in plan.params for number in (part if isinstance(part, tuple) else (part,))]
    assert all(type(number) is int for number in numbers)


@each
def test_what_is_out_of_bounds_or_unknown_is_refused_by_name(name: str) -> None:
    kind = STRATEGIES.get(name)
    right = kind.example().model_dump()
    wrong: list[tuple[str, Any]] = [("no_such_field", 1)]
    for field, about in kind.params.model_fields.items():
        wrong += [(field, past) for rule in about.metadata if (past := _past(rule)) is not None]
    for field, value in wrong:
        with pytest.raises(ValidationError) as refused:
            kind.params(**{**right, field: value})
        assert {error["loc"][0] for error in refused.value.errors()} == {field}


def _past(rule: object) -> Any:
    """The nearest whole number that breaks a bound."""
    match rule:
        case Gt(gt=bound) | Lt(lt=bound):
            return bound
        case Ge(ge=bound):
            return Decimal(str(bound)) - 1
        case Le(le=bound):
            return Decimal(str(bound)) + 1
    return None


@each
@settings(max_examples=60)
@given(changes=some.lists(some.tuples(some.integers(0, 30), VALUES), min_size=1, max_size=3))
def test_parameters_that_do_not_fit_together_are_refused_by_name(name: str, changes: list[tuple[int, Any]]) -> None:
    kind = STRATEGIES.get(name)
    fields = list(kind.params.model_fields)
    wanted = kind.example().model_dump() | {fields[at % len(fields)]: value for at, value in changes}
    try:
        params = kind.params(**wanted)
    except ValidationError:
        return
    refusal = ""
    try:
        kind.prepare(params, BTCUSDT, PRICE)
    except Refused as refused:
        refusal = str(refused)
    assert refusal.partition(":")[0] in ["", *fields], f"{refusal} names no field"


def checked(kind: StrategyKind) -> StrategyKind:
    """The same strategy, every decision of it held to the contract."""

    def decide(law: Any, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
        before, again = list(state), (list(state), list(memory), list(out))
        given_ = deepcopy((law, view, event))
        count = kind.decide(law, state, memory, view, event, out)
        assert kind.decide(law, again[0], again[1], view, event, again[2]) == count
        assert (again[0], again[2]) == (state, out), "the same input gave another output"
        assert [repr(value) for value in again[1]] == [repr(value) for value in memory]
        assert (law, view, event) == given_, "what it was only to look at has changed"
        assert len(state) == len(before), "its len has changed"
        assert {type(value) for value in state} <= {int}, f"its state holds {sorted({type(v).__name__ for v in state})}"
        assert all(abs(value) < 2**62 for value in state)
        assert not any(math.isinf(value) for value in memory)
        assert 0 <= count <= OUT_PAIRS
        noted = {out[2 * place] for place in range(count)}
        reasons = {out[2 * place + 1] for place in range(count)}
        assert reasons <= set(kind.reasons), f"reasons without words: {reasons - set(kind.reasons)}"
        _check_wishes(before, state, view, noted | ({event.slot} if event.kind == events.ORDER_DONE else set()))
        return count

    return replace(kind, decide=decide)


def _check_wishes(before: list[int], state: list[int], view: View, told: set[int]) -> None:
    for slot in range(slots.count_of(state)):
        wish = slots.wish_of(state, slot)
        if wish == slots.wish_of(before, slot):
            continue
        moved = wish[3:] != slots.wish_of(before, slot)[3:]
        assert not moved or slot in told, f"the wish of slot {slot} changed without a word"
        if wish.side:
            assert wish.side in (1, -1)
            assert max(view.min_lots, 1) <= wish.lots <= view.max_lots, f"{wish} is no order the venue takes"
            assert wish.type != LIMIT or 0 < wish.ticks <= BTCUSDT.max_ticks
            assert wish.type != MARKET or wish.ticks == 0


def play(
    bench: Bench, script: list[tuple[int, int]], between: Callable[[Bench], None] = lambda _: None
) -> list[tuple[Any, ...]]:
    """Play moves and verbs; gives the state, the memory and the orders after each."""
    bench.tell(events.START)
    seen = []
    for move, verb in script:
        before = bench.price
        bench.move_to(max(bench.price + move * 1_000, 500_000))
        high, low = max(before, bench.price), min(before, bench.price)
        if bench.plan.wants_bars:
            bench.tell(events.BAR, open=before, high=high, low=low, close=bench.price, volume=1)
        if verb >= 0:
            bench.tell(verb)
        orders = sorted(bench.instance.orders.values(), key=lambda order: order.key)
        seen.append((list(bench.instance.state), [repr(value) for value in bench.instance.memory], orders))
        between(bench)
    return seen


def bench_of(name: str, seed: int = 0, partial: bool = False) -> Bench:
    kind = STRATEGIES.get(name)
    return Bench(checked(kind), kind.example(), PRICE, seed=seed, partial=partial)


@each
@settings(max_examples=25)
@given(script=SCRIPTS, seed=some.integers(0, 99), partial=some.booleans())
def test_it_decides_purely_wishes_what_can_be_traded_and_survives_what_may_happen(
    name: str, script: list[tuple[int, int]], seed: int, partial: bool
) -> None:
    bench = bench_of(name, seed, partial)
    play(bench, script)
    assert bench.held() == bench.instance.position.lots


@each
@settings(max_examples=15)
@given(script=SCRIPTS, seed=some.integers(0, 99), partial=some.booleans())
def test_restarted_after_every_step_it_does_what_it_would_have_done(
    name: str, script: list[tuple[int, int]], seed: int, partial: bool
) -> None:
    assert play(bench_of(name, seed, partial), script, restart) == play(bench_of(name, seed, partial), script)


def restart(bench: Bench) -> None:
    """Another process takes the instance up: it has what the journal has."""
    old = bench.instance
    new = Instance(
        1, 1, 0, bench.instrument, bench.kind.decide, bench.kind.prepare(bench.params, BTCUSDT, PRICE).params
    )
    new.state, new.memory = list(old.state), list(old.memory)
    for order in old.orders.values():
        new.track(order)
    new.executions, new.fees, new.trades = old.executions, dict(old.fees), old.trades
    new._booked = set(old._booked)
    bench.instance = new
