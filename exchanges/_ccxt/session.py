"""An HTTP session that sends every request exactly once."""

from __future__ import annotations

import asyncio
import ssl
import weakref
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import aiohttp
from yarl import URL

from exchanges._ccxt.trace import Answer

#: Connections one account may hold to its venue.
_CONNECTIONS = 32


@cache
def tls() -> ssl.SSLContext:
    """One TLS context for every account of the process; certificates are always checked."""
    return ssl.create_default_context()


class EchoedSocket(aiohttp.ClientWebSocketResponse):
    """A WebSocket that can tell when everything sent to it before a certain moment has been read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._autoping = False
        self._echoes: dict[bytes, asyncio.Future[None]] = {}
        #: Told of every ping that the other side has answered.
        self.on_answer: Callable[[], None] = lambda: None

    async def receive(self, timeout: float | None = None) -> Any:
        """The next message that is neither a ping nor a pong."""
        while True:
            message = await super().receive(timeout)
            if message.type is aiohttp.WSMsgType.PING:
                await self.pong(message.data)
            elif message.type is not aiohttp.WSMsgType.PONG:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    self._give_up()
                return message
            else:
                self.on_answer()
                if (echo := self._echoes.pop(bytes(message.data), None)) is not None and not echo.done():
                    echo.set_result(None)

    def pause(self) -> None:
        """Leave what comes in the connection, answers to pings too: for less than half the time between two of ours."""
        if (protocol := self._protocol_in_use()) is not None:
            protocol.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if (protocol := self._protocol_in_use()) is not None:
            protocol.resume_reading()

    def _protocol_in_use(self) -> Any:
        return None if self._conn is None or self.closed else self._conn.protocol

    async def flush(self) -> None:
        """Wait until the reader has come to everything that the other side had sent when this was called.

        A ping is answered behind what was sent before. A connection that ends has nothing more to be waited for.
        """
        if self.closed:
            return
        name = f"flush {len(self._echoes)} {id(self):x}".encode()
        echo = self._echoes[name] = asyncio.get_running_loop().create_future()
        try:
            await self.ping(name)
        except (aiohttp.ClientError, ConnectionError):
            self._give_up()
        await echo

    def _give_up(self) -> None:
        echoes, self._echoes = self._echoes, {}
        for echo in echoes.values():
            if not echo.done():
                echo.set_result(None)


class OnceSession:
    """The part of aiohttp's session that ccxt uses, without its second tries.

    aiohttp repeats GET, PUT and DELETE when a kept-alive connection turns out to be closed, and follows redirects,
    which repeats a request somewhere else. A cancel must not be sent twice behind our back, so both are off.
    """

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=30, ssl=tls())
        self._sockets: weakref.WeakSet[EchoedSocket] = weakref.WeakSet()
        made: Any = self._make_socket
        # A venue knows its callers by their keys: looking through cookies for every order would be time for nothing.
        jar = aiohttp.DummyCookieJar()
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=jar, auto_decompress=True, ws_response_class=made
        )
        self._session._retry_connection = False

    @property
    def headers(self) -> Any:
        """The session's own headers; ccxt looks at them."""
        return self._session.headers

    async def send(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: str | None, limits: aiohttp.ClientTimeout
    ) -> Answer:
        """Send a request, once, to an address that needs no quoting any more; gives the complete answer."""
        async with self._session.request(
            method, URL(url, encoded=True), data=None if body is None else body.encode(), headers=headers,
            timeout=limits, allow_redirects=False,
        ) as response:  # fmt: skip
            text = (await response.read()).decode(errors="replace").strip()
            return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, text)

    def get(self, url: Any, **options: Any) -> Any:
        """GET, once."""
        return self._session.get(url, allow_redirects=False, **options)

    def post(self, url: Any, **options: Any) -> Any:
        """POST, once."""
        return self._session.post(url, allow_redirects=False, **options)

    def put(self, url: Any, **options: Any) -> Any:
        """PUT, once."""
        return self._session.put(url, allow_redirects=False, **options)

    def delete(self, url: Any, **options: Any) -> Any:
        """DELETE, once."""
        return self._session.delete(url, allow_redirects=False, **options)

    def websocket(self, url: str, **options: Any) -> Any:
        """Open a WebSocket on the same connector."""
        return self._session.ws_connect(url, **options)

    async def flush(self) -> None:
        """Wait until what was sent on any WebSocket before this call has been read."""
        await asyncio.gather(*(socket.flush() for socket in list(self._sockets)))

    def _make_socket(self, *args: Any, **options: Any) -> EchoedSocket:
        socket = EchoedSocket(*args, **options)
        self._sockets.add(socket)
        return socket

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
