"""An event loop whose clock jumps: a wait of an hour passes at once, in the right order, the same every time."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

from core.clock import Clock

START_MS = 1_760_000_040_000  # a whole minute
#: No test lasts a month; one that would waits for something that never comes.
FOREVER = 30 * 86_400.0


class _JumpingSelector(selectors.SelectSelector):
    """Jumps over every wait instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise RuntimeError("everything waits and no timer is set: nothing can ever happen again.")
        if not ready and timeout:
            self.passed += timeout
            if self.passed > FOREVER:
                raise RuntimeError("a month has passed in the test: it waits for something that never comes.")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time. Only for code that does no real I/O and starts no threads."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


class VirtualFace:
    """Either face of the clock, as the running virtual loop shows it."""

    def now_ms(self) -> int:
        return START_MS + round(asyncio.get_running_loop().time() * 1000)

    def steady_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1_000_000_000)


def virtual_clock() -> Clock:
    """A clock of which both faces show the virtual loop's time."""
    face = VirtualFace()
    return Clock(trading=face, machine=face)


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an asynchronous test in a loop of its own whose waits take no time."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run
