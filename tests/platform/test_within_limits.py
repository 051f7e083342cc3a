"""A worker that wants to place more at once than its venue takes: nothing is ever refused for coming too often."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.tape import OURS
from tests.platform.world import World, until, world

pytestmark = [pytest.mark.services, pytest.mark.slow]
KEY, SECRET = "key-of-the-patient", "secret-of-the-patient"
#: New orders that the venue takes of an account in ten seconds: fewer than two of the grids want.
LIMIT, GRIDS, LEVELS = 30, 3, 20


def below_the_market(made: World) -> dict[str, object]:
    price = next(Decimal(one["last_price"]) for one in made.venue.get("symbols") if one["symbol"] == "BTCUSDT")
    top = (price * Decimal("0.97")).quantize(Decimal("0.01"))
    return {
        "lower_price": str((top * Decimal("0.7")).quantize(Decimal("0.01"))), "upper_price": str(top),
        "levels": LEVELS, "total_investment": "2000",
    }  # fmt: skip


def test_more_orders_than_the_venue_takes_at_once_are_placed_in_turn_and_none_is_refused(tmp_path: Path) -> None:
    options = ["--market", "generated:7", "--symbols", "BTCUSDT,ETHUSDT", "--speed", "1"]
    options += ["--account", f"{KEY}:{SECRET}:USDT=1000000"]
    with world(tmp_path, f"sqlite:///{tmp_path / 'ares.sqlite3'}", *options) as made:
        made.venue.post(
            "limits", {"market": "spot", "kind": "ORDERS", "interval": "SECOND", "number": 10, "limit": LIMIT}
        )
        account, parameters = made.add_account(KEY, SECRET), below_the_market(made)
        limits = {"capital": {"USDT": "3000"}}
        for _ in range(GRIDS):
            made.add_strategy(account, parameters=parameters, limits=limits, paper=False)
        made.start_worker()
        until(lambda: len(taken(made)) == GRIDS * LEVELS, "every order", 180)
        assert set(taken(made).values()) == {1}
        answers = Counter(line["status"] for line in made.venue.tape("request"))
        assert answers[429] + answers[418] == 0, answers


def taken(made: World) -> Counter[str]:
    """Our orders that the venue took, and how often."""
    orders = made.venue.tape("order")
    return Counter(line["client"] for line in orders if line["execution"] == "NEW" and line["client"].startswith(OURS))
