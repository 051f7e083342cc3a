from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

import strategies
from core.base_strategy import STRATEGIES
from core.editions import LAW, UNTOLD, Edition, edition, parse
from domain import events
from domain.client_order_id import OrderKey, encode
from tests.law_harness import Bench

GRID = {"lower_price": "50000", "upper_price": "70000", "levels": 10, "total_investment": "5000"}
#: Of `named_orders` under each version of the law that ever traded.
DIGESTS = {1: "37907aa1464258d0"}


def named_orders() -> list[Any]:
    """Names, places and prices of what a grid wishes as the price goes down and up again."""
    STRATEGIES.scan(strategies)
    kind = STRATEGIES.get("grid")
    bench = Bench(kind, kind.params.model_validate(GRID), 6_000_000)
    bench.tell(events.START)
    seen: dict[str, tuple[int, ...]] = {}
    for price in (6_000_000, 5_700_000, 5_400_000, 6_100_000, 6_600_000):
        bench.move_to(price)
        for order in bench.instance.live_orders():
            seen[order.client_order_id] = (*order.key, order.side, order.ticks, order.lots)
    return sorted(seen.items())


def test_the_version_of_the_law_is_raised_when_orders_get_other_names_or_places() -> None:
    orders = named_orders()
    assert len(orders) > 10
    names = [*orders, encode(OrderKey(1, 2, 3, 4, 5, 6, 7))]
    digest = hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]
    assert DIGESTS[LAW] == digest, "raise LAW in core/editions.py and write this digest beside it"


def test_what_a_worker_tells_of_its_edition_can_be_read_back() -> None:
    mine = edition("0006")
    assert parse(str(mine)) == mine
    assert mine.describe() == f"law {mine.law}, protocol {mine.protocol}, schema 0006"


@pytest.mark.parametrize("words", ["", "nonsense", "1", "1/x/0006", "-1/1/0006", "1/²/0006"])
def test_words_that_are_no_edition_are_older_than_every_one(words: str) -> None:
    assert parse(words) == UNTOLD < Edition(1, 1, "0001")


def test_editions_are_ordered_by_law_protocol_and_schema() -> None:
    ordered = [Edition(1, 1, "0006"), Edition(1, 1, "0007"), Edition(1, 2, "0005"), Edition(2, 1, "0001")]
    assert sorted([*ordered[2:], *ordered[:2]]) == ordered
