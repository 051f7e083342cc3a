from __future__ import annotations

from pathlib import Path

import pytest

from simulator.config import SimulatorConfig, Speed, parse_account
from simulator.errors import VenueError
from simulator.spot.types import NewOrder
from simulator.units import ONE
from simulator.venue import Venue

MINUTE = 60_000
START = 1_700_000_000_000 // MINUTE * MINUTE


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    """Five minutes of bars, then a hole of five minutes, then five more."""
    minutes = [*range(5), *range(10, 15)]
    rows = [f"{START + minute * MINUTE},100.00,101.00,99.00,100.50,3.00000" for minute in minutes]
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text("\n".join(["open_time,open,high,low,close,volume", *rows]) + "\n")
    account = parse_account("key:secret:USDT=1000")
    return Venue(SimulatorConfig(market=f"replay:{path}", gaps="outage", speed=Speed(None), accounts=(account,)))


def test_a_symbol_breaks_for_the_length_of_a_recorded_outage(venue: Venue) -> None:
    venue.advance_to(START + 5 * MINUTE - 1)
    assert venue.spot.instrument("BTCUSDT").status == "TRADING"
    venue.advance_to(START + 5 * MINUTE)
    assert venue.spot.instrument("BTCUSDT").status == "BREAK"
    assert venue.futures.instrument("BTCUSDT").status == "BREAK"
    venue.advance_to(START + 10 * MINUTE)
    assert venue.spot.instrument("BTCUSDT").status == "TRADING"


def test_no_order_is_taken_during_an_outage_and_resting_ones_stay(venue: Venue) -> None:
    resting = venue.spot.place(1, NewOrder("BTCUSDT", "BUY", "LIMIT", "GTC", quantity=ONE // 10, price=80 * ONE))
    venue.advance_to(START + 6 * MINUTE)
    with pytest.raises(VenueError, match="Market is closed"):
        venue.spot.place(1, NewOrder("BTCUSDT", "BUY", "LIMIT", "GTC", quantity=ONE // 10, price=80 * ONE))
    venue.advance_to(START + 11 * MINUTE)
    assert resting.is_open


def test_bars_of_an_outage_do_not_exist(venue: Venue) -> None:
    venue.advance_to(START + 15 * MINUTE)
    opened = [bar.open_ms for bar in venue.spot.market("BTCUSDT").bars("1m", START, START + 14 * MINUTE, 100)]
    assert opened == [START + minute * MINUTE for minute in [*range(5), *range(10, 15)]]


def test_as_many_bars_as_asked_for_are_given_across_an_outage(venue: Venue) -> None:
    venue.advance_to(START + 15 * MINUTE)
    market = venue.spot.market("BTCUSDT")
    onwards = [(bar.open_ms - START) // MINUTE for bar in market.bars("1m", START, None, 7)]
    backwards = [(bar.open_ms - START) // MINUTE for bar in market.bars("1m", None, START + 11 * MINUTE, 4)]
    assert onwards == [0, 1, 2, 3, 4, 10, 11]
    assert backwards == [3, 4, 10, 11]
