"""What differs between the venue's two markets: sections, paths, weights, words."""

from __future__ import annotations

from dataclasses import dataclass

from core.base_exchange import Capabilities


@dataclass(frozen=True, slots=True)
class Dialect:
    """One market of the venue, as a table."""

    name: str
    ccxt_id: str
    capabilities: Capabilities
    #: Sections of the REST API.
    public: str
    private: str
    account: str
    #: Paths that differ.
    trades: str
    orders_weight: int
    all_orders_weight: int
    trades_weight: int
    account_weight: int
    query_weight: int
    info_weight: int
    #: The longest span between two times in a query of trades.
    trades_span_ms: int
    #: Default roots of WebSockets, replaced by the settings' host.
    public_stream: str
    market_stream: str
    private_stream: str

    @property
    def is_futures(self) -> bool:
        """Whether this is the futures market."""
        return self.capabilities.market == "futures"


DAY_MS = 86_400_000

SPOT = Dialect(
    name="binance_spot",
    ccxt_id="binance",
    # An order that the venue takes weighs nothing; what refused ones weigh shows in the header.
    capabilities=Capabilities(market="spot", has_time_window=True, max_open_orders=0, order_weight=0),
    public="public",
    private="private",
    account="private",
    trades="myTrades",
    orders_weight=6,
    all_orders_weight=80,
    trades_weight=20,
    account_weight=20,
    query_weight=4,
    info_weight=20,
    trades_span_ms=DAY_MS - 1,
    public_stream="wss://stream.binance.com:9443/stream",
    market_stream="wss://stream.binance.com:9443/stream",
    private_stream="wss://ws-api.binance.com:443/ws-api/v3",
)

FUTURES = Dialect(
    name="binance_futures",
    ccxt_id="binanceusdm",
    capabilities=Capabilities(
        market="futures", batch_orders=5, has_time_window=True, can_short=True, max_open_orders=0, order_weight=0
    ),
    public="fapiPublic",
    private="fapiPrivate",
    account="fapiPrivateV3",
    trades="userTrades",
    orders_weight=1,
    all_orders_weight=40,
    trades_weight=5,
    account_weight=5,
    query_weight=1,
    info_weight=1,
    trades_span_ms=7 * DAY_MS - 1,
    public_stream="wss://fstream.binance.com/public/stream",
    market_stream="wss://fstream.binance.com/market/stream",
    private_stream="wss://fstream.binance.com/private/ws",
)
