"""What the operator's verbs work on, and how they are declared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from simulator.admin.agenda import Agenda
from simulator.admin.fields import BadField, Fields, Missing
from simulator.instruments import Instrument, Market

if TYPE_CHECKING:
    from simulator.accounts import Account
    from simulator.venue import Venue

MARKETS: tuple[Market, Market] = ("spot", "futures")


class Wire(Protocol):
    """What the operator needs of the trading port."""

    in_flight: int

    async def listen(self) -> int:
        """Accept connections again."""

    async def stop_listening(self) -> None:
        """Refuse new connections."""


@dataclass(slots=True)
class Context:
    """The venue, its trading port, what is still to happen, and the wish to stop."""

    venue: Venue
    wire: Wire
    agenda: Agenda
    shutdown: asyncio.Event = field(default_factory=asyncio.Event)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while market time is being moved, so that two advances follow one another."""

    def account(self, fields: Fields, name: str = "account") -> Account:
        """The account whose number a field gives."""
        number = fields.integer(name, 1, 2**31)
        try:
            return self.venue.accounts.account(number)
        except KeyError:
            raise Missing(f"there is no account {number}") from None

    def instrument(self, fields: Fields, market: Market) -> Instrument:
        """The symbol a field gives, which the market must list."""
        symbol = fields.text("symbol")
        found = self.venue.exchange(market).instruments.get(symbol)
        if found is None:
            raise BadField("symbol", f"{symbol} is not listed on {market}")
        return found


Verb = Callable[[Context, Fields], object | Awaitable[object]]
ROUTES: list[tuple[str, str, Verb]] = []


def verb(method: str, path: str) -> Callable[[Verb], Verb]:
    """Declare a function as the operator's verb at `/admin` + path; parts in braces become fields."""

    def declare(function: Verb) -> Verb:
        ROUTES.append((method, f"/admin{path}", function))
        return function

    return declare
