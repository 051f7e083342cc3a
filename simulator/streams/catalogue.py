"""Which feed serves which kind of stream."""

from __future__ import annotations

from simulator.streams import book_feeds, futures_feeds, trade_feeds
from simulator.streams.aggregate_feed import AggregateTradeFeed
from simulator.streams.feeds import Feed, FeedMaker
from simulator.streams.names import Kind, StreamKey
from simulator.streams.venue import StreamVenue

_MAKERS: dict[Kind, FeedMaker] = {
    "trade": trade_feeds.TradeFeed,
    "aggTrade": AggregateTradeFeed,
    "kline": trade_feeds.KlineFeed,
    "continuousKline": trade_feeds.KlineFeed,
    "miniTicker": trade_feeds.MiniTickerFeed,
    "ticker": trade_feeds.TickerFeed,
    "windowTicker": trade_feeds.WindowTickerFeed,
    "avgPrice": trade_feeds.AveragePriceFeed,
    "referencePrice": trade_feeds.ReferencePriceFeed,
    "bookTicker": book_feeds.BookTickerFeed,
    "depth": book_feeds.DepthFeed,
    "partialDepth": book_feeds.PartialDepthFeed,
    "markPrice": futures_feeds.MarkPriceFeed,
    "forceOrder": futures_feeds.ForceOrderFeed,
    "contractInfo": futures_feeds.ContractInfoFeed,
    "assetIndex": futures_feeds.AssetIndexFeed,
}


def open_feed(key: StreamKey, venue: StreamVenue) -> Feed | None:
    """A feed for the stream; None for a kind that never speaks here (composite indexes: no such contract is listed)."""
    maker = _MAKERS.get(key.kind)
    return None if maker is None else maker(key, venue)
