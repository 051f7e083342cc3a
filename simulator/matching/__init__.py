"""Price-time priority on integers: one book for both markets."""

from __future__ import annotations
