"""One WebSocket connection: what is sent on it, its pings, its length of life, its end.

aiohttp does the handshake and reads; what goes out are ready-made frames, gathered in an outbox and written in one
piece per turn of the loop by the `Pump` that all connections share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from simulator.clock import ProtocolClock
from simulator.faults import FaultBoard, Rule, StreamScope
from simulator.streams.fault_line import FaultLine
from simulator.streams.frames import PING, PONG, close_frame, encode_frame
from simulator.streams.pump import Pump
from simulator.streams.timing import Bounds, Timing

REMEMBERED = 1000
"""Events kept for the faults that send old ones again."""
_DROPPED = 1006


class Owner(Protocol):
    """Who a connection speaks for."""

    def on_text(self, text: str) -> None:
        """A text or binary message came in; must not raise for anything a client may send."""

    def on_closed(self) -> None:
        """The connection is gone."""

    def end_subscriptions(self) -> None:
        """The user data behind the connection ends now (a fault)."""

    def shutdown_frame(self) -> bytes:
        """The `serverShutdown` event, framed for this connection."""


class Connection:
    """Outbox, pings and end of one WebSocket. Sending never blocks and never fails; a slow consumer is closed."""

    def __init__(
        self,
        number: int,
        pump: Pump,
        board: FaultBoard,
        clock: ProtocolClock,
        timing: Timing,
        bounds: Bounds,
        scope: StreamScope,
    ) -> None:
        self.id = f"ws-{number}"
        self.scope = scope
        scope.connection = self.id
        self.opened_ms = clock.now_ms()
        self.is_closing = False
        self.is_half_open = False
        self.sent: deque[tuple[str, bytes]] = deque(maxlen=REMEMBERED)
        """The last events written, with their stream names."""
        self._pump = pump
        self._board = board
        self._clock = clock
        self._timing = timing
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        self._opened = self._loop.time()
        self._outbox: list[bytes] = []
        self._outbox_bytes = 0
        self._is_marked = False
        self._line = FaultLine(self, board)
        self._transport: asyncio.Transport | None = None
        self._pings: dict[bytes, float] = {}
        self._ping_at = 0.0
        self._arrivals: deque[float] = deque(maxlen=bounds.messages_per_second or 1)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    # Sending

    def send_event(self, frame: bytes, stream: str) -> None:
        """Send an event of a stream, unless a fault has other plans for it."""
        if self._board.has_stream_rules or self._line.is_busy:
            self._line.take(frame, stream)
        else:
            self.put_event(frame, stream)

    def put_event(self, frame: bytes, stream: str) -> None:
        """Send an event past the faults, and remember it."""
        self.sent.append((stream, frame))
        self.put(frame)

    def put(self, frame: bytes) -> None:
        """Send a frame that is not an event: an answer, a ping, a notice."""
        if self.is_closing or self.is_half_open:
            return
        self._append(frame)
        if self._outbox_bytes > self._bounds.outbox_bytes:
            self._outbox.clear()
            self.close(WSCloseCode.POLICY_VIOLATION, "Slow consumer")

    def _append(self, frame: bytes) -> None:
        self._outbox.append(frame)
        self._outbox_bytes += len(frame)
        if not self._is_marked:
            self._is_marked = True
            self._pump.mark(self)

    def write_out(self) -> bool:
        """Hand the outbox to the socket; False while the peer does not take it."""
        transport = self._transport
        if transport is None or transport.is_closing() or self.is_half_open:
            self._empty()
            return True
        if transport.get_write_buffer_size() > self._pump.HIGH_WATER:
            return False
        if self._outbox:
            transport.write(self._outbox[0] if len(self._outbox) == 1 else b"".join(self._outbox))
        self._empty()
        return True

    def _empty(self) -> None:
        self._outbox = []
        self._outbox_bytes = 0
        self._is_marked = False

    @property
    def is_flushed(self) -> bool:
        """Whether everything sent has left the process, and no fault holds a frame for later."""
        if self.is_half_open or self._transport is None or self._transport.is_closing():
            return True
        return not self._outbox and not self._line.is_holding and self._transport.get_write_buffer_size() == 0

    # Reading

    async def serve(self, request: web.BaseRequest, owner: Owner, opened: Callable[[], None]) -> web.StreamResponse:
        """Shake hands, call `opened`, then read until either side ends it."""
        socket = web.WebSocketResponse(
            autoping=False, autoclose=False, compress=False, max_msg_size=self._bounds.frame_bytes
        )
        await socket.prepare(request)
        self._transport = request.transport
        self._owner = owner
        self._ping_later()
        self._schedule("notice", self._timing.life_seconds - self._timing.notice_seconds, self.announce_shutdown)
        self._schedule("life", self._timing.life_seconds, self._end_of_life)
        try:
            opened()
            while await self._read(await socket.receive(), owner):
                pass
        finally:
            for timer in self._timers.values():
                timer.cancel()
            owner.on_closed()
            self._finish()
        return socket

    async def _read(self, message: WSMessage, owner: Owner) -> bool:
        """Handle one inbound frame; False when there will be no more."""
        if self.is_half_open:
            if self._transport is not None and not self._transport.is_closing():
                await asyncio.sleep(self._timing.farewell_seconds)
            return message.type not in (WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR)
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG):
            if self.is_closing:
                return True
            if self._is_too_fast():
                self.close(WSCloseCode.POLICY_VIOLATION, "Too many requests")
                return True
            self._handle(message, owner)
            return True
        if message.type is WSMsgType.CLOSE and not self.is_closing:
            self.close(message.data or WSCloseCode.OK)
        return False

    def _handle(self, message: WSMessage, owner: Owner) -> None:
        if message.type is WSMsgType.PING:
            self.put(encode_frame(PONG, bytes(message.data)))
        elif message.type is WSMsgType.PONG:
            if bytes(message.data) in self._pings:
                self._pings.clear()
        elif message.type is WSMsgType.TEXT:
            owner.on_text(message.data)
        else:
            owner.on_text(bytes(message.data).decode(errors="replace"))

    def _is_too_fast(self) -> bool:
        if self._bounds.messages_per_second is None:
            return False
        now = self._loop.time()
        if len(self._arrivals) == self._arrivals.maxlen and now - self._arrivals[0] < 1:
            return True
        self._arrivals.append(now)
        return False

    # Time

    def _schedule(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        self._timers[name] = self._loop.call_later(max(seconds, 0), action)

    def _ping(self) -> None:
        now = self._loop.time()
        # Nobody is heard while this process stands still: that time is not the client's.
        late = max(now - self._ping_at, 0.0)
        self._pings = {payload: sent + late for payload, sent in self._pings.items()}
        if self._pings and now - next(iter(self._pings.values())) >= self._timing.pong_seconds:
            self.close(WSCloseCode.POLICY_VIOLATION, "Pong timeout")
            return
        payload = str(self._clock.now_ms()).encode()
        self._pings.setdefault(payload, now)
        self.put(encode_frame(PING, payload))
        self._ping_later()

    def _ping_later(self) -> None:
        self._ping_at = self._loop.time() + self._timing.ping_seconds
        self._schedule("ping", self._timing.ping_seconds, self._ping)

    def announce_shutdown(self) -> None:
        """Tell the client that this connection will end soon."""
        self.put(self._owner.shutdown_frame())

    def _end_of_life(self) -> None:
        self.close(WSCloseCode.GOING_AWAY, "Connection lifetime exceeded")

    # Ending

    def close(self, code: int, reason: str = "") -> None:
        """Send what is in the outbox, then a close frame; 1006 drops the connection without one."""
        if self.is_closing:
            return
        self.is_closing = True
        if code == _DROPPED:
            self.abort()
            return
        if not self.is_half_open:
            self._append(close_frame(code, reason))
        self._schedule("farewell", self._timing.farewell_seconds, self.abort)

    def abort(self) -> None:
        """Reset the connection, whatever is still unsent."""
        if self._transport is not None:
            self._transport.abort()

    def carry_out(self, rule: Rule) -> None:
        """Do what a fault of the connection kinds wants."""
        if rule.kind == "half_open":
            self._go_half_open()
        elif rule.kind == "disconnect":
            self.close(rule.args["code"], rule.args["reason"])
        elif rule.kind == "server_shutdown":
            self.announce_shutdown()
            seconds = rule.args["close_ms"] / 1000
            self._schedule("shutdown", seconds, lambda: self.close(WSCloseCode.SERVICE_RESTART, "Server shutdown"))
        elif rule.kind == "listen_key_expire":
            self._owner.end_subscriptions()
        elif rule.kind == "replay_last":
            for _, frame in list(self.sent)[-rule.args["count"] :]:
                self.put(frame)

    def _go_half_open(self) -> None:
        self.is_half_open = True
        self._outbox.clear()
        for timer in self._timers.values():
            timer.cancel()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _finish(self) -> None:
        self.write_out()
        self.is_closing = True
        self._line.stop()
        if self._transport is not None:
            self._transport.close()
