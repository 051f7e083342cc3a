"""The contract of who counts an account's orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class BasePace(Protocol):
    """How many new orders an account may send, as its venue counts them."""

    def note_limits(self, limits: Mapping[int, int]) -> None:
        """The venue takes so many new orders of an account in windows of so many ms."""

    def note_used(self, window_ms: int, orders: int) -> None:
        """The venue has counted so many in its present window, whoever sent them."""
