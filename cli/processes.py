"""Several programs in the foreground as one: started in order, their lines prefixed, ended together, none left behind.

Every program gets a session of its own, so that Ctrl-C reaches this process alone. It asks the programs to end, the
last started first, and ends those by force that take too long. What ends by itself is started again, unless it does
so too often: then everything ends, and its last lines say why.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.clock import MachineTime
from domain.errors import Broken

START_SECONDS: Final = 180.0
#: Asked to end, programs get so long in all; Ctrl-C is over in five seconds.
STOP_SECONDS: Final = 4.0
#: A program that ends by itself more often than this within a minute is not started again.
RESTARTS_PER_MINUTE: Final = 3
LAST_LINES: Final = 15


class ProgramFailed(Broken):
    """A program of the installation ended by itself and cannot be kept running."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, and how to know that it is ready."""

    name: str
    command: Sequence[str]
    #: What its environment has beside ours.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Asked until it is true; the next program is started after that.
    is_ready: Callable[[], Awaitable[bool]] | None = None
    #: Programs of a higher stage are ended first, and those of one stage together.
    stage: int = 0


@dataclass(slots=True)
class _Running:
    program: Program
    process: asyncio.subprocess.Process
    reader: asyncio.Task[None]
    last: deque[str]
    ended_at: deque[int]


class Processes:
    """The programs of one installation. Use it within one event loop."""

    def __init__(self, keep: int, on_line: Callable[[str, str], None], machine: MachineTime) -> None:
        #: A file descriptor that every program inherits: the lock that says somebody still runs.
        self._keep = keep
        self._on_line = on_line
        self._machine = machine
        self._running: dict[str, _Running] = {}
        self._asked = asyncio.Event()
        self.on_change: Callable[[], None] = lambda: None

    def ask_to_end(self) -> None:
        """Ctrl-C: end everything; asked again, at once."""
        if self._asked.is_set():
            for running in self._running.values():
                _signal(running.process, signal.SIGKILL)
        self._asked.set()

    @property
    def is_asked_to_end(self) -> bool:
        """Whether somebody wants this to end."""
        return self._asked.is_set()

    def pids(self) -> dict[str, int]:
        """Name -> process id of what runs."""
        return {name: running.process.pid for name, running in self._running.items()}

    async def start(self, program: Program) -> bool:
        """Start a program and wait until it is ready; False when asked to end meanwhile. `ProgramFailed` says why."""
        if self._asked.is_set():
            return False
        running = self._running[program.name] = await self._spawn(program, deque(maxlen=RESTARTS_PER_MINUTE))
        self.on_change()
        deadline = self._machine.steady_ns() + int(START_SECONDS * 1e9)
        while program.is_ready is not None and not self._asked.is_set() and not await program.is_ready():
            if running.process.returncode is not None:
                await running.reader
                raise ProgramFailed(_failure(running, "could not start"))
            if self._machine.steady_ns() > deadline:
                raise ProgramFailed(_failure(running, f"was not ready within {START_SECONDS:.0f} s"))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await self._asked.wait()
        return not self._asked.is_set()

    async def watch(self) -> None:
        """Until asked to end; starts again what ends by itself. `ProgramFailed` when that does not help."""
        asked = asyncio.create_task(self._asked.wait())
        try:
            while not self._asked.is_set():
                ends = {asyncio.create_task(one.process.wait()): one for one in self._running.values()}
                done, rest = await asyncio.wait((asked, *ends), return_when=asyncio.FIRST_COMPLETED)
                for task in rest - {asked}:
                    task.cancel()
                for task in done - {asked}:
                    if not self._asked.is_set():
                        await self._start_again(next(one for end, one in ends.items() if end is task))
        finally:
            asked.cancel()

    async def stop(self) -> None:
        """End everything, the last started first; by force what does not end in time."""
        deadline = self._machine.steady_ns() + int(STOP_SECONDS * 1e9)
        stages = sorted({one.program.stage for one in self._running.values()}, reverse=True)
        for stage in stages:
            ending = [one for one in self._running.values() if one.program.stage == stage]
            for one in ending:
                _signal(one.process, signal.SIGTERM)
            for one in ending:
                left = max((deadline - self._machine.steady_ns()) / 1e9, 0.2)
                await _end(one, left)
        self._running.clear()
        self.on_change()

    async def _start_again(self, ended: _Running) -> None:
        await ended.reader
        name, now = ended.program.name, self._machine.steady_ns()
        ended.ended_at.append(now)
        if len(ended.ended_at) == RESTARTS_PER_MINUTE and now - ended.ended_at[0] < 60 * 10**9:
            raise ProgramFailed(_failure(ended, f"ended {RESTARTS_PER_MINUTE} times within a minute"))
        self._on_line("ares", f"{name} ended with status {ended.process.returncode}; starting it again.")
        self._running[name] = await self._spawn(ended.program, ended.ended_at)
        self.on_change()

    async def _spawn(self, program: Program, ended_at: deque[int]) -> _Running:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            env={**os.environ, **program.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(self._keep,),
            start_new_session=True,
            limit=2**20,
        )
        last: deque[str] = deque(maxlen=LAST_LINES)
        reader = asyncio.create_task(self._read(program.name, process, last), name=f"lines of {program.name}")
        return _Running(program, process, reader, last, ended_at)

    async def _read(self, name: str, process: asyncio.subprocess.Process, last: deque[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than any line of a log; what follows is read on
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            last.append(text)
            self._on_line(name, text)


async def _end(one: _Running, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await one.process.wait()
    except TimeoutError:
        pass
    _signal(one.process, signal.SIGKILL)  # also what it has started and left behind
    await one.process.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await one.reader
    one.reader.cancel()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To the whole session of a program; it is the leader of its process group, so the number is not another's."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _failure(running: _Running, what: str) -> str:
    said = "\n".join(f"  {line}" for line in running.last) or "  (it said nothing)"
    return f"{running.program.name} {what}; its last lines were:\n{said}\n`ares doctor` looks for the usual reasons."
