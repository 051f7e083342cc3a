"""Real input: a grid on a recorded market leads, ten accounts follow on different terms, and every copy adds up.

The venue's tape is the judge. What each account holds there is what its relationship says; what the tracking-error
ledger calls the actual copy is the tape's executions at the last mark, less fees, with funding, to the last unit;
where the share is fixed, the ideal copy is the published positions at their prices, with the recorded funding.
`ARES_LOCKSTEP_DAYS` cuts the month to its first days.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from core.base_funding import TellsFundingRates
from db.copy_law import milliseconds
from db.models import MasterSignal, TrackingError, TradeLog
from db.unit_of_work import UnitOfWork
from domain.copying.terms import PPM
from domain.funding import FundingRate
from domain.instrument import Instrument
from domain.money import from_units
from engine.follower_engine.book import Holding
from tests.acceptance.copying_lockstep import CopyNode, copying_node
from tests.acceptance.scene import Bot, Scene, series
from tests.acceptance.test_lockstep import CASH, Run, running
from tests.fakes.copy_parts import Follower, enter

pytestmark = [pytest.mark.recorded, pytest.mark.slow]
#: The recorded month has 29 whole days.
DAYS = int(os.environ.get("ARES_LOCKSTEP_DAYS", "0")) or 29
MINUTE = 60_000
VENUE, SYMBOL = "binance_futures", "BTCUSDT"
LEADER = Bot(
    1, "grid", SYMBOL, {"lower_price": "92000", "upper_price": "98000", "levels": 30, "quantity_per_level": "0.02"},
    CASH,
)  # fmt: skip
#: As wide as the prices of the month, in the same steps.
LEADER_OF_A_MONTH = replace(
    LEADER, params={**LEADER.params, "lower_price": "93000", "upper_price": "112000", "levels": 95},
    capital={"USDT": "500000"},
)  # fmt: skip
FOLLOWERS = (
    Follower(2, {"ratio": Decimal("0.37")}),
    Follower(3, {"ratio": Decimal("0.5"), "reverse": True}),
    Follower(4, {"max_symbol_notional": Decimal(3_000)}),
    Follower(5, {"ratio": Decimal("0.8"), "slippage_collar": Decimal("0.0005"), "max_entry_delay_ms": 60_000}),
    Follower(6, {"mode": "equity_proportional"}, funds="USDT=30000"),
    Follower(7, {"mode": "fixed_notional", "notional": Decimal(5_000)}),
    Follower(8, {"mode": "fractional_kelly", "kelly_fraction": Decimal("0.25")}),
    Follower(9, {"ratio": Decimal(1)}),
    Follower(10, {"ratio": Decimal("0.1")}),
    Follower(11, {"ratio": Decimal("0.6"), "stop_loss": Decimal("0.004"), "take_profit": Decimal("0.006")}),
)
SAMPLE = 4
#: Copies nothing before thirty closed trades, nor while they show no edge.
BY_RECORD = 8
#: Account -> the fixed share of the master's position, in millionths, without a limit.
FIXED = {2: 370_000, 3: -PPM // 2, 9: PPM, 10: PPM // 10}

#: Signed quantity, price and fee.
Trade = tuple[Decimal, Decimal, Decimal]


def rows(database: Engine, chosen: Any) -> Sequence[Any]:
    with UnitOfWork(database) as unit:
        found: Sequence[Any] = unit.session.exec(chosen).all()
        return found


def executed(tape: list[dict[str, Any]]) -> dict[int, list[Trade]]:
    """Account -> its executions."""
    found: dict[int, list[Trade]] = defaultdict(list)
    for line in tape:
        if line["kind"] == "order" and line["execution"] == "TRADE":
            quantity = Decimal(line["last_quantity"]) * (1 if line["side"] == "BUY" else -1)
            found[line["account"]].append((quantity, Decimal(line["last_price"]), Decimal(line["commission"])))
    return found


def funded(tape: list[dict[str, Any]]) -> dict[int, Decimal]:
    """Account -> what it was paid of funding, less what it was charged."""
    found: dict[int, Decimal] = defaultdict(Decimal)
    for line in tape:
        found[line["account"]] += Decimal(line["amount"])
    return found


def check_follower(
    up: CopyNode, database: Engine, account: int, relationship: int, trades: list[Trade], paid: Decimal
) -> Holding:
    owned = up.desk.owned[account]
    holding, instrument = owned.book.holdings[relationship, SYMBOL], owned.book.instruments[SYMBOL]
    (runner,) = up.held[account].runners.values()
    assert runner.engine is not None
    held = sum((quantity for quantity, _, _ in trades), Decimal(0))
    assert instrument.from_lots(holding.position.lots) == held, "the relationship holds what the account does"
    assert runner.engine.instance.position.lots == holding.position.lots * instrument.base_per_lot
    is_busy = bool(runner.engine.instance.live_orders())
    assert holding.position.lots == holding.decision.lots or holding.why or is_busy, "what is missing has a reason"
    assert holding.record.adds_up
    ledger = rows(database, select(TrackingError).where(col(TrackingError.relationship_id) == relationship))
    assert [row.sequence for row in ledger] == list(range(1, len(ledger) + 1))
    for row in ledger:
        causes = row.latency + row.slippage + row.rounding + row.caps + row.skipped + row.fees + (row.funding or 0)
        assert row.ideal - row.actual == causes
    check_actual(holding, instrument, trades, paid)
    open_ones = select(TradeLog).where(col(TradeLog.relationship_id) == relationship, col(TradeLog.status) == "pending")
    assert is_busy or not rows(database, open_ones), "a signal has no end"
    return holding


def check_actual(holding: Holding, instrument: Instrument, trades: list[Trade], paid: Decimal) -> None:
    """The actual copy is what the tape says, at the last mark, funding included."""
    mark = instrument.from_ticks(holding.record.ticks)
    worth = sum((quantity * (mark - price) - fee for quantity, price, fee in trades), paid)
    cash = sum((-quantity * price for quantity, price, _ in trades), paid)
    assert from_units(holding.position.realised - holding.position.cost, instrument.quote_quantum) == cash
    unit = instrument.base_per_lot * PPM
    assert Decimal(holding.record.actual_value) == worth / instrument.quote_quantum * unit


def check_ideal(
    holding: Holding, instrument: Instrument, share_ppm: int, signals: Sequence[MasterSignal], rates: list[FundingRate]
) -> None:
    """The ideal copy has a fixed share of every published change, at its price, and funding for it at every rate."""
    mark, worth = instrument.from_ticks(holding.record.ticks), Decimal(0)
    for signal in signals:
        price = signal.price or signal.entry_price  # an audit knows no execution
        assert price is not None
        worth += (signal.quantity - signal.quantity_before) * (mark - price)
    unit = instrument.base_per_lot * PPM
    traded = worth / instrument.quote_quantum * unit * share_ppm / PPM
    paid = Fraction(0)
    for told in rates:
        before = [signal.quantity for signal in signals if milliseconds(signal.signal_at) < told.time_ms]
        held = before[-1] if before else Decimal(0)
        share = Fraction(held) / Fraction(instrument.lot_size) * share_ppm / PPM
        paid -= share * told.per_unit(instrument.tick_size, 0) * instrument.tick_lot * unit
    # Each funding is rounded to a unit of the ledger.
    assert abs(Fraction(holding.record.ideal_value) - Fraction(traded) - paid) <= len(rates)


async def follow_a_grid(
    folder: Path, data: Path, minutes: int, leader: Bot, followers: tuple[Follower, ...], start: str
) -> None:
    options = tuple(word for follower in followers for word in follower.option())
    options += ("--funding", str(data / "funding" / "um-8h-funding_rate-2025.csv.gz"))
    scene = Scene(
        VENUE, series(data, f"{SYMBOL}-1m-2025"), start, minutes, (leader,),
        step_ms=5 * MINUTE, passes_over=True, options=options,
    )  # fmt: skip
    url = f"sqlite:///{folder / 'ares.sqlite3'}"
    async with running(folder, scene, url, check_every_ms=360 * MINUTE) as run:
        _, made = enter(run.database, VENUE, leader.number, followers)
        async with copying_node(run.venue, scene, run.database, run.start_ms, followers) as up:
            await run.driver.run(up, minutes)
            await check_all(run, up, made)


async def check_all(run: Run, up: CopyNode, made: dict[int, int]) -> None:
    trades, paid = executed(run.venue.tape("order")), funded(run.venue.tape("funding"))
    assert isinstance(up.parts.market.exchange, TellsFundingRates)
    rates = await up.parts.market.exchange.funding_rates(SYMBOL, run.start_ms + 1)
    assert rates, "no funding has come"
    signals = rows(run.database, select(MasterSignal).order_by(col(MasterSignal.version)))
    assert len(signals) > 10, "the master has hardly traded"
    leader = sum((quantity for quantity, _, _ in trades[1]), Decimal(0))
    assert signals[-1].quantity == leader, "what was published last is what the master holds"
    idle = {account for account in made if not trades[account]}
    assert idle <= {BY_RECORD}, f"{idle} have never traded: their copies add up to nothing"
    for account, relationship in made.items():
        holding = check_follower(up, run.database, account, relationship, trades[account], paid[account])
        if account in FIXED:
            check_ideal(holding, up.desk.owned[account].book.instruments[SYMBOL], FIXED[account], signals, rates)
        causes = holding.record.causes
        print(account, len(trades[account]), "executions;", causes._asdict(), "of", holding.record.ideal_value)
    print(run.scene.minutes, "minutes,", len(signals), "signals;", run.driver.figures)


@pytest.mark.timeout(600)
async def test_followers_of_a_grid_account_for_every_unit_of_their_copies(tmp_path: Path, recorded_data: Path) -> None:
    await follow_a_grid(tmp_path, recorded_data, 240, LEADER, FOLLOWERS[:SAMPLE], "2025-05-05T13:00:00Z")


@pytest.mark.acceptance
@pytest.mark.timeout(4 * 3_600)
async def test_ten_followers_of_a_grid_account_for_every_unit_of_their_copies_through_a_month(
    tmp_path: Path, recorded_data: Path
) -> None:
    await follow_a_grid(tmp_path, recorded_data, DAYS * 1_440, LEADER_OF_A_MONTH, FOLLOWERS, "2025-05-05T00:00:00Z")
