"""The USD-M futures exchange: wallets, positions, margin, funding, liquidation. No I/O."""

from __future__ import annotations
