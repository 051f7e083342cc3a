from __future__ import annotations

from decimal import Decimal

import pytest

import strategies
from core.base_strategy import STRATEGIES
from domain import events
from domain.indicators import new_memory
from domain.learning import layout as lay
from domain.learning import model, signals
from domain.learning.card import Term, card_of
from tests.law_harness import Bench
from tests.learning_markets import EAGER, PRICE

STRATEGIES.scan(strategies)


def test_the_card_of_what_has_not_begun_is_empty() -> None:
    card = card_of(new_memory(signals.MEMORY), 0)
    assert (card.labels, card.promotions, card.choice, card.base_loss) == (0, 0, None, None)
    assert card.champion.calibration == ()
    assert set(card.champion.weights) == set(lay.SIGNALS)


def test_calibration_and_weights_are_read_from_where_they_were_learned() -> None:
    memory = new_memory(signals.MEMORY)
    for number in range(8):
        model.calibrate(memory, lay.CHALLENGER, 0.62, number % 2)
    memory[lay.CHALLENGER + lay.WEIGHTS + lay.SURGE * lay.WEIGHTS_EACH + lay.INPUTS] = 0.75
    card = card_of(memory, 0)
    assert card.champion.calibration == ()
    (only,) = card.challenger.calibration
    assert (only.low, only.high, only.count) == (0.6, 0.7, 8)
    assert only.predicted == pytest.approx(0.62)
    assert only.won == pytest.approx(0.5)
    assert card.challenger.weights["surge"][-1] == Term("volume", 0.75)
    assert all(term.value == 0.0 for term in card.challenger.weights["trend"])


def test_the_card_says_what_was_chosen_and_what_each_input_added_to_its_score() -> None:
    kind = STRATEGIES.get("self_learning")
    bench = Bench(kind, kind.params(**EAGER), PRICE)
    bench.tell(events.START)
    for number in range(120):
        before = bench.price
        bench.move_to(before + (3_000 if number % 5 else -9_000))
        high, low = max(before, bench.price), min(before, bench.price)
        bench.tell(events.BAR, open=before, high=high, low=low, close=bench.price, volume=1_000)
    assert kind.card is not None
    card = kind.card(bench.instance.state, bench.instance.memory)
    assert card.labels == sum(signal.wins + signal.losses for signal in card.signals) > 10
    assert kind.reasons[card.waits]
    assert card.choice is not None
    assert card.choice.side == 1
    assert card.choice.expected > 0
    assert [term.input for term in card.choice.contributions] == ["constant", *lay.INPUTS_TOLD]
    assert card.promotions > 0
    assert card.champion.last_loss is not None
    assert Decimal(card.champion.last_loss) > 0
