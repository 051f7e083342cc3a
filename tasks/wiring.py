"""The composition root of a worker node: from configuration and rows to parts that work together.

The only place where strangers meet: venues, database, strategies and engine.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib import metadata
from typing import Any, Final

import orjson
from pydantic import SecretStr, ValidationError
from redis.asyncio import Redis

import exchanges
import strategies
from core.base_exchange import (
    EXCHANGES,
    BaseBudget,
    BaseExchange,
    Credentials,
    PaperSettings,
    SharedMarket,
    VenueSettings,
)
from core.base_strategy import STRATEGIES
from core.clock import Clock, system_clock, utc_from_ms
from core.config import Config
from core.editions import Edition, edition
from core.event_bus import EventBus
from core.lease import LeaseStore
from core.order_pace import OrderPace
from core.rate_budget import RateBudget
from core.redis_client import connect
from core.risk_limits import Limits
from core.secrets import EncryptionKey, Opener, Place
from db.database import open_database
from db.database_thread import DatabaseThread
from db.journal import GroupCommitJournal
from db.migrate import head_revision, require_current_schema
from db.models import Account, StrategyInstance
from db.paper_store import DatabasePaperStore
from domain.errors import Refused, sentence_of
from domain.sentences import say
from engine.account_hub import AccountHub, HubSettings
from engine.engine_manager import EngineManager, InstanceSpec
from engine.follower_engine.kind import COPY
from engine.market_data.service import MarketData
from engine.market_data.wiring import EngineMarket
from engine.order_gateway import ResolveSettings
from engine.right_of_way import RightOfWay
from engine.sweep_turns import SweepTurns
from engine.trading_engine import EngineSettings
from exchanges.paper import PaperFeed
from tasks.host.crowd import Crowd, LoopLag
from tasks.host.leases import LeasedJournal, LeaseKeeper, LeaseThread
from tasks.host.send_gate import SendGate

PAPER: Final = "paper"
#: Orders on their way to venues at once from this process, until answers show how many can be.
ORDERS_UNDER_WAY: Final = 40
#: Part of the signed window within which answers are to come: the rest is for what happens to be slow.
WINDOW_AIM: Final = 1 / 3
#: Accounts that take strategies up at the same time in a process: the fewest, and the most where venues are far away.
STARTS_AT_ONCE: Final = 2, 32
#: Accounts that connect to their venue at the same time.
OPENS_AT_ONCE: Final = 4, 32
#: Accounts that ask Redis whether they may.
ASK_AT_ONCE: Final = 4
#: Seconds that an account's first sweep waits for its private stream.
FIRST_SWEEP_PATIENCE: Final = 5.0
#: How far the measured clock of a venue may be off.
CLOCK_ERROR_SECONDS: Final = 0.3
#: Request weight a minute that a venue allows, until it says so itself.
WEIGHTS: Final = {"binance_spot": 6_000, "binance_futures": 2_400}
OTHER_WEIGHT: Final = 1_200


class NoCredentials(Refused):
    """This account has no key; add one, or make it a paper account."""


class NoEncryptionKey(Refused):
    """ENCRYPTION_KEY is not set on this worker, so it cannot sign; set the same key as on the API node."""


class BadAccountSettings(Refused):
    """The settings of this account cannot be used as they stand."""


@dataclass(slots=True)
class Venue:
    """A venue's public market in this process, and the manager of everything that trades by it."""

    exchange: BaseExchange
    manager: EngineManager


@dataclass(slots=True)
class Parts:
    """Everything a worker node is made of. Made inside its event loop."""

    config: Config
    clock: Clock
    worker_id: str
    #: What this build was made for; see `Claims.check_edition`.
    edition: Edition
    database: DatabaseThread
    redis: Redis
    #: Of the budgets alone: a crowd that waits for weight must not keep leases, status and events waiting.
    budget_redis: Redis
    bus: EventBus
    journal: GroupCommitJournal
    leases: LeaseKeeper
    gate: SendGate
    leased_journal: LeasedJournal
    market: MarketData
    opener: Opener | None
    #: Of this process's loop, by whoever runs it.
    lag: LoopLag = field(default_factory=LoopLag)
    #: Passed by whoever takes strategies up.
    starting: Crowd = field(init=False)
    #: The same for those who connect: a crowd of signed requests grows older than the venue's window in our own queue.
    opening: Crowd = field(init=False)
    #: And for those who ask Redis: a crowd would wait for a connection for longer than anybody may.
    asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ASK_AT_ONCE))
    #: And for those who look whether the venue agrees.
    sweeping: SweepTurns = field(default_factory=SweepTurns)
    #: Claimed by fan-outs.
    right_of_way: RightOfWay = field(default_factory=RightOfWay)
    venues: dict[str, Venue] = field(default_factory=dict)
    budgets: dict[str, BaseBudget] = field(default_factory=dict)
    #: Venue -> its market for paper accounts.
    paper_markets: dict[str, SharedMarket] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.starting = Crowd(*STARTS_AT_ONCE, self.lag)
        self.opening = Crowd(*OPENS_AT_ONCE, self.lag)

    async def venue(self, name: str) -> Venue:
        """The public market of a venue, connected; `Refused` for a name nobody knows, `Transient` when it is away."""
        found = self.venues.get(name)
        if found is None:
            exchange = EXCHANGES.get(name)(self.venue_settings(name), self.clock)
            await exchange.open()
            if name in self.venues:  # somebody else was faster
                await exchange.close()
                return self.venues[name]
            market = EngineMarket(self.market.venue(exchange))
            manager = EngineManager(
                self.config.deployment, self.worker_id, self.leased_journal, market, self.clock, EngineSettings()
            )
            found = self.venues[name] = Venue(exchange, manager)
        return found

    def venue_settings(
        self, name: str, credentials: Credentials | None = None, pace: OrderPace | None = None
    ) -> VenueSettings:
        """How to reach a venue, with the budget that everyone behind this address shares."""
        wanted = self.config.venues.get(name)
        if name not in self.budgets:
            limit = WEIGHTS.get(name, OTHER_WEIGHT)
            self.budgets[name] = RateBudget(
                self.budget_redis, self.clock.machine, name, self.config.worker.egress, limit
            )
        return VenueSettings(
            credentials=credentials,
            rest_url=wanted.rest_url if wanted else "",
            stream_url=wanted.stream_url if wanted else "",
            sandbox=bool(wanted and wanted.sandbox),
            receive_window_ms=window_ms(self.config),
            budget=self.budgets[name],
            pace=pace,
        )

    def exchange_of(self, account: Account, pace: OrderPace | None = None) -> BaseExchange:
        """The adapter of an account, not yet connected."""
        if not account.paper:
            settings = self.venue_settings(account.exchange, self.credentials_of(account), pace)
            return EXCHANGES.get(account.exchange)(settings, self.clock)
        feed, paper = self._paper_settings(account)
        return EXCHANGES.get(PAPER)(replace(self.venue_settings(feed), paper=paper), self.clock)

    def hub_of(self, account: Account) -> AccountHub:
        """The account's hub; its requests leave only under a lease."""
        pace = OrderPace(self.clock.machine)
        hub = AccountHub(
            number_of(account.id), self.config.deployment, self.exchange_of(account, pace), self.leased_journal,
            self.clock, self._hub_settings(), pace, self.sweeping,
        )  # fmt: skip

        def answered(orders: int, took_ms: float) -> None:
            self.gate.leave(orders, took_ms)
            pace.answered(orders)

        hub.gateway.may_send = self.leases.may_act
        hub.gateway.on_answered = answered
        return hub

    def _hub_settings(self) -> HubSettings:
        wanted = self.config.worker
        return HubSettings(
            sweep_interval=wanted.sweep_seconds,
            first_sweep_patience=FIRST_SWEEP_PATIENCE,
            receive_window_ms=window_ms(self.config),
            resolve=ResolveSettings(dead_margin_ms=round(wanted.late_orders_seconds * 1000)),
        )

    def credentials_of(self, account: Account) -> Credentials:
        """What signs the account's requests."""
        if account.api_key is None or account.api_secret is None:
            raise NoCredentials(
                say("about_account", "account {account}: {what}", account=account.id, what=sentence_of(NoCredentials))
            )
        if self.opener is None:
            raise NoEncryptionKey
        opener, number, owner, key_id = self.opener, number_of(account.id), account.owner_id, account.key_id or ""

        def opened(column: str, sealed: bytes) -> SecretStr:
            return opener.open(sealed, key_id, Place("accounts", number, column, owner))

        passphrase = opened("passphrase", account.passphrase) if account.passphrase else None
        return Credentials(
            opened("api_key", account.api_key), opened("api_secret", account.api_secret), passphrase
        )  # fmt: skip

    def _paper_settings(self, account: Account) -> tuple[str, PaperSettings]:
        wanted = settings_of(account)
        try:
            feed = str(wanted.get("venue") or account.exchange)
            store = DatabasePaperStore(
                self.database.keep, number_of(account.id), account.owner_id,
                lambda: utc_from_ms(self.clock.machine.now_ms()), self.database.keep_together,
            )  # fmt: skip
            return feed, PaperSettings(
                feed=feed,
                funds={asset: Decimal(str(amount)) for asset, amount in wanted.get("balances", {}).items()},
                store=store,
                fill_model=str(wanted.get("fill_model", "queue")),
                maker_fee_ppm=int(wanted.get("maker_fee_ppm", 1_000)),
                taker_fee_ppm=int(wanted.get("taker_fee_ppm", 1_000)),
                latency_ms=int(wanted.get("latency_ms", 0)),
                market=self._paper_market(feed),
            )
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise BadAccountSettings(
                say(
                    "settings_wrong",
                    "settings of account {account}: {error}; correct them.",
                    account=account.id,
                    error=error,
                )
            ) from error

    def _paper_market(self, name: str) -> SharedMarket | None:
        """The market that paper accounts share; None before the venue is open."""
        if name not in self.paper_markets and name in self.venues:
            self.paper_markets[name] = PaperFeed(self.venues[name].exchange, self.clock.machine, owns=False)
        return self.paper_markets.get(name)

    async def close(self) -> None:
        """End every connection and thread of this process. Nothing is cancelled at any venue."""
        await self.market.close()
        for venue in self.venues.values():
            await venue.exchange.close()
        await self.journal.close()
        self.database.close()
        self.leases.close()
        await self.budget_redis.aclose()
        await self.redis.aclose()


def window_ms(config: Config) -> int:
    """How long a signed request holds: shorter than the lease's margin, so that it is dead when the lease is."""
    return max(round((config.worker.margin_seconds - CLOCK_ERROR_SECONDS) * 1000), 100)


def feed_of(account: Account) -> str:
    """The venue whose market an account trades on."""
    return str(settings_of(account).get("venue") or account.exchange) if account.paper else account.exchange


def settings_of(account: Account) -> dict[str, Any]:
    """The account's settings; `BadAccountSettings` when they are not an object."""
    try:
        found = orjson.loads(account.settings or "{}")
    except orjson.JSONDecodeError as error:
        raise BadAccountSettings(
            say(
                "settings_no_json",
                "settings of account {account} are not JSON: {error}; correct them.",
                account=account.id,
                error=error,
            )
        ) from error
    if not isinstance(found, dict):
        raise BadAccountSettings(
            say(
                "settings_no_object",
                "settings of account {account} are not an object; correct them.",
                account=account.id,
            )
        )
    return found


def spec_of(row: StrategyInstance, exchange: BaseExchange) -> InstanceSpec:
    """What is wanted of an instance, in the law's integers; `Refused` names the field that is wrong."""
    kind = COPY if row.strategy_type == COPY.name else STRATEGIES.get(row.strategy_type)
    instrument = exchange.instrument(row.symbol)
    try:
        limits = Limits.model_validate_json(row.limits or "{}")
        params = kind.params.model_validate_json(row.parameters or "{}")
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise Refused(say("edit_the_strategy", "{wrong}. Edit the strategy.", wrong=wrong)) from error
    return InstanceSpec(
        number_of(row.id), row.generation, row.symbol, row.kline_interval, kind, params,
        limits.to_law(instrument), limits.allotment(instrument),
    )  # fmt: skip


def open_parts(config: Config) -> Parts:
    """Parts for this process; `SchemaDiffers` when the database is not of this version. Call it inside the loop."""
    EXCHANGES.scan(exchanges)
    STRATEGIES.scan(strategies)
    clock = system_clock()
    url = config.database.url.get_secret_value()
    engine = open_database(url)
    require_current_schema(engine)
    redis = connect(
        config.redis.url.get_secret_value(),
        max_connections=config.redis.max_connections,
        timeout_seconds=config.redis.timeout_seconds,
    )
    wanted = config.worker
    worker_id = wanted.id or f"{socket.gethostname()[:60]}-{secrets.token_hex(4)}"
    # A client of its own: it lives on the leases' loop.
    lease_redis = connect(config.redis.url.get_secret_value(), max_connections=4)
    leases = LeaseKeeper(
        LeaseStore(lease_redis, round(wanted.lease_seconds * 1000)), clock.machine, worker_id,
        round(wanted.margin_seconds * 1000), LeaseThread(),
    )  # fmt: skip
    gate = SendGate(ORDERS_UNDER_WAY, WINDOW_AIM * window_ms(config))
    journal = GroupCommitJournal(url, clock.machine)
    return Parts(
        config=config,
        clock=clock,
        worker_id=worker_id,
        edition=edition(head_revision()),
        database=DatabaseThread(engine),
        redis=redis,
        budget_redis=connect(config.redis.url.get_secret_value(), max_connections=64),
        bus=EventBus(redis),
        journal=journal,
        leases=leases,
        gate=gate,
        leased_journal=LeasedJournal(journal, leases, gate),
        market=MarketData(clock),
        opener=_opener(config),
    )


def version() -> str:
    """The version of this program."""
    return metadata.version("ares")


def number_of(value: int | None) -> int:
    """The number of a row that was read from the database."""
    assert value is not None  # noqa: S101 - rows that were read have one
    return value


def _opener(config: Config) -> Opener | None:
    key = config.security.encryption_key
    if key is None:
        return None
    return Opener([EncryptionKey(one) for one in (key, *config.security.old_encryption_keys)])
