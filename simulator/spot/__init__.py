"""The spot exchange: balances, orders, order lists. No I/O."""

from __future__ import annotations
