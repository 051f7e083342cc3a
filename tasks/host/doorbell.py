"""The doorbell: pub/sub that makes things quick. It may be lost, so nothing depends on it but speed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog
from redis.exceptions import RedisError

from core.redis_client import connect_for_subscription
from core.redis_names import DOORBELL, EVERYBODY, KILL_OFF, KILL_ON, RING_ALL

log = structlog.get_logger(__name__)

_SWITCH: Final = re.compile(rf"(?P<word>{KILL_ON}|{KILL_OFF})(?::(?P<owner>[1-9][0-9]{{0,18}}))?", re.ASCII)


async def listen(
    url: str, ring: Callable[[int | None], None], kill: Callable[[bool, int], object],
    hear: Callable[[str], None] = lambda _: None,
) -> None:  # fmt: skip
    """Hear the doorbell until cancelled. `ring(None)` is for everything, and comes with every connection too.

    `hear` gets the words that are neither an instance's number nor about a kill switch.
    """
    while True:
        client = connect_for_subscription(url)
        try:
            async with client.pubsub() as subscription:
                await subscription.subscribe(DOORBELL)
                ring(None)
                async for message in subscription.listen():
                    if message["type"] == "message":
                        _take(bytes(message["data"]).decode(errors="replace"), ring, kill, hear)
        except (RedisError, OSError) as error:
            log.warning("doorbell_lost", reason=str(error))
        finally:
            with suppress(RedisError, OSError):
                await client.aclose()
        await asyncio.sleep(1.0)


def switch_of(words: str) -> tuple[bool, int] | None:
    """Which way a kill switch is turned, and whose; None for words that are about something else."""
    found = _SWITCH.fullmatch(words)
    return None if found is None else (found["word"] == KILL_ON, int(found["owner"] or EVERYBODY))


def _take(
    words: str, ring: Callable[[int | None], None], kill: Callable[[bool, int], object],
    hear: Callable[[str], None] = lambda _: None,
) -> None:  # fmt: skip
    if (switch := switch_of(words)) is not None:
        kill(*switch)
    elif words == RING_ALL:
        ring(None)
    elif words.isascii() and words.isdigit():
        ring(int(words))
    else:
        hear(words)
