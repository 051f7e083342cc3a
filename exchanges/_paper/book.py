"""What a paper account holds and has resting: decisions give facts, facts are kept, and only facts change the book.

The same facts in the same order make the same book, so a process that was killed goes on where the last fact ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from core.base_exchange import Balance, PriceUpdate
from domain import fills
from domain.client_order_id import OrderKey
from domain.fill import Fill
from domain.instrument import Instrument
from domain.order import (
    BUY,
    CANCELLED,
    LIMIT,
    MARKET,
    OPEN,
    POST_ONLY,
    STOP_MARKET,
    Order,
    book,
    is_terminal,
    remaining,
)

Instruments = Callable[[str], Instrument]
Fact = list[Any]

#: The unit of every asset of the account.
QUANTUM = Decimal("0.00000001")

#: A price that no market reaches.
_NOWHERE = 1 << 62
_KEPT_ORDERS = 2_000
_KEPT_FILLS = 5_000


class Edges(NamedTuple):
    """The orders of a symbol nearest to the market: highest buy, lowest sell, and the same of stops."""

    buy: int
    sell: int
    stop_buy: int
    stop_sell: int

    def is_reached(self, update: PriceUpdate) -> bool:
        """Whether a price is at or past any of them."""
        last = update.last
        if last >= self.stop_buy or last <= self.stop_sell:
            return True
        if update.traded and (last <= self.buy or last >= self.sell):
            return True
        return 0 < update.ask <= self.buy or update.bid >= self.sell


def _edges_of(orders: Iterable[Order]) -> Edges:
    orders = list(orders)
    limits = [order for order in orders if order.type != STOP_MARKET]
    stops = [order for order in orders if order.type == STOP_MARKET]
    return Edges(
        max((order.ticks for order in limits if order.side == BUY), default=0),
        min((order.ticks for order in limits if order.side != BUY), default=_NOWHERE),
        min((order.ticks for order in stops if order.side == BUY), default=_NOWHERE),
        max((order.ticks for order in stops if order.side != BUY), default=0),
    )


@dataclass(slots=True)
class Account:
    """The book, as the facts so far have made it."""

    free: dict[str, int] = field(default_factory=dict)
    locked: dict[str, int] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    #: What an order still holds of the asset it gives away.
    held: dict[str, int] = field(default_factory=dict)
    #: Lots in front of a resting order. Not a fact: after a restart the order is taken to stand behind what is shown.
    ahead: dict[str, int] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    last_order: int = 0
    last_trade: int = 0
    #: Market time of the newest fact.
    time_ms: int = 0
    #: The orders that have not ended, by symbol, and what has to happen before any of them is concerned.
    alive: dict[str, dict[str, Order]] = field(default_factory=dict)
    edges: dict[str, Edges] = field(default_factory=dict)

    def balances(self) -> dict[str, Balance]:
        """Asset -> free and locked quanta."""
        return {asset: Balance(amount, self.locked.get(asset, 0)) for asset, amount in self.free.items()}

    def resting(self, symbol: str | None = None) -> list[Order]:
        """Orders that have not ended, of one symbol or all."""
        chosen = self.alive.values() if symbol is None else [self.alive.get(symbol, {})]
        return [order for orders in chosen for order in orders.values()]

    def is_touched(self, update: PriceUpdate) -> bool:
        """Whether a price may concern an order that rests: without a look at each of them."""
        if not self.alive.get(update.symbol):
            return False
        edges = self.edges.get(update.symbol)
        if edges is None:
            edges = self.edges[update.symbol] = _edges_of(self.alive[update.symbol].values())
        return edges.is_reached(update)

    def apply(self, facts: Iterable[Fact], instruments: Instruments) -> None:
        """Change the book by facts, in their order."""
        for kind, *content in facts:
            if kind == "funds":
                asset, amount = content
                self.free[asset] = self.free.get(asset, 0) + amount
                self.locked.setdefault(asset, 0)
            elif kind == "order":
                self._add(_order(content[0]), content[1], instruments)
            elif kind == "fill":
                self._fill(Fill(*content), instruments)
            elif kind == "end":
                self._end(content[0], content[1], content[2], instruments)
            elif kind == "book":
                self._restore(*content)
        self._forget()

    def _restore(
        self,
        free: dict[str, int],
        locked: dict[str, int],
        orders: list[list[Any]],
        held: dict[str, int],
        fills_: list[list[Any]],
        counters: list[int],
    ) -> None:
        self.free, self.locked, self.held = dict(free), dict(locked), dict(held)
        self.orders, self.alive = {}, {}
        for order in map(_order, orders):
            self._put(order)
        self.fills = [Fill(*row) for row in fills_]
        self.last_order, self.last_trade, self.time_ms = counters

    def _put(self, order: Order) -> None:
        self.orders[order.client_order_id] = order
        self.edges.pop(order.symbol, None)
        if is_terminal(order):
            self.alive.get(order.symbol, {}).pop(order.client_order_id, None)
        else:
            self.alive.setdefault(order.symbol, {})[order.client_order_id] = order

    def _add(self, order: Order, held: int, instruments: Instruments) -> None:
        asset = gives(order, instruments(order.symbol))
        self._move(asset, -held, held)
        self._put(order)
        self.held[order.client_order_id] = held
        self.last_order = max(self.last_order, int(order.venue_order_id))
        self.time_ms = max(self.time_ms, order.updated_ms)

    def _fill(self, fill: Fill, instruments: Instruments) -> None:
        order = self.orders[fill.client_order_id]
        instrument = instruments(fill.symbol)
        base, quote = fill.lots * instrument.base_per_lot, fill.ticks * fill.lots * instrument.tick_lot
        given = quote if fill.side == BUY else base
        self.held[fill.client_order_id] -= given
        self._move(gives(order, instrument), 0, -given)
        received = (base if fill.side == BUY else quote) - fill.fee
        self._move(fill.fee_asset, received, 0)
        after = book(order, fill.lots)._replace(updated_ms=max(order.updated_ms, fill.time_ms))
        self._put(after)
        self.fills.append(fill)
        self.last_trade = max(self.last_trade, int(fill.trade_id))
        self.time_ms = max(self.time_ms, fill.time_ms)
        if is_terminal(after):
            self._release(after, instrument)

    def _end(self, name: str, status: int, time_ms: int, instruments: Instruments) -> None:
        order = self.orders[name]
        self._put(order._replace(status=status, updated_ms=max(order.updated_ms, time_ms)))
        self._release(order, instruments(order.symbol))

    def _release(self, order: Order, instrument: Instrument) -> None:
        left = self.held.pop(order.client_order_id, 0)
        self.ahead.pop(order.client_order_id, None)
        self._move(gives(order, instrument), left, -left)

    def _move(self, asset: str, free: int, locked: int) -> None:
        self.free[asset] = self.free.get(asset, 0) + free
        self.locked[asset] = self.locked.get(asset, 0) + locked

    def _forget(self) -> None:
        if len(self.orders) > 2 * _KEPT_ORDERS:
            ended = [name for name, order in self.orders.items() if is_terminal(order)]
            for name in ended[:-_KEPT_ORDERS]:
                del self.orders[name]
        if len(self.fills) > 2 * _KEPT_FILLS:
            del self.fills[:-_KEPT_FILLS]


def gives(order: Order, instrument: Instrument) -> str:
    """The asset that an order gives away."""
    return instrument.quote if order.side == BUY else instrument.base


def refusal(account: Account, order: Order, price: PriceUpdate, instrument: Instrument) -> str:
    """Why the venue would refuse an order; empty when it would not."""
    if order.lots < instrument.min_quantity / instrument.lot_size or order.lots > instrument.max_lots:
        return "the quantity is outside what the instrument allows."
    limit = order.ticks or (price.ask if order.side == BUY else price.bid)
    if limit <= 0:
        return "there is no price to trade at."
    if instrument.notional(limit, order.lots) < instrument.min_notional:
        return "the notional is below the smallest order."
    if order.type == POST_ONLY and fills.is_marketable(order.side, order.ticks, price.bid, price.ask):
        return "a post-only order would be taken."
    if cost(order, price, instrument) > account.free.get(gives(order, instrument), 0):
        return "the balance is not enough."
    return ""


def cost(order: Order, price: PriceUpdate, instrument: Instrument) -> int:
    """Quanta of the asset given away that an order holds while it lives."""
    if order.side != BUY:
        return order.lots * instrument.base_per_lot
    limit = price.ask if order.type == MARKET else order.ticks
    return limit * order.lots * instrument.tick_lot


def placed(account: Account, order: Order, price: PriceUpdate, instrument: Instrument, now_ms: int) -> Fact:
    """The fact that an order is on the book."""
    held = cost(order, price, instrument)
    known = order._replace(
        status=OPEN, venue_order_id=str(account.last_order + 1), updated_ms=now_ms, filled=0, booked=0
    )
    return ["order", [list(order.key), *known[1:]], held]


def taken(
    account: Account, order: Order, price: PriceUpdate, instrument: Instrument, rates: tuple[int, int]
) -> list[Fact]:
    """Facts of an order that takes what the book shows, at its best price."""
    ticks = price.ask if order.side == BUY else price.bid
    if order.type == STOP_MARKET or not (order.type == MARKET or _takes(order, price)):
        return []
    fact = fill_fact(account.last_trade + 1, order, ticks, remaining(order), instrument, rates[1], price.time_ms)
    return [[*fact[:9], False, fact[10]]]


def _takes(order: Order, price: PriceUpdate) -> bool:
    return order.type == LIMIT and fills.is_marketable(order.side, order.ticks, price.bid, price.ask)


def fill_fact(trade: int, order: Order, ticks: int, lots: int, instrument: Instrument, rate: int, time_ms: int) -> Fact:
    """The fact of a fill as maker; the fee is taken of what is received."""
    buys = order.side == BUY
    received = lots * instrument.base_per_lot if buys else ticks * lots * instrument.tick_lot
    asset = instrument.base if buys else instrument.quote
    charged = fills.fee(received, rate)
    return [
        "fill",
        order.symbol,
        str(trade),
        order.client_order_id,
        order.side,
        ticks,
        lots,
        charged,
        asset,
        True,
        time_ms,
    ]


def cancelled(order: Order, now_ms: int) -> Fact:
    """The fact that an order was cancelled."""
    return ["end", order.client_order_id, CANCELLED, now_ms]


def snapshot(account: Account) -> list[Fact]:
    """One fact that makes the same book from nothing."""
    orders = [[list(order.key), *order[1:]] for order in account.orders.values()]
    counters = [account.last_order, account.last_trade, account.time_ms]
    return [["book", account.free, account.locked, orders, account.held, [list(f) for f in account.fills], counters]]


def encode(facts: list[Fact]) -> bytes:
    """One record of the store."""
    return orjson.dumps(facts)


def decode(record: bytes) -> list[Fact]:
    """The facts of a record."""
    found: list[Fact] = orjson.loads(record)
    return found


def _order(row: list[Any]) -> Order:
    return Order(OrderKey(*row[0]), *row[1:])
