"""Streams that follow the trades: trade, aggTrade, klines, tickers, average and reference prices."""

from __future__ import annotations

from simulator.events import KlineClosed
from simulator.market.intervals import bar_open, next_open
from simulator.market.types import Bar, Trade
from simulator.streams import payloads
from simulator.streams.feeds import ChangedSymbols, Feed
from simulator.streams.names import WINDOWS, StreamKey
from simulator.streams.venue import StreamVenue

DAY_MS = 86_400_000


class TradeFeed(Feed):
    """`trade`: every trade, at once."""

    wants_trades = True

    def on_trade(self, symbol: str, trade: Trade) -> None:
        """Send it."""
        self.emit(payloads.trade(self.instrument(), trade, self.now_ms()))


class KlineFeed(Feed):
    """`kline` and `continuousKline`: the bar in progress when it changed, and each bar once more when it has closed."""

    wants_trades = True

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        super().__init__(key, venue)
        self._open_ms = bar_open(key.argument, venue.clock.now_ms(), key.zone_ms)
        self._sent: Bar | None = None
        self._has_traded = True

    def on_trade(self, symbol: str, trade: Trade) -> None:
        """Only a trade changes a bar, so without one a beat has nothing to look at."""
        self._has_traded = True

    def due_ms(self, now_ms: int) -> int | None:
        """At the next beat when there was a trade, else when the bar ends."""
        if self._has_traded:
            return super().due_ms(now_ms)
        return next_open(self.key.argument, self._open_ms, self.key.zone_ms)

    def tick(self, now_ms: int) -> None:
        """Close what has ended since the last beat, then show the bar in progress."""
        interval, zone = self.key.argument, self.key.zone_ms
        current = bar_open(interval, now_ms, zone)
        while self._open_ms < current:
            self._show(self._open_ms, now_ms, is_closed=True)
            self._open_ms = next_open(interval, self._open_ms, zone)
            self._sent = None
            self._has_traded = True
        if self._has_traded:
            self._has_traded = False
            self._show(current, now_ms, is_closed=False)

    def _show(self, open_ms: int, now_ms: int, is_closed: bool) -> None:
        bars = self.market().bars(self.key.argument, open_ms, open_ms, 1, self.key.zone_ms)
        if not bars or bars[0].open_ms != open_ms or (bars[0] == self._sent and not is_closed):
            return
        self._sent = bars[0]
        if is_closed:
            interval = self.key.argument
            self.venue.bus.publish(KlineClosed(self.key.market, self.key.symbol, interval, open_ms))
        build = payloads.kline if self.key.kind == "kline" else payloads.continuous_kline
        self.emit(build(self.instrument(), bars[0], self.key.argument, is_closed, now_ms))


class MiniTickerFeed(ChangedSymbols):
    """`miniTicker`, of one symbol or of all that changed."""

    def payload(self, symbol: str, now_ms: int) -> object:
        """The last 24 hours in short."""
        return payloads.mini_ticker(self.instrument(symbol), self.market(symbol).ticker(DAY_MS), now_ms)


class WindowTickerFeed(ChangedSymbols):
    """`ticker_1h`, `ticker_4h`, `ticker_1d`."""

    def payload(self, symbol: str, now_ms: int) -> object:
        """Statistics of the window."""
        stats = self.market(symbol).ticker(WINDOWS[self.key.argument])
        return payloads.window_ticker(self.instrument(symbol), stats, f"{self.key.argument}Ticker", now_ms)


class TickerFeed(ChangedSymbols):
    """`ticker`: the last 24 hours in full."""

    def payload(self, symbol: str, now_ms: int) -> object:
        """Statistics, last trade and best prices."""
        market = self.market(symbol)
        bids, asks = self.exchange.book(symbol).depth(1)
        best = (bids[0] if bids else None, asks[0] if asks else None)
        return payloads.ticker(self.instrument(symbol), market.ticker(DAY_MS), best, now_ms)


class AveragePriceFeed(ChangedSymbols):
    """`avgPrice`."""

    def payload(self, symbol: str, now_ms: int) -> object:
        """Weighted average of five minutes, and when the last trade was."""
        market = self.market()
        last = market.recent_trades(1)
        traded_ms = last[-1].time_ms if last else now_ms
        return payloads.average_price(self.instrument(), market.average_price(), traded_ms, now_ms)


class ReferencePriceFeed(ChangedSymbols):
    """`referencePrice`: the five-minute average, which is what the price filters refer to here."""

    def payload(self, symbol: str, now_ms: int) -> object:
        """The price."""
        return payloads.reference_price(self.instrument(), self.market().average_price(), now_ms)
