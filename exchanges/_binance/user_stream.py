"""The private stream: connects, watches over itself, and tells of every gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from random import SystemRandom

import aiohttp
import orjson
import structlog

from core.base_exchange import KeyRefused, StreamGap, UserEvent, VenueSettings
from domain.errors import AresError
from domain.fill import Fill
from domain.instrument import Instrument
from domain.order import OrderReport
from exchanges._binance.events import ENDINGS, translate
from exchanges._binance.history import OrderNames
from exchanges._binance.private_sockets import StreamDown, open_socket
from exchanges._binance.rest import BinanceRest
from exchanges._binance.watchdog import Watchdog
from exchanges._ccxt import EchoedSocket

_LONGEST_PAUSE = 30.0
#: Events are dated by the venue; a gap starts a little earlier than the last one, to be on the safe side.
_MARGIN_MS = 5_000

_log = structlog.get_logger("exchanges.binance")
_chance = SystemRandom()


class Tap:
    """Through which an account's private events come; see `PausesEvents`."""

    def __init__(self) -> None:
        #: The newest connection; one that has ended neither pauses nor resumes.
        self.socket: EchoedSocket | None = None

    def pause(self) -> None:
        """Leave events in the connection."""
        if self.socket is not None:
            self.socket.pause()

    def resume(self) -> None:
        """Read them."""
        if self.socket is not None:
            self.socket.resume()


class UserStream:
    """Private events of one account."""

    def __init__(
        self,
        rest: BinanceRest,
        settings: VenueSettings,
        names: OrderNames,
        instrument: Callable[[str], Instrument],
        watchdog: Watchdog,
        tap: Tap,
    ) -> None:
        self._rest = rest
        self._settings = settings
        self._names = names
        self._instrument = instrument
        self._watchdog = watchdog
        self._tap = tap
        self._failures = 0

    async def events(self) -> AsyncIterator[UserEvent]:
        """Events until the caller stops. Every connection begins with a gap: what happened before it is not told."""
        since_ms, reason = self._rest.door.venue_ms(), "connected"
        while True:
            try:
                async with self._connect() as socket:
                    socket.on_answer = self._watchdog.heard
                    self._watchdog.restart()
                    self._tap.socket = socket
                    yield StreamGap(since_ms - _MARGIN_MS, reason)
                    async for event in self._read(socket):
                        since_ms = self._rest.door.venue_ms()
                        yield event
            except KeyRefused:
                raise
            except (AresError, aiohttp.ClientError, OSError, TimeoutError) as error:
                reason = self._rest.door.scrub(f"{type(error).__name__}: {error}")
                _log.warning("private_stream_ended", venue=self._rest.dialect.name, reason=reason)
            await self._pause()

    def _connect(self) -> AbstractAsyncContextManager[EchoedSocket]:
        return open_socket(self._rest, self._settings)

    async def _pause(self) -> None:
        """Full jitter: many streams that broke together must not come back together."""
        self._failures += 1
        longest = min(_LONGEST_PAUSE, 0.25 * 2 ** min(self._failures, 10))
        await asyncio.sleep(_chance.uniform(0, longest))

    async def _read(self, socket: EchoedSocket) -> AsyncIterator[UserEvent]:
        while True:
            try:
                async with asyncio.timeout(self._watchdog.beat_seconds()):
                    message = await socket.receive()
            except TimeoutError:
                if complaint := self._watchdog.complaint():
                    raise StreamDown(complaint) from None
                if self._watchdog.is_quiet:
                    await socket.ping()
                continue
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise StreamDown(f"closed with {socket.close_code}")
            for event in self._understand(message.data):
                yield event
            if complaint := self._watchdog.complaint():
                raise StreamDown(complaint)

    def _understand(self, text: str) -> list[UserEvent]:
        """The events of a frame. One that cannot be read may have been a fill, so it counts as a gap."""
        try:
            event = orjson.loads(text)
            event = event.get("event", event.get("data", event))
            kind = event.get("e")
            if kind in ENDINGS:
                raise StreamDown(str(kind))
            if kind is None:
                return []
            self._watchdog.heard()
            found = list(translate(event, self._names, self._instrument))
        except StreamDown:
            raise
        except (AresError, ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            _log.warning("private_event_unreadable", venue=self._rest.dialect.name, error=type(error).__name__)
            return [StreamGap(self._rest.door.venue_ms() - _MARGIN_MS, "an event could not be read")]
        self._failures = 0
        for item in found:
            if isinstance(item, OrderReport | Fill):
                self._watchdog.saw(item)
        return found
