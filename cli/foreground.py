"""Run one child in the foreground: its lines prefixed, Ctrl-C passed on, nothing left behind."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import Any, Self


def run_child(command: Sequence[str], keep: int, on_line: Callable[[str], None]) -> int:
    """Run `command` until it ends and give its exit status; 0 when it ended because we were asked to end it.

    `keep` is a file descriptor the child inherits. The child gets a session of its own, so that Ctrl-C reaches this
    process alone, which asks the child to end once, and insists the second time.
    """
    with _Asked() as asked:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=(keep,),
            start_new_session=True,
        )
        asked.pass_on_to(child)
        with child:
            for line in child.stdout or ():
                on_line(line.rstrip("\n"))
        return 0 if asked.times or child.returncode == -signal.SIGTERM else child.returncode


class _Asked:
    """How often we were asked to end, and the passing on of it; also of what came before there was a child."""

    def __init__(self) -> None:
        self.times = 0
        self._child: subprocess.Popen[str] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def pass_on_to(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        if self.times:
            child.terminate()

    def _note(self, _number: int, _frame: object) -> None:
        self.times += 1
        if self._child is not None:
            self._child.terminate() if self.times == 1 else self._child.kill()
