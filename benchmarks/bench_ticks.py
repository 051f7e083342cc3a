"""What one price costs when 5,000 instances live on its symbol, and what an instance costs in memory.

    python -m benchmarks.bench_ticks [--instances 5000] [--repeat 5]

The rows of the service go the whole way of a streamed price: judged, dated, listeners told, levels compared, instances
woken. Beside it, in the same run, the usual way: an asyncio queue and a task per instance, each looking at its own
levels. "1 % crossed" means that the price reaches the levels of one instance in a hundred; they are armed again
before the next price, outside the timed part, and the time of arming has a row of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable

import uvloop

from core.base_exchange import PriceUpdate
from core.clock import Clock, SystemTime
from engine.market_data.levels import Watcher
from engine.market_data.service import MarketData
from engine.market_data.venue import VenueMarket
from tests.fakes.fake_exchange import FakeExchange
from tests.law_harness import BTCUSDT

PRICE = 6_000_000
WIDE = 100_000
TICKS = 2_000


def update(number: int, ticks: int) -> PriceUpdate:
    return PriceUpdate("BTCUSDT", ticks, ticks - 1, ticks + 1, 1_000 + number)


class Service:
    """The market service with so many instances on one symbol."""

    def __init__(self, data: MarketData, instances: int) -> None:
        self.venue: VenueMarket = data.venue(FakeExchange(BTCUSDT))
        self.woken = 0
        self.watchers: list[Watcher] = []
        for _ in range(instances):
            self.watchers.append(self.venue.watch("BTCUSDT", self._wake))
        self._number = 0

    def arm_all(self) -> None:
        for watcher in self.watchers:
            watcher.arm(PRICE + WIDE, PRICE - WIDE)

    def tick(self, ticks: int) -> None:
        self._number += 1
        self.venue._take_price(update(self._number, ticks))

    def _wake(self, kind: int, ticks: int, time_ms: int) -> None:
        self.woken += 1


def timed_us(work: Callable[[], None]) -> float:
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / 1_000


def none_crossed(service: Service) -> float:
    """Microseconds per price, mean of many."""
    service.arm_all()

    def work() -> None:
        for number in range(TICKS):
            service.tick(PRICE + number % 50)

    return timed_us(work) / TICKS


def some_crossed(service: Service, share: int) -> float:
    """Microseconds per price that reaches one instance in `share`; median."""
    service.arm_all()
    taken = []
    for number in range(60):
        for watcher in service.watchers[::share]:
            watcher.arm(PRICE + 100, PRICE - WIDE)
        service.tick(PRICE + number % 50)
        before = service.woken
        taken.append(timed_us(lambda: service.tick(PRICE + 100)))
        assert service.woken - before == len(service.watchers[::share])
    return statistics.median(taken)


def arming(service: Service) -> float:
    """Microseconds to give one instance two new levels."""
    chance = random.Random(1)
    pairs = [(PRICE + chance.randrange(1, WIDE), PRICE - chance.randrange(1, WIDE)) for _ in service.watchers]

    def work() -> None:
        for watcher, (above, below) in zip(service.watchers, pairs, strict=True):
            watcher.arm(above, below)

    return timed_us(work) / len(pairs)


async def queues(instances: int) -> float:
    """Microseconds per price with a queue and a task per instance, none crossed; median."""
    inboxes: list[asyncio.Queue[PriceUpdate]] = [asyncio.Queue() for _ in range(instances)]

    async def live(inbox: asyncio.Queue[PriceUpdate]) -> None:
        above, below, woken = PRICE + WIDE, PRICE - WIDE, 0
        while True:
            told = await inbox.get()
            if told.last >= above or told.last <= below:
                woken += 1
            inbox.task_done()

    tasks = [asyncio.create_task(live(inbox)) for inbox in inboxes]
    await asyncio.sleep(0)
    taken = []
    for number in range(15):
        told = update(number, PRICE + number)
        start = time.perf_counter_ns()
        for inbox in inboxes:
            inbox.put_nowait(told)
        for inbox in inboxes:
            await inbox.join()
        taken.append((time.perf_counter_ns() - start) / 1_000)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return statistics.median(taken)


def bytes_each(data: MarketData, instances: int) -> float:
    """Bytes that one more instance with two levels and a moment costs, its callback not counted."""
    service = Service(data, 0)

    def wake(kind: int, ticks: int, time_ms: int) -> None: ...

    gc.collect()
    tracemalloc.start()
    watchers = [service.venue.watch("BTCUSDT", wake) for _ in range(instances)]
    for number, watcher in enumerate(watchers):
        watcher.arm(PRICE + 1_000 + number, PRICE - 1_000 - number, 10**13 + number)
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return used / instances


async def measure(instances: int) -> dict[str, float]:
    clock = Clock(SystemTime(), SystemTime())
    found = {}
    data = MarketData(clock)
    service = Service(data, instances)
    gc.freeze()
    found["one price, none crossed (us)"] = none_crossed(service)
    found["one price, 1 % crossed (us)"] = some_crossed(service, 100)
    found["arming two levels of one instance (us)"] = arming(service)
    await data.close()
    found["one price, a queue and a task each (us)"] = await queues(instances)
    data = MarketData(clock)
    found["memory of one instance (bytes)"] = bytes_each(data, instances)
    await data.close()
    gc.unfreeze()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=5_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    runs = [uvloop.run(measure(options.instances)) for _ in range(options.repeat)]
    print(f"{options.instances} instances on one symbol, median (lowest to highest) of {options.repeat} runs")
    for name in runs[0]:
        values = sorted(run[name] for run in runs)
        print(f"{name:45} {statistics.median(values):10,.1f}   ({values[0]:,.1f} to {values[-1]:,.1f})")


if __name__ == "__main__":
    main()
