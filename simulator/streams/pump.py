"""Writes the outboxes of all connections: once per turn of the loop, one write per connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol


class Writable(Protocol):
    """A connection, as the pump sees it."""

    def write_out(self) -> bool:
        """Hand everything waiting to the socket; False while the peer does not take it."""


class Pump:
    """Connections with something to send mark themselves; at the end of the turn they are written."""

    HIGH_WATER: Final = 256 * 1024
    """Bytes the socket may hold back before a connection keeps its frames in its outbox."""
    RETRY_SECONDS: Final = 0.005

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        self._marked: list[Writable] = []
        self._blocked: list[Writable] = []
        self._is_scheduled = False
        self._is_retrying = False

    def mark(self, connection: Writable) -> None:
        """Write this connection's outbox at the end of the turn; a connection marks itself once."""
        self._marked.append(connection)
        self.wake()

    def wake(self) -> None:
        """Run at the end of this turn, calling `before` first. Without a running loop nobody is connected."""
        if self._is_scheduled:
            return
        with suppress(RuntimeError):
            asyncio.get_running_loop().call_soon(self.run)
            self._is_scheduled = True

    def run(self) -> None:
        """Write everything now."""
        self._before()
        self._is_scheduled = False
        marked, self._marked = self._marked, []
        self._blocked += [connection for connection in marked if not connection.write_out()]
        self._retry_later()

    def _retry_later(self) -> None:
        if self._blocked and not self._is_retrying:
            self._is_retrying = True
            asyncio.get_running_loop().call_later(self.RETRY_SECONDS, self._retry)

    def _retry(self) -> None:
        self._is_retrying = False
        self._blocked = [connection for connection in self._blocked if not connection.write_out()]
        self._retry_later()

    @property
    def is_idle(self) -> bool:
        """Whether no connection waits to be written."""
        return not self._marked and not self._blocked
