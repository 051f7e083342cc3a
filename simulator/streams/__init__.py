"""WebSocket in and out: market streams, user data, the WebSocket API."""

from __future__ import annotations
