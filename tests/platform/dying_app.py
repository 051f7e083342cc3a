"""The platform's app, on a node that dies as by `kill -9` just before an order leaves, once it has been told to.

The file that `ARES_TEST_DEATH` names says after how many orders; while there is none it lives.
"""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path

from celery_app import app as app
from core import crash_points

DEATH = "ARES_TEST_DEATH"
#: Its intent is in the journal, and the venue has not seen it.
PLACE = "gateway.before_place"

_DEATH = Path(os.environ.get(DEATH, ""))
_passed = count(1)


def _reached(place: str) -> None:
    if place == PLACE and _DEATH.exists() and next(_passed) >= int(_DEATH.read_text()):
        os.kill(os.getpid(), signal.SIGKILL)


if DEATH in os.environ:
    crash_points.arm(_reached)
