"""The venue's rules, read once for every account of a process that trades there: they are the same for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from core.clock import MachineTime
from domain.errors import Transient
from exchanges._binance.rules import Rules, order_limits, parse_rules, weight_limit

#: Venue, address and event loop -> its book, for as long as an account there is open.
_BOOKS: WeakValueDictionary[tuple[str, str, int], RuleBook] = WeakValueDictionary()


class RuleBook:
    """The rules of one venue as last read."""

    def __init__(self, machine: MachineTime) -> None:
        #: Request weight that an address may use in a minute; 0 when the venue does not say.
        self.weight_limit = 0
        #: New orders that an account may send, by the length of the window in ms.
        self.order_limits: dict[int, int] = {}
        self._machine = machine
        self._rules: Rules | None = None
        #: Steady time at which the last reading of them began.
        self._began_ns = 0
        self._lock = asyncio.Lock()

    async def read_since(self, moment_ns: int, read: Callable[[], Awaitable[Any]]) -> Rules:
        """The rules as they were at that steady moment or later; `Transient` for an answer that lists none.

        Nobody may change what this gives.
        """
        async with self._lock:
            if self._rules is None or self._began_ns < moment_ns:
                began_ns = self._machine.steady_ns()
                body = await read()
                if not isinstance(body, Mapping) or not body.get("symbols"):
                    raise Transient("exchangeInfo: the answer lists no symbols.")
                self._rules, self._began_ns = parse_rules(body["symbols"]), began_ns
                self.weight_limit = weight_limit(body.get("rateLimits", ()))
                self.order_limits = order_limits(body.get("rateLimits", ()))
            return self._rules


def book_of(venue: str, address: str, machine: MachineTime) -> RuleBook:
    """The book that everyone at this address reads in; called inside the event loop that it will be read in."""
    key = venue, address, id(asyncio.get_running_loop())
    found = _BOOKS.get(key)
    if found is None:
        found = _BOOKS[key] = RuleBook(machine)
    return found
