"""What a live grid of 20 levels costs in memory, everything counted, and what all of them cost at one price a second.

    python -m benchmarks.bench_grid_memory [--grids 2000] [--symbols 50] [--database sqlite|memory] [--trace]

The grids are taken up as a worker takes them up: lease epoch and rows in the journal (a SQLite file), one account with
its stream and its sweeps, market data with the levels each waits for, engines with their books and 20 resting orders.
Only the venue is a stand-in in this process that keeps nothing of its own: it takes every order and shows what the
engines hold. Memory is what the process has grown by (RSS, after the allocator has given back what it can), divided by
the grids; `--trace` adds what Python itself has allocated, and where. Then every symbol gets a price a second that
crosses no level: CPU of the process for that, in percent of one core. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import tempfile
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import uvloop

import strategies
from benchmarks.venue_process import machine
from core.base_exchange import OpenOrder
from core.base_journal import BaseJournal
from core.base_strategy import STRATEGIES
from core.clock import Clock, SystemTime
from db.journal import GroupCommitJournal
from domain.instrument import Instrument
from domain.order import Order
from domain.outcome import Accepted, Outcome
from domain.risk_manager import RiskLimits
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager, InstanceSpec
from engine.market_data.service import MarketData
from engine.market_data.settings import MarketSettings
from engine.market_data.wiring import EngineMarket
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.memory_journal import MemoryJournal
from tests.journal_database import address, prepare
from tests.law_harness import BTCUSDT

LEVELS = 20
PRICE = 6_000_000
#: Grids that are taken up at the same time.
TOGETHER = 50
LIMITS = RiskLimits(max_price_age_ms=10**9, max_messages=0, collar_ppm=0)


class Stand(FakeExchange):
    """Takes every order, keeps none: what rests is read off the engines."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        super().__init__(*instruments)
        self.capabilities = replace(self.capabilities, batch_orders=1)
        self.hub: AccountHub | None = None
        self._count = 0

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """Accepted."""
        await asyncio.sleep(0)
        self._count += 1
        return Accepted(str(self._count))

    async def open_orders(self, symbol: str | None = None) -> list[OpenOrder]:
        """What the engines hold for open."""
        await asyncio.sleep(0)
        assert self.hub is not None
        return [
            OpenOrder(one.client_order_id, one.venue_order_id, one.symbol, one.side, one.ticks, one.lots, 0, 0)
            for engine in self.hub.engines.values()
            for one in engine.sent_orders()
        ]


def rss_kb() -> int:
    """Resident memory, after everything free has been given back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def instruments(count: int) -> list[Instrument]:
    return [replace(BTCUSDT, symbol=f"C{number:03}USDT", base=f"C{number:03}") for number in range(count)]


class Fleet:
    """One account with its grids."""

    def __init__(self, journal: BaseJournal, listed: Sequence[Instrument]) -> None:
        clock = Clock(SystemTime(), SystemTime())
        settings = MarketSettings(max_age_ms=600_000, silence_ms=600_000, audit_ms=600_000, overlap_ms=1_000)
        self.venue = Stand(listed)
        self.market = MarketData(clock, settings)
        self.hub = AccountHub(1, 1, self.venue, journal, clock, HubSettings(sweep_interval=3_600))
        self.venue.hub = self.hub
        self.manager = EngineManager(1, "bench", journal, EngineMarket(self.market.venue(self.venue)), clock)
        self._symbols = [one.symbol for one in listed]

    async def open(self) -> None:
        """The account and the first price of every symbol."""
        for symbol in self._symbols:
            self.venue.market.price(symbol, PRICE)
        await self.hub.start()

    async def take_up(self, grids: int) -> None:
        """So many more grids, until every order of theirs rests."""
        first = len(self.manager.engines) + 1
        for start in range(first, first + grids, TOGETHER):
            numbers = range(start, min(start + TOGETHER, first + grids))
            await asyncio.gather(*(self.manager.start(self._spec(number), self.hub) for number in numbers))
        for number in range(first, first + grids):
            while True:
                if self._is_complete(number):
                    break
                await asyncio.sleep(0.05)

    def tick(self, number: int) -> None:
        """A price for every symbol that crosses nothing."""
        for symbol in self._symbols:
            self.venue.market.price(symbol, PRICE + number % 2)

    async def close(self) -> None:
        """Let everything go."""
        for number in list(self.manager.engines):
            await self.manager.release(number)
        await self.hub.stop()
        await self.market.close()

    def _spec(self, number: int) -> InstanceSpec:
        kind = STRATEGIES.get("grid")
        # Below the price, so that every level has an order at the venue; no two grids have the same ladder.
        chosen: dict[str, object] = {"lower_price": 40_000 + number % 997, "upper_price": 59_000, "levels": LEVELS}
        params = kind.params.model_validate(chosen | {"quantity_per_level": "0.001"})
        capital = (("USDT", 2_000 * 10**8),)
        return InstanceSpec(number, 0, self._symbols[number % len(self._symbols)], "1m", kind, params, LIMITS, capital)

    def _is_complete(self, number: int) -> bool:
        engine = self.manager.engines[number]
        return engine.is_idle and len(engine.instance.live_orders()) == LEVELS


async def percent_of_a_core(fleet: Fleet, seconds: int) -> float:
    """CPU of this process while every symbol has a price a second; its own second of idling before it taken off."""
    used = []
    for is_ticking in (False, True):
        began, due = time.process_time(), time.monotonic()
        for number in range(seconds):
            if is_ticking:
                fleet.tick(number)
            due += 1
            await asyncio.sleep(max(due - time.monotonic(), 0))
        used.append((time.process_time() - began) / seconds * 100)
    print(f"idle {used[0]:.1f} % of a core, at one price a second per symbol {used[1]:.1f} %")
    return used[1]


async def measure(journal: BaseJournal, grids: int, symbols: int, *, trace: bool) -> None:
    fleet = Fleet(journal, instruments(symbols))
    await fleet.open()
    await fleet.take_up(TOGETHER)  # whatever is loaded or cached once is not a grid's
    before = rss_kb()
    if trace:
        tracemalloc.start(1)
    began = time.monotonic()
    await fleet.take_up(grids)
    took = time.monotonic() - began
    grown = rss_kb() - before
    print(f"{grids} grids taken up in {took:.0f} s; process {rss_kb() / 1024:,.0f} MB; {grown / grids:.1f} KB a grid")
    if trace:
        snapshot = tracemalloc.take_snapshot()
        print(f"allocated by Python: {tracemalloc.get_traced_memory()[0] / grids / 1024:.1f} KB a grid")
        for line in snapshot.statistics("lineno")[:25]:
            print(f"{line.size / grids:10,.0f} B {line.count / grids:6.1f} blocks  {line.traceback[-1]}")
        tracemalloc.stop()
    await percent_of_a_core(fleet, 10)
    await fleet.close()


async def run(options: argparse.Namespace) -> None:
    STRATEGIES.scan(strategies)
    if options.database == "memory":
        await measure(MemoryJournal(), options.grids, options.symbols, trace=options.trace)
        return
    with tempfile.TemporaryDirectory() as folder:
        numbers = dict.fromkeys(range(1, options.grids + TOGETHER + 1), 1)
        engine = prepare(f"sqlite:///{folder}/bench.sqlite3", numbers)
        journal = GroupCommitJournal(address(engine), SystemTime())
        try:
            await measure(journal, options.grids, options.symbols, trace=options.trace)
        finally:
            await journal.close()
            engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=2_000)
    parser.add_argument("--symbols", type=int, default=50)
    parser.add_argument("--database", choices=["sqlite", "memory"], default="sqlite")
    parser.add_argument("--trace", action="store_true", help="ask Python's allocator too; slows everything down")
    options = parser.parse_args()
    print(f"{machine()}; {options.grids} grids of {LEVELS} levels on {options.symbols} symbols")
    uvloop.run(run(options))


if __name__ == "__main__":
    main()
