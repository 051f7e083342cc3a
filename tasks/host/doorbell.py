"""The doorbell: pub/sub that makes things quick. It may be lost, so nothing depends on it but speed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from redis.exceptions import RedisError

from core.redis_client import connect_for_subscription
from core.redis_names import DOORBELL, KILL_OFF, KILL_ON, RING_ALL

log = structlog.get_logger(__name__)


async def listen(url: str, ring: Callable[[int | None], None], kill: Callable[[bool], object]) -> None:
    """Hear the doorbell until cancelled. `ring(None)` is for everything, and comes with every connection too."""
    while True:
        client = connect_for_subscription(url)
        try:
            async with client.pubsub() as subscription:
                await subscription.subscribe(DOORBELL)
                ring(None)
                async for message in subscription.listen():
                    if message["type"] == "message":
                        _take(bytes(message["data"]).decode(errors="replace"), ring, kill)
        except (RedisError, OSError) as error:
            log.warning("doorbell_lost", reason=str(error))
        finally:
            with suppress(RedisError, OSError):
                await client.aclose()
        await asyncio.sleep(1.0)


def _take(words: str, ring: Callable[[int | None], None], kill: Callable[[bool], object]) -> None:
    if words in (KILL_ON, KILL_OFF):
        kill(words == KILL_ON)
    elif words == RING_ALL:
        ring(None)
    elif words.isascii() and words.isdigit():
        ring(int(words))
