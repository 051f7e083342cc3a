"""Trades of the account, page by page, each with the client order id that the venue's lists of trades leave out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.fill import Fill
from domain.instrument import Instrument
from exchanges._binance import words
from exchanges._binance.outcomes import ARCHIVED, NOT_FOUND
from exchanges._binance.rest import BinanceRest, VenueRefusal

_PAGE = 1000
_REMEMBERED = 5_000
#: Further back than so many spans, everything is read by id instead.
_MOST_SPANS = 26

Rows = list[Mapping[str, Any]]


class OrderNames:
    """Venue order id -> client order id, for the newest orders of each symbol."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, str]] = {}

    def remember(self, symbol: str, venue_order_id: str, client_order_id: str) -> None:
        """Keep a pair; the oldest of the symbol goes when there are too many."""
        names = self._names.setdefault(symbol, {})
        if names.get(venue_order_id) == client_order_id:
            return  # a sweep tells the same of thousands, in words of its own that would be kept instead
        names[venue_order_id] = client_order_id
        if len(names) > _REMEMBERED:
            del names[next(iter(names))]

    def get(self, symbol: str, venue_order_id: str) -> str | None:
        """The client order id, if it is remembered."""
        return self._names.get(symbol, {}).get(venue_order_id)


class TradeHistory:
    """Reads trades since a watermark."""

    def __init__(self, rest: BinanceRest, names: OrderNames, instrument: Callable[[str], Instrument]) -> None:
        self._rest = rest
        self._names = names
        self._instrument = instrument

    async def since(self, symbol: str, after_trade_id: str, since_ms: int) -> list[Fill]:
        """Every trade after the id, else from the time, oldest first."""
        rows = await self._after(symbol, int(after_trade_id)) if after_trade_id else await self._from(symbol, since_ms)
        instrument = self._instrument(symbol)
        return [words.fill(row, instrument, await self._name_of(symbol, str(row["orderId"]))) for row in rows]

    async def _after(self, symbol: str, trade_id: int) -> Rows:
        rows: Rows = []
        while True:
            page = await self._page(symbol, {"fromId": str(trade_id + 1)})
            rows += page
            if len(page) < _PAGE:
                return rows
            trade_id = page[-1]["id"]

    async def _from(self, symbol: str, since_ms: int) -> Rows:
        """The newest page first: mostly it reaches back far enough. Else by spans of time, which the venue limits."""
        newest = await self._page(symbol, {})
        if self._reaches(newest, since_ms):
            return [row for row in newest if row["time"] >= since_ms]
        span = self._rest.dialect.trades_span_ms
        end = newest[0]["time"] if newest else self._rest.door.venue_ms()
        if (end - since_ms) // span > _MOST_SPANS:
            return [row for row in await self._after(symbol, -1) if row["time"] >= since_ms]
        for start in range(since_ms, end + 1, span + 1):
            page = await self._page(symbol, {"startTime": str(start), "endTime": str(start + span)})
            if page:
                return page + await self._after(symbol, page[-1]["id"])
        return newest

    def _reaches(self, newest: Rows, since_ms: int) -> bool:
        if newest and newest[0]["time"] < since_ms:
            return True
        # Spot's newest page is not cut by time; that of futures ends seven days ago.
        return not self._rest.dialect.is_futures and len(newest) < _PAGE

    async def _page(self, symbol: str, params: Mapping[str, str]) -> Rows:
        dialect = self._rest.dialect
        request = {"symbol": symbol, "limit": str(_PAGE), **params}
        return list(await self._rest.rows(dialect.private, dialect.trades, request, dialect.trades_weight))

    async def _name_of(self, symbol: str, venue_order_id: str) -> str:
        name = self._names.get(symbol, venue_order_id)
        if name is None:
            name = await self._ask(symbol, venue_order_id)
            self._names.remember(symbol, venue_order_id, name)
        return name

    async def _ask(self, symbol: str, venue_order_id: str) -> str:
        dialect = self._rest.dialect
        params = {"symbol": symbol, "orderId": venue_order_id}
        try:
            row = await self._rest.read(dialect.private, "order", params, dialect.query_weight)
            return words.original_name(str(row["clientOrderId"]))
        except VenueRefusal as error:
            if error.number not in {NOT_FOUND, ARCHIVED}:
                raise
        rows = await self._rest.rows(dialect.private, "allOrders", params | {"limit": "1"}, dialect.trades_weight)
        found = [row for row in rows if str(row["orderId"]) == venue_order_id]
        return words.original_name(str(found[0]["clientOrderId"])) if found else ""
