"""One account at the simulated venue with the whole platform on it: the real adapter, engine and journal.

The venue is a process that the tests of a module share; each test has an account, a key and a database of its own.
Market time stands still until a test moves it. Dead times are short by configuration.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import aiohttp
import orjson
from pydantic import SecretStr
from sqlalchemy import Engine, text

import exchanges
import strategies
from core.base_exchange import EXCHANGES, Credentials, VenueSettings
from core.base_strategy import STRATEGIES
from core.clock import Clock, SystemTime, VenueTime
from db.journal import GroupCommitJournal
from db.journal.drivers import Driver
from domain.client_order_id import decode, is_ours
from domain.order import Order
from domain.risk_manager import RiskLimits
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager, InstanceSpec
from engine.market_data.service import MarketData
from engine.market_data.settings import MarketSettings
from engine.market_data.wiring import EngineMarket
from engine.order_gateway import ResolveSettings
from engine.trading_engine import EngineSettings, TradingEngine
from exchanges._binance.exchange import BinanceExchange
from tests.acceptance.checker import Views, amounts, complaints
from tests.acceptance.scene import QUANTUM
from tests.acceptance.stored import Stored, read
from tests.acceptance.tape import Tape
from tests.journal_database import address, prepare
from tests.simulator.fault_matrix.customer import customer
from tests.simulator_process import SimulatorProcess

BTC = "BTCUSDT"
SECRET = "secret-of-faults"
PATIENCE = 180.0
FUNDS = {"USDT": "100000000", "BTC": "10", "ETH": "100", "BNB": "10"}
CAPITAL = {"USDT": "100000", "BTC": "2"}
OPTIONS = ("--market", "generated:11", "--symbols", "BTCUSDT,ETHUSDT,BNBUSDT", "--speed", "0", "--lift-limits")
#: What is signed for: no machine is so busy that the venue refuses what comes so late.
SIGNED_MS = 30_000
#: Dead times that a test can wait for: nothing here is on its way for longer than the platform believes.
RESOLVE = ResolveSettings(schedule=(0.05, 0.1, 0.2, 0.3), dead_margin_ms=500, cancel_check_seconds=0.2)
HUB = HubSettings(sweep_interval=3_600.0, retry=0.1, receive_window_ms=1_500, resolve=RESOLVE)
#: Long enough for an order that appears late.
PATIENT = replace(HUB, resolve=replace(RESOLVE, dead_margin_ms=60_000))
DEAD_SECONDS = (HUB.receive_window_ms + RESOLVE.dead_margin_ms) / 1000
MARKET = MarketSettings(
    max_age_ms=600_000, silence_ms=600_000, audit_ms=600_000, bar_grace_ms=600_000, max_jump_ppm=1_000_000,
    collect_ms=1, overlap_ms=200, backoff_ms=20, backoff_max_ms=100, connects_per_5_minutes=1_000, look_ms=100,
)  # fmt: skip
LIMITS = RiskLimits(max_price_age_ms=10**9, max_messages=0, collar_ppm=0)
ENGINE = EngineSettings(parked_retry=0.1)
#: What the platform may ask of the venue: no resends, no batches of cancels, nothing that replaces in one request.
WRITES = {
    ("POST", "/api/v3/order"), ("DELETE", "/api/v3/order"),
    ("POST", "/fapi/v1/order"), ("DELETE", "/fapi/v1/order"), ("POST", "/fapi/v1/batchOrders"),
    ("POST", "/fapi/v1/algoOrder"), ("DELETE", "/fapi/v1/algoOrder"),
    ("POST", "/fapi/v1/listenKey"), ("PUT", "/fapi/v1/listenKey"),
}  # fmt: skip

_numbers = itertools.count(1)


@dataclass(slots=True)
class Node:
    """The platform's process, as one object: it may end, and another may come."""

    exchange: BinanceExchange
    hub: AccountHub
    manager: EngineManager
    market: MarketData
    journal: GroupCommitJournal
    #: Complaints about orders whose state went back.
    regressions: list[str] = field(default_factory=list)
    _last: dict[str, Order] = field(default_factory=dict)

    def engine(self, number: int = 1) -> TradingEngine:
        """A running instance."""
        return self.manager.engines[number]

    def live(self, number: int = 1) -> list[Order]:
        """Its orders that are not complete, nearest price first for bids."""
        return sorted(self.engine(number).instance.live_orders(), key=lambda order: -order.ticks)

    def alarms(self) -> list[str]:
        """What a person has been told at once."""
        return [alarm.text for alarm in self.hub.alarms]

    def watch(self, engine: TradingEngine) -> None:
        """From now on an order of this engine must never go back."""
        before = engine.on_change

        def after_step(changed: TradingEngine) -> None:
            before(changed)
            for order in changed.instance.orders.values():
                last = self._last.get(order.client_order_id)
                if last is not None and (order.status < last.status or order.filled < last.filled):
                    self.regressions.append(f"{order.client_order_id} went from {last} back to {order}")
                self._last[order.client_order_id] = order

        engine.on_change = after_step


@dataclass
class Bench:
    """An account at the venue, and the database of the platform that trades on it."""

    venue: SimulatorProcess
    market: str
    account: int
    key: str
    database: Engine
    folder: Path
    tape: Tape
    #: Orders that came alive after they had been proven dead: their slot may have had another by then.
    resurrected: set[str] = field(default_factory=set)
    #: Accounts, keys and trades of others may be on the tape; the checker is told of what is not ours to explain.
    lines: list[dict[str, Any]] = field(default_factory=list)

    # --- the venue's side -------------------------------------------------------------------------------------

    def fault(self, kind: str, times: int | None = 1, **rule: Any) -> int:
        """Set a rule for this account; gives its number."""
        limit = {} if times is None else {"times": times}
        found: int = self.venue.post("faults", {"kind": kind, "account": self.account, **limit, **rule})["id"]
        return found

    def placing(self, kind: str, times: int | None = 1, **args: Any) -> int:
        """A fault of requests that place one order."""
        return self.fault(kind, times, method="POST", path="*/order", args=args)

    def lift(self, rule: int) -> None:
        self.venue.delete(f"faults/{rule}")

    def release(self, rule: int) -> None:
        self.venue.post(f"faults/{rule}/release")

    def applied(self, rule: int) -> int:
        """How often a rule has applied."""
        found: int = next(row["applied"] for row in self.venue.get("faults") if row["id"] == rule)
        return found

    def price(self, symbol: str = BTC) -> Decimal:
        """The last price."""
        rows = self.venue.get("symbols")
        return next(Decimal(r["last_price"]) for r in rows if (r["market"], r["symbol"]) == (self.market, symbol))

    def gap(self, percent: str, symbol: str = BTC) -> None:
        """The market trades at another price; what rests in between trades first, so it may take a few prints."""
        before = self.price(symbol)
        there = before * (1 + Decimal(percent) / 100)
        self.venue.post("market/gap", {"market": self.market, "symbol": symbol, "percent": percent})
        self.pass_time(5_000)
        for _ in range(60):
            if abs(self.price(symbol) - there) * 2 <= abs(before - there):
                return
            self.pass_time()
        raise AssertionError(f"the market is at {self.price(symbol)} and not near {there}")

    def pass_time(self, milliseconds: int = 1_000) -> None:
        self.venue.post("advance", {"ms": milliseconds})

    async def sell_into(self, order: Order, part: str) -> None:
        """Somebody else sells so much into a bid of ours, and before that whatever stands in front of it."""
        book = self.venue.get(f"book?market={self.market}&symbol={order.symbol}&limit=5000")
        row = next(row for row in book["orders"] if row["order_id"] == int(order.venue_order_id))
        price = Decimal(row["price"])
        above = sum(Decimal(quantity) for bid, quantity in book["bids"] if Decimal(bid) > price)
        quantity = above + Decimal(row["ahead"]) + Decimal(part)
        async with customer(self.venue, "spot" if self.market == "spot" else "futures") as other:
            answer = await other.place("other", side="SELL", quantity=str(quantity), price=str(price))
        assert answer.status == 200, answer

    async def by_hand(self, side: str, quantity: str, price: Decimal) -> None:
        """The owner of the account trades by another program."""
        given = {"symbol": BTC, "side": side, "type": "LIMIT", "timeInForce": "GTC", "newClientOrderId": "by-hand"}
        signed = urlencode({**given, "quantity": quantity, "price": price, "timestamp": time.time_ns() // 1_000_000})
        signature = hmac.digest(SECRET.encode(), signed.encode(), "sha256").hex()
        url = f"{self.venue.rest}/api/v3/order?{signed}&signature={signature}"
        async with aiohttp.ClientSession() as session, session.post(url, headers={"X-MBX-APIKEY": self.key}) as answer:
            assert answer.status == 200, await answer.text()

    def leave(self, amount: Decimal) -> None:
        """The owner takes out money until so much quote is free."""
        free = Decimal(str(self.venue.get(f"accounts/{self.account}")["spot"]["USDT"]["free"]))
        if self.market == "futures":
            free = Decimal(str(self.venue.get(f"accounts/{self.account}")["futures"]["USDT"]))
        body = {"market": self.market, "asset": "USDT", "amount": str((free - amount).quantize(Decimal("0.01")))}
        self.venue.post(f"accounts/{self.account}/withdraw", body)

    def cancel_at_venue(self, order: Order) -> None:
        """The venue, or the customer by another program, cancels."""
        body = {"market": self.market, "account": self.account, "symbol": order.symbol}
        self.venue.post("orders/cancel", {**body, "order_id": int(order.venue_order_id)})

    def resting(self) -> list[dict[str, Any]]:
        """What rests at the venue, as the operator sees it."""
        found: list[dict[str, Any]] = self.venue.get(f"orders?market={self.market}&account={self.account}")
        return found

    def resting_names(self) -> set[str]:
        return {row["client_order_id"] for row in self.resting()}

    def tape_status(self, client_order_id: str) -> str:
        """The last status that the venue gave an order; empty when it never had it."""
        self.read_tape()
        return self.tape.orders.get(client_order_id, ("",))[0]

    def read_tape(self) -> list[dict[str, Any]]:
        """Every line of the tape about this account since the test began."""
        with urlopen(f"{self.venue.admin}/admin/tape?after={self.tape.read}&limit=1000000") as answer:  # noqa: S310
            new = [orjson.loads(line) for line in answer.read().splitlines() if line]
        self.tape.take(new)
        self.lines += new
        return self.lines

    def requests(self, method: str, path: str) -> list[dict[str, Any]]:
        """Requests of this account that the venue has answered."""
        return [
            line
            for line in self.read_tape()
            if line["kind"] == "request" and line["account"] == self.account
            and (line["method"], line["path"].rsplit("/", 1)[-1]) == (method, path)
        ]  # fmt: skip

    def sends(self, client_order_id: str) -> int:
        """How many requests have asked for this order."""
        names = [line["params"].get("newClientOrderId") for line in self.requests("POST", "order")]
        return names.count(client_order_id)

    # --- the platform's side ----------------------------------------------------------------------------------

    def spec(
        self, kind: str, params: dict[str, Any], number: int = 1, symbol: str = BTC, limits: RiskLimits = LIMITS,
        capital: dict[str, str] | None = None, interval: str = "1m",
    ) -> InstanceSpec:  # fmt: skip
        """What is wanted of an instance."""
        STRATEGIES.scan(strategies)
        found = STRATEGIES.get(kind)
        given = CAPITAL if capital is None else capital
        capital_quanta = tuple((asset, int(Decimal(amount) / QUANTUM)) for asset, amount in given.items())
        return InstanceSpec(number, 0, symbol, interval, found, found.params(**params), limits, capital_quanta)

    def grid(self, levels: int = 4, step_percent: str = "0.5", number: int = 1, **changes: Any) -> InstanceSpec:
        """A range grid of bids below the price, the highest one step below it."""
        keys = ("limits", "symbol", "capital")
        given = {name: changes.pop(name) for name in keys if name in changes}
        price, step = self.price(given.get("symbol", BTC)), Decimal(step_percent) / 100
        tick = changes.pop("tick", Decimal("0.1"))
        rungs = (price * step).quantize(tick, ROUND_DOWN)
        upper = price.quantize(tick, ROUND_DOWN)
        params: dict[str, Any] = {
            "lower_price": upper - levels * rungs, "upper_price": upper, "levels": levels, "spacing": "arithmetic",
            "quantity_per_level": "0.01", "split_at_start": False,
        }  # fmt: skip
        return self.spec("grid", params | changes, number, **given)

    @asynccontextmanager
    async def node(
        self, *specs: InstanceSpec, hub: HubSettings = HUB, market: MarketSettings = MARKET,
        engine: EngineSettings = ENGINE, connect: Callable[[], Driver] | None = None, clock: Clock | None = None,
        **venue: Any,
    ) -> AsyncIterator[Node]:  # fmt: skip
        """The platform, taken up with these instances; leaving is a death: nothing is tidied up at the venue."""
        async with self.idle_node(hub=hub, market=market, engine=engine, connect=connect, clock=clock, **venue) as up:
            for spec in specs:
                up.watch(await up.manager.start(spec, up.hub))
            await until(lambda: up.market.is_connected and up.market.is_quiet, "the public streams")
            started = up.manager.engines.values()
            await until(lambda: all(each.status.steps and each.instance.state[0] for each in started), "the start")
            yield up

    @asynccontextmanager
    async def idle_node(
        self, *, hub: HubSettings = HUB, market: MarketSettings = MARKET, engine: EngineSettings = ENGINE,
        connect: Callable[[], Driver] | None = None, clock: Clock | None = None, **venue: Any,
    ) -> AsyncIterator[Node]:  # fmt: skip
        """The platform without an instance."""
        EXCHANGES.scan(exchanges)
        clock = clock or Clock(VenueTime(self.venue.get("time")["market_ms"]), SystemTime())
        settings = VenueSettings(
            Credentials(SecretStr(self.key), SecretStr(SECRET)), self.venue.rest, self.venue.stream,
            receive_window_ms=SIGNED_MS, silence_seconds=600.0, report_seconds=600.0, timeout_seconds=2.0,
        )  # fmt: skip
        exchange = EXCHANGES.get(f"binance_{self.market}")(replace(settings, **venue), clock)
        assert isinstance(exchange, BinanceExchange)
        journal = GroupCommitJournal(address(self.database), clock.machine, connect=connect)
        data = MarketData(clock, market, random.Random(7))
        account = AccountHub(1, 1, exchange, journal, clock, hub)
        await account.start()
        manager = EngineManager(1, "bench", journal, EngineMarket(data.venue(exchange)), clock, engine)
        try:
            await until(lambda: account.status.gaps > 0, "the private stream")
            yield Node(exchange, account, manager, data, journal)
        finally:
            for number in list(manager.engines):
                await manager.release(number)
            await account.stop()
            await data.close()
            await journal.close()

    async def quiet(self, up: Node) -> None:
        """Until everything that the venue has sent is read, and nothing comes of it any more."""
        while True:
            before = (up.hub.gateway.requests, up.hub.status.sweeps)
            self.venue.post("settle")
            await up.exchange.flush()
            await until(lambda: up.manager.is_idle and up.market.is_quiet, "a quiet engine")
            if before == (up.hub.gateway.requests, up.hub.status.sweeps):
                return

    # --- the end of every test --------------------------------------------------------------------------------

    async def settled(self, up: Node, seconds: float = PATIENCE) -> Stored:
        """Wait until the books are right to the last unit and nothing is under way; fails with what is wrong."""
        found: list[str] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if up.manager.is_idle:
                stored = await asyncio.to_thread(read, self.database, 1)
                found = self.complaints(stored, up)
                if not found:
                    return stored
            await asyncio.sleep(0.05)
        states = {number: engine.status for number, engine in up.manager.engines.items()}
        raise AssertionError(f"not settled; {states}, {up.hub.status}, {found[:20]}")

    def complaints(self, stored: Stored, up: Node) -> list[str]:
        """Everything that is not as it should be, invariants I-02 to I-08 and I-11."""
        self.read_tape()
        try:
            views = self._views()
        except HTTPError as error:
            return [f"the operator's views: {error}"]
        return [
            *complaints(stored, self.tape, views),
            *up.regressions,
            *self._check_slots(),
            *self._check_writes(),
            *(f"{name} is still unknown" for name, intent in stored.intents.items() if intent.status == 0),
        ]

    def _check_slots(self) -> Iterator[str]:
        """One slot never has two orders alive at the venue."""
        alive: dict[tuple[int, int, int], set[str]] = {}
        for line in self.lines:
            if line["kind"] != "order" or line["account"] != self.account:
                continue
            name = line.get("original_client") or line["client"]
            if not is_ours(name):
                continue
            key = decode(name)
            there = alive.setdefault((key.instance, key.generation, key.slot), set())
            if line["execution"] == "NEW":
                if there - self.resurrected and name not in self.resurrected:
                    yield f"{name} was accepted while {there} lived in slot {key.slot}"
                there.add(name)
            elif line["status"] not in ("NEW", "PARTIALLY_FILLED"):
                there.discard(name)

    def _check_writes(self) -> Iterator[str]:
        """Every order was asked for once, by a request that the platform may make."""
        seen: set[str] = set()
        for line in self.lines:
            if line["kind"] != "request" or line["account"] != self.account or line["method"] in ("GET", "WS"):
                continue
            if line["via"] == "rest" and (line["method"], line["path"]) not in WRITES:
                yield f"a request that nobody should make: {line['method']} {line['path']}"
            name = line["params"].get("newClientOrderId", "")
            if is_ours(name) and line["method"] == "POST":
                if name in seen:
                    yield f"{name} was sent twice"
                seen.add(name)

    def _views(self) -> Views:
        account = self.venue.get(f"accounts/{self.account}")
        futures = self.market == "futures"
        positions = self.venue.get(f"positions?account={self.account}") if futures else []
        symbols = self.venue.get("symbols")
        return Views(
            amounts(account[self.market]),
            frozenset(self.resting_names()),
            amounts({position["symbol"]: position["quantity"] for position in positions}),
            amounts({each["symbol"]: each["last_price"] for each in symbols if each["market"] == self.market}),
        )

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """What the database holds."""
        with self.database.connect() as connection:
            return [dict(row) for row in connection.execute(text(sql), values).mappings()]


@contextmanager
def bench(
    venue: SimulatorProcess, folder: Path, market: str = "spot", instances: Iterable[int] = (1, 2)
) -> Iterator[Bench]:
    """A fresh account with money, and a fresh database; the account's faults are lifted in the end."""
    key = f"faults-{next(_numbers)}"
    venue.post("advance", {"ms": 3_000})  # the last price may be that of another test's order
    begin = venue.post("settle")["tape"]
    made = venue.post("accounts", {"key": key, "secret": SECRET, "balances": FUNDS})["account_id"]
    database = prepare(f"sqlite:///{folder / f'{key}.sqlite3'}", dict.fromkeys(instances, 1))
    tape = Tape("spot" if market == "spot" else "futures", made)
    tape.read = begin
    try:
        yield Bench(venue, market, made, key, database, folder, tape)
    finally:
        venue.delete("faults")
        database.dispose()


async def until(is_true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Let the others run until it is so; fails with what was waited for."""
    try:
        async with asyncio.timeout(seconds):
            while not is_true():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what} did not come within {seconds} s") from None


async def holds(is_true: Callable[[], bool], what: str, seconds: float) -> None:
    """It is so, and stays so for a while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert is_true(), what
        await asyncio.sleep(0.02)


Disturb = Callable[[Bench], Awaitable[None]]
