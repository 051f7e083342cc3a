"""Run one child in the foreground: its lines prefixed, Ctrl-C passed on, nothing left behind."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence


def run_child(command: Sequence[str], keep: int, on_line: Callable[[str], None]) -> int:
    """Run `command` until it ends and give its exit status; 0 when it ended because we were asked to end it.

    `keep` is a file descriptor the child inherits. The child gets a session of its own, so that Ctrl-C reaches this
    process alone, which asks the child to end once, and insists the second time.
    """
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
    with _passed_on_to(child) as asked, child:
        for line in child.stdout or ():
            on_line(line.rstrip("\n"))
        status = child.wait()
    return 0 if asked or status == -signal.SIGTERM else status


@contextlib.contextmanager
def _passed_on_to(child: subprocess.Popen[str]) -> Iterator[list[int]]:
    """While the block runs, signals to end go to the child; gives the list of those that came."""
    asked: list[int] = []

    def pass_on(number: int, _frame: object) -> None:
        child.kill() if asked else child.terminate()
        asked.append(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
