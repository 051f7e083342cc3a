"""Frames: an event is serialised once, framed once, and the same bytes go to everyone who listens.

Server frames carry no mask (RFC 6455, 5.1), so a finished frame does not depend on its receiver.
"""

from __future__ import annotations

import struct
from typing import Final

import orjson

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_TIME_KEYS = frozenset("ETOCWDut")
_FIRST_MS, _LAST_MS = 10**12, 10**13
"""Bounds (2001 to 2286) that tell a time from an id under the same letter."""


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """One complete, final, unmasked frame."""
    length = len(payload)
    if length < 126:
        return bytes((0x80 | opcode, length)) + payload
    if length < 65_536:
        return struct.pack(">BBH", 0x80 | opcode, 126, length) + payload
    return struct.pack(">BBQ", 0x80 | opcode, 127, length) + payload


def text_frame(value: object) -> bytes:
    """A text frame of one JSON value."""
    return encode_frame(TEXT, orjson.dumps(value))


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut to what a control frame can hold."""
    return encode_frame(CLOSE, struct.pack(">H", code) + reason.encode()[:120])


def in_microseconds(value: object) -> object:
    """The same event with its times in microseconds, for connections opened with `timeUnit=MICROSECOND`."""
    if isinstance(value, list):
        return [in_microseconds(item) for item in value]
    if not isinstance(value, dict):
        return value
    kline_close = value.get("T") if "i" in value and "t" in value else None
    return {
        key: _scaled(item, item is kline_close) if key in _TIME_KEYS else in_microseconds(item)
        for key, item in value.items()
    }


def _scaled(value: object, is_last_instant: bool) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and _FIRST_MS <= value < _LAST_MS:
        return value * 1000 + (999 if is_last_instant else 0)
    return value


class Message:
    """One event of one stream, and its frames: raw or combined, in milliseconds or microseconds; each made once."""

    __slots__ = ("_frames", "_payload", "stream")

    def __init__(self, stream: str, payload: object) -> None:
        self.stream = stream
        self._payload = payload
        self._frames: dict[int, bytes] = {}

    @property
    def payload(self) -> object:
        """The event as it was published; do not change it."""
        return self._payload

    def frame(self, variant: int) -> bytes:
        """The frame for a connection's variant: `COMBINED` and `MICROSECONDS` or-ed together, 0 for neither."""
        frame = self._frames.get(variant)
        if frame is None:
            frame = self._frames[variant] = encode_frame(TEXT, self._encode(variant))
        return frame

    def _encode(self, variant: int) -> bytes:
        payload = in_microseconds(self._payload) if variant & MICROSECONDS else self._payload
        body = orjson.dumps(payload)
        if not variant & COMBINED:
            return body
        return b'{"stream":' + orjson.dumps(self.stream) + b',"data":' + body + b"}"


COMBINED: Final = 1
MICROSECONDS: Final = 2
