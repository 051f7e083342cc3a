"""The worker's own HTTP port: health, metrics, and a kill switch that needs neither Redis nor the database."""

from __future__ import annotations

import hmac
from typing import Final

import orjson
import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core.redis_names import EVERYBODY
from core.secrets import KILL_SWITCH, EncryptionKey
from tasks.host.host import EngineHost
from tasks.host.metrics import Census, census, families

log = structlog.get_logger(__name__)
_BEARER: Final = "Bearer "
#: A worker whose loop is this late, or whose last look at the database is this old, is not well.
LATE_MS: Final = 1_000.0
STALE_NS: Final = 15_000_000_000


class WorkerHttp:
    """Answers on one port. `/kill` asks for a proof that only holders of the encryption key can give."""

    def __init__(self, host: EngineHost) -> None:
        self._host = host
        self._registry = CollectorRegistry()
        self._live = _Live(host)
        self._registry.register(self._live)
        key = host.parts.config.security.encryption_key
        self._proof = EncryptionKey(key).token(KILL_SWITCH) if key is not None else None
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Begin to listen; gives the port."""
        app = web.Application(client_max_size=4096)
        app.router.add_get("/health", self._health)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/kill", self._kill)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        wanted = self._host.parts.config.worker
        site = web.TCPSite(self._runner, wanted.http_host, wanted.http_port)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _request: web.Request) -> web.Response:
        host = self._host
        age_ns = host.parts.clock.machine.steady_ns() - host.desires.read_ns
        is_well = host.loop_lag_ms < LATE_MS and bool(host.desires.read_ns) and age_ns < STALE_NS
        body = {
            "status": "ok" if is_well else "degraded",
            "worker_id": host.parts.worker_id,
            "strategies": sum(len(account.runners) for account in host.accounts.values()),
            "loop_lag_ms": round(host.loop_lag_ms, 1),
            "database_age_ms": age_ns // 1_000_000 if host.desires.read_ns else None,
            "draining": host.claims.is_draining,
            "killed": bool(host.killed_here),
        }
        return web.Response(
            body=orjson.dumps(body), content_type="application/json", status=200 if is_well else 503
        )  # fmt: skip

    async def _metrics(self, _request: web.Request) -> web.Response:
        self._live.counted = await census(self._host)
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _kill(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        proof = self._proof
        if proof is None or not hmac.compare_digest(given.encode(), (_BEARER + proof).encode()):
            log.warning("kill_refused", remote=request.remote)
            return web.json_response({"detail": "the proof is missing or wrong; nothing was changed."}, status=401)
        try:
            wanted = orjson.loads(await request.read())
            is_on = wanted["on"]
            owner = wanted.get("owner", EVERYBODY)
            if type(is_on) is not bool or type(owner) is not int or owner < EVERYBODY:
                raise TypeError
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            words = 'the body must be {"on": true} or {"on": false}, with "owner" for one owner only.'
            return web.json_response({"detail": words}, status=422)
        stopped = self._host.turn_kill_switch(on=is_on, owner=owner)
        return web.json_response({"on": is_on, "strategies": stopped})


class _Live(Collector):
    """Reads the host when asked, so that nothing is counted twice and nothing when nobody asks."""

    def __init__(self, host: EngineHost) -> None:
        self.counted = Census()
        self._host = host

    def collect(self) -> list[GaugeMetricFamily]:
        return families(self._host, self.counted)
