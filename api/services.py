"""Everything a request may need, made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.asyncio import Redis

import strategies
from api.board import StatusBoard
from api.doorbell import Doorbell, open_broker
from api.feed import Feed
from api.identity import Identity, LocalIdentity, ProxyIdentity
from api.kill import KillSwitch
from api.live import LiveReader
from api.market import MarketReader
from api.metrics import Metrics
from api.owners import Owners
from api.rates import MinuteLimit
from core.base_strategy import STRATEGIES, StrategyKind
from core.clock import Clock, utc_from_ms
from core.config import Config
from core.event_bus import EventBus
from core.redis_client import connect
from core.registry import Registry
from core.secrets import EncryptionKey, Sealer
from db.database import Database, open_database
from db.queries.copy_results import Standings
from db.queries.sums import SumKeeper
from domain.errors import Refused

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class UnsafeAddress(Refused):
    """Without a sign-in proxy this node listens on loopback only; set api.auth to proxy, or api.host to 127.0.0.1."""


@dataclass(slots=True)
class Services:
    """What routes work with."""

    config: Config
    clock: Clock
    database: Database
    redis: Redis
    identity: Identity
    #: Encrypts credentials; None without an encryption key. Nothing here can decrypt.
    sealer: Sealer | None
    kinds: Registry[StrategyKind]
    live: LiveReader
    market: MarketReader
    board: StatusBoard
    owners: Owners
    sums: SumKeeper
    standings: Standings
    doorbell: Doorbell
    feed: Feed
    kill: KillSwitch
    metrics: Metrics
    logins: MinuteLimit
    changes: MinuteLimit

    def now(self) -> datetime:
        """This moment, in UTC."""
        return utc_from_ms(self.clock.machine.now_ms())

    async def open(self) -> None:
        """Start what works by itself."""
        await self.kill.open()

    async def close(self) -> None:
        """Let go of everything."""
        await self.feed.close()
        await self.board.close()
        await self.kill.close()
        await self.doorbell.close()
        await self.redis.aclose()
        self.database.dispose()


def make_services(config: Config, clock: Clock) -> Services:
    """Services for a configuration; refuses one that would be open to the world, or closed with an example's key."""
    if config.api.auth == "local" and config.api.host not in _LOOPBACK:
        raise UnsafeAddress(f"api.host is {config.api.host}: {UnsafeAddress.__doc__}")
    key = EncryptionKey(config.security.encryption_key) if config.security.encryption_key else None
    STRATEGIES.scan(strategies)
    database, time, metrics = open_database(config.database.url.get_secret_value()), clock.machine, Metrics()
    redis_url, timeout = config.redis.url.get_secret_value(), config.redis.timeout_seconds
    redis = connect(redis_url, max_connections=config.redis.max_connections, timeout_seconds=timeout)
    identity: Identity = (
        ProxyIdentity(database, time, config.api)
        if config.api.auth == "proxy"
        else LocalIdentity(database, time, timedelta(hours=config.api.session_hours))
    )
    return Services(
        config=config,
        clock=clock,
        database=database,
        redis=redis,
        identity=identity,
        sealer=Sealer(key) if key else None,
        kinds=STRATEGIES,
        live=LiveReader(redis),
        market=MarketReader(redis),
        board=StatusBoard(database, redis, time),
        owners=Owners(database, time),
        sums=SumKeeper(),
        standings=Standings(),
        doorbell=Doorbell(redis, open_broker(redis_url, timeout), metrics),
        feed=Feed(EventBus(redis), metrics),
        kill=KillSwitch(database, redis, key, time, config.home, metrics),
        metrics=metrics,
        logins=MinuteLimit(config.api.logins_per_minute, time),
        changes=MinuteLimit(config.api.changes_per_minute, time),
    )
