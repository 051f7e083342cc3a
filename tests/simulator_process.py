"""The simulated venue as tests meet it: a process of its own, reached only over its ports."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import orjson

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300


@dataclass(frozen=True, slots=True)
class SimulatorProcess:
    """Addresses of a running venue, and its operator's port."""

    pid: int
    rest: str
    stream: str
    admin: str

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """An admin verb: `post("advance", {"ms": 60000})`."""
        return self._call("POST", path, body)

    def get(self, path: str) -> Any:
        """An admin view."""
        return self._call("GET", path, None)

    def delete(self, path: str) -> Any:
        """Take something back, for instance a fault."""
        return self._call("DELETE", path, None)

    def tape(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Everything on the tape, or one kind of line."""
        with urlopen(f"{self.admin}/admin/tape?limit=1000000" + (f"&kind={kind}" if kind else "")) as answer:  # noqa: S310
            return [orjson.loads(line) for line in answer.read().splitlines() if line]

    def tape_after(self, number: int) -> list[dict[str, Any]]:
        """Every line of the tape after this one."""
        with urlopen(f"{self.admin}/admin/tape?limit=1000000&after={number}") as answer:  # noqa: S310
            return [orjson.loads(line) for line in answer.read().splitlines() if line]

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        request = Request(  # noqa: S310
            f"{self.admin}/admin/{path}",
            method=method,
            data=None if body is None else orjson.dumps(body),
            headers={"content-type": "application/json"},
        )
        with urlopen(request) as answer:  # noqa: S310
            content = answer.read()
        return orjson.loads(content) if content else None


@contextmanager
def simulator_process(folder: Path, *options: str) -> Iterator[SimulatorProcess]:
    """`python -m simulator` on free ports, ended by pid; raises when it does not come up."""
    announced = folder / "simulator.json"
    log = folder / "simulator.log"
    command = [sys.executable, "-m", "simulator", "--port", "0", "--announce", str(announced), *options]
    with log.open("wb") as output, subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as process:
        try:
            yield SimulatorProcess(**_wait_for(announced, process, log))
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(announced: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if announced.exists():
            found: dict[str, Any] = orjson.loads(announced.read_bytes())
            return found
        time.sleep(0.02)
    raise RuntimeError(f"the simulator did not start:\n{log.read_text()}")
