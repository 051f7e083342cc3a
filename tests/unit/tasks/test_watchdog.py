from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from types import FrameType

from core.clock import SystemTime
from tasks.host.watchdog import BLOCKED, Watchdog, culprit, waited_for_processor_ns


def watched(
    block_seconds: float, patience_seconds: float = 1.0, starved_ns: Callable[[], int] = lambda: 0
) -> tuple[list[int], list[str]]:
    """Run a loop that stands still for so long; gives exit statuses, and the functions that were found on the stack."""
    ended: list[int] = []
    has_ended = threading.Event()
    stacks: list[str] = []

    def blame(frame: FrameType | None) -> None:
        while frame is not None:
            stacks.append(frame.f_code.co_name)
            frame = frame.f_back

    def end(status: int) -> None:
        ended.append(status)
        has_ended.set()

    def hold_the_loop() -> None:
        has_ended.wait(block_seconds)

    async def live() -> None:
        watchdog = Watchdog(SystemTime(), patience_seconds, blame, end, starved_ns)
        watchdog.start(asyncio.get_running_loop())
        await asyncio.sleep(0.6)
        hold_the_loop()
        await asyncio.sleep(0.6)
        watchdog.stop()

    asyncio.run(live())
    return ended, stacks


def test_a_loop_that_stands_still_ends_the_process_and_the_culprit_is_on_its_stack() -> None:
    ended, stacks = watched(120.0)
    assert ended == [BLOCKED]
    assert "hold_the_loop" in stacks


def test_a_short_pause_is_no_reason_to_end() -> None:
    assert watched(1.0, patience_seconds=60.0) == ([], [])


def test_a_stack_without_an_engine_has_no_culprit() -> None:
    assert culprit(None) is None


def test_time_in_which_the_machine_did_not_let_the_process_run_does_not_count() -> None:
    def always_starved() -> int:
        return time.monotonic_ns()

    assert watched(3.0, patience_seconds=2.0, starved_ns=always_starved) == ([], [])


def test_a_loop_that_stands_still_for_long_ends_the_process_however_starved_it_was() -> None:
    def always_starved() -> int:
        return time.monotonic_ns()

    ended, _ = watched(120.0, patience_seconds=0.5, starved_ns=always_starved)
    assert ended == [BLOCKED]


def test_the_system_tells_how_long_a_process_was_kept_waiting() -> None:
    before = waited_for_processor_ns()
    assert 0 <= before <= waited_for_processor_ns()
