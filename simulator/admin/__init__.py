"""The operator's side: accounts, steering, faults, tape, time."""

from __future__ import annotations
