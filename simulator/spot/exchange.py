"""The spot exchange: what customers and the market do to it. Synchronous; every refusal leaves everything as it was.

Placing is possible on symbols that are TRADING, cancelling on TRADING and CANCEL_ONLY; in any other status nothing
moves, prints of the background included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.errors import INSUFFICIENT_BALANCE, MARKET_CLOSED, VenueError, cancel_rejected, filter_failure, rejected
from simulator.events import InstrumentChanged, TradeHappened
from simulator.instruments import Instrument
from simulator.market.types import Print
from simulator.matching.book import Match
from simulator.spot.amending import amend_order
from simulator.spot.checks import check_composition
from simulator.spot.desk import Listing
from simulator.spot.engine import Engine
from simulator.spot.filters import check_counts, check_filters, check_position
from simulator.spot.funds import plan_quote_order
from simulator.spot.list_checks import check_list
from simulator.spot.lists import Lists
from simulator.spot.reader import NO_LIST_ID, SpotReader, find
from simulator.spot.types import (
    Amendment,
    BalanceUpdate,
    CancelReplaceMode,
    CancelReplaceResult,
    CancelRestriction,
    NewList,
    NewOrder,
    OrderList,
    SpotOrder,
)

if TYPE_CHECKING:
    from simulator.accounts import AccountBook
    from simulator.clock import MarketClock
    from simulator.events import Bus
    from simulator.market.symbol_market import SymbolMarket
    from simulator.tape import Tape

_ACCOUNT_CLOSED = "This action is disabled on this account."
_RESTRICTED = "Order was not canceled due to cancel restrictions."
_RESTRICTIONS = {"ONLY_NEW": "NEW", "ONLY_PARTIALLY_FILLED": "PARTIALLY_FILLED"}


class SpotExchange(SpotReader):
    """Balances, orders and order lists of every spot symbol of one venue."""

    def __init__(self, clock: MarketClock, bus: Bus, tape: Tape, accounts: AccountBook) -> None:
        super().__init__(clock, bus, tape, accounts)
        self._engine = Engine(self._desk)
        self._lists_desk = Lists(self._desk, self._engine)

    def list_symbol(self, instrument: Instrument, market: SymbolMarket) -> None:
        """Begin trading a symbol."""
        self.instruments[instrument.symbol] = instrument
        self._desk.listings[instrument.symbol] = Listing(instrument, market)

    def set_instrument(self, instrument: Instrument) -> None:
        """Change a symbol's status or filters; orders that rest stay as they are."""
        self._desk.listing(instrument.symbol).instrument = instrument
        self.instruments[instrument.symbol] = instrument
        self._desk.bus.publish(InstrumentChanged(instrument))

    def calm_between(self, symbol: str) -> tuple[int, int] | None:
        """Prices strictly between which no print reaches an order; None where conditional orders wait."""
        listing = self._desk.listing(symbol)
        return None if listing.triggers else listing.book.nearest_orders

    def on_print(self, symbol: str, p: Print) -> None:
        """A print of the background market: fills the users' orders it reaches, then is the market's last trade."""
        listing = self._desk.listing(symbol)
        if listing.instrument.status != "TRADING":
            listing.market.settle_print(p)
            return
        left = p.quantity
        if listing.book.has_orders:
            for match in listing.book.on_print(p):
                if match.price == p.price:
                    left -= match.quantity  # trades at better prices are trade-throughs, on top of the print
                self._engine.fill_maker(listing, match, None)
        if left > 0:
            trade = listing.market.record(p.time_ms, p.price, left, p.taker)
            self._desk.bus.publish(TradeHappened("spot", symbol, trade))
        listing.market.settle_print(p)
        for order in listing.book.background_moved():
            self._engine.fill_maker(listing, Match(order.price, order.remaining, order, order.side), None)
        self._engine.settle_down(listing)

    def deposit(self, account_id: int, asset: str, amount: int) -> None:
        """Credit an account."""
        self._desk.ledger.move(account_id, asset, amount, 0, "deposit", "")
        self._tell_transfer(account_id, asset, amount)

    def withdraw(self, account_id: int, asset: str, amount: int) -> None:
        """Debit an account; refuses when it has less free."""
        if self._desk.ledger.free(account_id, asset) < amount:
            raise rejected(INSUFFICIENT_BALANCE)
        self._desk.ledger.move(account_id, asset, -amount, 0, "withdrawal", "")
        self._tell_transfer(account_id, asset, -amount)

    def place(self, account_id: int, new: NewOrder) -> SpotOrder:
        """Place an order: it may be filled, resting, waiting or expired when this returns; its fills are on it."""
        listing = self._check_placement(account_id, [new])
        return self._place_checked(listing, account_id, new)

    def test(self, account_id: int, new: NewOrder) -> None:
        """Check everything that comes before the matching engine; places nothing."""
        self._check_placement(account_id, [new])

    def cancel(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None = None,
        client_order_id: str | None = None,
        new_client_order_id: str | None = None,
        restriction: CancelRestriction | None = None,
    ) -> SpotOrder:
        """Cancel an open order; it takes a new client id. An order of a list takes the whole list with it."""
        listing = self._cancellable(symbol)
        order = self._find_open(listing, account_id, order_id, client_order_id)
        if restriction is not None and order.status != _RESTRICTIONS[restriction]:
            raise cancel_rejected(_RESTRICTED)
        self._lists_desk.cancel_order(listing, order, new_client_order_id)
        self._engine.settle_down(listing)
        return order

    def cancel_all(self, account_id: int, symbol: str) -> list[SpotOrder | OrderList]:
        """Cancel every open order of a symbol, whole lists included; refuses (-2011) when there is none."""
        listing = self._cancellable(symbol)
        done: list[SpotOrder | OrderList] = []
        for order in list(listing.archive(account_id).open.values()):
            if not order.is_open:
                continue
            self._lists_desk.cancel_order(listing, order)
            done.append(self._desk.lists[order.order_list_id] if order.order_list_id >= 0 else order)
        if not done:
            raise cancel_rejected()
        self._engine.settle_down(listing)
        return done

    def cancel_replace(
        self,
        account_id: int,
        mode: CancelReplaceMode,
        order_id: int | None,
        client_order_id: str | None,
        cancel_client_id: str | None,
        new: NewOrder,
        restriction: CancelRestriction | None = None,
    ) -> CancelReplaceResult:
        """Cancel one order and place another; filters are checked before either, and refuse both by raising."""
        listing = self._check_placement(account_id, [new])
        cancelled: SpotOrder | VenueError
        try:
            cancelled = self.cancel(account_id, new.symbol, order_id, client_order_id, cancel_client_id, restriction)
        except VenueError as refusal:
            if mode == "STOP_ON_FAILURE":
                return CancelReplaceResult(refusal, None)
            cancelled = refusal
        try:
            return CancelReplaceResult(cancelled, self._place_checked(listing, account_id, new))
        except VenueError as refusal:
            return CancelReplaceResult(cancelled, refusal)

    def amend(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None,
        client_order_id: str | None,
        new_quantity: int,
        new_client_order_id: str | None = None,
    ) -> tuple[SpotOrder, Amendment]:
        """Lower an order's quantity without losing its place in the queue; both halves of an OCO change together."""
        listing = self._cancellable(symbol, -2038)
        order = self._find_open(listing, account_id, order_id, client_order_id, -2038)
        amendment = amend_order(
            self._desk, self._engine, self._lists_desk, listing, order, new_quantity, new_client_order_id
        )
        self._engine.settle_down(listing)
        return order, amendment

    def place_list(self, account_id: int, new: NewList) -> OrderList:
        """Place an OCO, OTO or OTOCO; its orders are on it, in the order they were given."""
        listing = self._check_placement(account_id, new.orders)
        check_list(new, listing.market.last_price)
        filters = listing.instrument.filters
        on_symbol = [one for one in self.open_order_lists(account_id) if one.symbol == new.symbol]
        if filters.maximum_order_lists and len(on_symbol) >= filters.maximum_order_lists:
            raise filter_failure("MAX_NUM_ORDER_LISTS")
        orders = [self._order(account_id, one) for one in new.orders]
        placed = self._lists_desk.place(listing, account_id, new, orders)
        self._engine.settle_down(listing)
        return placed

    def cancel_list(
        self,
        account_id: int,
        symbol: str,
        order_list_id: int | None = None,
        client_id: str | None = None,
        new_client_order_id: str | None = None,
    ) -> OrderList:
        """Cancel every order of an open list."""
        listing = self._cancellable(symbol)
        if order_list_id is None and client_id is None:
            raise VenueError(-1102, NO_LIST_ID)
        for order_list in self.open_order_lists(account_id):
            wanted = order_list_id is None or order_list.order_list_id == order_list_id
            if wanted and (client_id is None or order_list.client_id == client_id) and order_list.symbol == symbol:
                self._lists_desk.cancel(listing, order_list, new_client_order_id)
                self._engine.settle_down(listing)
                return order_list
        raise cancel_rejected("Unknown order list sent.")

    def _place_checked(self, listing: Listing, account_id: int, new: NewOrder) -> SpotOrder:
        """The engine's part of placing an order that has passed the filters."""
        order = self._order(account_id, new)
        if order.quote_quantity:
            plan_quote_order(listing, order)
        amount = self._engine.check(listing, order)
        self._engine.accept(listing, order)
        self._engine.lock(listing, order, amount)
        self._engine.begin(listing, order)
        self._engine.settle_down(listing)
        return order

    def _check_placement(self, account_id: int, orders: list[NewOrder]) -> Listing:
        """Everything the venue checks before its matching engine."""
        listing = self._desk.listing(orders[0].symbol)
        for new in orders:
            check_composition(new)
        if not self._desk.accounts.account(account_id).can_trade:
            raise rejected(_ACCOUNT_CLOSED)
        if listing.instrument.status != "TRADING":
            raise VenueError(-1013, MARKET_CLOSED)
        average = listing.average_price(self._desk.clock.now_ms())
        archive, instrument = listing.archive(account_id), listing.instrument
        for new in orders:
            check_filters(new, instrument, average)
            if instrument.filters.maximum_position:
                held = self._desk.ledger.balances(account_id).get(instrument.base)
                total = held.free + held.locked if held is not None else 0
                check_position(new, instrument.filters, total, archive.open)
        check_counts(orders, instrument.filters, archive.open)
        return listing

    def _cancellable(self, symbol: str, code: int = -2011) -> Listing:
        listing = self._desk.listing(symbol)
        if listing.instrument.status not in ("TRADING", "CANCEL_ONLY"):
            raise VenueError(code, MARKET_CLOSED)
        return listing

    def _find_open(
        self, listing: Listing, account_id: int, order_id: int | None, client_order_id: str | None, code: int = -2011
    ) -> SpotOrder:
        """The open order to cancel or amend; anything else is unknown to the engine, ids that disagree included."""
        archive = listing.archive(account_id)
        order = find(archive, order_id, client_order_id if order_id is None else None)
        if order is None or not order.is_open or client_order_id not in (None, order.client_order_id):
            raise VenueError(code, cancel_rejected().message)
        return order

    def _order(self, account_id: int, new: NewOrder) -> SpotOrder:
        """The order that a request asks for, not yet numbered."""
        return SpotOrder(
            order_id=0,
            account_id=account_id,
            symbol=new.symbol,
            side=new.side,
            type=new.type,
            time_in_force=new.time_in_force or "GTC",
            price=new.price or 0,
            quantity=new.quantity or 0,
            quote_quantity=new.quote_quantity or 0,
            client_order_id=new.client_order_id or self._desk.client_ids.next(),
            time_ms=0,
            stop_price=new.stop_price or 0,
            trailing_delta=new.trailing_delta or 0,
            iceberg_quantity=new.iceberg_quantity or 0,
            self_trade_prevention=new.self_trade_prevention or "EXPIRE_MAKER",
            strategy_id=new.strategy_id or 0,
            strategy_type=new.strategy_type or 0,
            uses_sor=new.uses_sor,
        )

    def _tell_transfer(self, account_id: int, asset: str, delta: int) -> None:
        """A deposit or withdrawal is announced by what changed and by the balance it made."""
        self._desk.bus.publish(BalanceUpdate(account_id, asset, delta, self._desk.clock.now_ms()))
        self._desk.announce_balances(account_id)
