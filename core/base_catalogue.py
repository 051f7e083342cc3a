"""What a venue may tell of its market beside the rules of one symbol."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class ListsSymbols(Protocol):
    """A venue that knows every symbol that can be traded there."""

    def symbols(self) -> frozenset[str]:
        """Those that can be traded exactly, as last read; empty before it was opened."""
