"""What injected faults do to the events of one connection: lost, doubled, late, out of order, or not what they were."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.faults import FaultBoard, Rule, StreamScope
from simulator.streams.frames import TEXT, encode_frame, text_frame

if TYPE_CHECKING:
    from simulator.streams.connection import Connection

_UNKNOWN = {"e": "unheardOfEvent", "E": 0}


class _Held:
    """An event kept back: until so many later ones have passed, or its time has come."""

    __slots__ = ("behind", "frame", "stream")

    def __init__(self, frame: bytes, stream: str, behind: int) -> None:
        self.frame = frame
        self.stream = stream
        self.behind = behind


class FaultLine:
    """Stands between the streams and one connection's outbox while faults are set, or frames are still held."""

    def __init__(self, connection: Connection, board: FaultBoard) -> None:
        self._connection = connection
        self._board = board
        self._held: list[_Held] = []
        self._queue: deque[tuple[bytes, str]] = deque()
        """Events that wait their turn behind a delayed one."""
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def is_busy(self) -> bool:
        """Whether later events must pass here even when no fault is set any more."""
        return bool(self._held or self._queue)

    @property
    def is_holding(self) -> bool:
        """Whether an event is kept to be sent later."""
        return bool(self._held or self._queue or self._timers)

    def take(self, frame: bytes, stream: str) -> None:
        """Let the faults that stand decide what becomes of an event."""
        scope = self._connection.scope
        frame_scope = StreamScope(scope.market, scope.connection, scope.account, stream, scope.path)
        rules = self._board.for_frame(frame_scope) if self._board.has_stream_rules else []
        copies = 1
        for rule in rules:
            if rule.kind in ("stall", "drop"):
                return
            if rule.kind == "duplicate":
                copies = rule.args["copies"]
            elif rule.kind in ("reorder", "delay_frame"):
                self._postpone(frame, stream, rule)
                return
            else:
                frame = self._altered(frame, stream, rule)
        for _ in range(copies):
            self._forward(frame, stream)

    def stop(self) -> None:
        """Forget everything held; the connection is gone."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._held.clear()
        self._queue.clear()

    def _altered(self, frame: bytes, stream: str, rule: Rule) -> bytes:
        if rule.kind == "malformed_frame":
            return encode_frame(TEXT, rule.args["text"].encode())
        if rule.kind == "freeze":
            return next((old for name, old in reversed(self._connection.sent) if name == stream), frame)
        if rule.kind == "huge_frame":
            self._connection.put(encode_frame(TEXT, b'{"e":"' + b"x" * (rule.args["bytes"] - 8) + b'"}'))
        elif rule.kind == "unknown_event":
            event = rule.args["event"]
            self._connection.put(text_frame(_UNKNOWN if event is None else event))
        return frame

    def _forward(self, frame: bytes, stream: str) -> None:
        if self._queue:
            self._queue.append((frame, stream))
        else:
            self._send(frame, stream)

    def _send(self, frame: bytes, stream: str) -> None:
        self._connection.put_event(frame, stream)
        ready = []
        for held in self._held:
            held.behind -= 1
            if held.behind <= 0:
                ready.append(held)
        for held in ready:
            self._release(held)

    def _postpone(self, frame: bytes, stream: str, rule: Rule) -> None:
        if rule.kind == "reorder":
            held = _Held(frame, stream, rule.args["behind"])
            self._held.append(held)
            self._later(rule.args["hold_ms"], lambda: self._release(held))
        elif rule.args["in_order"]:
            self._queue.append((frame, stream))
            self._later(rule.args["delay_ms"], self._release_queue)
        else:
            self._later(rule.args["delay_ms"], lambda: self._send(frame, stream))

    def _later(self, milliseconds: int, action: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(milliseconds / 1000, run)
        self._timers.add(timer)

    def _release(self, held: _Held) -> None:
        if held in self._held:
            self._held.remove(held)
            self._connection.put_event(held.frame, held.stream)

    def _release_queue(self) -> None:
        """The time of the first delayed event has come; those behind it without a delay of their own go with it."""
        if self._queue:
            frame, stream = self._queue.popleft()
            self._send(frame, stream)
        if not self._timers:
            while self._queue:
                self._send(*self._queue.popleft())
