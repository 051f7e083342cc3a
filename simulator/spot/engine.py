"""The life of an order: accepted, waiting, matched, resting, ended. Lists hook in where orders hang together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from simulator.errors import DUPLICATE_ORDER, WOULD_TAKE, WOULD_TRIGGER, VenueError, rejected
from simulator.matching.book import Match
from simulator.spot.desk import Desk, Listing
from simulator.spot.funds import check_funds, given_asset, own_orders_of
from simulator.spot.prevention import prevent
from simulator.spot.settlement import Settlement, maker_side
from simulator.spot.triggers import CONTINGENT, is_met
from simulator.spot.types import ExecutionType, OrderStatus, PreventedMatch, SpotOrder

OCO_TRIGGER = 3
REJECTED = 1
PHASE_ONE_EXPIRED = 4
UNFILLED_IOC = 5
UNFILLED_FOK = 6
INSUFFICIENT_LIQUIDITY = 7
"""Values of `expiry_reason`, the venue's `eR`."""


class ListHooks(Protocol):
    """What order lists want to know of their orders."""

    def engaged(self, listing: Listing, order: SpotOrder) -> None:
        """The order is about to trade or was triggered: the other half of its OCO goes."""

    def ended(self, listing: Listing, order: SpotOrder) -> None:
        """The order is open no longer."""


class Engine:
    """Runs orders on one desk. Every public method leaves the books consistent; `settle_down` ends an action."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.settlement = Settlement(desk)
        self.hooks: ListHooks
        self.followups: deque[Callable[[], None]] = deque()
        """Things to do once the present matching is over: pending orders of filled lists."""

    def check(self, listing: Listing, order: SpotOrder, funds: bool = True) -> int:
        """Whatever makes the engine refuse a new order (-2010); gives what it must lock. Changes nothing."""
        if order.client_order_id in listing.archive(order.account_id).open_clients:
            raise rejected(DUPLICATE_ORDER)
        self.check_price(listing, order)
        return check_funds(self._desk, listing, order) if funds else 0

    def check_price(self, listing: Listing, order: SpotOrder) -> None:
        """A maker that would take and a stop that has been reached already are refused."""
        if order.type == "LIMIT_MAKER" and listing.book.next_match(order.side, order.price, 1) is not None:
            raise rejected(WOULD_TAKE)
        waits = order.type in CONTINGENT and not order.trailing_delta
        if waits and is_met(order, listing.market.last_price):
            raise rejected(WOULD_TRIGGER)

    def accept(self, listing: Listing, order: SpotOrder) -> None:
        """Give the order its number and file it; nothing is locked or reported yet."""
        now = self._desk.clock.now_ms()
        order.order_id = listing.next_order_id
        listing.next_order_id += 1
        order.time_ms = order.update_ms = now
        listing.archive(order.account_id).add(order)

    def lock(self, listing: Listing, order: SpotOrder, amount: int) -> None:
        """Move what the order needs from free to locked."""
        order.locked += amount
        self.move_lock(listing, order, amount, "lock")

    def move_lock(self, listing: Listing, order: SpotOrder, amount: int, reason: str) -> None:
        """Move an amount of the order's given asset from free to locked (back when negative)."""
        if amount:
            asset = given_asset(listing, order)
            self._desk.ledger.move(order.account_id, asset, -amount, amount, reason, f"{order.symbol}:{order.order_id}")

    def begin(self, listing: Listing, order: SpotOrder) -> None:
        """Report a new order, then let it wait, match or rest."""
        order.status = "NEW"
        if order.type in CONTINGENT:
            self._desk.report(order, "NEW")
            listing.triggers.add(order, listing.market.last_price, order.update_ms)
        else:
            self._work(listing, order)

    def end(
        self,
        listing: Listing,
        order: SpotOrder,
        status: OrderStatus,
        execution: ExecutionType,
        reason: int = 0,
        prevented: tuple[PreventedMatch, int] | None = None,
        renamed: str | None = None,
    ) -> None:
        """Close an open order: unlock, take it off the book, report. `renamed` is the client id a cancel gave it."""
        order.status = status
        order.expiry_reason = reason
        order.update_ms = self._desk.clock.now_ms()
        self._withdraw(listing, order)
        if renamed is not None:
            listing.archive(order.account_id).rename(order, renamed)
        self._desk.report(order, execution, prevented=prevented, request_client_id=renamed)
        if order.order_list_id >= 0:
            self.hooks.ended(listing, order)

    def fill_maker(self, listing: Listing, match: Match[SpotOrder], taker: SpotOrder | None) -> None:
        """A resting order trades: with a taker, or with the background when there is none."""
        maker = match.maker
        if maker is None or not maker.is_open:
            return
        if maker.order_list_id >= 0:
            self.hooks.engaged(listing, maker)
        self.settlement.trade(listing, match.price, match.quantity, maker_side(maker.side), maker, taker)
        listing.book.execute(match)
        if taker is not None:
            self._desk.report(taker, "TRADE", taker.fills[-1])
        if maker.status == "FILLED":
            listing.resting.discard(maker.order_id)
        self._desk.report(maker, "TRADE", maker.fills[-1])
        if maker.status == "FILLED":
            self._filled(listing, maker)

    def settle_down(self, listing: Listing) -> None:
        """Run what an action set off (stops, pending orders) until nothing is due, then announce balances and book."""
        while True:
            if self.followups:
                self.followups.popleft()()
                continue
            due = (
                listing.triggers.due(listing.market.last_price, self._desk.clock.now_ms()) if listing.triggers else None
            )
            if due is None:
                break
            self._triggered(listing, due)
        self._desk.announce(listing)

    def _withdraw(self, listing: Listing, order: SpotOrder) -> None:
        """Unlock what a closing order still locks and forget it wherever it waits."""
        self.release(listing, order)
        if order.order_id in listing.resting:
            listing.resting.remove(order.order_id)
            listing.book.remove(order)
        listing.triggers.remove(order)
        listing.archive(order.account_id).close(order)

    def release(self, listing: Listing, order: SpotOrder, keep: int = 0) -> None:
        """Give back what the order locks above `keep`."""
        amount = order.locked - keep
        order.locked = keep
        self.move_lock(listing, order, -amount, "unlock")

    def _filled(self, listing: Listing, order: SpotOrder) -> None:
        self._withdraw(listing, order)
        if order.order_list_id >= 0:
            self.hooks.ended(listing, order)

    def _triggered(self, listing: Listing, order: SpotOrder) -> None:
        """A waiting order comes to life; one without limit price becomes a market order, funds permitting."""
        if order.order_list_id >= 0:
            self.hooks.engaged(listing, order)
        order.update_ms = self._desk.clock.now_ms()
        if not order.price:
            self.release(listing, order)
            order.is_working = True
            try:
                amount = check_funds(self._desk, listing, order)
            except VenueError:
                order.is_working = False
                self.end(listing, order, "EXPIRED", "EXPIRED", REJECTED)
                return
            self.lock(listing, order, amount)
        self._work(listing, order)

    def _work(self, listing: Listing, order: SpotOrder) -> None:
        """Match a live order against the book and rest, or end, what is left."""
        order.is_working = True
        order.working_ms = order.update_ms
        self._desk.report(order, "NEW")
        if order.time_in_force == "FOK" and order.price:
            fillable, _ = listing.book.available(order.side, order.price, order.remaining, own_orders_of(order))
            if fillable < order.remaining:
                self.end(listing, order, "EXPIRED", "EXPIRED", UNFILLED_FOK)
                return
        self._take(listing, order)
        if not order.is_open:
            return
        if not order.price:
            self._out_of_book(listing, order)
        elif order.time_in_force != "GTC":
            self.end(listing, order, "EXPIRED", "EXPIRED", UNFILLED_IOC)
        else:
            listing.book.add(order, order.iceberg_quantity)
            listing.resting.add(order.order_id)

    def _take(self, listing: Listing, order: SpotOrder) -> None:
        """Match as a taker until the order is filled, prevented, or the book offers nothing more at its price."""
        book, limit = listing.book, order.price or None
        while order.is_open and (match := book.next_match(order.side, limit, order.remaining)) is not None:
            maker = match.maker
            if maker is None:
                self.settlement.trade(listing, match.price, match.quantity, order.side, None, order)
                book.execute(match)
                self._desk.report(order, "TRADE", order.fills[-1])
            elif maker.account_id == own_orders_of(order):
                prevent(self, self._desk, listing, order, maker, match.price)
            else:
                self.fill_maker(listing, match, order)
        if order.status == "FILLED":
            self._filled(listing, order)

    def _out_of_book(self, listing: Listing, order: SpotOrder) -> None:
        """The book could not fill a market order: the rest expires."""
        if order.quote_quantity:
            order.quantity = order.executed + order.prevented_quantity
        self.end(listing, order, "EXPIRED", "EXPIRED", INSUFFICIENT_LIQUIDITY)
