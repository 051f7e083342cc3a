"""Injected trouble: rules that say which request, frame or connection goes wrong, how, when and how often."""

from __future__ import annotations

from simulator.faults.board import FaultBoard
from simulator.faults.kinds import CONNECTION_KINDS, FRAME_KINDS, REQUEST_KINDS, BadRule
from simulator.faults.rules import RequestScope, Rule, StreamScope

__all__ = [
    "CONNECTION_KINDS",
    "FRAME_KINDS",
    "REQUEST_KINDS",
    "BadRule",
    "FaultBoard",
    "RequestScope",
    "Rule",
    "StreamScope",
]
