"""countdownCancelAll: a dead man's switch on protocol time."""

from __future__ import annotations

from simulator.futures.state import Core
from simulator.futures.trading import Trading


class Countdown:
    """Cancels an account's orders on a symbol unless it is wound up again in time."""

    def __init__(self, core: Core, trading: Trading) -> None:
        self._core = core
        self._trading = trading
        self._deadlines: dict[tuple[int, str], int] = {}

    def set(self, account_id: int, symbol: str, countdown_ms: int, now_ms: int) -> None:
        """Cancel all at `now_ms + countdown_ms` of protocol time; 0 stops the countdown."""
        self._core.listing(symbol)
        if countdown_ms <= 0:
            self._deadlines.pop((account_id, symbol), None)
        else:
            self._deadlines[account_id, symbol] = now_ms + countdown_ms

    def on_protocol_time(self, now_ms: int) -> None:
        """Act on every countdown that has run out."""
        due = [key for key, deadline in self._deadlines.items() if deadline <= now_ms]
        for account_id, symbol in due:
            del self._deadlines[account_id, symbol]
            self._trading.cancel_all(account_id, symbol)
