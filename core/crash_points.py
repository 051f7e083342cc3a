"""Labelled places at which a process may die: named in the code, swept by tests, free when nobody listens.

A test arms one callback; it is told each place as it is reached and may end the process there. In production nothing
is armed and reaching a place costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable

_told: Callable[[str], None] | None = None


def arm(callback: Callable[[str], None] | None) -> None:
    """Tell `callback` every place that is reached from now on; None disarms."""
    global _told
    _told = callback


def reach(place: str) -> None:
    """Say that a labelled place has been reached."""
    if _told is not None:
        _told(place)
