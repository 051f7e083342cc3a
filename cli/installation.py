"""The embedded installation of one folder: whether it runs, where its parts listen, how it is ended.

A lock tells whether it runs, because the operating system drops a lock with its last holder however that ends; a
number in a file could belong to anyone by now. The lock is held by `ares up` and by every program it starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

import orjson
import psutil

from core.clock import MachineTime
from domain.errors import Broken, Refused

STOP_SECONDS: Final = 15


class AlreadyRunning(Refused):
    """Ares is already running in this folder; `ares status` shows where."""


class WillNotStop(Broken):
    """Ares did not end when asked to."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the simulated exchange listens, as it announced."""

    pid: int
    rest: str
    stream: str
    admin: str


@dataclass(frozen=True, slots=True)
class Record:
    """What `ares up` wrote down about itself."""

    #: The process id of `ares up`, and when that process began: a number alone may be another's by now.
    pid: int
    began: float
    #: Name -> the same two of every program it has started.
    programs: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    #: Where the page is; empty while it starts.
    page: str = ""


class Installation:
    """The files under `home` that belong to one embedded installation."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lock_path = home / "ares.lock"
        self.record_path = home / "run.json"
        self.announce_path = home / "simulator.json"
        self.logs = home / "logs"

    @contextlib.contextmanager
    def claim(self) -> Iterator[int]:
        """Hold the lock, as a file descriptor to hand to programs; `AlreadyRunning` when somebody holds it."""
        self.logs.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise AlreadyRunning from error
        self._forget()
        try:
            yield descriptor
        finally:
            self._forget()
            os.close(descriptor)

    def is_running(self) -> bool:
        """Whether `ares up`, or anything it started, is alive."""
        if not self.lock_path.exists():
            return False
        with self.lock_path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def write(self, programs: Mapping[str, int], page: str) -> None:
        """Write down what runs now; a reader sees the whole record or the one before."""
        began = {name: (pid, time) for name, pid in programs.items() if (time := _began(pid)) is not None}
        record = {"pid": os.getpid(), "began": _began(os.getpid()), "programs": began, "page": page}
        draft = self.record_path.with_suffix(".part")
        draft.write_bytes(orjson.dumps(record))
        draft.replace(self.record_path)

    def record(self) -> Record | None:
        """What `ares up` wrote down; None when it does not run."""
        try:
            said = orjson.loads(self.record_path.read_bytes())
            programs = {name: (int(pid), float(began)) for name, (pid, began) in said["programs"].items()}
            return Record(int(said["pid"]), float(said["began"]), programs, str(said["page"]))
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return None

    def simulator(self) -> Address | None:
        """Where the simulated exchange listens; None before it does, and after it ended."""
        try:
            said = orjson.loads(self.announce_path.read_bytes())
            return Address(int(said["pid"]), str(said["rest"]), str(said["stream"]), str(said["admin"]))
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return None

    def stop(self, machine: MachineTime, seconds: int = STOP_SECONDS) -> bool:
        """End what runs and wait until it is gone; False when nothing was running.

        `ares up` ends its programs. Where it was killed and they live on, each is asked by its own number.
        """
        if not self.is_running():
            self._forget()
            return False
        deadline = machine.steady_ns() + seconds * 1_000_000_000
        asked: set[int] = set()
        pause = Event()
        record: Record | None = None
        while self.is_running():
            # Kept: one that ends badly takes its record along, and may leave programs behind.
            record = self.record() or record
            for pid in _to_ask(record) - asked:
                asked.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            if machine.steady_ns() > deadline:
                named = ", ".join(map(str, sorted(asked))) or "unknown"
                raise WillNotStop(f"processes {named} did not end within {seconds} s; look at them, then end them.")
            pause.wait(0.02)
        self._forget()
        return True

    def _forget(self) -> None:
        self.record_path.unlink(missing_ok=True)
        self.announce_path.unlink(missing_ok=True)


def _to_ask(record: Record | None) -> set[int]:
    """Whom to ask to end: `ares up` while it lives, then what it has left behind."""
    if record is None:
        return set()
    if _began(record.pid) == record.began:
        return {record.pid}
    return {pid for pid, began in record.programs.values() if _began(pid) == began}


def _began(pid: int) -> float | None:
    """When a process began, so that two with the same number are told apart; None when there is none.

    One that has ended and whose parent has not asked how (a zombie) is none: nothing can be asked of it.
    """
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None
