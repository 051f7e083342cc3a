"""The same orders on the same prices, by REST at the simulated venue and in the backtester, to the last unit.

Compared are every execution with its fee and its profit, every funding, the refusals, the moment, price and loss of a
liquidation, and at the end the wallet, the margin, and the price of a liquidation still to come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from domain.order import STOP
from engine.backtest.futures import Tier
from tests.parity.futures_run import Account, Customer, Ending, Market, Move, account, backtested, drive, market
from tests.placing import Step
from tests.simulator_process import simulator_process

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]


class Pair:
    """An account in the backtester and at the venue."""

    def __init__(self, one: Account, customer: Customer) -> None:
        self.account = one
        self.customer = customer
        self.mine: list[Move] = []
        self.my_end: Ending | None = None
        self.refusals = 0
        self.steps: Sequence[Step] = one.steps

    def test(self, happened: Market, fill_model: str, tiers: Sequence[Tier]) -> None:
        """Replay it. What is sent after a liquidation is not sent: the replay has ended."""
        self.mine, self.my_end, result = backtested(self.account, happened, tiers, fill_model)
        self.refusals = result.figures.refusals
        over = result.figures.liquidated_ms
        self.steps = [step for step in self.account.steps if not over or step.at_ms < over]


def both(
    folder: Path, happened: Market, accounts: Sequence[Account], fill_model: str, is_thin: bool = False
) -> Counter[str]:
    """Compare; gives how often what has happened."""
    counted: Counter[str] = Counter()
    with simulator_process(folder, *happened.write(folder)) as venue:
        pairs = [Pair(one, Customer(venue, f"customer-{number}", one)) for number, one in enumerate(accounts)]
        tiers = pairs[0].customer.tiers(folder)
        for pair in pairs:
            pair.test(happened, fill_model, tiers)
        drive(venue, happened, [(pair.customer, pair.steps) for pair in pairs])
        tape = venue.tape()
        for pair in pairs:
            theirs, one = pair.customer.moves(tape), pair.account
            for here, there in zip(pair.mine, theirs, strict=False):
                assert here.is_like(there, is_thin), (one, here, there)
            assert len(pair.mine) == len(theirs), one
            assert pair.my_end == pair.customer.ending(), one
            # The venue takes a stop that has nothing to close, and the backtester refuses it.
            needless = pair.refusals - pair.customer.refusals
            assert needless == 0 or (needless == 1 and pair.steps[-1].leg == STOP), one
            counted.update(move.what for move in theirs)
            counted.update(insured=sum(1 for move in theirs if move.insured), refused=pair.customer.refusals)
    return counted


@pytest.mark.parametrize("fill_model", ["through", "queue"])
def test_margin_funding_fees_and_liquidations_are_those_of_the_simulated_venue(tmp_path: Path, fill_model: str) -> None:
    happened = market(3, 120)
    counted = both(tmp_path, happened, [account(number, happened.prints) for number in range(16)], fill_model)
    print(fill_model, dict(counted))  # shown with -s
    assert min(counted[what] for what in ("fill", "funding", "liquidation", "refused")) > 0


def test_a_book_thinner_than_a_position_costs_a_liquidated_account_no_more_than_its_margin(tmp_path: Path) -> None:
    # The fee of a liquidation takes what is left at any price, as long as it is more than the maintenance margin.
    happened = market(3, 120, lots=1_500)
    accounts = [account(number, happened.prints) for number in range(16)]
    without = [replace(one, steps=tuple(step for step in one.steps if step.leg != STOP)) for one in accounts]
    counted = both(tmp_path, happened, without, "through", is_thin=True)
    assert counted["liquidation"] > 0


@pytest.mark.acceptance
@pytest.mark.parametrize("fill_model", ["touch", "through", "queue"])
@pytest.mark.parametrize("seed", range(100, 110))
def test_so_are_those_of_many_markets(tmp_path: Path, seed: int, fill_model: str) -> None:
    happened = market(seed, 400)
    accounts = [account(1_000 * seed + number, happened.prints) for number in range(100)]
    print(seed, fill_model, dict(both(tmp_path, happened, accounts, fill_model)))  # shown with -s
