"""The wire between a worker and a server, which a test can cut without telling either end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 65_536
#: How often a wire looks whether it is over.
_LOOK_SECONDS = 0.2


class Cable:
    """Carries TCP connections to a port of this machine.

    While it is cut nothing arrives and nothing is lost: what was sent meanwhile comes late, as it does when a network
    comes back. Whoever connects meanwhile waits.
    """

    def __init__(self, port: int) -> None:
        self._far = port
        self._whole = threading.Event()
        self._whole.set()
        self._ended = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(_LOOK_SECONDS)
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """From now on nothing arrives."""
        self._whole.clear()

    def mend(self) -> None:
        """What was sent since the cut arrives now, and everything after it at once."""
        self._whole.set()

    def close(self) -> None:
        """End every connection."""
        self._ended.set()
        self._whole.set()
        self._door.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError):
                near, _ = self._door.accept()
                threading.Thread(target=self._join, args=[near], daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        self._whole.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self._far))
        except OSError:
            near.close()
            return
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for here, there in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=[here, there], daemon=True).start()

    def _carry(self, here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while piece := here.recv(_PIECE):
                self._whole.wait()
                if self._ended.is_set():
                    break
                there.sendall(piece)
        for one in (here, there):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        here.close()


@contextmanager
def cable(port: int) -> Iterator[Cable]:
    """A wire to this port until the end of the block."""
    made = Cable(port)
    try:
        yield made
    finally:
        made.close()
