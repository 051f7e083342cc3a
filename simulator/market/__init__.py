"""Where prices come from: replayed history or a seeded generator, and everything derived from trades."""

from __future__ import annotations
