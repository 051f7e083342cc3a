from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

from simulator.streams.frames import CLOSE, COMBINED, MICROSECONDS, TEXT, Message, close_frame, encode_frame


def _read(data: bytes) -> Frame:
    reader = Protocol(Side.CLIENT, state=OPEN, max_size=None)
    reader.receive_data(data)
    (event,) = reader.events_received()
    assert isinstance(event, Frame)
    return event


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_another_implementation_reads_a_frame_of_any_size(size: int) -> None:
    frame = _read(encode_frame(TEXT, b"x" * size))
    assert (frame.opcode, frame.data, frame.fin) == (Opcode.TEXT, b"x" * size, True)


def test_a_close_frame_carries_code_and_reason() -> None:
    frame = _read(close_frame(1008, "Too many requests"))
    assert frame.opcode == CLOSE
    assert bytes(frame.data) == b"\x03\xf0Too many requests"


def test_a_message_is_framed_once_per_variant_and_shared() -> None:
    message = Message("btcusdt@trade", {"e": "trade"})
    assert message.frame(0) is message.frame(0)
    assert bytes(_read(message.frame(0)).data) == b'{"e":"trade"}'
    assert bytes(_read(message.frame(COMBINED)).data) == b'{"stream":"btcusdt@trade","data":{"e":"trade"}}'


def test_microseconds_change_times_and_leave_ids_alone() -> None:
    bar = {"t": 1672515780000, "T": 1672515839999, "i": "1m", "f": 100}
    trade = {"E": 1672515782136, "T": 1672515782136, "t": 12345, "u": 400900217}
    message = Message("x", [{"E": 1672515782136, "k": bar}, trade])
    assert bytes(_read(message.frame(MICROSECONDS)).data) == (
        b'[{"E":1672515782136000,"k":{"t":1672515780000000,"T":1672515839999999,"i":"1m","f":100}},'
        b'{"E":1672515782136000,"T":1672515782136000,"t":12345,"u":400900217}]'
    )
