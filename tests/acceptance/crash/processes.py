"""Lives of the platform as the driver holds them: real processes, spoken to over a socket, and how they ended."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import orjson

from tests.acceptance.crash.child import Life, main

ROOT = Path(__file__).resolve().parents[3]
#: Longer than anything that a life may take to answer, with the dead times of live trading.
ANSWER_SECONDS = 400.0

# Processes are forked from one that has imported everything and done nothing: a fresh process in milliseconds.
_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(["tests.acceptance.crash.nursery"])
#: Starting a process looks after those of every thread, and how one has ended can be read only once: who comes second
#: is told 255. So one thread at a time starts a process, or asks how its own has ended.
_LOOKING_AFTER = Lock()


class Died(Exception):
    """The process ended instead of answering."""


class Handle(Protocol):
    """A running process."""

    @property
    def pid(self) -> int | None:
        """Its number."""

    def kill(self) -> None:
        """SIGKILL."""


class Process:
    """One life; gives its answers until it ends."""

    def __init__(self, life: Life, *, is_command: bool = False) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(ANSWER_SECONDS)
            told = replace(life, port=server.getsockname()[1])
            self._spawned: BaseProcess | None = None
            self._command: subprocess.Popen[bytes] | None = None
            if is_command:
                text = orjson.dumps(asdict(told)).decode()
                self._command = subprocess.Popen([sys.executable, "-m", main.__module__, text], cwd=ROOT)
            else:
                self._spawned = _NURSERY.Process(target=main, args=(told,))
                with _LOOKING_AFTER:
                    self._spawned.start()
            self._socket, _ = server.accept()
        self._socket.settimeout(ANSWER_SECONDS)
        self._answers = self._socket.makefile("rb")

    def come_up(self) -> None:
        """Wait until it has taken its strategy up; `Died` when it ends on the way."""
        self._hear()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Have it do something; its answer, or `Died`."""
        try:
            self._socket.sendall(orjson.dumps({"do": do, **arguments}) + b"\n")
        except OSError:
            raise Died from None
        return self._hear()

    def kill(self) -> None:
        """End it where it stands."""
        self._handle.kill()

    def ended(self) -> int:
        """Wait for its end; gives its status, negative when a signal ended it."""
        self._answers.close()
        self._socket.close()
        if self._command is not None:
            return self._command.wait(ANSWER_SECONDS)
        assert self._spawned is not None
        assert wait([self._spawned.sentinel], ANSWER_SECONDS), "the process does not end"
        with _LOOKING_AFTER:
            self._spawned.join()
            status = self._spawned.exitcode
            self._spawned.close()
        assert status is not None
        return status

    @property
    def _handle(self) -> Handle:
        handle = self._command or self._spawned
        assert handle is not None
        return handle

    def _hear(self) -> dict[str, Any]:
        try:
            line = self._answers.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise Died
        answer: dict[str, Any] = orjson.loads(line)
        assert "failed" not in answer, answer["failed"]
        return answer


KILLED = -signal.SIGKILL
