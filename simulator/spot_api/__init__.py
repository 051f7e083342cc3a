"""The spot endpoints: one function each, for REST and for the WebSocket API."""

from __future__ import annotations
