"""The platform as a process that ends at a named place: `python -m tests.acceptance.crash.child JSON`.

It takes one strategy up against the simulated venue, over the wire and with the real journal, and then does what its
driver says, line by line, over a socket. Once armed it kills itself with SIGKILL when it arrives at the place.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import orjson
import uvloop
from pydantic import SecretStr

import exchanges
import strategies
from core import crash_points
from core.base_exchange import EXCHANGES, Credentials, VenueSettings
from core.base_journal import CommitUnknown, JournalDown
from core.base_strategy import STRATEGIES
from core.clock import Clock, SystemTime
from db.journal import GroupCommitJournal
from domain import slots
from domain.errors import AresError
from domain.order import OPEN
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager
from engine.gate import PAUSING
from engine.market_data.service import MarketData
from engine.market_data.wiring import EngineMarket
from engine.order_gateway import ResolveSettings
from engine.trading_engine import EngineSettings
from exchanges._binance.exchange import BinanceExchange
from exchanges._ccxt.session import tls
from tests.acceptance.live_node import ACCOUNT, MARKET, Node, SteppedTime, until
from tests.acceptance.scene import Bot
from tests.fakes.unreliable_driver import ANSWER_LOST, UnreliableDatabase

INSTANCE = 1
DEPLOYMENT = 1

# Done where processes are forked from, so that each of them need not.
EXCHANGES.scan(exchanges)
STRATEGIES.scan(strategies)
tls()


@dataclass(frozen=True, slots=True)
class Times:
    """Dead times, in milliseconds: short, so that a sweep need not wait; `real()` gives those of live trading."""

    window_ms: int = 700
    dead_margin_ms: int = 300
    schedule: tuple[float, ...] = (0.03, 0.06, 0.1, 0.2)
    cancel_check: float = 0.05
    denials: int = 3
    retry: float = 0.05
    orphan_retry: float = 0.1
    refusal_pause: float = 0.05
    timeout: float = 5.0
    receive_window_ms: int = 700

    @classmethod
    def real(cls) -> Times:
        """What live trading uses."""
        hub, resolve = HubSettings(), ResolveSettings()
        window = hub.receive_window_ms
        return cls(
            window, resolve.dead_margin_ms, resolve.schedule, resolve.cancel_check_seconds,
            resolve.denials, hub.retry, hub.orphan_retry, EngineSettings().refusal_pause,
            VenueSettings().timeout_seconds, VenueSettings().receive_window_ms,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Life:
    """What a process is started with."""

    port: int
    rest: str
    stream: str
    key: str
    secret: str
    database: str
    venue: str
    symbol: str
    start_ms: int
    params: dict[str, str]
    kind: str = "trailing_grid"
    #: Ends itself when it arrives at this place; empty: never.
    place: str = ""
    times: Times = field(default_factory=Times)
    log: str = os.devnull


def die_at(place: str) -> None:
    """End this process without a word when it arrives there."""

    def told(reached: str) -> None:
        if reached == place:
            os.kill(os.getpid(), signal.SIGKILL)

    crash_points.arm(told if place else None)


class Child:
    """One life of the platform."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.trading = SteppedTime(life.start_ms)
        clock = Clock(self.trading, SystemTime())
        times = life.times
        settings = VenueSettings(
            Credentials(SecretStr(life.key), SecretStr(life.secret)), life.rest, life.stream,
            receive_window_ms=times.receive_window_ms, timeout_seconds=times.timeout, silence_seconds=600.0,
        )  # fmt: skip
        exchange = EXCHANGES.get(life.venue)(settings, clock)
        assert isinstance(exchange, BinanceExchange)
        self.database = UnreliableDatabase(life.database)
        journal = GroupCommitJournal(life.database, clock.machine, connect=self.database.connect)
        resolve = ResolveSettings(times.schedule, times.dead_margin_ms, times.cancel_check, times.denials)
        hub_settings = HubSettings(
            3_600.0, times.retry, receive_window_ms=times.window_ms, resolve=resolve, orphan_retry=times.orphan_retry
        )
        hub = AccountHub(ACCOUNT, DEPLOYMENT, exchange, journal, clock, hub_settings)
        market = MarketData(clock, replace(MARKET, breaker_ms=200), random.Random(7))
        engine_settings = EngineSettings(journal_retry=0.05, parked_retry=0.1, refusal_pause=times.refusal_pause)
        manager = EngineManager(
            DEPLOYMENT, f"process {os.getpid()}", journal, EngineMarket(market.venue(exchange)), clock, engine_settings
        )
        self.node = Node(exchange, hub, manager, market, journal, self.trading)
        self.params = dict(life.params)

    def bot(self) -> Bot:
        """The strategy as it is wanted now."""
        return Bot(INSTANCE, self.life.kind, self.life.symbol, self.params, {"USDT": "50000"})

    async def take_up(self) -> None:
        """Start, however often the venue or the journal does not answer."""
        hub, manager = self.node.hub, self.node.manager
        while True:
            try:
                if hub.status.state == "starting" and not hub.status.sweeps:
                    await hub.start()
                await until(lambda: hub.status.gaps > 0, "the private stream")
                await manager.start(self.bot().spec(), hub)
                return
            except (JournalDown, CommitUnknown, AresError):
                await asyncio.sleep(self.life.times.retry)

    async def quiet(self, market_ms: int, gaps: int = 0) -> dict[str, Any]:
        """Until nothing is under way in here; gives how things stand."""
        node = self.node
        await until(lambda: node.hub.status.gaps >= gaps, "another gap in the private stream")
        async with asyncio.timeout(self.patience):
            await node.exchange.flush()
        self.trading.move_to(market_ms)
        node.market.pass_time(market_ms)
        await self._idle()
        return self.report()

    @property
    def patience(self) -> float:
        """Seconds within which everything has to settle."""
        times = self.life.times
        return 180.0 + max(times.window_ms + times.dead_margin_ms, 0) * 3 / 1000

    async def _idle(self) -> None:
        async with asyncio.timeout(self.patience):
            while not (self.node.is_idle and self._is_settled()):
                await asyncio.sleep(0.003)

    def _is_settled(self) -> bool:
        """Whether nothing is waited for that comes by itself: another sweep for an orphan, a pause after a refusal."""
        held = [reason for engine in self.node.manager.engines.values() for reason in engine.status.held_back.values()]
        return not self.node.hub.status.last_sweep.unbelieved and PAUSING not in held

    def report(self) -> dict[str, Any]:
        """Activity, and what the engine believes."""
        hub = self.node.hub
        engine = self.node.manager.engines.get(INSTANCE)
        told = {"activity": self.node.activity, "gaps": hub.status.gaps}
        if engine is None:
            return told
        return told | {
            "state": engine.status.state, "error": engine.status.last_error, "steps": engine.status.steps,
            "idle_slots": self._idle_slots(), "positions": engine.instance.position.lots,
            "memory": [list(engine.instance.state), list(engine.instance.memory)],
        }  # fmt: skip

    def _idle_slots(self) -> list[str]:
        """Slots whose order is not the one that is wished, though nothing holds it back."""
        engine = self.node.manager.engines[INSTANCE]
        state, found = engine.instance.state, []
        for slot in range(slots.count_of(state)):
            wish, order = slots.wish_of(state, slot), engine.instance.orders.get(slot)
            action = slots.action_for(wish, order)
            if action != slots.KEEP or (order is not None and order.status == OPEN and not wish.side):
                found.append(f"slot {slot} wishes {wish} and has {order}: {engine.status.held_back.get(slot, '')}")
        return found

    async def obey(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the driver says; gives the answer."""
        node, verb = self.node, command["do"]
        if verb == "quiet":
            return await self.quiet(command["market_ms"], command.get("gaps", 0))
        if verb == "arm":
            die_at(command["place"])
        elif verb == "tell":
            node.manager.tell(INSTANCE, command["verb"])
        elif verb == "edit":
            self.params.update(command["params"])
            node.manager.edit(self.bot().spec())
        elif verb == "lose_commits":
            self.database.faults.extend([ANSWER_LOST] * command["times"])
        elif verb == "release":
            await node.manager.release(INSTANCE)
        else:
            raise ValueError(f"there is no verb {verb}")
        return {}


async def live(life: Life) -> None:
    """Come up, tell the driver, obey until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", life.port, limit=1 << 22)

    def say(answer: Mapping[str, Any]) -> None:
        writer.write(orjson.dumps(answer) + b"\n")

    try:
        child = Child(life)
        await child.take_up()
        say({"up": True})
        while line := await reader.readline():
            say(await child.obey(orjson.loads(line)))
    except Exception:  # noqa: BLE001 - whatever it is, the driver has to hear of it
        say({"failed": traceback.format_exc()})
        await writer.drain()
        os._exit(3)
    os._exit(0)


def main(life: Life) -> None:
    """Run as a process of its own; what it says goes to its log."""
    log = os.open(life.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1)
    die_at(life.place)
    uvloop.run(live(life))


def read_life(text: str) -> Life:
    """The life from its JSON."""
    given = orjson.loads(text)
    times = given.pop("times", None)
    if times is not None:
        times["schedule"] = tuple(times["schedule"])
    return Life(**given, times=Times(**times) if times else Times())


def price_steps(price: Decimal) -> dict[str, str]:
    """A small trailing grid for any price: three bids half a percent apart, worth about 500 each."""
    quantity = (Decimal(500) / price).quantize(Decimal("0.001"))
    return {"grid_levels": "3", "offset_percent": "0.5", "sell_offset_percent": "0.5", "reprice_percent": "1",
            "quantity": str(quantity)}  # fmt: skip


if __name__ == "__main__":
    main(read_life(sys.argv[1]))
