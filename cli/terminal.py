"""Lines for a terminal that may stop reading: it must never hold up what writes them."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

import typer

#: Lines that wait for a terminal to read on; older ones are dropped, and it says how many.
WAITING: Final = 2_000


class Terminal:
    """Writes lines on a thread of its own."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=WAITING)
        self._dropped = 0
        self._bell = threading.Condition()
        self._is_over = False
        # A daemon: a terminal that never reads on must not keep the program from ending.
        self._thread = threading.Thread(target=self._write, name="terminal", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Write a line as soon as the terminal takes it."""
        with self._bell:
            self._dropped += len(self._lines) == WAITING
            self._lines.append(line)
            self._bell.notify()

    def close(self, seconds: float = 1.0) -> None:
        """Write what waits, for so long at most."""
        with self._bell:
            self._is_over = True
            self._bell.notify()
        self._thread.join(seconds)

    def _write(self) -> None:
        while True:
            with self._bell:
                self._bell.wait_for(lambda: self._lines or self._is_over)
                if not self._lines:
                    return
                line, dropped, self._dropped = self._lines.popleft(), self._dropped, 0
            if dropped:
                typer.echo(f"({dropped} lines were left out: the terminal did not read)")
            typer.echo(line)
