"""The life of an ordinary order: acceptance, rest, change, end. Every step is published and written on the tape."""

from __future__ import annotations

from collections.abc import Callable

from simulator.events import BookMoved
from simulator.futures.order_store import OrderStore
from simulator.futures.positions import PositionBook
from simulator.futures.state import Core
from simulator.futures.types import ExecutionType, Fill, FuturesOrder, OrderStatus, OrderUpdate, PositionSide
from simulator.units import trim_quanta


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
        """Publish what happened to an order, and write it down unless it is a fill (trades have their own lines)."""
        order.update_ms = self._core.now()
        if fill is None:
            self._tape(order, execution)
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
        self._tape(order, "TRADE")
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

    def _tape(self, order: FuturesOrder, event: str) -> None:
        self._core.tape.append(
            "order",
            market="futures",
            event=event,
            order=order.order_id,
            client_id=order.client_order_id,
            account=order.account_id,
            symbol=order.symbol,
            side=order.side,
            position_side=order.position_side,
            type=order.type,
            time_in_force=order.time_in_force,
            reduce_only=order.reduce_only,
            price=trim_quanta(order.price),
            quantity=trim_quanta(order.quantity),
            executed=trim_quanta(order.executed),
            status=order.status,
            algo=order.algo_id,
        )
