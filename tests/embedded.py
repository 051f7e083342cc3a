"""`ares up` as a person starts it: the real programs in a folder of their own, and a client of its API."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cli.client import Client
from cli.installation import Installation
from core.config import load_config
from tests.conftest import ROOT

ARES = [sys.executable, "-c", "from cli.entry import main; main()"]
START_SECONDS = 300.0


@dataclass(slots=True)
class Up:
    """A running installation."""

    home: Path
    database: str
    process: subprocess.Popen[bytes]
    log: Path
    #: Seconds from the command to the link.
    took: float = 0.0

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def client(self) -> Client:
        return Client(load_config(home=self.home, database={"url": self.database}))

    def strategies(self) -> list[dict[str, Any]]:
        return list(self.client().pages("/api/strategies"))

    def end(self, number: signal.Signals = signal.SIGINT) -> float:
        """Ask it to end as Ctrl-C does; gives the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(180)
        return time.monotonic() - began


def environment(home: Path, database: str, **more: str) -> dict[str, str]:
    """Of an installation of its own. A quick machine signs in here more often than people may."""
    return {
        **os.environ, "ARES_HOME": str(home), "ARES_DATABASE__URL": database, "ARES_API__PORT": "0",
        "ARES_API__LOGINS_PER_MINUTE": "1000",
        "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COLUMNS": "200", **more,
    }  # fmt: skip


def ares(home: Path, database: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Another terminal."""
    return subprocess.run(
        [*ARES, *words], cwd=ROOT, env=environment(home, database), capture_output=True, text=True, timeout=300
    )


@contextmanager
def up(home: Path, database: str = "", **more: str) -> Iterator[Up]:
    """`ares up`, once it has shown its link. Whatever is left of it at the end is ended, and its lines are shown."""
    database = database or f"sqlite:///{home / 'ares.sqlite3'}"
    home.mkdir(parents=True, exist_ok=True)
    log, began = home / "up.log", time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*ARES, "up", "--no-browser"], cwd=ROOT, env=environment(home, database, **more),
            stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        )  # fmt: skip
    running = Up(home, database, process, log)
    try:
        wait_for(lambda: "Ares is ready" in running.said or process.poll() is not None, "ares up")
        running.took = time.monotonic() - began
        assert process.poll() is None, running.said
        yield running
    finally:
        if process.poll() is None:
            running.end(signal.SIGTERM)
        print(running.said)


def wait_for(is_true: Callable[[], object], what: str, seconds: float = START_SECONDS) -> None:
    """Look again and again, gently."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.3)


def pids(home: Path) -> set[int]:
    """Everything that runs in this installation, with all its children."""
    record = Installation(home).record()
    if record is None:
        return set()
    found = {record.pid, *(pid for pid, _ in record.programs.values())}
    for pid in list(found):
        found |= {child.pid for child in psutil.Process(pid).children(recursive=True)}
    return found
