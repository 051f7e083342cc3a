"""Public messages decoded straight into typed structures: no dictionary, no field that nobody reads.

A combined frame is `{"stream":NAME,"data":MESSAGE}`. The name picks the decoder, so a message never has to be looked
into to know what it is. Amounts stay the venue's texts; `Scale` turns them into ticks or lots, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from domain.money import exact, to_units

_PREFIX = b'{"stream":"'
_BETWEEN = b'","data":'
_CACHED = 50_000
_MOST_DIGITS = 19


class Trade(msgspec.Struct, gc=False):
    """A print, or an aggregate of prints at one price."""

    p: str
    q: str
    #: Trade time in milliseconds.
    T: int
    #: Whether the buyer was the maker, so that a seller took.
    m: bool
    #: Trade id; aggregates have `a` instead.
    t: int = 0
    a: int = 0


class BookTicker(msgspec.Struct, gc=False):
    """Best bid and ask with their quantities."""

    b: str
    B: str
    a: str
    A: str
    u: int = 0
    #: Time in milliseconds; spot sends none.
    T: int = 0


class DepthChange(msgspec.Struct, gc=False):
    """Levels that changed: quantity 0 removes one."""

    U: int
    u: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    #: The previous change's `u`, on futures.
    pu: int = 0


class DepthTop(msgspec.Struct, gc=False):
    """The best levels of spot's book as a whole."""

    lastUpdateId: int  # noqa: N815 - the venue's name
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class Candle(msgspec.Struct, gc=False):
    """The bar inside a kline event."""

    t: int
    o: str
    h: str
    l: str  # noqa: E741 - the venue's name
    c: str
    v: str
    x: bool


class KlineEvent(msgspec.Struct, gc=False):
    """A bar so far; `k.x` says whether it has closed."""

    k: Candle
    E: int


class _Frame(msgspec.Struct, gc=False):
    stream: str
    data: msgspec.Raw


Handler = Callable[[Any], None]


class Router:
    """Stream name -> decoder and handler."""

    def __init__(self) -> None:
        self._routes: dict[bytes, tuple[Callable[[bytes], Any], Handler]] = {}
        self._frame = msgspec.json.Decoder(_Frame)
        #: Frames of no stream we asked for: answers to commands, and events nobody knows.
        self.unrouted = 0
        #: Frames that could not be read.
        self.unreadable = 0

    def add(self, stream: str, shape: type[msgspec.Struct], handle: Handler) -> None:
        """Send messages of a stream, decoded as `shape`, to a handler."""
        self._routes[_PREFIX + stream.encode()] = (msgspec.json.Decoder(shape).decode, handle)

    @property
    def streams(self) -> list[str]:
        """Names of the streams that have a handler."""
        return [name[len(_PREFIX) :].decode() for name in self._routes]

    def feed(self, frame: bytes) -> None:
        """Decode one frame and hand it over. A frame that cannot be read is counted and left out."""
        try:
            # The venue writes the envelope always alike; cutting it off by hand is faster than decoding it.
            head, _, message = frame.partition(_BETWEEN)
            route = self._routes.get(head)
            if route is None:
                self._slowly(frame)
            else:
                decode, handle = route
                handle(decode(message[:-1]))
        except (msgspec.MsgspecError, ValueError):
            self.unreadable += 1

    def _slowly(self, frame: bytes) -> None:
        try:
            envelope = self._frame.decode(frame)
        except msgspec.ValidationError:
            self.unrouted += 1
            return
        route = self._routes.get(_PREFIX + envelope.stream.encode())
        if route is None:
            self.unrouted += 1
            return
        route[1](route[0](bytes(envelope.data)))


class Scale:
    """Texts of amounts as whole numbers of a unit; texts seen before cost one look-up."""

    def __init__(self, unit: Decimal) -> None:
        self._unit = unit
        self._known: dict[str, int] = {}
        #: Digits after the point -> the unit in that many digits, where it is a whole number.
        self._in_digits = {digits: _scaled(unit, digits) for digits in range(_MOST_DIGITS)}

    def units(self, text: str) -> int:
        """How many units; `NotDivisible` when it is not a whole number of them."""
        found = self._known.get(text)
        if found is None:
            found = self._read(text)
            if len(self._known) >= _CACHED:
                self._known.clear()
            self._known[text] = found
        return found

    def _read(self, text: str) -> int:
        whole, _, fraction = text.partition(".")
        unit, digits = self._in_digits.get(len(fraction), 0), whole + fraction
        if unit and digits.isdigit():
            count, rest = divmod(int(digits), unit)
            if not rest:
                return count
        return to_units(exact(text), self._unit)


def _scaled(unit: Decimal, digits: int) -> int:
    scaled = unit.scaleb(digits)
    return int(scaled) if scaled == scaled.to_integral_value() else 0
