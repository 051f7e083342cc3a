"""Whole recorded months in lockstep: part of `make acceptance`.

A step lasts five minutes of the market at most and ends sooner when anything happens to an order or a bar closes. Of
prints between orders and the prices that an engine waits for, the last one is told.
`ARES_LOCKSTEP_DAYS` cuts every month to its first days, for a machine that has less time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.scene import Bot, Scene, series
from tests.acceptance.test_lockstep import CASH, running

pytestmark = [pytest.mark.acceptance, pytest.mark.recorded]
MINUTE = 60_000
DAYS = int(os.environ.get("ARES_LOCKSTEP_DAYS", "0"))
SPOT_MAY = (
    Bot(1, "grid", "BTCUSDT", {"lower_price": "92000", "upper_price": "112000", "levels": 40,
                               "quantity_per_level": "0.01"}, CASH),
    Bot(2, "trailing_grid", "ETHUSDT", {"quantity": "0.5", "offset_percent": "0.4", "sell_offset_percent": "0.5",
                                        "reprice_percent": "0.8", "grid_levels": 10}, CASH),
    Bot(3, "dca", "SOLUSDT", {"amount": "200", "interval_minutes": 240, "take_profit_percent": "1"}, CASH),
    Bot(4, "ma_cross", "BTCUSDT", {"size": "0.05", "fast": 10, "slow": 40}, CASH, "5m"),
    Bot(5, "rsi", "ETHUSDT", {"size": "1", "period": 14}, CASH, "15m"),
    Bot(6, "grid", "XRPUSDT", {"lower_price": "2.0", "upper_price": "2.6", "levels": 30, "total_investment": "30000",
                               "spacing": "arithmetic", "reinvest": True, "trailing_up_limit": "3"}, CASH),
    Bot(7, "trailing_grid", "BNBUSDT", {"quantity": "1", "offset_percent": "0.3", "sell_offset_percent": "0.4",
                                        "reprice_percent": "0.6", "grid_levels": 10, "stop_loss_percent": "3",
                                        "time_stop_minutes": 1440}, CASH),
    Bot(8, "rsi", "SOLUSDT", {"size": "20", "period": 14}, CASH, "5m"),
)  # fmt: skip
#: In bars of five minutes, from March to the fall of 2025-04-07 and what followed it.
SPOT_SPRING = (
    Bot(1, "grid", "BTCUSDT", {"lower_price": "74000", "upper_price": "95000", "levels": 60, "spacing": "geometric",
                               "total_investment": "40000", "stop_loss_price": "73000"}, CASH),
    Bot(2, "trailing_grid", "ETHUSDT", {"quantity": "0.5", "offset_percent": "0.5", "sell_offset_percent": "0.6",
                                        "reprice_percent": "1", "grid_levels": 20, "stop_loss_percent": "5"}, CASH),
    Bot(3, "dca", "LTCUSDT", {"amount": "300", "interval_minutes": 360, "take_profit_percent": "2"}, CASH),
    Bot(4, "ma_cross", "BNBUSDT", {"size": "5", "fast": 10, "slow": 40}, CASH, "15m"),
    Bot(5, "rsi", "LINKUSDT", {"size": "100", "period": 14}, CASH, "15m"),
)  # fmt: skip

#: One strategy to a symbol: there they share its position.
FUTURES_SPRING = SPOT_SPRING
FUTURES_MAY = (
    *SPOT_MAY[:3],
    Bot(4, "ma_cross", "BNBUSDT", {"size": "5", "fast": 10, "slow": 40}, CASH, "5m"),
    Bot(5, "rsi", "XRPUSDT", {"size": "2000", "period": 14}, CASH, "15m"),
)


@dataclass(frozen=True, slots=True)
class Month:
    """A stretch of the recorded market."""

    start: str
    days: int
    bars: str
    spot: tuple[Bot, ...]
    futures: tuple[Bot, ...]


MONTHS = {
    "march": Month("2025-03-07", 25, "5m", SPOT_SPRING, FUTURES_SPRING),
    "april": Month("2025-04-01", 12, "5m", SPOT_SPRING, FUTURES_SPRING),
    "may": Month("2025-05-05", 29, "1m", SPOT_MAY, FUTURES_MAY),
}


@pytest.mark.timeout(4 * 3_600)
@pytest.mark.parametrize("market", ["spot", "futures"])
@pytest.mark.parametrize("month", MONTHS)
async def test_books_equal_the_venues_through_a_month(
    tmp_path: Path, recorded_data: Path, month: str, market: str
) -> None:
    of = MONTHS[month]
    bots = of.spot if market == "spot" else of.futures
    paths = series(recorded_data, *sorted({f"{bot.symbol}-{of.bars}-2025" for bot in bots}))
    minutes = (min(of.days, DAYS) if DAYS else of.days) * 1_440
    scene = Scene(
        f"binance_{market}", paths, f"{of.start}T00:00:00Z", minutes, bots, step_ms=5 * MINUTE, passes_over=True
    )
    url = f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    async with running(tmp_path, scene, url, check_every_ms=360 * MINUTE) as run, run.node() as up:
        await run.driver.run(up, scene.minutes)
        print(month, market, minutes // 1_440, "days", run.driver.figures, len(run.driver.stored.fills), "fills")
        if not DAYS:
            assert {fill.instance for fill in run.driver.stored.fills.values()} == {bot.number for bot in scene.bots}
