"""A real API node on a port of its own: real database, real Redis, four people, each with a session."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine

from api.app import create_app
from api.server import server_of
from core.clock import Clock, SystemTime
from core.config import Config
from db.models import Account, StrategyInstance, User
from db.queries import accounts, instances, sessions
from db.unit_of_work import committed
from tests import journal_database
from tests.histories import chance
from tests.runs import share
from tests.services import wait_until

#: Drawn for tests; keys of this shape are refused only when they show a pattern.
ENCRYPTION_KEY = "6f1e2b9c47d80a35e1f4c29b7d6038a5b2c17e94f05d83a6c9e2417b5f8d0a63"
PROXY_SECRET = "V7q2Zs9LxKd4Tn8Rj1Wb6Mh3Yc5Gf0Pu"
GRID = {"lower_price": "30000", "upper_price": "120000", "levels": 20, "total_investment": "1000"}
CHANGE = {"X-Ares-Request": "1"}
PEOPLE = {"olga": "trader", "theo": "trader", "vera": "viewer", "adam": "admin"}


@dataclass(slots=True)
class ApiNode:
    """The node, and how people reach it."""

    app: FastAPI
    engine: Engine
    client: httpx.Client
    people: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, who: str | None = "olga", **options: Any) -> Any:
        """A request of somebody, as the dashboard would send it."""
        headers = dict(options.pop("headers", {}))
        if method not in {"GET", "HEAD", "OPTIONS"}:
            headers = CHANGE | headers
        if who is not None:
            headers["Cookie"] = f"ares_session={self.tokens[who]}"
        return self.client.request(method, path, headers=headers, **options)

    def get(self, path: str, who: str | None = "olga", **options: Any) -> Any:
        return self.call("GET", path, who, **options)

    def post(self, path: str, body: Any = None, who: str | None = "olga", **options: Any) -> Any:
        return self.call("POST", path, who, **({"json": body} if body is not None else {}), **options)

    def add_account(self, who: str = "olga", name: str = "Paper") -> int:
        answer = self.post("/api/accounts", {"name": name, "exchange": "paper"}, who)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def add_history(self) -> int:
        """Bars that everybody may test on; asked for again they are the same."""
        return share(self.engine, chance(1, 200))

    def add_strategy(self, account: int, who: str = "olga", name: str = "grid", **more: Any) -> int:
        body = {"name": name, "strategy_type": "grid", "symbol": "BTCUSDT", "account_id": account, "parameters": GRID}
        answer = self.post("/api/strategies", body | more, who)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def add_following(self, account: int, who: str = "olga", name: str = "master") -> tuple[int, int, int]:
        """A manual master, an account that follows it, and a command of that relationship; their numbers."""
        master = self.post("/api/v1/follower/masters", {"name": name, "kind": "manual"}, who)
        assert master.status_code == 201, master.text
        body = {"account_id": account, "master_id": master.json()["id"], "follow_ratio": "0.1"}
        made = self.post("/api/v1/follower/relationships", body, who)
        assert made.status_code == 201, made.text
        number = made.json()["id"]
        given = self.post(f"/api/v1/follower/relationships/{number}/resync", who=who)
        assert given.status_code == 202, given.text
        return int(master.json()["id"]), int(number), int(given.json()["command_id"])


#: The authorities that are believed on loopback; httpx reads all of this machine's for each client otherwise.
NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class LeapingTime(SystemTime):
    """The machine's time, which a test may move ahead."""

    ahead_ns = 0

    def steady_ns(self) -> int:
        return super().steady_ns() + self.ahead_ns


@contextmanager
def api_node(
    database_url: str, redis_url: str, home: Path, time: LeapingTime | None = None, **settings: Any
) -> Iterator[ApiNode]:
    """A node on an empty, migrated database."""
    engine = journal_database.prepare(database_url, {})
    config = make_config(journal_database.address(engine), redis_url, home, **settings)
    face = time or SystemTime()
    app = create_app(config, Clock(trading=face, machine=face), page=home / "no-page")
    with served(app, config) as address, httpx.Client(base_url=address, timeout=180, verify=NOBODY) as client:
        node = ApiNode(app, engine, client)
        for login, role in PEOPLE.items():
            node.people[login], node.tokens[login] = add_person(engine, login, role)
        yield node
    engine.dispose()


@contextmanager
def served(app: FastAPI, config: Config) -> Iterator[str]:
    """The application on a loopback port of its own, in a thread; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = server_of(app, config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive(), "start of the API node")
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)
        listener.close()


def make_config(database_url: str, redis_url: str, home: Path, **settings: Any) -> Config:
    api = {"changes_per_minute": 1_000_000} | settings.pop("api", {})
    return Config(
        home=home,
        database={"url": database_url},
        redis={"url": redis_url, "timeout_seconds": 1.0} | settings.pop("redis", {}),
        security={"encryption_key": ENCRYPTION_KEY},
        api=api,
        **settings,
    )


def add_person(engine: Engine, login: str, role: str) -> tuple[int, str]:
    """A user with a session: their number, and the token of their cookie."""
    now = datetime.now(UTC)
    with committed(engine) as unit:
        user = accounts.add_user(unit, User(login=login, display_name=login.title(), role=role, created_at=now))
        assert user.id is not None
        return user.id, sessions.begin(unit, user.id, now, timedelta(hours=1))


def add_many_strategies(engine: Engine, owner: int, count: int) -> list[int]:
    """Rows of strategies, quicker than by requests."""
    now = datetime.now(UTC)
    times: dict[str, Any] = {"created_at": now, "updated_at": now}
    with committed(engine) as unit:
        account = accounts.add(
            unit, Account(owner_id=owner, name="many", exchange="paper", paper=True, settings="{}", **times)
        )
        rows = [
            StrategyInstance(
                owner_id=owner, account_id=account.id or 0, name=f"grid {n}", strategy_type="grid", symbol="BTCUSDT",
                kline_interval="1m", parameters="{}", desired_state=instances.RUNNING, paper=True, **times,
            )
            for n in range(count)
        ]  # fmt: skip
        unit.session.add_all(rows)
        unit.session.flush()
        return [row.id for row in rows if row.id is not None]
