"""A paper account in virtual time: the engine, market data and paper venue that trade, on a market of a script."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import strategies
from core.base_exchange import Bar, PaperSettings, PriceUpdate, VenueSettings
from core.base_journal import Step
from core.base_strategy import STRATEGIES
from core.clock import Clock
from domain.instrument import Instrument
from domain.order import BUY, SELL
from domain.risk_manager import RiskLimits
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager, InstanceSpec
from engine.market_data.service import MarketData
from engine.market_data.settings import MarketSettings
from engine.market_data.wiring import EngineMarket
from exchanges._paper.exchange import PaperExchange
from exchanges._paper.feed import PaperFeed
from exchanges._paper.store import MemoryStore
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.memory_journal import MemoryJournal
from tests.fakes.virtual_time import VirtualLoop, virtual_clock
from tests.parity.recording import Recording

STRATEGIES.scan(strategies)
#: Limits that count machine time are wide, as they are in a replay.
LIMITS = RiskLimits(max_price_age_ms=10**9, max_messages=0, max_rejections=50, collar_ppm=0)
FUNDS = {"USDT": Decimal(100_000), "BTC": Decimal(10)}
FEE_PPM = 1_000
INSTANCE = 1
_HUB = HubSettings(sweep_interval=10**6, liveness_interval=10**6)
_MARKET = MarketSettings(
    max_age_ms=10**9, silence_ms=10**9, audit_ms=10**9, bar_grace_ms=10**6, look_ms=10**6, max_jump_ppm=1_000_000,
    connects_per_5_minutes=1_000,
)  # fmt: skip


class RecordingJournal(MemoryJournal):
    """A journal that also writes down what it is asked to keep, with the price at that moment."""

    def __init__(self, clock: Clock, recording: Recording, prices: FakeExchange) -> None:
        super().__init__(clock.machine.now_ms)
        self._recording = recording
        self._prices = prices.market.latest

    async def commit(self, step: Step) -> int:
        """Keep a step."""
        committed_ms = await super().commit(step)
        latest = self._prices[self._recording.instrument.symbol]
        self._recording.see(step.time_ms, latest.last, 0)
        self._recording.keep(step)
        return committed_ms


class Print(NamedTuple):
    """A trade of the market, and who came to it: the book then has a tick between its sides; 0 is no spread."""

    ticks: int
    lots: int
    taker: int = 0


@dataclass(frozen=True)
class Script:
    """A market: what happens at which moment, a trade or a closed bar."""

    instrument: Instrument
    first_ticks: int
    past: Sequence[Bar]
    events: Sequence[tuple[int, Print | Bar]]
    interval: str = "1m"
    #: Lots that the book shows at its best prices.
    shown: int = 0


def traded_on_paper(kind: str, params: dict[str, Any], script: Script, fill_model: str = "touch") -> Recording:
    """Run a strategy on a paper account through a script; gives what it saw and decided."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_trade(kind, params, script, fill_model))


async def _trade(kind: str, params: dict[str, Any], script: Script, fill_model: str) -> Recording:
    clock, instrument = virtual_clock(), script.instrument
    feed = FakeExchange(instrument, clock=clock)
    recording = Recording(instrument, bars=list(script.past))
    journal = RecordingJournal(clock, recording, feed)
    start_ms = clock.trading.now_ms()
    _tell(feed, script, start_ms, Print(script.first_ticks, 0))
    for bar in script.past:
        feed.market.bar(bar, streamed=False)
    paper = PaperSettings(
        "fake", FUNDS, MemoryStore(), fill_model, FEE_PPM, FEE_PPM,
        market=PaperFeed(feed, clock.machine, owns=False),
    )  # fmt: skip
    exchange = PaperExchange(feed, paper, VenueSettings(), clock)
    market = MarketData(clock, _MARKET, random.Random(1))
    hub = AccountHub(1, 1, exchange, journal, clock, _HUB)
    manager = EngineManager(1, "parity", journal, EngineMarket(market.venue(feed)), clock)
    await hub.start()
    # A replay starts a millisecond after its first price.
    recording.see(start_ms - 1, script.first_ticks, 0)
    strategy = STRATEGIES.get(kind)
    capital = tuple((asset, int(amount * 10**8)) for asset, amount in FUNDS.items())
    spec = InstanceSpec(
        INSTANCE, 0, instrument.symbol, script.interval, strategy, strategy.params(**params), LIMITS, capital
    )
    await manager.start(spec, hub)
    await _settle(hub, manager, market)
    for moment_ms, what in script.events:
        await asyncio.sleep(max(moment_ms - clock.trading.now_ms(), 0) / 1000)
        recording.moment += 1
        if isinstance(what, Bar):
            feed.market.bar(what)
            recording.bars.append(what)
        else:
            _tell(feed, script, clock.trading.now_ms(), what)
            recording.see(clock.trading.now_ms(), what.ticks, what.lots)
        await feed.market.drained()
        await _settle(hub, manager, market)
    held_back = manager.engines[INSTANCE].status.held_back
    assert not held_back, f"the rules of risk held orders back: {held_back}"
    await manager.release(INSTANCE)
    await hub.stop()
    await market.close()
    return recording


def _tell(feed: FakeExchange, script: Script, now_ms: int, what: Print) -> None:
    """A trade, and the book after it."""
    symbol = script.instrument.symbol
    bid = what.ticks - 1 if what.taker == BUY else what.ticks
    ask = what.ticks + 1 if what.taker == SELL else what.ticks
    update = PriceUpdate(symbol, what.ticks, bid, ask, now_ms, what.lots, script.shown, script.shown)
    feed.market.latest[symbol] = update
    feed.market.send(update)


async def _settle(hub: AccountHub, manager: EngineManager, market: MarketData) -> None:
    """Until nothing is under way; a few turns of the loop, because what was told has yet to be taken."""
    for _ in range(10_000):
        for _ in range(12):
            await asyncio.sleep(0)
        if manager.is_idle and hub.is_idle and market.is_quiet:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("the platform does not come to rest.")
