"""What a person should be told at once: kept for a while, and handed to whoever passes it on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import structlog

log = structlog.get_logger(__name__)

_KEPT: Final = 200


class Alarm(NamedTuple):
    """One thing that happened, in words that name the part and the next step."""

    code: str
    text: str
    #: The strategy instance it is about; 0 when it is about the account.
    instance: int = 0


class Alarms:
    """The newest alarms of one account."""

    def __init__(self) -> None:
        #: Called with every alarm, by whoever sends it on.
        self.on_alarm: Callable[[Alarm], None] = lambda _: None
        self._recent: deque[Alarm] = deque(maxlen=_KEPT)

    def ring(self, code: str, text: str, instance: int = 0) -> None:
        """Tell of something."""
        alarm = Alarm(code, text, instance)
        log.error("alarm", code=code, text=text, instance=instance)
        self._recent.append(alarm)
        self.on_alarm(alarm)

    def __iter__(self) -> Iterator[Alarm]:
        """Oldest first."""
        return iter(tuple(self._recent))

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._recent)
