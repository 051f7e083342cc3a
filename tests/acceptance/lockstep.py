"""The platform and the simulated venue in lockstep: market time moves a step, everything settles, it moves again.

The venue is a process of its own; the way to it is the adapter's, over REST and WebSockets. Trading time follows the
venue, machine time stays real. A moment is quiet when no request is under way, everything sent has been read, and no
engine has anything left to do.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
import orjson
from pydantic import SecretStr
from sqlalchemy import Engine

import exchanges
from core.base_exchange import EXCHANGES, Credentials, VenueSettings
from core.base_journal import BaseJournal
from core.clock import Clock, SystemTime
from db.journal import GroupCommitJournal
from domain import slots
from domain.money import to_wire
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager
from engine.market_data.service import MarketData
from engine.market_data.wiring import EngineMarket
from exchanges._binance.exchange import BinanceExchange
from tests.acceptance.checker import Checker, Views, amounts
from tests.acceptance.live_node import ACCOUNT, DEADLINE_SECONDS, MARKET, Node, SteppedTime, until
from tests.acceptance.scene import Scene
from tests.acceptance.stored import Reader, Stored
from tests.acceptance.tape import Tape
from tests.journal_database import address
from tests.simulator_process import SimulatorProcess

KEY, SECRET = "key-of-lockstep", "secret-of-lockstep"
#: Sweeps come when something asks for them, not by the wall: a run in lockstep must not depend on the machine.
HUB = HubSettings(sweep_interval=3_600.0, retry=0.05, receive_window_ms=5_000)


class Operator:
    """The venue's operator: moves time, and looks at everything."""

    def __init__(self, session: aiohttp.ClientSession, venue: SimulatorProcess) -> None:
        self._session = session
        self._root = f"{venue.admin}/admin/"

    async def post(self, verb: str, **body: Any) -> Any:
        """A verb; fails when the venue refuses it."""
        async with self._session.post(self._root + verb, data=orjson.dumps(body)) as answer:
            content = await answer.read()
            assert answer.status < 300, f"{verb}: {content!r}"
            return orjson.loads(content)

    async def get(self, view: str) -> Any:
        """A view."""
        async with self._session.get(self._root + view) as answer:
            content = await answer.read()
            assert answer.status < 300, f"{view}: {content!r}"
            return orjson.loads(content)

    async def tape(self, after: int) -> list[dict[str, Any]]:
        """Lines of the tape after a number."""
        async with self._session.get(f"{self._root}tape?after={after}") as answer:
            return [orjson.loads(line) for line in (await answer.read()).splitlines()]


@asynccontextmanager
async def node(
    venue: SimulatorProcess, scene: Scene, database: Engine, start_ms: int,
    through: Callable[[GroupCommitJournal], BaseJournal] = lambda journal: journal,
) -> AsyncIterator[Node]:  # fmt: skip
    """Take every strategy up, its journal written `through` something; leaving is a death: nothing is tidied up."""
    trading = SteppedTime(start_ms)
    clock = Clock(trading, SystemTime())
    EXCHANGES.scan(exchanges)
    exchange = exchange_of(venue, scene, clock, KEY, SECRET)
    written = GroupCommitJournal(address(database), clock.machine)
    journal = through(written)
    market = MarketData(clock, MARKET, random.Random(7))
    hub = AccountHub(ACCOUNT, 1, exchange, journal, clock, HUB)
    await hub.start()
    manager = EngineManager(1, "lockstep", journal, EngineMarket(market.venue(exchange)), clock)
    made = Node(exchange, hub, manager, market, written, trading)
    try:
        await until(lambda: hub.status.gaps > 0, "the private stream")
        for bot in scene.bots:
            await manager.start(bot.spec(), hub)
        await until(lambda: market.is_connected and market.is_quiet, "the public streams")
        yield made
    finally:
        for number in list(manager.engines):
            await manager.release(number)
        await hub.stop()
        await market.close()
        await written.close()


def exchange_of(venue: SimulatorProcess, scene: Scene, clock: Clock, key: str, secret: str) -> BinanceExchange:
    """The adapter of an account, not yet connected."""
    settings = VenueSettings(
        Credentials(SecretStr(key), SecretStr(secret)), venue.rest, venue.stream, receive_window_ms=5_000,
        silence_seconds=600.0,
    )  # fmt: skip
    exchange = EXCHANGES.get(scene.venue)(settings, clock)
    assert isinstance(exchange, BinanceExchange)
    return exchange


@dataclass(slots=True)
class Figures:
    """What a run cost."""

    seconds: float = 0.0
    steps: int = 0
    rounds: int = 0
    checks: int = 0
    spent: dict[str, float] = field(default_factory=dict)


class Lockstep:
    """Drives one venue and whichever node is up, and compares their books at quiet moments."""

    def __init__(self, operator: Operator, scene: Scene, database: Engine, check_every_ms: int = 0) -> None:
        self.operator = operator
        self.scene = scene
        self.database = database
        self.figures = Figures()
        self.tape = Tape("spot" if scene.venue == "binance_spot" else "futures", ACCOUNT)
        self.stored = Stored()
        self._reader = Reader(database, ACCOUNT)
        self._checker = Checker(self.tape)
        self.now_ms = 0
        self._check_every_ms = check_every_ms
        self._next_check_ms = 0
        #: Lines of the tape at the last quiet moment.
        self._told = 0

    async def run(self, up: Node, minutes: int) -> None:
        """Go on for so many minutes of the market, checking at quiet moments."""
        began = time.monotonic()
        await self.quiet(up)
        await self.check()
        end_ms = self.now_ms + minutes * 60_000
        while self.now_ms < end_ms:
            await self.step(up)
            if self.now_ms >= self._next_check_ms:
                self._next_check_ms = self.now_ms + self._check_every_ms
                await self.check()
        await self.check(whole=True)
        self.figures.seconds += time.monotonic() - began

    async def step(self, up: Node) -> None:
        """One step of market time, and all that comes of it."""
        until_ms = (self.now_ms // self.scene.step_ms + 1) * self.scene.step_ms
        between = self._between(up) if self.scene.passes_over else {}
        with self._timed("advance"):
            answer = await self.operator.post("advance", to=until_ms, until_event=True, between=between)
        self.now_ms = answer["market_ms"]
        self.figures.steps += 1
        await self.quiet(up)

    @staticmethod
    def _between(up: Node) -> dict[str, tuple[str | None, str | None]]:
        """Symbol -> the nearest prices that an engine waits for: what stays between them wakes nobody."""
        found: dict[str, tuple[Decimal, Decimal]] = {}
        for engine in up.manager.engines.values():
            state, instrument = engine.instance.state, engine.instance.instrument
            above, below = state[slots.WAKE_ABOVE], state[slots.WAKE_BELOW]
            low, high = found.get(instrument.symbol, (Decimal(0), Decimal("Infinity")))
            found[instrument.symbol] = (
                max(low, instrument.from_ticks(below)) if below else low,
                min(high, instrument.from_ticks(above)) if above else high,
            )
        return {
            symbol: (to_wire(low) if low else None, to_wire(high) if high.is_finite() else None)
            for symbol, (low, high) in found.items()
        }

    async def quiet(self, up: Node) -> None:
        """Until nothing is under way anywhere."""
        while True:
            before = up.activity
            with self._timed("settle"):
                answer = await self.operator.post("settle")
            self.now_ms, self._told = answer["market_ms"], answer["tape"]
            with self._timed("flush"):
                async with asyncio.timeout(DEADLINE_SECONDS):
                    await up.exchange.flush()
            up.trading.move_to(self.now_ms)
            up.market.pass_time(self.now_ms)
            with self._timed("work"):
                await up.idle()
            self.figures.rounds += 1
            if up.activity == before:
                return

    async def check(self, *, whole: bool = False) -> None:
        """Compare the books, if anything has happened since the last time."""
        with self._timed("check"):
            is_news = self._told > self.tape.read
            touched = is_news and self.tape.take(await self.operator.tape(self.tape.read))
            if not (touched or whole):
                return
            self.figures.checks += 1
            self.stored, views = await asyncio.gather(asyncio.to_thread(self._reader.read), self._views())
            found = self._checker.complaints(self.stored, views)
            assert not found, f"at {self.now_ms}, {len(found)} complaints:\n" + "\n".join(found[:20])

    async def _views(self) -> Views:
        market, get = self.tape.market, self.operator.get
        account, resting, symbols, positions = await asyncio.gather(
            get(f"accounts/{ACCOUNT}"),
            get(f"orders?market={market}&account={ACCOUNT}"),
            get("symbols"),
            get(f"positions?account={ACCOUNT}"),
        )
        held = positions if market == "futures" else []
        return Views(
            amounts(account[market]),
            frozenset(order["client_order_id"] for order in resting),
            amounts({position["symbol"]: position["quantity"] for position in held}),
            amounts({each["symbol"]: each["last_price"] for each in symbols if each["market"] == market}),
        )

    def _timed(self, name: str) -> _Timed:
        return _Timed(self.figures.spent, name)


class _Timed:
    """Adds the time spent inside to a table."""

    def __init__(self, spent: dict[str, float], name: str) -> None:
        self._spent = spent
        self._name = name
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._spent[self._name] = self._spent.get(self._name, 0.0) + time.monotonic() - self._began
