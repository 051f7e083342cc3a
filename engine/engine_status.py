"""What a person sees of a running instance, and how patient it is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Times of one engine, in seconds; sweeps shorten them."""

    #: Between attempts to reach the journal.
    journal_retry: float = 0.5
    #: Between attempts to place what is held back for a moment.
    parked_retry: float = 1.0
    #: The same where the venue has taken as many orders of the account as it does in a while: many wait for their turn.
    paced_retry: float = 3.0
    #: The same where something else has to change first, of which the engine is told.
    parked_longest: float = 30.0
    #: Before a slot whose order was refused is tried again; doubled with every further refusal.
    refusal_pause: float = 1.0


@dataclass(slots=True)
class EngineStatus:
    """What a person sees of an instance."""

    state: str = "loading"
    last_error: str = ""
    #: Slot -> why its order is not working.
    held_back: dict[int, str] = field(default_factory=dict)
    steps: int = 0
    fenced: int = 0
