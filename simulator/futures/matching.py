"""Lets orders meet: a taker against the book, and a market print against resting orders."""

from __future__ import annotations

from simulator.events import BookMoved, TradeHappened
from simulator.futures.lifecycle import Lifecycle
from simulator.futures.settlement import Settlement
from simulator.futures.state import Core, Listing
from simulator.futures.types import ExecutionType, FuturesOrder
from simulator.market.types import Print, Side, Trade
from simulator.matching.book import Match
from simulator.units import format_quanta


def opposite(side: Side) -> Side:
    """The other side."""
    return "SELL" if side == "BUY" else "BUY"


class Matching:
    """Price-time matching on the symbol's book; every trade goes through the symbol's market."""

    def __init__(self, core: Core, lifecycle: Lifecycle, settlement: Settlement) -> None:
        self._core = core
        self._lifecycle = lifecycle
        self._settlement = settlement

    def take(self, order: FuturesOrder, execution: ExecutionType = "TRADE", limit: int | None = None) -> None:
        """Trade an accepted order against the book as far as it goes; what remains is left to the caller."""
        listing = self._core.listing(order.symbol)
        while order.is_open and order.remaining:
            match = listing.book.next_match(order.side, limit, order.remaining)
            if match is None:
                break
            if match.maker is not None and self._prevents(order, match.maker):
                continue
            self._trade(listing, order, match, execution)
        self._core.moved_symbols[order.symbol] = None

    def _prevents(self, taker: FuturesOrder, maker: FuturesOrder) -> bool:
        """Apply self-trade prevention; true when the match must not happen."""
        mode = taker.self_trade_prevention
        if maker.account_id != taker.account_id or mode == "NONE":
            return False
        if mode in ("EXPIRE_MAKER", "EXPIRE_BOTH"):
            self._lifecycle.end(maker, "EXPIRED_IN_MATCH", "EXPIRED")
        if mode in ("EXPIRE_TAKER", "EXPIRE_BOTH"):
            self._lifecycle.end(taker, "EXPIRED_IN_MATCH", "EXPIRED")
        return True

    def _trade(
        self, listing: Listing, taker: FuturesOrder, match: Match[FuturesOrder], execution: ExecutionType
    ) -> None:
        maker = match.maker
        maker_id = 0 if maker is None else maker.order_id
        trade = listing.record(self._core.now(), match.price, match.quantity, taker.side, maker_id, taker.order_id)
        taker.executed += match.quantity
        if maker is not None:
            maker.executed += match.quantity
        listing.book.execute(match)
        if maker is not None:
            self._lifecycle.took(maker, match.quantity)
        self._publish(taker.symbol, trade, maker, taker)
        if maker is not None:
            self._settlement.settle(maker, trade, is_maker=True)
        self._settlement.settle(taker, trade, is_maker=False, execution=execution)

    def take_over(self, order: FuturesOrder, price: int) -> None:
        """Trade what remains of a liquidation at `price` with the background, although nobody shows it."""
        listing = self._core.listing(order.symbol)
        quantity = order.remaining
        trade = listing.record(self._core.now(), price, quantity, order.side, 0, order.order_id)
        order.executed += quantity
        self._publish(order.symbol, trade, None, order)
        self._settlement.settle(order, trade, is_maker=False, execution="CALCULATED")

    def on_print(self, listing: Listing, p: Print) -> None:
        """Match a market print against resting orders, record it, and stand the background around its price."""
        symbol = listing.instrument.symbol
        left = p.quantity
        if listing.book.has_orders and listing.trades_freely:
            for match in listing.book.on_print(p):
                if match.maker is None:
                    continue
                quantity = self._make(listing, match.maker, match.price, match.quantity, p.taker)
                left -= quantity if match.price == p.price else 0
        if left > 0:
            trade = listing.market.record(self._core.now(), p.price, left, p.taker)
            self._core.bus.publish(TradeHappened("futures", symbol, trade))
        listing.printed(p.price)
        listing.market.settle_print(p)
        crossed = listing.book.background_moved()
        if listing.trades_freely:
            for order in crossed:
                self._make(listing, order, order.price, order.remaining, opposite(order.side))
        self._core.bus.publish(BookMoved("futures", symbol))
        self._core.moved_symbols[symbol] = None

    def _make(self, listing: Listing, maker: FuturesOrder, price: int, quantity: int, taker: Side) -> int:
        """Fill a resting order against the background; gives how much, which an earlier fill may have lowered."""
        if not maker.is_open or not self._lifecycle.is_resting(maker):
            return 0
        quantity = min(quantity, maker.remaining)
        trade = listing.record(self._core.now(), price, quantity, taker, maker.order_id)
        maker.executed += quantity
        listing.book.execute(Match(price, quantity, maker, maker.side))
        self._lifecycle.took(maker, quantity)
        self._publish(listing.instrument.symbol, trade, maker, None)
        self._settlement.settle(maker, trade, is_maker=True)
        return quantity

    def _publish(self, symbol: str, trade: Trade, maker: FuturesOrder | None, taker: FuturesOrder | None) -> None:
        """Tell everyone of a trade that a customer took part in, and write it down."""
        self._core.tape.append_members(
            "trade",
            f'"market":"futures","symbol":"{symbol}","trade":{trade.trade_id},"price":"{format_quanta(trade.price)}",'
            f'"quantity":"{format_quanta(trade.quantity)}","quote":"{format_quanta(trade.quote)}",'
            f'"taker":"{trade.taker}","maker_order":{trade.maker_order_id},"taker_order":{trade.taker_order_id},'
            f'"maker_account":{_party(maker)},"taker_account":{_party(taker)}',
        )
        self._core.bus.publish(TradeHappened("futures", symbol, trade))


def _party(order: FuturesOrder | None) -> str:
    """JSON of whose order it is."""
    return '"market"' if order is None else str(order.account_id)
