"""What the parts of the spot exchange share: symbols, balances, archives, counters, and the way to announce things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from simulator.accounts import AccountBook
from simulator.clock import MarketClock
from simulator.errors import INVALID_SYMBOL, VenueError
from simulator.events import BookMoved, Bus
from simulator.instruments import Instrument
from simulator.matching.book import Book
from simulator.spot.archive import Archive
from simulator.spot.identifiers import ClientIds
from simulator.spot.ledger import Ledger, amount_text
from simulator.spot.triggers import Triggers
from simulator.spot.types import (
    AccountPosition,
    ExecutionReport,
    ExecutionType,
    Fill,
    OrderList,
    PreventedMatch,
    SpotOrder,
)
from simulator.tape import Tape
from simulator.units import ONE

if TYPE_CHECKING:
    from simulator.market.symbol_market import SymbolMarket


def _quoted(text: str) -> str:
    """A customer's text as a JSON string."""
    return f'"{text}"' if text.isalnum() or not text else orjson.dumps(text).decode()


class Listing:
    """One symbol of the exchange with everything that belongs to it."""

    __slots__ = (
        "_average",
        "announced_update",
        "archives",
        "book",
        "instrument",
        "market",
        "next_order_id",
        "next_prevented_id",
        "resting",
        "triggers",
    )

    def __init__(self, instrument: Instrument, market: SymbolMarket) -> None:
        self.instrument = instrument
        self.market = market
        self.book: Book[SpotOrder] = Book(market.liquidity, market.prints_skipped)
        self.triggers = Triggers()
        self.resting: set[int] = set()
        """Ids of the orders on the book."""
        self.archives: dict[int, Archive] = {}
        self.next_order_id = 1
        self.next_prevented_id = 0
        self.announced_update = self.book.update_id
        self._average = (-1, 0)

    def average_price(self, now_ms: int) -> int:
        """The five-minute average that filters look at, taken once per second of market time."""
        second = now_ms // 1000
        if self._average[0] != second:
            self._average = (second, self.market.average_price())
        return self._average[1]

    def archive(self, account_id: int) -> Archive:
        """What an account did on this symbol."""
        found = self.archives.get(account_id)
        if found is None:
            found = self.archives[account_id] = Archive()
        return found


class Desk:
    """Shared state of the exchange's parts. Changes balances only through the ledger, tells only through here."""

    def __init__(self, clock: MarketClock, bus: Bus, tape: Tape, accounts: AccountBook) -> None:
        self.clock = clock
        self.bus = bus
        self.tape = tape
        self.accounts = accounts
        self.ledger = Ledger(tape)
        self.listings: dict[str, Listing] = {}
        self.lists: dict[int, OrderList] = {}
        self.open_lists: dict[int, OrderList] = {}
        self.client_ids = ClientIds("spot")
        self._execution_id = 0

    def listing(self, symbol: str) -> Listing:
        """The symbol's listing; raises -1121 when it is not traded here."""
        found = self.listings.get(symbol)
        if found is None:
            raise VenueError(*INVALID_SYMBOL)
        return found

    def bnb_price(self, asset: str) -> int | None:
        """Quanta of an asset for one BNB at the last price; None when no market tells."""
        if asset == "BNB":
            return ONE
        found = self.listings.get(f"BNB{asset}")
        return found.market.last_price if found is not None else None

    def next_execution_id(self) -> int:
        """Ids of execution reports and amendments, one series."""
        self._execution_id += 1
        return self._execution_id

    def report(
        self,
        order: SpotOrder,
        execution: ExecutionType,
        fill: Fill | None = None,
        prevented: tuple[PreventedMatch, int] | None = None,
        request_client_id: str | None = None,
        reject_reason: str = "NONE",
    ) -> int:
        """Write what happened to an order on the tape and tell the bus; gives the execution id."""
        execution_id = self.next_execution_id()
        report = ExecutionReport(
            order,
            execution,
            order.update_ms,
            execution_id,
            fill,
            request_client_id,
            reject_reason,
            *(prevented or ()),
        )
        self._write(report)
        self.bus.publish(report)
        return execution_id

    def _write(self, report: ExecutionReport) -> None:
        order, fill = report.order, report.fill
        extra = ""
        if fill is not None:
            extra = (
                f',"trade":{fill.trade_id},"last_price":"{amount_text(fill.price)}",'
                f'"last_quantity":"{amount_text(fill.quantity)}","commission":"{amount_text(fill.commission)}",'
                f'"commission_asset":"{fill.commission_asset}","maker":{"true" if fill.is_maker else "false"}'
            )
        if report.prevented_match is not None:
            extra += (
                f',"prevented_match":{report.prevented_match.prevented_match_id},'
                f'"last_prevented":"{amount_text(report.last_prevented)}"'
            )
        self.tape.append_members(
            "order",
            f'"market":"spot","account":{order.account_id},"symbol":"{order.symbol}","order":{order.order_id},'
            f'"client":{_quoted(order.client_order_id)},"original_client":{_quoted(order.original_client_order_id)},'
            f'"list":{order.order_list_id},"execution":"{report.execution}","execution_id":{report.execution_id},'
            f'"status":"{order.status}","side":"{order.side}","type":"{order.type}",'
            f'"time_in_force":"{order.time_in_force}","price":"{amount_text(order.price)}",'
            f'"stop_price":"{amount_text(order.stop_price)}","quantity":"{amount_text(order.quantity)}",'
            f'"quote_quantity":"{amount_text(order.quote_quantity)}","executed":"{amount_text(order.executed)}",'
            f'"executed_quote":"{amount_text(order.executed_quote)}","expiry_reason":{order.expiry_reason}{extra}',
        )

    def announce(self, listing: Listing) -> None:
        """After an action: one position event per account whose balances changed, then the book if it moved."""
        for account_id in list(self.ledger.touched):
            self.announce_balances(account_id)
        if listing.announced_update != listing.book.update_id:
            listing.announced_update = listing.book.update_id
            self.bus.publish(BookMoved("spot", listing.instrument.symbol))

    def announce_balances(self, account_id: int) -> None:
        """The position event of one account, with the balances changed since its last one."""
        balances = self.ledger.touched.pop(account_id, None)
        if balances:
            amounts = {asset: (held.free, held.locked) for asset, held in balances.items()}
            self.bus.publish(AccountPosition(account_id, amounts, self.clock.now_ms()))
