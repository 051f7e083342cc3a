"""What can be asked of the spot exchange. Nothing here changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.accounts import AccountBook
from simulator.clock import MarketClock
from simulator.errors import ORDER_NOT_FOUND, VenueError
from simulator.events import Bus
from simulator.instruments import Instrument
from simulator.matching.book import Book
from simulator.spot.archive import Archive, window
from simulator.spot.desk import Desk
from simulator.spot.types import (
    Amendment,
    Balance,
    Commission,
    Fill,
    OrderList,
    PreventedMatch,
    SpotOrder,
)
from simulator.tape import Tape

if TYPE_CHECKING:
    from simulator.market.symbol_market import SymbolMarket

NO_ORDER_ID = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
NO_LIST_ID = "Param 'orderListId' or 'origClientOrderId' must be sent, but both were empty/null!"
WRONG_CLIENT_ID = (-2039, "Client order ID is not correct for this order ID.")
_LIST_NOT_FOUND = (-2018, "Order list does not exist.")


def find(archive: Archive, order_id: int | None, client_order_id: str | None) -> SpotOrder | None:
    """The order by id, else by client id; with both, the client id must be one of that order's.

    Raises -1102 without any id, -2039 when the two do not belong together.
    """
    if order_id is None and client_order_id is None:
        raise VenueError(-1102, NO_ORDER_ID)
    if order_id is None:
        return archive.by_client(client_order_id or "")
    order = archive.by_id(order_id)
    if order is not None and client_order_id is not None:
        own = (order.client_order_id, order.original_client_order_id)
        if client_order_id not in own:
            raise VenueError(*WRONG_CLIENT_ID)
    return order


class SpotReader:
    """The reading half of the spot exchange. Orders, lists and balances it gives are live objects."""

    def __init__(self, clock: MarketClock, bus: Bus, tape: Tape, accounts: AccountBook) -> None:
        self._desk = Desk(clock, bus, tape, accounts)
        self.instruments: dict[str, Instrument] = {}

    def instrument(self, symbol: str) -> Instrument:
        """The rules of a symbol; raises -1121 when it is not traded here."""
        return self._desk.listing(symbol).instrument

    def book(self, symbol: str) -> Book[SpotOrder]:
        """The order book of a symbol."""
        return self._desk.listing(symbol).book

    def market(self, symbol: str) -> SymbolMarket:
        """The market behind a symbol: its prints, trades and bars."""
        return self._desk.listing(symbol).market

    def is_hot(self, symbol: str) -> bool:
        """Whether somebody has an order on the symbol, so that every print matters."""
        listing = self._desk.listing(symbol)
        return listing.book.has_orders or bool(listing.triggers)

    def balances(self, account_id: int) -> dict[str, Balance]:
        """Balances of an account by asset."""
        return self._desk.ledger.balances(account_id)

    def totals(self) -> dict[str, int]:
        """What all accounts, the background market and the fee account hold together, by asset.

        Equals deposits less withdrawals, exactly.
        """
        return self._desk.ledger.totals()

    def commission(self, account_id: int, symbol: str) -> Commission:
        """The rates an account pays on a symbol."""
        account = self._desk.accounts.account(account_id)
        self._desk.listing(symbol)
        return Commission(symbol, account.maker_fee, account.taker_fee, account.pay_fees_in_bnb)

    def order(
        self, account_id: int, symbol: str, order_id: int | None = None, client_order_id: str | None = None
    ) -> SpotOrder:
        """One order; raises -2013 when there is none, -2039 when the two ids belong to different orders."""
        found = find(self._archive(account_id, symbol), order_id, client_order_id)
        if found is None:
            raise VenueError(*ORDER_NOT_FOUND)
        return found

    def open_orders(self, account_id: int, symbol: str | None = None) -> list[SpotOrder]:
        """Open orders of one symbol or of all, oldest first within a symbol."""
        symbols = [symbol] if symbol is not None else list(self._desk.listings)
        return [order for name in symbols for order in self._archive(account_id, name).open.values()]

    def all_orders(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[SpotOrder]:
        """Orders from an id on, or placed in a time span, or the latest; oldest first."""
        return self._archive(account_id, symbol).find_orders(order_id, start_ms, end_ms, limit)

    def trades(
        self,
        account_id: int,
        symbol: str,
        order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        from_id: int | None = None,
        limit: int = 500,
    ) -> list[Fill]:
        """Fills of an order, from a trade id on, in a time span, or the latest; oldest first."""
        return self._archive(account_id, symbol).find_fills(order_id, start_ms, end_ms, from_id, limit)

    def prevented_matches(
        self,
        account_id: int,
        symbol: str,
        prevented_match_id: int | None = None,
        order_id: int | None = None,
        from_id: int | None = None,
        limit: int = 500,
    ) -> list[PreventedMatch]:
        """Prevented matches by id, or of an order (with `from_id`: from that id on); oldest first."""
        found = [
            match
            for match in self._archive(account_id, symbol).prevented
            if (prevented_match_id is None or match.prevented_match_id == prevented_match_id)
            and (order_id is None or order_id in (match.taker_order_id, match.maker_order_id))
            and (from_id is None or match.prevented_match_id >= from_id)
        ]
        return found[:limit]

    def amendments(
        self, account_id: int, symbol: str, order_id: int, from_execution_id: int | None = None, limit: int = 500
    ) -> list[Amendment]:
        """Amendments of an order, oldest first."""
        found = [
            amendment
            for amendment in self._archive(account_id, symbol).amendments
            if amendment.order_id == order_id
            and (from_execution_id is None or amendment.execution_id >= from_execution_id)
        ]
        return found[:limit]

    def order_list(self, account_id: int, order_list_id: int | None = None, client_id: str | None = None) -> OrderList:
        """One order list by id or client id (the latest that had it); raises -2018 when there is none."""
        if order_list_id is None and client_id is None:
            raise VenueError(
                -1102, "Param 'orderListId' or 'origClientOrderId' must be sent, but both were empty/null!"
            )
        for order_list in reversed(self._lists(account_id)):
            if order_list_id is not None and order_list.order_list_id != order_list_id:
                continue
            if client_id is None or order_list.client_id == client_id:
                return order_list
        raise VenueError(*_LIST_NOT_FOUND)

    def all_order_lists(
        self,
        account_id: int,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[OrderList]:
        """Order lists from an id on, or placed in a time span, or the latest; oldest first."""
        lists = self._lists(account_id)
        if from_id is not None:
            return [order_list for order_list in lists if order_list.order_list_id >= from_id][:limit]
        return window(lists, lambda order_list: order_list.time_ms, start_ms, end_ms, limit)

    def open_order_lists(self, account_id: int) -> list[OrderList]:
        """Order lists that are not done, oldest first."""
        return [one for one in self._desk.open_lists.values() if one.account_id == account_id]

    def _lists(self, account_id: int) -> list[OrderList]:
        return [one for one in self._desk.lists.values() if one.account_id == account_id]

    def _archive(self, account_id: int, symbol: str) -> Archive:
        return self._desk.listing(symbol).archive(account_id)
