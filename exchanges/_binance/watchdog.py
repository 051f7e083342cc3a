"""When a private stream has to be taken for dead although its connection looks alive."""

from __future__ import annotations

from typing import Final

from core.clock import Clock
from domain.fill import Fill
from domain.order import OPEN, REJECTED, OrderReport

#: Things that are owed, and that were told, which are kept in mind.
_MOST: Final = 5_000
_MOST_TOLD: Final = 1_000
#: What a status takes of a number.
_STATUS_BITS: Final = 3
_STATUS: Final = (1 << _STATUS_BITS) - 1
#: The lowest status of an end: whichever the stream tells is word of it.
_ENDED: Final = REJECTED


class Watchdog:
    """What the stream owes us: an answer to every ping, and word of everything that we know by other ways.

    A quiet account's stream may say nothing for days, so silence proves nothing while pings are answered. A stream
    that answers pings and tells of nothing is found out by the first order, cancel or trade that it does not tell of.
    """

    def __init__(self, clock: Clock, silence_seconds: float, report_seconds: float) -> None:
        self._clock = clock
        self._silence_ns = int(silence_seconds * 1e9)
        self._report_ns = int(report_seconds * 1e9)
        #: What has to be told -> since when, and with at least which status.
        self._owed: dict[str, tuple[int, int]] = {}
        #: What was told lately, oldest first: the venue's time of the last word, and the highest status, in one
        #: number: every account of a process keeps a thousand.
        self._told: dict[str, int] = {}
        #: Of the venue's own time, which need not be that of our clock: what was until then is owed no more; the newest
        #: that is known.
        self._since_ms = self._newest_ms = 0
        self._heard_ns = self._connected_ns = clock.machine.steady_ns()

    def expect(self, client_order_id: str, *, is_end: bool = False) -> None:
        """The venue has taken this order, or the cancel that ends it, just now: the stream has to tell of it."""
        self._owe(client_order_id, _ENDED if is_end else OPEN)

    def learn(self, found: OrderReport | Fill) -> None:
        """REST has shown the end of an order, or a trade: the stream has to tell of it, if it has happened since.

        What is read while the connection is new may have happened before it; that tells how late it was by then.
        """
        if isinstance(found, OrderReport) and found.status <= OPEN:
            return
        self._newest_ms = max(self._newest_ms, found.time_ms)
        if self._clock.machine.steady_ns() - self._connected_ns <= self._report_ns:
            self._since_ms = max(self._since_ms, found.time_ms)
        elif found.time_ms > self._since_ms:
            self._owe(*((_name_of(found), OPEN) if isinstance(found, Fill) else (found.client_order_id, _ENDED)))

    def heard(self) -> None:
        """Any event, or the answer to a ping, has arrived."""
        self._heard_ns = self._clock.machine.steady_ns()

    def saw(self, event: OrderReport | Fill) -> None:
        """The stream has told of an order or a trade."""
        name, status = (_name_of(event), OPEN) if isinstance(event, Fill) else (event.client_order_id, event.status)
        if name in self._owed and status >= self._owed[name][1]:
            del self._owed[name]
        self._newest_ms = max(self._newest_ms, event.time_ms)
        highest = max(status, self._told.pop(name, 0) & _STATUS)
        self._told[name] = event.time_ms << _STATUS_BITS | highest
        if len(self._told) > _MOST_TOLD:
            forgotten = self._told.pop(next(iter(self._told)))
            # Not known to be told any more, so it must not be owed again.
            self._since_ms = max(self._since_ms, forgotten >> _STATUS_BITS)

    def restart(self) -> None:
        """A new connection owes nothing of what was known before it."""
        self._owed.clear()
        self._since_ms = self._newest_ms
        self._connected_ns = self._clock.machine.steady_ns()
        self.heard()

    def complaint(self) -> str:
        """Why the stream is taken for dead; empty while it is not."""
        now_ns = self._clock.machine.steady_ns()
        if self._owed and now_ns - next(iter(self._owed.values()))[0] > self._report_ns:
            return f"the venue has told of {next(iter(self._owed))} by REST and the stream does not tell of it"
        if now_ns - self._heard_ns > self._silence_ns:
            return "silent, and pings are not answered"
        return ""

    @property
    def is_quiet(self) -> bool:
        """Whether it is time to ask the other side for a word."""
        return self._clock.machine.steady_ns() - self._heard_ns > self._silence_ns // 4

    def beat_seconds(self) -> float:
        """How often to look."""
        return max(0.05, min(self._silence_ns, self._report_ns) / 4e9)

    def _owe(self, name: str, status: int) -> None:
        told = self._told.get(name)
        if told is not None and told & _STATUS >= status:
            return  # the stream was faster than the answer
        if len(self._owed) >= _MOST:
            self._owed.clear()
        before = self._owed.get(name)
        since_ns = self._clock.machine.steady_ns() if before is None else before[0]
        self._owed[name] = since_ns, status


def _name_of(fill: Fill) -> str:
    return f"trade {fill.trade_id} of {fill.symbol}"
