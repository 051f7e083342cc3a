"""Counters over fixed windows of protocol time: they start at whole multiples of the interval, they do not slide."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}


@dataclass(slots=True)
class Window:
    """One limit of the venue, and what each owner (an address, an account) has used in the present window."""

    kind: str
    """REQUEST_WEIGHT, ORDERS or RAW_REQUESTS, as exchangeInfo names them; CONNECTIONS and quotas it does not show."""
    interval: str
    number: int
    limit: int
    _used: dict[Hashable, tuple[int, int]] = field(default_factory=dict, repr=False)

    @property
    def length_ms(self) -> int:
        """Milliseconds of one window."""
        return SECONDS[self.interval] * self.number * 1000

    @property
    def suffix(self) -> str:
        """The interval as headers write it: 1M, 10S, 1D."""
        return f"{self.number}{self.interval[0]}"

    def used(self, owner: Hashable, now_ms: int) -> int:
        """What the owner has used in the window that `now_ms` falls in."""
        index, count = self._used.get(owner, (0, 0))
        return count if index == now_ms // self.length_ms else 0

    def add(self, owner: Hashable, amount: int, now_ms: int) -> None:
        """Use more, or give back with a negative amount; never below zero."""
        self._used[owner] = (now_ms // self.length_ms, max(0, self.used(owner, now_ms) + amount))

    def has_room(self, owner: Hashable, amount: int, now_ms: int) -> bool:
        """Whether `amount` more stays within the limit."""
        return self.used(owner, now_ms) + amount <= self.limit

    def seconds_left(self, now_ms: int) -> int:
        """Whole seconds until the window ends, at least one."""
        return max(1, -(-(self.length_ms - now_ms % self.length_ms) // 1000))

    def present(self, now_ms: int) -> dict[str, int]:
        """Every owner's use of the present window."""
        index = now_ms // self.length_ms
        return {str(owner): count for owner, (window, count) in self._used.items() if window == index and count}

    def rule(self) -> dict[str, object]:
        """The limit as exchangeInfo shows it."""
        return {"rateLimitType": self.kind, "interval": self.interval, "intervalNum": self.number, "limit": self.limit}

    def report(self, owner: Hashable, now_ms: int) -> dict[str, object]:
        """The limit with the present count."""
        return self.rule() | {"count": self.used(owner, now_ms)}
