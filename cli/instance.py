"""The simulated exchange of this folder: whether it runs, where it listens, how it is ended.

A lock tells whether it runs, because the operating system drops a lock with its last holder however that ends; a
number in a file could belong to anyone by now. The lock is held by `ares up` and by the exchange itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import orjson

from core.clock import MachineTime
from domain.errors import Broken, Refused

STOP_SECONDS = 15


class AlreadyRunning(Refused):
    """The simulated exchange of this folder is already running; `ares status` shows where."""


class WillNotStop(Broken):
    """The simulated exchange did not end when asked to."""


@dataclass(frozen=True, slots=True)
class Address:
    """What the exchange announced when it began to listen."""

    pid: int
    rest: str
    stream: str
    admin: str


class Instance:
    """The files under `home` that belong to one simulated exchange."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lock_path = home / "simulator.lock"
        self.announce_path = home / "simulator.json"

    @contextlib.contextmanager
    def claim(self) -> Iterator[int]:
        """Hold the lock, as a file descriptor to hand to the child; `AlreadyRunning` when somebody holds it."""
        self.home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise AlreadyRunning from error
        self.announce_path.unlink(missing_ok=True)
        try:
            yield descriptor
        finally:
            self.announce_path.unlink(missing_ok=True)
            os.close(descriptor)

    def is_running(self) -> bool:
        """Whether `ares up`, or the exchange it started, is alive."""
        if not self.lock_path.exists():
            return False
        with self.lock_path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def address(self) -> Address | None:
        """Where the exchange listens; None before it does, and after it ended."""
        try:
            said = orjson.loads(self.announce_path.read_bytes())
            return Address(int(said["pid"]), str(said["rest"]), str(said["stream"]), str(said["admin"]))
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return None

    def stop(self, machine: MachineTime, seconds: int = STOP_SECONDS) -> bool:
        """End the exchange and wait until it is gone; False when nothing was running."""
        if not self.is_running():
            self.announce_path.unlink(missing_ok=True)
            return False
        deadline = machine.steady_ns() + seconds * 1_000_000_000
        asked: int | None = None
        pause = Event()
        while self.is_running():
            address = self.address()
            if address is not None and address.pid != asked:
                asked = address.pid
                with contextlib.suppress(ProcessLookupError):
                    os.kill(asked, signal.SIGTERM)
            if machine.steady_ns() > deadline:
                raise WillNotStop(f"process {asked} did not end within {seconds} s; look at it, then end it by hand.")
            pause.wait(0.02)
        self.announce_path.unlink(missing_ok=True)
        return True
