"""The kill switch: every way to the workers at once, so that it works while Redis or the database is down."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
import structlog
from fastapi.concurrency import run_in_threadpool
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.identity import Caller
from api.metrics import Metrics
from api.threads import within
from core import redis_names
from core.clock import MachineTime, utc_from_ms
from core.secrets import KILL_SWITCH, EncryptionKey
from db.database import Database
from db.models import Node
from db.queries import audit, platform
from db.unit_of_work import DatabaseUnavailable, UnitOfWork, committed, reading
from domain.errors import AresError, Transient

log = structlog.get_logger(__name__)

_SECONDS: Final = 2.0
_REMEMBER_SECONDS: Final = 5.0


class NobodyReached(Transient):
    """Neither the database nor Redis nor any worker could be reached; stop the workers by hand, or at the venue."""


class CannotRelease(Transient):
    """The switch can be turned off only while the database can be written; it stays on."""


class Turn(NamedTuple):
    """A wish to turn a switch."""

    on: bool
    by: str
    #: Whose; None is everybody's.
    owner: int | None
    at: datetime


class Reached(NamedTuple):
    """Whom a turn has reached."""

    database: bool
    redis: bool
    #: Worker -> whether it has confirmed.
    workers: dict[str, bool]


class KillSwitch:
    """Turns the switches, and remembers where workers listen."""

    def __init__(
        self,
        engine: Database,
        redis: Redis,
        key: EncryptionKey | None,
        time: MachineTime,
        home: Path,
        metrics: Metrics,
    ) -> None:
        self._engine = engine
        self._redis = redis
        self._token = key.token(KILL_SWITCH) if key else ""
        self._time = time
        self._kept = home / "kill-switch.jsonl"
        self._metrics = metrics
        self._nodes: Sequence[Node] = ()
        self._watcher: asyncio.Task[None] | None = None
        #: Held while what is kept here is brought to the database: brought twice, it could come after a later turn.
        self._bringing = threading.Lock()

    async def open(self) -> None:
        """Begin to remember the workers, and bring what the database has missed to it."""
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Stop remembering."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)

    def known_workers(self) -> list[str]:
        """Workers whose address is remembered."""
        return [node.worker_id for node in self._nodes]

    async def turn(self, on: bool, caller: Caller, owner: int | None) -> Reached:
        """Turn a switch every way there is. Off needs the database; on needs anybody to hear it."""
        turn = Turn(on, caller.login, owner, utc_from_ms(self._time.now_ms()))
        self._metrics.kills.labels(str(on).lower()).inc()
        if not on:
            await self._release(turn, caller)
            told, workers = await asyncio.gather(self._publish(turn), self._call_workers(turn))
            return Reached(True, told, workers)
        kept, told, workers = await asyncio.gather(
            self._keep(turn, caller), self._publish(turn), self._call_workers(turn)
        )
        if not kept:
            await run_in_threadpool(self._keep_here, turn, caller)
        if not (kept or told or any(workers.values())):
            raise NobodyReached
        return Reached(kept, told, workers)

    async def _release(self, turn: Turn, caller: Caller) -> None:
        try:
            # What is kept here is older, and must not come after it.
            await within(_SECONDS, self._bring)
            await within(_SECONDS, lambda: self._write(turn, caller.id))
        except DatabaseUnavailable as error:
            raise CannotRelease from error

    async def _keep(self, turn: Turn, caller: Caller) -> bool:
        try:
            await within(_SECONDS, lambda: self._write(turn, caller.id))
        except AresError as error:
            log.error("kill_switch_not_in_database", error=type(error).__name__)
            return False
        return True

    def _write(self, turn: Turn, caller: int) -> None:
        with committed(self._engine) as unit:
            self._note(unit, turn, caller)

    @staticmethod
    def _note(unit: UnitOfWork, turn: Turn, caller: int) -> None:
        platform.set_kill(unit, on=turn.on, by=turn.by, owner=turn.owner, now=turn.at)
        content = {"on": turn.on, "scope": "all" if turn.owner is None else turn.owner}
        audit.record(unit, audit.Deed(turn.by, "kill_switch", content, caller), turn.at)

    def _keep_here(self, turn: Turn, caller: Caller) -> None:
        line = {"on": turn.on, "by": turn.by, "owner": turn.owner, "at": turn.at.isoformat(), "caller": caller.id}
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        with self._bringing, self._kept.open("a") as file:
            file.write(json.dumps(line) + "\n")

    async def _publish(self, turn: Turn) -> bool:
        word = redis_names.KILL_ON if turn.on else redis_names.KILL_OFF
        payload = word if turn.owner is None else f"{word}:{turn.owner}"
        try:
            async with asyncio.timeout(_SECONDS):
                return int(await self._redis.publish(redis_names.DOORBELL, payload)) > 0
        except (RedisError, OSError, TimeoutError) as error:
            log.error("kill_switch_not_published", error=type(error).__name__)
            return False

    async def _call_workers(self, turn: Turn) -> dict[str, bool]:
        nodes = self._nodes
        if not self._token or not nodes:
            return {}
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            answers = await asyncio.gather(*(self._call(session, node, turn) for node in nodes))
        return {node.worker_id: answer for node, answer in zip(nodes, answers, strict=True)}

    async def _call(self, session: aiohttp.ClientSession, node: Node, turn: Turn) -> bool:
        body = {"on": turn.on} if turn.owner is None else {"on": turn.on, "owner": turn.owner}
        host = f"[{node.ip}]" if ":" in node.ip else node.ip
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with session.post(
                f"http://{host}:{node.http_port}/kill", json=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status < 300
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.error("worker_not_reached", worker=node.worker_id, error=type(error).__name__)
            return False

    async def _watch(self) -> None:
        while True:
            try:
                await run_in_threadpool(self._remember)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look may work
                log.warning("workers_not_known", error=type(error).__name__)
            await asyncio.sleep(_REMEMBER_SECONDS)

    def _remember(self) -> None:
        with reading(self._engine) as unit:
            self._nodes = platform.nodes(unit)
        self._bring()

    def _bring(self) -> None:
        """Write what was turned on while the database was down: all of it, once."""
        with self._bringing:
            if not self._kept.exists():
                return
            lines = [json.loads(line) for line in self._kept.read_text().splitlines()]
            with committed(self._engine) as unit:
                for line in lines:
                    turn = Turn(line["on"], line["by"], line["owner"], datetime.fromisoformat(line["at"]))
                    self._note(unit, turn, line["caller"])
            self._kept.unlink()
