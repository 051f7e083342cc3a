"""An HTTP session that sends every request exactly once."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import aiohttp

#: Connections one account may hold to its venue.
_CONNECTIONS = 32


@cache
def tls() -> ssl.SSLContext:
    """One TLS context for every account of the process; certificates are always checked."""
    return ssl.create_default_context()


class OnceSession:
    """The part of aiohttp's session that ccxt uses, without its second tries.

    aiohttp repeats GET, PUT and DELETE when a kept-alive connection turns out to be closed, and follows redirects,
    which repeats a request somewhere else. A cancel must not be sent twice behind our back, so both are off.
    """

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=30, ssl=tls())
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=True)
        self._session._retry_connection = False

    @property
    def headers(self) -> Any:
        """The session's own headers; ccxt looks at them."""
        return self._session.headers

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

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()
