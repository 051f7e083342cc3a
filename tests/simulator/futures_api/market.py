"""The hand-set market of the other tests, able to show its trades as bars, tickers and aggregates."""

from __future__ import annotations

from simulator.instruments import Instrument
from simulator.market.intervals import bar_open, next_open
from simulator.market.tickers import TickerStats
from simulator.market.trades import AggregateTrade
from simulator.market.types import Bar, Print, Trade
from simulator.units import ONE
from tests.simulator.fakes import FakeSymbolMarket


class ShownMarket(FakeSymbolMarket):
    """Bars exist only where trades happened, which is all these tests look at."""

    def __init__(self, instrument: Instrument, price: int, start_ms: int) -> None:
        super().__init__(instrument.symbol, price, instrument.filters.tick, size=5 * ONE, levels=50)
        self.record(start_ms - 60_000, price, instrument.filters.lot * 10, "BUY")

    def settle_print(self, p: Print) -> None:
        self.liquidity.anchor_at(p.price)

    def recent_trades(self, limit: int) -> list[Trade]:
        return self.recorded[-limit:]

    def trades_from(self, trade_id: int, limit: int) -> list[Trade]:
        return [trade for trade in self.recorded if trade.trade_id >= trade_id][:limit]

    def aggregate_trades(
        self, from_id: int | None = None, start_ms: int | None = None, end_ms: int | None = None, limit: int = 500
    ) -> list[AggregateTrade]:
        found = [
            trade
            for trade in self.recorded
            if (start_ms or 0) <= trade.time_ms <= (end_ms or trade.time_ms) and trade.trade_id >= (from_id or 0)
        ]
        return [
            AggregateTrade(
                trade.trade_id, trade.price, trade.quantity, trade.trade_id, trade.trade_id, trade.time_ms, trade.taker
            )
            for trade in found[:limit]
        ]

    def bars(self, interval: str, start_ms: int | None, end_ms: int | None, limit: int) -> list[Bar]:
        grouped: dict[int, list[Trade]] = {}
        for trade in self.recorded:
            grouped.setdefault(bar_open(interval, trade.time_ms), []).append(trade)
        bars = [_bar(open_ms, next_open(interval, open_ms), trades) for open_ms, trades in grouped.items()]
        wanted = [bar for bar in bars if (start_ms or 0) <= bar.open_ms <= (end_ms or bar.open_ms)]
        return wanted[:limit] if start_ms is not None else wanted[-limit:]

    def ticker(self, window_ms: int) -> TickerStats:
        trades, last = self.recorded, self.recorded[-1]
        return TickerStats(
            open_ms=last.time_ms - window_ms,
            close_ms=last.time_ms,
            open=trades[0].price,
            high=max(trade.price for trade in trades),
            low=min(trade.price for trade in trades),
            last=last.price,
            last_quantity=last.quantity,
            previous_close=trades[0].price,
            volume=sum(trade.quantity for trade in trades),
            quote_volume=sum(trade.quote for trade in trades),
            trades=len(trades),
            first_trade_id=trades[0].trade_id,
            last_trade_id=last.trade_id,
        )


def _bar(open_ms: int, next_ms: int, trades: list[Trade]) -> Bar:
    bought = [trade for trade in trades if trade.taker == "BUY"]
    return Bar(
        open_ms,
        next_ms - 1,
        trades[0].price,
        max(trade.price for trade in trades),
        min(trade.price for trade in trades),
        trades[-1].price,
        sum(trade.quantity for trade in trades),
        sum(trade.quote for trade in trades),
        len(trades),
        sum(trade.quantity for trade in bought),
        sum(trade.quote for trade in bought),
        trades[0].trade_id,
        trades[-1].trade_id,
    )
