"""How fast the simulated venue replays bars at `--speed max` with no client attached.

    python -m benchmarks.bench_simulator_replay [--days 365] [--quick]

Three figures for one-minute bars: the venue going to the end of a replayed file, as its runner does it, with one symbol
on spot and on USD-M (bars of time, so each is two bars); the same with every minute's klines computed too, because
minutes nobody looked at are only computed when asked for; and every trade of the bars handled one by one, as when
somebody watches. Skipping and consuming must leave the same bars, the same trade ids and the same last price.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

from benchmarks.venue_process import machine
from simulator.config import SimulatorConfig, Speed
from simulator.instruments import Market
from simulator.market.symbol_market import SymbolMarket
from simulator.runner import SLICE_MS
from simulator.venue import MARKETS, Venue

SYMBOL = "BTCUSDT"
START_MS = 1_735_689_600_000
MINUTE_MS = 60_000
PAGE = 1_500
WATCHED_MINUTES = 720


def written(folder: Path, minutes: int) -> Path:
    """A file of one-minute bars: a seeded random walk on the tick grid."""
    chance = random.Random(1)
    path = folder / f"{SYMBOL}-1m.csv"
    price = 6_000_000
    lines = ["open_time,open,high,low,close,volume"]
    for minute in range(minutes):
        close = max(price + chance.randrange(-5_000, 5_001), 1_000_000)
        high, low = max(price, close) + chance.randrange(2_000), min(price, close) - chance.randrange(2_000)
        prices = ",".join(f"{value / 100:.2f}" for value in (price, high, low, close))
        lines.append(f"{START_MS + minute * MINUTE_MS},{prices},{chance.randrange(100, 5_000_000) / 100_000:.5f}")
        price = close
    path.write_text("\n".join(lines) + "\n")
    return path


def venue_of(path: Path) -> Venue:
    """A venue that stands at the beginning of the file."""
    return Venue(SimulatorConfig(market=f"replay:{path}", speed=Speed(Fraction(0))))


def run_to_the_end(venue: Venue) -> None:
    """What the runner does at `--speed max`."""
    while not venue.has_ended:
        venue.advance_to(venue.clock.now_ms() + SLICE_MS)


def read_all_bars(venue: Venue, minutes: int) -> None:
    """Ask for every minute of both markets, page by page."""
    for kind in MARKETS:
        market = venue.exchange(kind).market(SYMBOL)
        for first in range(0, minutes, PAGE):
            market.bars("1m", START_MS + first * MINUTE_MS, None, PAGE)


def consume(venue: Venue, kind: Market, minutes: int) -> None:
    """Let every print of some minutes happen one by one, on one market."""
    exchange = venue.exchange(kind)
    for trade_print in exchange.market(SYMBOL).due(START_MS + minutes * MINUTE_MS - 1):
        venue.clock.move_to(max(trade_print.time_ms, venue.clock.now_ms()))
        exchange.on_print(SYMBOL, trade_print)


def state_of(market: SymbolMarket, minutes: int) -> object:
    """What a client can see of a stretch: its bars with their trade ids, the last trade and the day's figures."""
    bars = market.bars("1m", START_MS, START_MS + (minutes - 1) * MINUTE_MS, PAGE)
    return bars, market.recent_trades(100), market.last_price, market.ticker()


def check(path: Path) -> None:
    """Skipped and consumed, a stretch is the same to the last figure."""
    for kind in MARKETS:
        skipped, consumed = venue_of(path), venue_of(path)
        skipped.advance_to(START_MS + WATCHED_MINUTES * MINUTE_MS - 1)
        consume(consumed, kind, WATCHED_MINUTES)
        states = [state_of(venue.exchange(kind).market(SYMBOL), WATCHED_MINUTES) for venue in (skipped, consumed)]
        assert states[0] == states[1], kind


def timed(name: str, bars: int, goal: int, action: Callable[[], None]) -> None:
    """One line of the table."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"{name:<44}{bars:>10,}{bars / wall:>14,.0f}{bars / processor:>14,.0f}{goal or '':>10}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--quick", action="store_true", help="ten days")
    options = parser.parse_args()
    minutes = 1440 * (10 if options.quick else options.days)
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), minutes)
        check(path)
        print(f"{machine()}; one symbol on spot and on USD-M")
        print(f"{'bars of one minute':<44}{'bars':>10}{'per second':>14}{'per cpu s':>14}{'goal':>10}")
        venue = venue_of(path)
        timed("to the end of the file, nobody watching", minutes, 200_000, lambda: run_to_the_end(venue))
        timed("every minute's klines read afterwards", minutes, 0, lambda: read_all_bars(venue, minutes))
        for kind in MARKETS:
            timed(
                f"every trade handled, as if watched, {kind}",
                WATCHED_MINUTES,
                0,
                partial(consume, venue_of(path), kind, WATCHED_MINUTES),
            )


if __name__ == "__main__":
    main()
