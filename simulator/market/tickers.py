"""Price-change statistics of a window of time, as the ticker requests and streams show them."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.units import ONE


@dataclass(frozen=True, slots=True)
class TickerStats:
    """What happened from `open_ms` to `close_ms`; amounts in quanta. Without trades every price is the last one."""

    open_ms: int
    close_ms: int
    open: int
    high: int
    low: int
    last: int
    last_quantity: int
    previous_close: int
    """Price of the last trade before the window."""
    volume: int
    quote_volume: int
    trades: int
    first_trade_id: int
    """-1 when there were no trades."""
    last_trade_id: int

    @property
    def change(self) -> int:
        """Last price minus open."""
        return self.last - self.open

    @property
    def change_percent(self) -> int:
        """Change in percent of the open, in quanta (1 % is 100,000,000) to three decimals, rounded half up by size."""
        if not self.open:
            return 0
        thousandths, rest = divmod(abs(self.change) * 100_000, self.open)
        thousandths += 2 * rest >= self.open
        return (thousandths if self.change >= 0 else -thousandths) * (ONE // 1000)

    @property
    def weighted_average(self) -> int:
        """Quote volume by volume, rounded down; 0 without trades."""
        return self.quote_volume * ONE // self.volume if self.volume else 0
