"""The journal: group commit on the plain drivers, every step held to its owner's epoch."""

from __future__ import annotations

from db.journal.journal import GroupCommitJournal

__all__ = ["GroupCommitJournal"]
