"""The simulated venue as benchmarks meet it: a process of its own on one core, the measuring client on another."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson

_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class VenueProcess:
    """A running venue."""

    port: int
    admin: str
    pid: int

    def processor_seconds(self) -> float:
        """Processor time it has used so far: what is left of a figure when other programs share the cores."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def venue_on_its_own_core(*options: str) -> Iterator[VenueProcess]:
    """A fresh venue; it runs on the last core, this process on the first, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        announced = Path(folder) / "venue.json"
        command = [sys.executable, "-m", "simulator", "--port", "0", "--announce", str(announced), *options]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                os.sched_setaffinity(process.pid, {cores[-1]})
                os.sched_setaffinity(0, {cores[0]})
                yield _announced(announced, process)
            finally:
                os.sched_setaffinity(0, cores)
                process.terminate()


def _announced(path: Path, process: subprocess.Popen[bytes]) -> VenueProcess:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if path.exists():
            told = orjson.loads(path.read_bytes())
            return VenueProcess(urlsplit(told["rest"]).port or 0, told["admin"], process.pid)
        time.sleep(0.02)
    raise RuntimeError("the venue did not start")


def machine() -> str:
    """What the figures come from, without names."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, uvloop"
