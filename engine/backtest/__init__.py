"""The backtester: the law of live trading, replayed over history at the speed of the machine."""

from __future__ import annotations

from engine.backtest.history import History, Prints
from engine.backtest.result import Result
from engine.backtest.runtime import run, sweep
from engine.backtest.settings import Settings

__all__ = ["History", "Prints", "Result", "Settings", "run", "sweep"]
