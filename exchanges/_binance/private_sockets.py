"""How a private stream is opened: spot subscribes on the WebSocket API, futures connects with a listen key."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from core.base_exchange import KeyRefused, VenueSettings
from domain.errors import AresError, Transient
from domain.sentences import say
from exchanges._binance.outcomes import CLOCK_CODES, KEY_CODES, code_of
from exchanges._binance.rest import BinanceRest, VenueRefusal
from exchanges._ccxt import EchoedSocket

#: A listen key lives for an hour; it is renewed twice as often as needed.
_RENEWAL_SECONDS = 1_800.0
_RETRY_SECONDS = 60.0
#: Our own pings: a connection that is dead both ways is noticed within twice that.
_HEARTBEAT_SECONDS = 10.0
_LARGEST_FRAME = 1 << 24
_DEAD_LISTEN_KEY = -1125


class StreamDown(Transient):
    """The stream ended or has to be ended; a new one is opened."""


def address(default: str, settings: VenueSettings) -> str:
    """The address of a socket, on the host of the settings."""
    return re.sub(r"^\w+://[^/]+", settings.stream_url.rstrip("/"), default) if settings.stream_url else default


@asynccontextmanager
async def open_socket(rest: BinanceRest, settings: VenueSettings) -> AsyncIterator[EchoedSocket]:
    """A socket on which private events arrive."""
    url = address(rest.dialect.private_stream, settings)
    if not rest.dialect.is_futures:
        async with _connected(rest, settings, url) as socket:
            await _subscribe(rest, settings, socket)
            yield socket
        return
    key = await _listen_key(rest)
    async with _connected(rest, settings, f"{url}?listenKey={key}") as socket:
        renewal = asyncio.create_task(_renew(rest, key, socket), name="listen key")
        try:
            yield socket
        finally:
            renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewal


@asynccontextmanager
async def _connected(rest: BinanceRest, settings: VenueSettings, url: str) -> AsyncIterator[EchoedSocket]:
    async with asyncio.timeout(settings.timeout_seconds):
        socket = await rest.door.session.websocket(
            url, heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_LARGEST_FRAME, autoping=True
        )
    try:
        yield socket
    finally:
        await socket.close()


async def _subscribe(rest: BinanceRest, settings: VenueSettings, socket: EchoedSocket) -> None:
    """Ask for the account's events. What is signed is sorted by name and not percent-encoded."""
    params: dict[str, Any] = {"recvWindow": settings.receive_window_ms, "timestamp": rest.door.venue_ms()}
    params["apiKey"], _ = rest.door.sign_text("")
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    _, params["signature"] = rest.door.sign_text(text)
    request = {"id": "user", "method": "userDataStream.subscribe.signature", "params": params}
    await socket.send_str(orjson.dumps(request).decode())
    async with asyncio.timeout(settings.timeout_seconds):
        answer = await socket.receive()
    if answer.type is not aiohttp.WSMsgType.TEXT:
        raise StreamDown(
            say("not_subscribed", "closed with {close_code} instead of subscribing", close_code=socket.close_code)
        )
    body = orjson.loads(answer.data)
    if body.get("status") != 200:
        await _explain(rest, body)


async def _explain(rest: BinanceRest, body: Mapping[str, Any]) -> None:
    error = body.get("error") or {}
    code = code_of(error)
    words = rest.door.scrub(f"subscribing: {code} {error.get('msg', '')}")
    if code in CLOCK_CODES:
        await rest.measure_clock()
    if code in KEY_CODES:
        raise KeyRefused(
            say("key_revoked", "{words}: the key was revoked, or is not allowed from this address.", words=words)
        )
    raise StreamDown(words)


async def _listen_key(rest: BinanceRest) -> str:
    body = await rest.read(rest.dialect.private, "listenKey", {}, 1, "POST")
    key = body.get("listenKey") if isinstance(body, Mapping) else None
    if not isinstance(key, str) or not key:
        raise StreamDown(say("no_listen_key", "the venue gave no listen key"))
    return key


async def _renew(rest: BinanceRest, key: str, socket: EchoedSocket) -> None:
    """Keep the key alive; when the venue knows it no more, end the connection, so that a new one gets a new key."""
    wait = _RENEWAL_SECONDS
    while True:
        await asyncio.sleep(wait)
        try:
            await rest.read(rest.dialect.private, "listenKey", {"listenKey": key}, 1, "PUT")
            wait = _RENEWAL_SECONDS
        except VenueRefusal as error:
            if error.number == _DEAD_LISTEN_KEY:
                await socket.close()
                return
            wait = _RETRY_SECONDS
        except AresError:
            wait = _RETRY_SECONDS
