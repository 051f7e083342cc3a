"""Workers that are alive, as they tell it in Redis."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Any, cast

from redis.exceptions import RedisError

from api.deps import AnyServices, Viewer
from api.errors import LiveUnavailable
from api.router import new_router
from api.schemas.platform import Node
from api.services import Services
from core import redis_names
from domain.sentences import unpacked, words_of

router = new_router("nodes")


@router.get("/api/nodes")
async def list_nodes(services: AnyServices, caller: Viewer) -> list[Node]:
    """Workers and how they are."""
    del caller
    try:
        return await _nodes(services)
    except (RedisError, OSError) as error:
        raise LiveUnavailable from error


async def _nodes(services: Services) -> list[Node]:
    redis = services.redis
    seconds, microseconds = await cast("Awaitable[Any]", redis.time())
    now_ms = int(seconds) * 1000 + int(microseconds) // 1000
    active = await cast("Awaitable[Any]", redis.zrange(redis_names.WORKERS_ACTIVE, 0, -1, withscores=True))
    async with redis.pipeline(transaction=False) as pipe:
        for worker_id, _ in active:
            pipe.hgetall(redis_names.worker(worker_id.decode()))
        told = await pipe.execute() if active else []
    silent_ms = services.config.worker.member_seconds * 1000
    nodes = []
    for (worker_id, beat), fields in zip(active, told, strict=True):
        said = {name.decode(): value.decode() for name, value in fields.items()}
        age, gate = max(now_ms - int(beat), 0), unpacked(said.get("gate", ""))
        nodes.append(
            Node(
                worker_id=worker_id.decode(),
                hostname=said.get("hostname", ""),
                ip=said.get("ip", ""),
                version=said.get("version", ""),
                edition=said.get("edition", ""),
                gate=gate,
                gate_words=words_of(gate),
                status="alive" if age <= silent_ms else "silent",
                running=int(said.get("running", 0)),
                capacity=int(said.get("capacity", 0)),
                tags=[tag for tag in said.get("tags", "").split(",") if tag],
                started_at=datetime.fromisoformat(said["started_at"]) if said.get("started_at") else None,
                heartbeat_age_ms=age,
                loop_lag_ms=float(said.get("loop_lag_ms", 0)),
            )
        )
    return nodes
