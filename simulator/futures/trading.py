"""Placing, cancelling and modifying ordinary orders."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.events import BookMoved
from simulator.futures.brackets import maximum_notional
from simulator.futures.lifecycle import Lifecycle
from simulator.futures.margin import NO_ORDERS, Margin
from simulator.futures.matching import Matching, opposite
from simulator.futures.order_store import OrderStore
from simulator.futures.positions import PositionBook
from simulator.futures.refusals import refuse
from simulator.futures.reports import Amendment
from simulator.futures.settings import Settings
from simulator.futures.state import Core, Listing
from simulator.futures.types import FuturesOrder, NewOrder
from simulator.futures.validation import Validation
from simulator.market.types import Side
from simulator.units import ONE

MAXIMUM_AMENDS = 10_000


class Trading:
    """Orders from request to book."""

    def __init__(
        self,
        core: Core,
        orders: OrderStore,
        positions: PositionBook,
        settings: Settings,
        margin: Margin,
        validation: Validation,
        lifecycle: Lifecycle,
        matching: Matching,
    ) -> None:
        self._core = core
        self._orders = orders
        self._positions = positions
        self._settings = settings
        self._margin = margin
        self._validation = validation
        self._lifecycle = lifecycle
        self._matching = matching
        self._amendments: dict[tuple[int, str], list[Amendment]] = {}
        self._amended = 0

    def place(self, account_id: int, new: NewOrder) -> FuturesOrder:
        """Check, accept and match an order; its fills are in `fills`. Refused orders leave no trace."""
        order = self.check(account_id, new)
        self._lifecycle.accept(order)
        self.work(order)
        return order

    def check(self, account_id: int, new: NewOrder, algo_id: int = 0, is_test: bool = False) -> FuturesOrder:
        """The order as it would be accepted; raises every refusal there is. A test takes no order id."""
        if not self._core.accounts.account(account_id).can_trade:
            raise refuse(-4088)
        self._validation.ordinary(account_id, new)
        listing = self._core.listing(new.symbol)
        client_id = new.client_order_id
        if client_id and not self._orders.is_client_id_free(account_id, new.symbol, client_id):
            raise refuse(-4116)
        order = self._build(account_id, new, listing)
        order.algo_id = algo_id
        order.close_position = new.close_position
        self._check_price(listing, order)
        limit = listing.instrument.filters.maximum_orders
        if limit and self._orders.open_count(account_id, order.symbol) >= limit:
            raise refuse(-2025)
        self._check_taking(listing, order)
        self.check_margin(listing, order)
        if is_test:
            return order
        order.order_id = next(self._core.order_ids)
        order.client_order_id = client_id or f"auto_{order.order_id:017d}"
        return order

    def _build(self, account_id: int, new: NewOrder, listing: Listing) -> FuturesOrder:
        quantity = new.quantity or 0
        reduces, quantity = self._validation.reducing(
            account_id, new.symbol, new.position_side, new.side, new.reduce_only or new.close_position, quantity
        )
        price = new.price or 0
        if new.price_match is not None and new.price_match != "NONE":
            price = self._matched_price(listing, new.side, new.price_match)
        return FuturesOrder(
            0,
            account_id,
            new.symbol,
            new.side,
            new.position_side,
            new.type,
            new.type,
            new.time_in_force or "GTC",
            price,
            quantity,
            "",
            self._core.now(),
            reduce_only=reduces,
            price_match=new.price_match or "NONE",
            self_trade_prevention=new.self_trade_prevention or "EXPIRE_MAKER",
            good_till_ms=new.good_till_ms or 0,
            update_ms=self._core.now(),
        )

    def _matched_price(self, listing: Listing, side: Side, match: str) -> int:
        """Price of a priceMatch order: the n-th best level of the other side (OPPONENT) or of its own (QUEUE)."""
        kind, _, level = match.partition("_")
        bids, asks = listing.book.depth(int(level or 1))
        buys = (side == "BUY") == (kind == "QUEUE")
        levels = bids if buys else asks
        if len(levels) < int(level or 1):
            raise refuse(-5041)
        return levels[-1][0]

    def _check_price(self, listing: Listing, order: FuturesOrder) -> None:
        if order.type == "MARKET":
            best = listing.book.best(opposite(order.side))
            if best is not None:
                self._validation.percent_price(listing, order.side, best[0], is_market=True)
            price = listing.mark
        else:
            self._validation.percent_price(listing, order.side, order.price)
            price = order.price
        if not order.reduce_only:
            self._validation.notional(listing.instrument, price, order.quantity)

    def _check_taking(self, listing: Listing, order: FuturesOrder) -> None:
        """Post-only must not take, fill-or-kill must fill whole: both are refused and leave no trace."""
        if order.time_in_force == "GTX":
            best = listing.book.best(opposite(order.side))
            if best is not None and _crosses(order.side, order.price, best[0]):
                raise refuse(-5022)
        elif order.time_in_force == "FOK":
            besides = 0 if order.self_trade_prevention == "NONE" else order.account_id
            got, _ = listing.book.available(order.side, order.price, order.quantity, besides)
            if got < order.quantity:
                raise refuse(-5021)

    def check_margin(self, listing: Listing, order: FuturesOrder) -> None:
        """-2019 unless the account can pay for the order, -2027 when the position could outgrow its leverage."""
        if order.reduce_only:
            return
        worth = self._worth(listing, order)
        bids, asks = (worth, 0) if order.side == "BUY" else (0, worth)
        account, symbol, side = order.account_id, order.symbol, order.position_side
        cost = self._margin.cost_of(account, symbol, side, bids, asks)
        if cost <= 0:
            return
        self._check_size(listing, order, bids, asks)
        fair = listing.mark * order.remaining // ONE
        loss = max(0, worth - fair if order.side == "BUY" else fair - worth)
        state = self._margin.cross(account, listing.instrument.quote)
        if cost + loss > state.available:
            raise refuse(-2019)

    def _worth(self, listing: Listing, order: FuturesOrder) -> int:
        if order.type == "LIMIT":
            return order.price * order.remaining // ONE
        got, quote = listing.book.available(order.side, None, order.remaining)
        return quote + listing.mark * (order.remaining - got) // ONE

    def _check_size(self, listing: Listing, order: FuturesOrder, bids: int, asks: int) -> None:
        account, symbol, side = order.account_id, order.symbol, order.position_side
        position = self._positions.peek(account, symbol, side)
        held = position.quantity * listing.mark // ONE if position is not None else 0
        open_orders = self._orders.exposures(account).get((symbol, side), NO_ORDERS)
        largest = max(held + open_orders.bids + bids, -(held - open_orders.asks - asks))
        if largest > maximum_notional(listing.instrument, self._settings.of(account, symbol).leverage):
            raise refuse(-2027)

    def work(self, order: FuturesOrder) -> None:
        """Match an accepted order, then rest it or let its remainder expire."""
        limit = order.price if order.type == "LIMIT" else None
        self._matching.take(order, limit=limit)
        if not order.is_open:
            return
        if order.type == "MARKET" or order.time_in_force == "IOC":
            self._lifecycle.end(order, "EXPIRED", "EXPIRED")
            return
        self._lifecycle.rest(order)
        if order.reduce_only:
            self._lifecycle.fit_reduce_only(order.account_id, order.symbol, order.position_side)
        self._core.bus.publish(BookMoved("futures", order.symbol))

    def cancel(self, account_id: int, symbol: str, order_id: int | None, client_order_id: str | None) -> FuturesOrder:
        """Cancel one open order; -2011 when there is none."""
        self._core.listing(symbol)
        order = self._orders.find(account_id, symbol, order_id, client_order_id)
        if order is None or not order.is_open:
            raise refuse(-2011)
        self._lifecycle.end(order, "CANCELED", "CANCELED")
        return order

    def cancel_all(self, account_id: int, symbol: str) -> list[FuturesOrder]:
        """Cancel every open order of the account on the symbol."""
        self._core.listing(symbol)
        orders = list(self._orders.open_of(account_id, symbol))
        for order in orders:
            self._lifecycle.end(order, "CANCELED", "CANCELED")
        return orders

    def modify(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None,
        client_order_id: str | None,
        side: Side,
        quantity: int,
        price: int | None,
        price_match: str | None = None,
    ) -> FuturesOrder:
        """Give an open LIMIT order another price and quantity. It keeps its id and goes to the end of the queue.

        A quantity not above what has traded, or a post-only price that would take, cancels the order.
        """
        listing = self._core.listing(symbol)
        order = self._orders.find(account_id, symbol, order_id, client_order_id)
        if order is None or not order.is_open:
            raise refuse(-2013)
        if price is None:
            price = self._matched_price(listing, side, price_match or "")
        self._check_change(listing, order, side, quantity, price)
        if quantity <= order.executed or self._would_take_post_only(listing, order, price):
            self._lifecycle.end(order, "CANCELED", "CANCELED")
            return order
        self._swap(listing, order, quantity, price)
        self._lifecycle.tell(order, "AMENDMENT")
        self.work(order)
        return order

    def _check_change(self, listing: Listing, order: FuturesOrder, side: Side, quantity: int, price: int) -> None:
        if not listing.trades_freely:
            raise refuse(-5024)
        if order.type != "LIMIT" or order.side != side:
            raise refuse(-5025) if order.type != "LIMIT" else refuse(-2013)
        if order.price == price and order.quantity == quantity:
            raise refuse(-5027)
        if order.amends >= MAXIMUM_AMENDS:
            raise refuse(-5026)
        self._validation.quantity(listing.instrument, quantity, is_market=False)
        self._validation.price(listing.instrument, price)
        self._validation.percent_price(listing, side, price)
        if not order.reduce_only:
            self._validation.notional(listing.instrument, price, quantity)

    def _would_take_post_only(self, listing: Listing, order: FuturesOrder, price: int) -> bool:
        best = listing.book.best(opposite(order.side))
        return order.time_in_force == "GTX" and best is not None and _crosses(order.side, price, best[0])

    def _swap(self, listing: Listing, order: FuturesOrder, quantity: int, price: int) -> None:
        """Take the order off the book and change it, or put it back unchanged (at its old place in line) if refused."""
        before = (order.price, order.quantity)
        self._orders.expose(order, -order.remaining)
        order.price, order.quantity = price, quantity
        try:
            self.check_margin(listing, order)
        except VenueError:
            order.price, order.quantity = before
            self._orders.expose(order, order.remaining)
            raise
        order.price, order.quantity = before
        self._orders.expose(order, order.remaining)
        self._lifecycle.unrest(order)
        order.price, order.quantity = price, quantity
        if order.reduce_only:
            position = self._positions.get(order.account_id, order.symbol, order.position_side)
            order.quantity = min(quantity, order.executed + abs(position.quantity))
        order.amends += 1
        self._amended += 1
        self._amendments.setdefault((order.account_id, order.symbol), []).append(
            Amendment(
                self._amended,
                order.symbol,
                order.order_id,
                order.client_order_id,
                self._core.now(),
                before[0],
                price,
                before[1],
                order.quantity,
                order.amends,
            )
        )

    def amendments(self, account_id: int, symbol: str) -> list[Amendment]:
        """Changes of the account's orders on a symbol, oldest first."""
        return self._amendments.get((account_id, symbol), [])


def _crosses(side: Side, price: int, best: int) -> bool:
    return price >= best if side == "BUY" else price <= best
