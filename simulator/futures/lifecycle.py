"""The life of an ordinary order: acceptance, rest, change, end. Every step is published and written on the tape."""

from __future__ import annotations

from collections.abc import Callable

from simulator.events import BookMoved
from simulator.futures.order_store import OrderStore
from simulator.futures.positions import PositionBook
from simulator.futures.state import Core
from simulator.futures.types import ExecutionType, Fill, FuturesOrder, OrderStatus, OrderUpdate, PositionSide
from simulator.units import format_quanta


class Lifecycle:
    """Keeps store, book, bus and tape in step; `ended` is called with every order that is no longer open."""

    def __init__(self, core: Core, orders: OrderStore, positions: PositionBook) -> None:
        self._core = core
        self._orders = orders
        self._positions = positions
        self._resting: set[int] = set()
        self.ended: list[Callable[[FuturesOrder], None]] = []

    def accept(self, order: FuturesOrder) -> None:
        """A new order exists."""
        self._orders.accept(order)
        self.tell(order, "NEW")

    def tell(self, order: FuturesOrder, execution: ExecutionType, fill: Fill | None = None) -> None:
        """Publish what happened to an order, and write it down."""
        order.update_ms = self._core.now()
        self._tape(order, execution, fill)
        self._core.bus.publish(OrderUpdate(order, execution, order.update_ms, fill))

    def rest(self, order: FuturesOrder) -> None:
        """Put what remains on the book."""
        self._core.listing(order.symbol).book.add(order)
        self._resting.add(order.order_id)
        self._orders.expose(order, order.remaining)

    def is_resting(self, order: FuturesOrder) -> bool:
        """Whether the order stands on the book."""
        return order.order_id in self._resting

    def took(self, order: FuturesOrder, quantity: int) -> None:
        """A resting order has traded: less of it is left to expose (the book has dropped it if nothing is)."""
        self._orders.expose(order, -quantity)
        if not order.remaining:
            self._resting.discard(order.order_id)

    def unrest(self, order: FuturesOrder) -> None:
        """Take an order off the book if it stands there."""
        if order.order_id in self._resting:
            self._resting.discard(order.order_id)
            self._core.listing(order.symbol).book.remove(order)
            self._orders.expose(order, -order.remaining)

    def end(self, order: FuturesOrder, status: OrderStatus, execution: ExecutionType) -> None:
        """The order is over without (more) fills: cancelled, expired."""
        self.unrest(order)
        order.status = status
        self._orders.close(order)
        self.tell(order, execution)
        self._was_ended(order)
        self._core.bus.publish(BookMoved("futures", order.symbol))

    def filled(self, order: FuturesOrder) -> None:
        """The order is over because nothing remains."""
        self._orders.close(order)
        self._was_ended(order)

    def _was_ended(self, order: FuturesOrder) -> None:
        for listener in self.ended:
            listener(order)

    def fit_reduce_only(self, account_id: int, symbol: str, side: PositionSide) -> None:
        """Shrink or expire resting reduce-only orders that would do more than close the position."""
        position = self._positions.get(account_id, symbol, side)
        closing = "SELL" if position.quantity > 0 else "BUY"
        size = abs(position.quantity)
        for order in self._orders.open_of(account_id, symbol):
            if not order.reduce_only or order.position_side != side or not self.is_resting(order):
                continue
            if not size or order.side != closing:
                self.end(order, "EXPIRED", "EXPIRED")
            elif order.remaining > size:
                order.quantity = order.executed + size
                self._core.listing(symbol).book.changed()
                self.tell(order, "AMENDMENT")

    def _tape(self, order: FuturesOrder, execution: ExecutionType, fill: Fill | None) -> None:
        extra = ""
        if fill is not None:
            extra = (
                f',"trade":{fill.trade_id},"last_price":"{format_quanta(fill.price)}",'
                f'"last_quantity":"{format_quanta(fill.quantity)}","commission":"{format_quanta(fill.commission)}",'
                f'"commission_asset":"{fill.commission_asset}","realized":"{format_quanta(fill.realized_pnl)}",'
                f'"maker":{"true" if fill.is_maker else "false"}'
            )
        self._core.tape.append_members(
            "order",
            f'"market":"futures","account":{order.account_id},"symbol":"{order.symbol}","order":{order.order_id},'
            f'"client":"{order.client_order_id}","algo":{order.algo_id},"execution":"{execution}",'
            f'"status":"{order.status}","side":"{order.side}","position_side":"{order.position_side}",'
            f'"type":"{order.type}","time_in_force":"{order.time_in_force}",'
            f'"reduce_only":{"true" if order.reduce_only else "false"},"price":"{format_quanta(order.price)}",'
            f'"quantity":"{format_quanta(order.quantity)}","executed":"{format_quanta(order.executed)}",'
            f'"executed_quote":"{format_quanta(order.executed_quote)}"{extra}',
        )
