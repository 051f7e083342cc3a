from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain import ledger
from domain.errors import Refused
from engine.backtest import Result, Settings, run
from engine.backtest.futures import FundingRate, Futures, Tier
from engine.backtest.kernel import account, margin
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import FILL_FIELDS
from engine.backtest.metrics import metrics
from engine.backtest.result import INSTANCE
from tests.histories import BEGIN, bars
from tests.two_sided import TWO_SIDED, Params

HOUR = 3_600_000
#: No funding: what is tried is something else.
STILL = {"funding_percent": Decimal(0)}
START = (6_000_000, 6_000_000, 6_000_000, 6_000_000)
RISE = (6_000_000, 6_100_000, 6_000_000, 6_100_000)
FALL = (6_000_000, 6_000_000, 5_900_000, 5_900_000)


def replay(
    *rows: tuple[int, int, int, int], futures: dict[str, Any] | None = None, law: dict[str, Any] | None = None,
    **assumed: Any,
) -> Result:  # fmt: skip
    settings = Settings(
        **{"quote": Decimal(1000), "runtime": "interpreted", "log_orders": True, **assumed},
        futures=Futures(**{"leverage": 10, **(futures or {})}),
    )
    params = Params(**{"size": Decimal("0.01"), **(law or {})})
    result = run(TWO_SIDED, params, bars([START, *rows], HOUR), settings)
    figures, books = result.figures, result.ledger
    change = figures.equity - result.start_equity
    assert figures.realised + figures.unrealised + figures.funding - figures.fees == change
    assert books.balance(ledger.cash(INSTANCE), "USDT") == figures.quote
    assert books.balance(ledger.cash(INSTANCE), "BTC") == figures.base == figures.position
    assert books.balance(ledger.FUNDING, "USDT") == -figures.funding
    assert books.balance(ledger.FEES, "USDT") == figures.fees
    assert set(books.proof().values()) <= {0}
    return result


def column(result: Result, name: str) -> list[int]:
    found: list[int] = result.fills[:, FILL_FIELDS.index(name)].tolist()
    return found


def test_a_short_earns_the_fall_and_the_funding_less_two_fees() -> None:
    # Sold at 59,000 when the bar that fell has closed, funded at 58,000 at its close, bought back there at the open.
    result = replay(FALL, (5_900_000, 5_900_000, 5_800_000, 5_800_000), (5_800_000,) * 4, futures={"funding_hours": 1})
    assert column(result, "side") == [-1, 1]
    assert column(result, "ticks") == [5_900_000, 5_800_000]
    # 0.01 % of 580 received once: before, nothing was held, and after, nothing is.
    assert result.amount(result.figures.funding) == Decimal("0.058")
    assert result.fundings[:, FILL_FIELDS.index("time_ms")].tolist() == [BEGIN + 3 * HOUR]
    assert result.equity == Decimal(1000) + 10 - Decimal("0.59") - Decimal("0.58") + Decimal("0.058")
    assert (result.figures.wins, result.figures.losses, result.figures.held_ms) == (1, 0, HOUR)
    assert metrics(result)["funding"] == "0.058"


def test_a_recorded_rate_is_paid_at_its_time_on_its_mark_price() -> None:
    # Long 0.01 from the open at two o'clock: at three it pays 0.02 % of a mark of 60,500.5, not of the last price.
    rates = (
        FundingRate(BEGIN + 2 * HOUR, Decimal("0.5"), Decimal(60_000)),
        FundingRate(BEGIN + 3 * HOUR, Decimal("0.0002"), Decimal("60500.5")),
    )
    result = replay(RISE, (6_100_000,) * 4, (6_100_000,) * 4, futures={"funding_rates": rates})
    assert result.amount(result.figures.funding) == -Decimal("0.1210010")
    assert result.figures.fundings == 1


def test_a_long_is_liquidated_where_it_meets_its_maintenance_margin_and_loses_no_more_than_its_margin() -> None:
    # 61 of margin: what is left at p, 61 + 0.01 p - 610, is no more than 0.4 % of 0.01 p from 55,120.48 down.
    result = replay(RISE, (6_100_000, 6_100_000, 5_000_000, 5_050_000), (7_000_000,) * 4, futures=STILL)
    assert column(result, "ticks") == [6_100_000, 5_512_048]
    assert column(result, "slot") == [0, lay.OF_LIQUIDATION]
    # Its fee would be 1.25 %; no more is there than 61 + 551.2048 - 610.
    assert result.amount(result.figures.liquidation_fee) == Decimal("2.2048")
    assert result.equity == Decimal(1000) - Decimal("0.61") - 61
    assert result.warnings[-1].startswith("liquidated at 2023-01-02 02:")
    assert result.curve[-1] == float(result.equity)
    assert metrics(result)["liquidated_at"].startswith("2023-01-02T02:")


def test_a_gap_beyond_the_liquidation_closes_where_nothing_is_left_of_the_margin() -> None:
    rows = ((5_900_000, 6_100_000, 5_900_000, 6_100_000), (6_100_000,) * 4, (5_000_000,) * 4, (7_000_000,) * 4)
    result = replay(FALL, *rows, futures=STILL, law={"hold": 2})
    assert column(result, "ticks") == [6_100_000, 5_490_000]
    assert result.figures.liquidation_fee == 0
    assert result.equity == Decimal(1000) - Decimal("0.61") - 61


def test_a_short_is_liquidated_on_the_way_up_and_pays_its_fee_from_what_is_left() -> None:
    # Sold at 59,000 with 295 of margin: 295 + 590 - 0.01 p is no more than 10 % of 0.01 p from 80,454.55 up.
    terms = {**STILL, "leverage": 2, "maintenance_percent": Decimal(10)}
    result = replay(FALL, (5_900_000, 9_000_000, 5_900_000, 8_000_000), (8_000_000,) * 4, futures=terms)
    assert column(result, "ticks") == [5_900_000, 8_045_455]
    # 1.25 % of 804.5455, rounded up to the last of eight decimals.
    assert result.amount(result.figures.liquidation_fee) == Decimal("10.05681875")
    assert result.equity == Decimal(1000) + 590 - Decimal("804.5455") - Decimal("0.59") - Decimal("10.05681875")


def test_larger_positions_keep_more_margin_and_are_refused_beyond_the_largest_of_their_leverage() -> None:
    tiers = (Tier(Decimal(500), Decimal(1), 20), Tier(Decimal(700), Decimal(2), 10), Tier(Decimal(2000), Decimal(5), 4))
    # 2 % of what is above 500 and 1 % below it is 2 % less 5: 61 + 0.01 p - 610 <= 0.0002 p - 5 from 55,510.20 down.
    rows = (RISE, (6_100_000, 6_100_000, 5_000_000, 5_050_000))
    assert column(replay(*rows, futures={**STILL, "tiers": tiers}), "ticks")[1] == 5_551_020
    result = replay(*rows, futures={**STILL, "tiers": tiers}, law={"size": Decimal("0.012")})
    assert (result.figures.fills, result.figures.refusals) == (0, 1)


def test_an_order_without_margin_is_refused_and_one_with_just_enough_is_not() -> None:
    # 610 with a leverage of ten wants 61; it is asked for at both closes.
    rows = (RISE, (6_100_000,) * 4)
    refused = replay(*rows, futures=STILL, quote=Decimal("60.99999999"))
    assert (refused.figures.fills, refused.figures.refusals) == (0, 2)
    assert replay(*rows, futures=STILL, quote=Decimal(61)).figures.fills == 1


def test_an_order_that_reduces_does_not_open_the_other_side_and_goes_with_what_it_reduced() -> None:
    # In at 61,000 with a stop at 60,990; the exit at the next open comes first, and the stop does not sell again.
    rows = (RISE, (6_100_000, 6_110_000, 6_100_000, 6_110_000), (6_110_000, 6_110_000, 6_000_000, 6_000_000))
    result = replay(*rows, futures=STILL, law={"stop_ticks": 1_000})
    assert column(result, "ticks") == [6_100_000, 6_110_000]
    assert result.figures.position == 0
    # And where the stop comes first, it is the stop that has sold.
    rows = (RISE, (6_100_000, 6_100_000, 6_000_000, 6_000_000), (6_000_000,) * 4)
    result = replay(*rows, futures=STILL, law={"stop_ticks": 1_000})
    assert column(result, "ticks")[:2] == [6_100_000, 6_099_000]


def test_what_cannot_be_is_refused_by_name() -> None:
    for wrong, words in (
        ({"leverage": 0}, "leverage"), ({"leverage": 126}, "leverage"),
        ({"leverage": 50, "maintenance_percent": Decimal(2)}, "must be kept"),
        ({"funding_hours": 7}, "funding_hours"), ({"funding_percent": Decimal("0.0000001")}, "funding_percent"),
        ({"liquidation_fee_percent": Decimal(100)}, "liquidation_fee_percent"),
        ({"tiers": (Tier(Decimal(2), Decimal(1)), Tier(Decimal(1), Decimal(2)))}, "tiers"),
        ({"funding_rates": (FundingRate(2, Decimal(0)), FundingRate(1, Decimal(0)))}, "funding_rates"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=words):
            Futures(**wrong)
    with pytest.raises(Refused, match="base"):
        Settings(base=Decimal(1), futures=Futures())


def test_what_a_futures_account_does_has_a_name_on_spot_for_everything_that_the_kernel_calls() -> None:
    called = {name for name, value in vars(account).items() if callable(value) and value.__module__ == account.__name__}
    assert called <= set(vars(margin))
