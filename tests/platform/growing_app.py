"""The platform's app, on a node that takes much more memory once the file that `ARES_TEST_GROWTH` names is there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from celery_app import app as app

GROWTH = "ARES_TEST_GROWTH"
MEGABYTES = 400

_leak: list[bytes] = []


def _grow(when: Path) -> None:
    pause = threading.Event()
    while not when.exists():
        pause.wait(0.2)
    _leak.extend(os.urandom(1024) * 1024 for _ in range(MEGABYTES))


if GROWTH in os.environ:
    threading.Thread(target=_grow, args=[Path(os.environ[GROWTH])], daemon=True).start()
