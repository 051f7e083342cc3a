"""The optimiser: many parameter sets on one history, and how much of the best of them is luck."""

from __future__ import annotations

from engine.backtest.optimiser.folder import Folder
from engine.backtest.optimiser.local import work
from engine.backtest.optimiser.look_ahead import look_ahead
from engine.backtest.optimiser.outcome import Outcome, conclude
from engine.backtest.optimiser.search import Search, account_search_of, search_again, search_of

__all__ = [
    "Folder", "Outcome", "Search", "account_search_of", "conclude", "look_ahead", "search_again", "search_of", "work",
]  # fmt: skip
