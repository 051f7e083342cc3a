"""Which accounts are looked at: those of which there is news, at once, and each of the others once in a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from core.background import phase_of
from core.clock import MachineTime

T = TypeVar("T")
#: Accounts that are looked at without a break: a hundred strategies of one take up to half a millisecond.
LOOKS_TOGETHER: Final = 4
_SECOND: Final = 1_000_000_000


class Attention:
    """Spreads the looks at a fleet over time: thousands of strategies that do nothing must not hold up one that acts.

    News may be lost without harm: an account without any has its turn too, every so many seconds, however late the
    last look came.
    """

    def __init__(self, machine: MachineTime, seconds: float) -> None:
        self._machine = machine
        self._period_ns = round(seconds * _SECOND)
        self._news: set[int] = set()
        self._is_everything_new = True
        #: Account -> steady time of its last turn.
        self._seen_ns: dict[int, int] = {}

    def note(self, account: int) -> None:
        """There is news of an account: it is its turn next."""
        self._news.add(account)

    def note_all(self) -> None:
        """There is news of every account."""
        self._is_everything_new = True

    def due(self, accounts: Mapping[int, T]) -> list[T]:
        """Those whose turn it is now; news of them counts as seen to."""
        now_ns = self._machine.steady_ns()
        news, self._news = self._news, set()
        is_everything_new, self._is_everything_new = self._is_everything_new, False
        before, self._seen_ns = self._seen_ns, {}
        chosen: list[T] = []
        for number, account in accounts.items():
            seen_ns = before.get(number)
            if seen_ns is None:
                chosen.append(account)
                seen_ns = now_ns - round(phase_of(number) * self._period_ns)
            elif now_ns - seen_ns >= self._period_ns:
                chosen.append(account)
                seen_ns = now_ns
            elif is_everything_new or number in news:
                chosen.append(account)
            self._seen_ns[number] = seen_ns
        return chosen
