"""Streams that only USD-M has: mark prices, liquidations, contract changes, asset indexes."""

from __future__ import annotations

from simulator.futures.types import Liquidation
from simulator.instruments import Instrument
from simulator.streams import payloads
from simulator.streams.feeds import Feed
from simulator.streams.names import StreamKey
from simulator.streams.venue import StreamVenue
from simulator.units import ONE


class MarkPriceFeed(Feed):
    """`markPrice` of one symbol or all, on every beat."""

    def tick(self, now_ms: int) -> None:
        """Mark, index and funding."""
        events = [self._payload(symbol, now_ms) for symbol in self.symbols]
        self.emit(events[0] if self.key.symbol else events)

    def _payload(self, symbol: str, now_ms: int) -> payloads.Payload:
        futures = self.venue.futures
        mark = futures.mark_price(symbol)
        rate, next_ms = futures.funding.rate(symbol), futures.funding.next_ms(now_ms)
        return payloads.mark_price(self.instrument(symbol), mark, mark, rate, next_ms, now_ms)


class ForceOrderFeed(Feed):
    """`forceOrder`: liquidations, of each symbol only the latest within a second."""

    def __init__(self, key: StreamKey, venue: StreamVenue) -> None:
        super().__init__(key, venue)
        self._waiting: dict[str, payloads.Payload] = {}

    def on_liquidation(self, event: Liquidation) -> None:
        """Keep it for the beat."""
        symbol = event.order.symbol
        if self.key.symbol in ("", symbol):
            self._waiting[symbol] = payloads.force_order(self.instrument(symbol), event.order, event.time_ms)

    def tick(self, now_ms: int) -> None:
        """Send what happened."""
        waiting, self._waiting = self._waiting, {}
        for payload in waiting.values():
            self.emit(payload)


class ContractInfoFeed(Feed):
    """`!contractInfo`: a symbol's status or rules changed."""

    def on_instrument(self, instrument: Instrument) -> None:
        """Send it."""
        if instrument.market == "futures":
            self.emit(payloads.contract_info(instrument, self.now_ms()))


class AssetIndexFeed(Feed):
    """`assetIndex`: the price of a margin asset in USD; USDT counts as one dollar, others by their USDT contract."""

    def tick(self, now_ms: int) -> None:
        """Send the index of one asset, or of all that have a contract."""
        if self.key.symbol:
            asset = self.key.symbol.removesuffix("USD")
            if self.key.symbol.endswith("USD") and (price := self._price(asset)) is not None:
                self.emit(payloads.asset_index(asset, price, now_ms))
            return
        bases = [item.base for item in self.exchange.instruments.values() if item.quote == "USDT"]
        prices = [(asset, self._price(asset)) for asset in ("USDT", *bases)]
        self.emit([payloads.asset_index(asset, price, now_ms) for asset, price in prices if price is not None])

    def _price(self, asset: str) -> int | None:
        if asset == "USDT":
            return ONE
        symbol = f"{asset}USDT"
        return self.venue.futures.mark_price(symbol) if symbol in self.exchange.instruments else None
