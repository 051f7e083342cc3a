"""Whole recorded months in lockstep: part of `make acceptance`.

A step lasts five minutes of the market at most and ends sooner when anything happens to an order or a bar closes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.scene import Bot, Scene, series
from tests.acceptance.test_lockstep import CASH, running

pytestmark = [pytest.mark.acceptance, pytest.mark.recorded]
MINUTE = 60_000
MAY = "2025-05-05T00:00:00Z"
MARCH = "2025-03-07T00:00:00Z"
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
#: The month that holds the fall of 2025-04-07, in bars of five minutes.
SPOT_MARCH = (
    Bot(1, "grid", "BTCUSDT", {"lower_price": "74000", "upper_price": "95000", "levels": 60, "spacing": "geometric",
                               "total_investment": "40000", "stop_loss_price": "73000"}, CASH),
    Bot(2, "trailing_grid", "ETHUSDT", {"quantity": "0.5", "offset_percent": "0.5", "sell_offset_percent": "0.6",
                                        "reprice_percent": "1", "grid_levels": 20, "stop_loss_percent": "5"}, CASH),
    Bot(3, "dca", "LTCUSDT", {"amount": "300", "interval_minutes": 360, "take_profit_percent": "2"}, CASH),
    Bot(4, "ma_cross", "BNBUSDT", {"size": "5", "fast": 10, "slow": 40}, CASH, "15m"),
    Bot(5, "rsi", "LINKUSDT", {"size": "100", "period": 14}, CASH, "15m"),
)  # fmt: skip


@pytest.mark.parametrize("market", ["binance_spot", "binance_futures"])
async def test_books_equal_the_venues_through_may(tmp_path: Path, recorded_data: Path, market: str) -> None:
    bots = SPOT_MAY if market == "binance_spot" else SPOT_MAY[:3]
    names = sorted({f"{bot.symbol}-1m-2025" for bot in bots})
    await _run(tmp_path, Scene(market, series(recorded_data, *names), MAY, 29 * 1_440, bots, step_ms=5 * MINUTE))


async def test_books_equal_the_venues_through_the_fall_of_april(tmp_path: Path, recorded_data: Path) -> None:
    names = sorted({f"{bot.symbol}-5m-2025" for bot in SPOT_MARCH})
    paths = series(recorded_data, *names)
    scene = Scene("binance_spot", paths, MARCH, 37 * 1_440, SPOT_MARCH, step_ms=5 * MINUTE)
    await _run(tmp_path, replace(scene, prints_per_minute=4))


async def _run(folder: Path, scene: Scene) -> None:
    url = f"sqlite:///{folder / 'ares.sqlite3'}"
    async with running(folder, scene, url, check_every_ms=360 * MINUTE) as run, run.node() as up:
        await run.driver.run(up, scene.minutes)
        print(run.driver.figures, len(run.driver.stored.fills))  # shown with -s
        assert {fill.instance for fill in run.driver.stored.fills.values()} == {bot.number for bot in scene.bots}
