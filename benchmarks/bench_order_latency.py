"""How long from a price that is read off the socket until the order that it caused has left, journal included.

    python -m benchmarks.bench_order_latency [--database sqlite|mariadb] [--seconds 20]

The simulated venue is a process on the other core and its market runs in real time. Instances on 20 symbols each place
one order in answer to a price, about 100 orders a second together: the frame is read, decoded, judged and dated, wakes
the instance, which decides, is vetted, and commits its intent with its state; then the request is signed and written.
Counted per order, from the moment the frame is handed over by the socket: until the request has been written to the
socket (the platform's share), and until the venue's answer has been read (in total). Prices that come while an
instance is still busy are taken up in its next step and count from the first of them. Beside it, in the same run, how
long a bare commit of the journal takes; and the stages of an order, of all of them and of the slowest hundredth:
until the step was decided, until it was committed, until the request was written. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import sys
import time
from contextvars import ContextVar
from typing import Any

import uvloop
from aiohttp.http_writer import StreamWriter
from pydantic import SecretStr

import exchanges
from benchmarks.bench_journal import Robot, database
from benchmarks.venue_process import machine, venue_on_its_own_core
from benchmarks.yardstick import words as speed_of_the_machine
from core.base_exchange import EXCHANGES, Credentials, VenueSettings
from core.base_journal import Step
from core.base_strategy import Plan, StrategyKind, StrategyParams
from core.clock import Clock, SystemTime
from db.journal import GroupCommitJournal
from domain import events, slots
from domain.events import Event, View
from domain.grid import note, put_wish
from domain.instrument import Instrument
from domain.order import BUY, ENTRY, LIMIT, Order
from domain.outcome import Outcome
from domain.risk_manager import RiskLimits
from engine.account_hub import AccountHub
from engine.engine_manager import EngineManager, InstanceSpec
from engine.inputs import Price
from engine.market_data.service import MarketData
from engine.market_data.wiring import EngineMarket
from engine.trading_engine import TradingEngine
from exchanges._binance.exchange import BinanceExchange
from exchanges._binance.hot import Router
from tests.journal_database import address, prepare

KEY, SECRET = "key-of-latency", "secret-of-latency"
COINS = (
    "ADA", "APT", "ARB", "ATOM", "AVAX", "BCH", "BNB", "BTC", "DOGE", "DOT",
    "ETC", "ETH", "FIL", "LINK", "LTC", "NEAR", "SOL", "TRX", "UNI", "XRP",
)  # fmt: skip
#: Slots of an instance, each used once; the venue takes 200 resting orders on a symbol.
SLOTS = 190
PAUSE_MS = 10
LIMITS = RiskLimits(max_price_age_ms=10**9, max_messages=0, collar_ppm=0)


def decide(law: Any, state: list[int], memory: list[float], view: View, event: Event, out: list[int]) -> int:
    """Bid far below in the next free slot, at every price but not more often than the pause allows."""
    count, used = 0, state[slots.OWN]
    if event.kind == events.PRICE and view.now_ms - state[slots.OWN + 1] >= PAUSE_MS and used < SLOTS:
        ticks = view.last_ticks * 9 // 10
        lots = max(view.min_lots, 2 * view.min_notional // (ticks * view.tick_lot) + 1)
        put_wish(state, used, ENTRY, BUY, LIMIT, ticks, lots)
        count = note(out, count, used, 1)
        state[slots.OWN], state[slots.OWN + 1] = used + 1, view.now_ms
    state[slots.WAKE_ABOVE] = 1
    return count


def prepared(params: StrategyParams, instrument: Instrument, last_ticks: int) -> Plan:
    return Plan(params=(), slots=SLOTS)


KIND = StrategyKind("latency", "Latency", "Bids at every price.", StrategyParams, prepared, decide, {1: "A price."})


class Taps:
    """Steady moments in nanoseconds: a frame read, a request written, an answer read."""

    def __init__(self) -> None:
        self.read_ns = 0
        self.waiting: dict[int, int] = {}
        self.left_ms: list[float] = []
        self.answered_ms: list[float] = []
        #: Instance -> when its last step came to the journal and was kept, in ns.
        self.kept: dict[int, tuple[int, int]] = {}
        #: Of each order, in ms: until decided, until committed, until written.
        self.stages: list[tuple[float, float, float]] = []
        self.is_counting = False
        self._under_way: ContextVar[tuple[int, list[float]] | None] = ContextVar("order under way", default=None)

    def on_frames(self) -> None:
        """Note when each public frame is handed over."""
        feed = Router.feed

        def noted(router: Any, frame: bytes) -> None:
            self.read_ns = time.perf_counter_ns()
            feed(router, frame)

        Router.feed = noted  # type: ignore[method-assign,assignment]

    def on_engine(self, engine: TradingEngine) -> None:
        """Note which frame woke the instance, the first since its last order."""
        put, number = engine.put, engine.instance.instance

        def noted(item: Any) -> None:
            if isinstance(item, Price):
                self.waiting.setdefault(number, self.read_ns)
            put(item)

        engine.put = noted  # type: ignore[method-assign]
        keep = engine._keeper.keep

        async def kept(step: Step) -> int:
            came = time.perf_counter_ns()
            committed_ms = await keep(step)
            self.kept[number] = came, time.perf_counter_ns()
            return committed_ms

        engine._keeper.keep = kept  # type: ignore[method-assign]
        before = engine.on_change

        def stepped(changed: TradingEngine) -> None:
            before(changed)
            if not changed._sends:
                self.waiting.pop(number, None)  # the price caused no order

        engine.on_change = stepped

    def on_orders(self, exchange: BinanceExchange) -> None:
        """Follow every placement."""
        place = exchange.place

        async def noted(order: Order, committed_ms: int) -> Outcome:
            began, kept = self.waiting.pop(order.key.instance, 0), self.kept.get(order.key.instance, (0, 0))
            left: list[float] = []
            self._under_way.set((began, left) if began else None)
            outcome = await place(order, committed_ms)
            if began and self.is_counting:
                self.left_ms.extend(left[-1:])
                for ms in left[-1:]:
                    decided, committed = ((moment - began) / 1e6 for moment in kept)
                    self.stages.append((decided, committed - decided, ms - committed))
                self.answered_ms.append((time.perf_counter_ns() - began) / 1e6)
            return outcome

        exchange.place = noted  # type: ignore[method-assign]

    def on_writes(self) -> None:
        """Note when the bytes of a placement have been handed to the kernel."""
        for name in ("_write", "_writelines"):
            setattr(StreamWriter, name, self._written(getattr(StreamWriter, name)))

    def _written(self, write: Any) -> Any:
        def noted(writer: StreamWriter, content: Any) -> None:
            write(writer, content)
            if (order := self._under_way.get()) is not None:
                order[1].append((time.perf_counter_ns() - order[0]) / 1e6)

        return noted


def show(name: str, found: list[float], seconds: float) -> None:
    ordered = sorted(found) or [0.0]
    p50, p99 = (ordered[min(int(len(ordered) * part), len(ordered) - 1)] for part in (0.5, 0.99))
    print(f"| {name} | {len(found) / seconds:.0f} | {p50:.2f} | {p99:.2f} | {ordered[-1]:.2f} |")


def show_stages(stages: list[tuple[float, float, float]], seconds: float) -> None:
    """Each stage by itself, and where the slowest hundredth of the orders spent their time."""
    names = ("price read -> step decided", "step decided -> committed", "committed -> request written")
    for name, found in zip(names, zip(*stages, strict=True), strict=False):
        show(f"of it: {name}", list(found), seconds)
    slowest = sorted(stages, key=sum)[-max(len(stages) // 100, 1) :]
    means = (sum(found) / len(slowest) for found in zip(*slowest, strict=True))
    words = ", ".join(f"{name} {mean:.1f} ms" for name, mean in zip(names, means, strict=False))
    print(f"\nThe slowest hundredth, on average: {words}")


async def bare_commits(journal: GroupCommitJournal, seconds: float, rate: int) -> list[float]:
    """Latencies of the journal alone, at the same rate, of instances that trade nothing."""
    robots, chance, found = [Robot(len(COINS) + 1 + n) for n in range(len(COINS))], random.Random(1), []
    for robot in robots:
        await journal.raise_epoch(robot.instance, "bench")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        await journal.commit(chance.choice(robots).next_step())
        found.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(max(1 / rate - (time.perf_counter() - began), 0))
    return found


async def measure(url: str, rest: str, stream: str, seconds: float) -> None:
    engine = prepare(url, dict.fromkeys(range(1, 2 * len(COINS) + 1), 1))
    clock, taps = Clock(SystemTime(), SystemTime()), Taps()
    EXCHANGES.scan(exchanges)
    settings = VenueSettings(Credentials(SecretStr(KEY), SecretStr(SECRET)), rest, stream)
    exchange = EXCHANGES.get("binance_spot")(settings, clock)
    assert isinstance(exchange, BinanceExchange)
    journal, market = GroupCommitJournal(address(engine), clock.machine), MarketData(clock)
    hub = AccountHub(1, 1, exchange, journal, clock)
    taps.on_frames()
    taps.on_writes()
    taps.on_orders(exchange)
    await hub.start()
    manager = EngineManager(1, "bench", journal, EngineMarket(market.venue(exchange)), clock)
    try:
        for number, symbol in enumerate([f"{coin}USDT" for coin in COINS], 1):
            quote = exchange.instrument(symbol).quote
            spec = InstanceSpec(number, 0, symbol, "1m", KIND, StrategyParams(), LIMITS, ((quote, 10**16),))
            taps.on_engine(await manager.start(spec, hub))
        await asyncio.sleep(3)
        gc.collect()
        gc.freeze()  # as a worker does with what has come to stay
        taps.is_counting, began, (commits, steps) = True, time.process_time(), journal.counts()
        await asyncio.sleep(seconds)
        taps.is_counting, spent = False, time.process_time() - began
        commits, steps = (now - before for now, before in zip(journal.counts(), (commits, steps), strict=True))
        show("price read -> request written", taps.left_ms, seconds)
        show("price read -> answer read", taps.answered_ms, seconds)
        cost = spent * 1e3 / max(len(taps.left_ms), 1)
    finally:
        for number in list(manager.engines):
            await manager.release(number)
        await hub.stop()
        await market.close()
    show("the journal alone: one commit", await bare_commits(journal, 5, 100), 5)
    show_stages(taps.stages, seconds)
    print(f"\nCPU of the platform's process: {cost:.2f} ms an order, prices included")
    print(f"{steps / seconds:.0f} steps a second were kept in {commits / seconds:.0f} commits")
    await journal.close()
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "mariadb"], default="sqlite")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--turn-ms", type=float, default=0.5, help="how long a thread may keep the interpreter")
    options = parser.parse_args()
    sys.setswitchinterval(options.turn_ms / 1000)
    funds = "USDT=100000000,BTC=10000,ETH=10000,BNB=10000"
    listed = ",".join(f"{coin}USDT" for coin in COINS)
    wanted = [
        "--speed",
        "1",
        "--symbols",
        listed,
        "--prints-per-minute",
        "320",
        "--lift-limits",
        "--account",
        f"{KEY}:{SECRET}:{funds}",
    ]
    with database(options.database) as (url, words), venue_on_its_own_core(*wanted) as venue:
        print(f"{machine()}; {words}")
        print("| | a second | p50 ms | p99 ms | worst ms |\n|---|---|---|---|---|")
        host = f"127.0.0.1:{venue.port}"
        uvloop.run(measure(url, f"http://{host}", f"ws://{host}", options.seconds))
    print(speed_of_the_machine())


if __name__ == "__main__":
    main()
