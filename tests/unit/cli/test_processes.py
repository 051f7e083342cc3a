"""Programs kept as one: real processes, small ones."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cli import processes
from cli.processes import Processes, Program, ProgramFailed
from core.clock import SystemTime

STAYS = """
import signal, sys
print("up", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.pause()
"""
IS_DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
while True:
    signal.pause()
"""
SAYS_GOODBYE = """
import signal, sys
def end(*_):
    print("down", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
signal.pause()
"""


class Stage:
    """What the programs have said, and where a test may wait for it."""

    def __init__(self, keep: int) -> None:
        self.said: list[tuple[str, str]] = []
        self.processes = Processes(keep, self._hear, SystemTime())
        self._heard = asyncio.Event()

    def _hear(self, name: str, line: str) -> None:
        self.said.append((name, line))
        self._heard.set()

    def program(self, name: str, code: str, stage: int = 0) -> Program:
        async def is_ready() -> bool:
            return (name, "up") in self.said

        return Program(name, [sys.executable, "-c", code], is_ready=is_ready, stage=stage)

    async def hears(self, name: str, line: str, times: int = 1) -> None:
        while self.said.count((name, line)) < times:
            self._heard.clear()
            async with asyncio.timeout(20):
                await self._heard.wait()


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    keep = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    stage = Stage(keep)
    try:
        yield stage
    finally:
        await stage.processes.stop()
        os.close(keep)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_programs_are_ended_the_last_started_first(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        assert await stage.processes.start(stage.program("first", SAYS_GOODBYE, stage=0))
        assert await stage.processes.start(stage.program("second", SAYS_GOODBYE, stage=1))
        pids = list(stage.processes.pids().values())
        await stage.processes.stop()
        assert [name for name, line in stage.said if line == "down"] == ["second", "first"]
        assert not any(is_alive(pid) for pid in pids)


async def test_a_program_that_does_not_end_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.3)
    async with staged(tmp_path) as stage:
        await stage.processes.start(stage.program("deaf", IS_DEAF))
        (pid,) = stage.processes.pids().values()
        await stage.processes.stop()
        assert not is_alive(pid)


async def test_what_ends_by_itself_is_started_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.processes.start(stage.program("worker", STAYS))
        watching = asyncio.create_task(stage.processes.watch())
        (pid,) = stage.processes.pids().values()
        os.kill(pid, signal.SIGKILL)
        await stage.hears("worker", "up", times=2)
        assert ("ares", "worker ended with status -9; starting it again.") in stage.said
        stage.processes.ask_to_end()
        await watching


async def test_what_ends_again_and_again_ends_everything_and_says_why(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.processes.start(stage.program("broken", "print('up'); print('the disk is full')"))
        with pytest.raises(ProgramFailed, match="broken ended 3 times within a minute"):
            await stage.processes.watch()
        assert stage.said.count(("broken", "the disk is full")) == 3


async def test_a_program_that_cannot_start_gives_its_last_lines(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        with pytest.raises(ProgramFailed, match=r"(?s)api could not start.*  no such table"):
            await stage.processes.start(stage.program("api", "import sys; sys.exit('no such table')"))


async def test_asked_to_end_while_starting_nothing_more_is_started(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.processes.ask_to_end()
        assert not await stage.processes.start(stage.program("late", STAYS))
        assert stage.processes.pids() == {}
