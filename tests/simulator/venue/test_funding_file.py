from __future__ import annotations

from pathlib import Path

from simulator.config import SimulatorConfig, Speed
from simulator.venue import Venue

EIGHT_HOURS = 8 * 3_600_000


def test_rates_come_from_the_funding_file_that_was_given(tmp_path: Path) -> None:
    plain = Venue(SimulatorConfig(symbols=("BTCUSDT",), speed=Speed(None)))
    first = plain.futures.next_timer_ms(plain.clock.now_ms())
    rates = tmp_path / "rates.csv"
    rates.write_text(f"symbol,time,value\nBTCUSDT,{first},0.00123\nBTCUSDT,{first + EIGHT_HOURS},-0.0005\n")
    venue = Venue(SimulatorConfig(symbols=("BTCUSDT",), speed=Speed(None), funding=rates))
    venue.advance_to(first + EIGHT_HOURS + 1)
    assert [record.rate for record in venue.futures.funding.history("BTCUSDT")][-2:] == [123_000, -50_000]
