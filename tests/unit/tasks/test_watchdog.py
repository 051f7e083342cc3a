from __future__ import annotations

import asyncio
import threading
import time
from types import FrameType

from core.clock import SystemTime
from tasks.host.thread import BLOCKED, Watchdog, culprit


def watched(block_seconds: float) -> tuple[list[int], list[str]]:
    """Run a loop that stands still for so long; gives exit statuses, and the functions that were found on the stack."""
    ended: list[int] = []
    stacks: list[str] = []

    def blame(frame: FrameType | None) -> None:
        while frame is not None:
            stacks.append(frame.f_code.co_name)
            frame = frame.f_back

    def hold_the_loop() -> None:
        threading.Event().wait(block_seconds)

    async def live() -> None:
        watchdog = Watchdog(SystemTime(), 1.0, blame, ended.append)
        watchdog.start(asyncio.get_running_loop())
        await asyncio.sleep(0.6)
        hold_the_loop()
        await asyncio.sleep(0.6)
        watchdog.stop()

    asyncio.run(live())
    return ended, stacks


def test_a_loop_that_stands_still_ends_the_process_and_the_culprit_is_on_its_stack() -> None:
    began = time.monotonic()
    ended, stacks = watched(4.0)
    assert ended == [BLOCKED]
    assert "hold_the_loop" in stacks
    assert time.monotonic() - began < 20


def test_a_short_pause_is_no_reason_to_end() -> None:
    assert watched(0.1) == ([], [])


def test_a_stack_without_an_engine_has_no_culprit() -> None:
    assert culprit(None) is None
