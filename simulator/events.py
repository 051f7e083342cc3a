"""The venue's internal bus: the exchanges publish, streams and oracles listen; every call is synchronous."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.futures.types import FuturesEvent
from simulator.instruments import Instrument, Market
from simulator.market.types import Trade
from simulator.spot.types import SpotEvent


@dataclass(frozen=True, slots=True)
class TradeHappened:
    """A public trade, of the background market or of a customer."""

    market: Market
    symbol: str
    trade: Trade


@dataclass(frozen=True, slots=True)
class BookMoved:
    """The visible book of a symbol changed; ask the exchange for the new one."""

    market: Market
    symbol: str


@dataclass(frozen=True, slots=True)
class InstrumentChanged:
    """Status or filters of a symbol changed."""

    instrument: Instrument


@dataclass(frozen=True, slots=True)
class KlineClosed:
    """A stream has told its listeners that a bar is finished."""

    market: Market
    symbol: str
    interval: str
    open_ms: int


Event = TradeHappened | BookMoved | InstrumentChanged | KlineClosed | SpotEvent | FuturesEvent
Listener = Callable[[Event], None]


class Bus:
    """Delivers each event to every listener, in the order they joined, before `publish` returns."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def join(self, listener: Listener) -> None:
        """Deliver every later event to `listener` as well."""
        self._listeners.append(listener)

    def leave(self, listener: Listener) -> None:
        """Deliver nothing more to `listener`; raises ValueError when it has not joined."""
        self._listeners.remove(listener)

    def publish(self, event: Event) -> None:
        """Tell everyone."""
        for listener in self._listeners:
            listener(event)
