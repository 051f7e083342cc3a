"""What lives are forked from: everything is imported and rehearsed once, so that a fresh process is cheap.

A life still is a process of its own: it has no socket, no file and no thread but those it makes, and knows nothing but
what its driver, the database and the venue tell it.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress

from core.base_exchange import EXCHANGES, VenueSettings
from core.clock import Clock, SystemTime
from domain.errors import AresError
from tests.acceptance.crash import child

#: Nobody listens there.
_NOWHERE = "http://127.0.0.1:9"


async def rehearse() -> None:
    """Open each venue at an address where none is: what a client makes on its first use is made then."""
    for kind in ("binance_spot", "binance_futures"):
        venue = EXCHANGES.get(kind)(VenueSettings(None, _NOWHERE, _NOWHERE), Clock(SystemTime(), SystemTime()))
        with suppress(AresError):
            await venue.open()


__all__ = ["child", "rehearse"]
asyncio.run(rehearse())
# What is there now is never looked through for rubbish, so that its pages stay shared.
gc.collect()
gc.freeze()
