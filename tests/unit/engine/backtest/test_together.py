from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy
import pytest

import strategies
from core.base_strategy import STRATEGIES
from domain import ledger
from domain.errors import Refused
from engine.backtest import History, Settings, run
from engine.backtest.futures import Futures
from engine.backtest.together import Member, Together, run_together, shared
from tests.histories import MINUTE, chance, flat_then
from tests.two_sided import TWO_SIDED, Params

STRATEGIES.scan(strategies)
GRID = STRATEGIES.get("grid")
TWO_LEVELS: dict[str, Any] = {
    "lower_price": Decimal(59_000), "upper_price": Decimal(61_000), "levels": 2, "spacing": "arithmetic",
    "quantity_per_level": Decimal("0.01"),
}  # fmt: skip
LEVELS = GRID.params(**TWO_LEVELS)
SETTINGS = Settings(quote=Decimal(3_000), fee_asset="quote", runtime="interpreted")


def of(history: History, symbol: str, base: str) -> History:
    return replace(history, instrument=replace(history.instrument, symbol=symbol, base=base))


def test_two_on_two_symbols_and_one_capital_add_up_to_the_last_unit() -> None:
    there_and_back = flat_then(5_950_000, 5_890_000, 6_010_000)
    later = replace(flat_then(5_950_000, 5_890_000), open_ms=there_and_back.open_ms[1:] + MINUTE)
    members = [
        Member(GRID, LEVELS, there_and_back, SETTINGS),
        Member(GRID, LEVELS, of(later, "ETHUSDT", "ETH"), replace(SETTINGS, quote=Decimal(2_000))),
    ]
    found = run_together(members, Decimal(10_000))
    # The first buys 0.01 at 59,500 and 59,000 and sells one at 60,000; the second buys both and keeps them.
    fees = Decimal("1.785") + Decimal("1.185")
    first = 3_000 - 595 - 590 + 600 + Decimal("0.01") * 60_100 - Decimal("1.785")
    second = 2_000 - 595 - 590 + Decimal("0.02") * 58_900 - Decimal("1.185")
    assert [result.equity for result in found.results] == [first, second]
    assert (found.sum.fees, found.sum.equity, found.unallocated) == (fees, 5_000 + first + second, Decimal(5_000))
    assert found.sum.net == found.sum.equity - 10_000 == found.sum.realised + found.sum.unrealised - fees
    books = found.ledger
    assert books.balance(ledger.UNALLOCATED, "USDT") == 5_000 * 10**8
    for number, result in enumerate(found.results, 1):
        assert books.balance(ledger.cash(number), "USDT") == result.figures.quote
        assert books.balance(ledger.cash(number), result.history.instrument.base) == result.figures.base
    assert set(books.proof().values()) <= {0}
    assert found.adds_up
    assert len(found.times) == 4
    assert found.curve[0] == 10_000
    assert numpy.isclose(found.curve[-1], float(found.sum.equity), rtol=1e-12)


def test_each_has_the_result_that_it_has_alone() -> None:
    histories = [chance(seed, 300) for seed in (1, 2, 3)]
    members = shared([Member(GRID, LEVELS, history, SETTINGS) for history in histories], Decimal(10_000))
    assert [member.settings.quote for member in members] == [Decimal("3333.33333333")] * 3
    found = run_together(members, Decimal(10_000))
    assert found.unallocated == Decimal("0.00000001")
    for member, result in zip(members, found.results, strict=True):
        alone = run(*member)
        assert result.figures == alone.figures
        assert (result.fills == alone.fills).all()
    assert found.sum.max_drawdown > 0


def test_sums_that_the_ledger_does_not_prove_are_told() -> None:
    (result,) = run_together([Member(GRID, LEVELS, chance(1, 300), SETTINGS)], Decimal(3_000)).results
    assert Together(Decimal(3_000), (result,)).adds_up
    for wrong in (
        replace(result, figures=result.figures._replace(fees=result.figures.fees + 1)),
        replace(result, moves=result.moves[:-1]),
    ):
        assert not Together(Decimal(3_000), (wrong,)).adds_up


@pytest.mark.parametrize("funded", [False, True])
def test_the_ledger_proves_an_account_of_futures(funded: bool) -> None:
    history = chance(5, 600)
    settings = replace(SETTINGS, futures=Futures(leverage=3, funding_hours=1 if funded else 8))
    member = Member(TWO_SIDED, Params(size=Decimal("0.01"), hold=45), history, settings)
    found = run_together([member], Decimal(3_000))
    (result,) = found.results
    assert (len(result.fundings) > 0) >= funded
    assert found.adds_up


def test_what_cannot_share_an_account_is_refused_by_name() -> None:
    history = flat_then(5_950_000, 5_890_000)
    spot = Member(GRID, LEVELS, history, SETTINGS)
    futures = Member(TWO_SIDED, Params(size=Decimal("0.01")), history, replace(SETTINGS, futures=Futures()))
    euros = replace(history, instrument=replace(history.instrument, quote="EUR"))
    for members, words in (
        ([], "instances"), ([spot] * 4, "capital"), ([spot, spot._replace(history=euros)], "EUR"),
        ([spot, futures], "spot or of futures"), ([futures, futures], "BTCUSDT: on futures one instance"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=words):
            run_together(members, Decimal(10_000))
