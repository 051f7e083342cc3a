"""When a private stream has to be taken for dead although its connection looks alive."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

from core.clock import Clock
from domain.order import OPEN, OrderReport

_MOST = 5_000
#: How many times its first bound the silence of a quiet account may last.
_LONGEST = 16


class Watchdog:
    """What the stream owes us: reports of orders that the venue accepted, and any word at all while orders rest."""

    def __init__(self, clock: Clock, silence_seconds: float, report_seconds: float) -> None:
        self._clock = clock
        self._silence_ns = self._bound_ns = int(silence_seconds * 1e9)
        self._has_spoken = True
        self._report_ns = int(report_seconds * 1e9)
        self._owed: dict[str, int] = {}
        self._told: OrderedDict[str, None] = OrderedDict()
        self._resting: set[str] = set()
        self._heard_ns = clock.machine.steady_ns()

    def expect(self, client_order_id: str) -> None:
        """The venue has accepted this order by REST, so the stream has to tell of it."""
        if client_order_id in self._told:
            return  # the stream was faster than the answer
        if len(self._resting) >= _MOST:
            self._resting.clear()
            self._owed.clear()
        self._resting.add(client_order_id)
        self._owed[client_order_id] = self._clock.machine.steady_ns()

    def heard(self) -> None:
        """Any event has arrived."""
        self._heard_ns = self._clock.machine.steady_ns()
        self._has_spoken, self._bound_ns = True, self._silence_ns

    def saw(self, report: OrderReport) -> None:
        """The stream has told of an order."""
        self._owed.pop(report.client_order_id, None)
        self._told[report.client_order_id] = None
        if len(self._told) > _MOST:
            self._told.popitem(last=False)
        self.rests(report)

    def rests(self, report: OrderReport) -> None:
        """Whether an order still rests, from whatever source."""
        if report.status > OPEN:
            self._resting.discard(report.client_order_id)
        else:
            self._resting.add(report.client_order_id)

    @property
    def resting(self) -> frozenset[str]:
        """Orders that should rest, as far as the stream and the answers have told."""
        return frozenset(self._resting)

    def listed(self, before: frozenset[str], names: Collection[str]) -> None:
        """The venue has listed what rests: of what was thought to rest before it was asked, nothing else does."""
        self._resting.difference_update(before.difference(names))

    def restart(self) -> None:
        """A new connection owes nothing yet.

        Where the last one said nothing either, there is nothing to say: the account's orders rest far from the market.
        Such a one is given twice the time before it is taken for dead again.
        """
        self._owed.clear()
        if not self._has_spoken:
            self._bound_ns = min(2 * self._bound_ns, _LONGEST * self._silence_ns)
        self._has_spoken, self._heard_ns = False, self._clock.machine.steady_ns()

    def complaint(self) -> str:
        """Why the stream is taken for dead; empty while it is not."""
        now = self._clock.machine.steady_ns()
        if self._owed and now - next(iter(self._owed.values())) > self._report_ns:
            return "the venue accepted an order and the stream does not tell of it"
        if self._resting and now - self._heard_ns > self._bound_ns:
            return "silent although orders rest"
        return ""

    def beat_seconds(self) -> float:
        """How often to look."""
        return max(0.05, min(self._silence_ns, self._report_ns) / 4e9)
