"""The contract of a venue whose private events can wait in the connection."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class PausesEvents(Protocol):
    """A venue whose private events can be left unread for a moment: they wait in the connection, and none is lost."""

    def pause_events(self) -> None:
        """Read no private event until `resume_events`, which has to come within two seconds."""

    def resume_events(self) -> None:
        """Read on; what has come meanwhile is told in its order."""
