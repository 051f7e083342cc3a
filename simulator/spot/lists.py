"""Order lists: OCO (one cancels the other), OTO (one triggers the other), OTOCO (one triggers an OCO).

An OCO pair locks once, the larger of its two needs; the lock stays with the list until one half is triggered or
trades and so turns the other out. Pending orders of an OTO lock nothing before their working order is filled.
"""

from __future__ import annotations

from simulator.errors import DUPLICATE_ORDER, VenueError, rejected
from simulator.spot.desk import Desk, Listing
from simulator.spot.engine import OCO_TRIGGER, PHASE_ONE_EXPIRED, REJECTED, Engine
from simulator.spot.funds import check_funds, need
from simulator.spot.types import ContingencyType, ExecutionType, ListStatus, NewList, OrderList, OrderStatus, SpotOrder


class Lists:
    """The engine's `ListHooks`: keeps every list's orders in step."""

    def __init__(self, desk: Desk, engine: Engine) -> None:
        self._desk = desk
        self._engine = engine
        engine.hooks = self

    def place(self, listing: Listing, account_id: int, new: NewList, orders: list[SpotOrder]) -> OrderList:
        """Accept a list whose orders have passed every filter; refuses (-2010) before anything is changed."""
        client_id = new.client_id or self._desk.client_ids.next()
        self._check_client_ids(account_id, client_id, orders)
        first = orders if new.kind == "OCO" else orders[:1]
        locks = [self._engine.check(listing, order) for order in first]
        now = self._desk.clock.now_ms()
        contingency: ContingencyType = "OCO" if new.kind == "OCO" else "OTO"
        placed = OrderList(len(self._desk.lists), account_id, new.symbol, contingency, client_id, now, orders)
        self._desk.lists[placed.order_list_id] = self._desk.open_lists[placed.order_list_id] = placed
        for order in orders:
            order.order_list_id = placed.order_list_id
            self._engine.accept(listing, order)
        if contingency == "OCO":
            self._start_pair(listing, placed, orders, max(locks))
        else:
            self._start_working(listing, placed, locks[0])
        return placed

    def cancel(self, listing: Listing, order_list: OrderList, renamed: str | None = None) -> None:
        """Cancel every order of a list that is still open; all get the same new client id when one is given."""
        for order in order_list.orders:
            if order.is_open:
                self.cancel_order(listing, order, renamed)

    def cancel_order(self, listing: Listing, order: SpotOrder, renamed: str | None = None) -> None:
        """Cancel one open order, in a list or not; a list's other orders go with it."""
        if order.order_list_id >= 0:
            self.hand_over_lock(self._desk.lists[order.order_list_id], order)
        self._engine.end(listing, order, "CANCELED", "CANCELED", renamed=renamed or self._desk.client_ids.next())

    def renamed(self, order_list: OrderList) -> None:
        """Tell that an amend gave an order of the list a new client id."""
        order_list.status_type = "UPDATED"
        self._tell(order_list)

    def engaged(self, listing: Listing, order: SpotOrder) -> None:
        """An order of a pair trades or was triggered: it takes over the pair's lock, the other expires."""
        order_list = self._desk.lists[order.order_list_id]
        other = self.partner(order)
        if other is None or not other.is_open:
            return
        self.hand_over_lock(order_list, order)
        self._engine.end(listing, other, "EXPIRED", "EXPIRED", OCO_TRIGGER)
        if order.locked > (keep := need(listing, order)):
            self._engine.release(listing, order, keep)

    def ended(self, listing: Listing, order: SpotOrder) -> None:
        """An order of a list is open no longer: the others follow it, or their turn has come."""
        order_list = self._desk.lists[order.order_list_id]
        if order_list.contingency == "OTO" and order is order_list.orders[0] and order.status == "FILLED":
            self._engine.followups.append(lambda: self._activate(listing, order_list))
        elif order.status != "FILLED" and order.expiry_reason != OCO_TRIGGER:
            self._follow(listing, order_list, order)
        if order_list.is_open and not any(one.is_open for one in order_list.orders):
            order_list.status_type = order_list.order_status = "ALL_DONE"
            del self._desk.open_lists[order_list.order_list_id]
            self._tell(order_list)

    def partner(self, order: SpotOrder) -> SpotOrder | None:
        """The other half of an OCO pair; None for orders that are in no pair."""
        if order.order_list_id < 0:
            return None
        order_list = self._desk.lists[order.order_list_id]
        pair = order_list.orders if order_list.contingency == "OCO" else order_list.orders[1:]
        if len(pair) != 2 or order not in pair:
            return None
        return pair[1] if order is pair[0] else pair[0]

    def relock(self, listing: Listing, order: SpotOrder) -> None:
        """After an amend of a pair: give back what neither half needs any more."""
        order_list, other = self._desk.lists[order.order_list_id], self.partner(order)
        if other is None or not order_list.locked:
            return
        keep = max(need(listing, order), need(listing, other))
        self._engine.move_lock(listing, order, keep - order_list.locked, "unlock")
        order_list.locked = keep

    def _check_client_ids(self, account_id: int, client_id: str, orders: list[SpotOrder]) -> None:
        for order_list in self._desk.open_lists.values():
            if order_list.account_id == account_id and order_list.client_id == client_id:
                raise rejected(DUPLICATE_ORDER)
        if len({order.client_order_id for order in orders}) < len(orders):
            raise rejected(DUPLICATE_ORDER)
        archive = self._desk.listing(orders[0].symbol).archive(account_id)
        if any(order.client_order_id in archive.open_clients for order in orders):
            raise rejected(DUPLICATE_ORDER)

    def _start_pair(self, listing: Listing, order_list: OrderList, pair: list[SpotOrder], amount: int) -> None:
        order_list.locked = amount
        self._engine.move_lock(listing, pair[0], amount, "lock")
        self._tell(order_list)
        for order in pair:
            if order.is_open:
                self._engine.begin(listing, order)

    def _start_working(self, listing: Listing, order_list: OrderList, amount: int) -> None:
        working, *pending = order_list.orders
        self._tell(order_list)
        for order in pending:
            order.status = "PENDING_NEW"
        self._engine.lock(listing, working, amount)
        self._engine.begin(listing, working)
        for order in pending:
            if order.is_open:
                self._desk.report(order, "NEW")

    def _activate(self, listing: Listing, order_list: OrderList) -> None:
        """The working order is filled: its pending orders start, or expire as rejected when the engine refuses them."""
        pending = [order for order in order_list.orders[1:] if order.status == "PENDING_NEW"]
        try:
            locks = [self._check_pending(listing, order) for order in pending]
        except VenueError:
            for order in pending:
                if order.is_open:
                    self._engine.end(listing, order, "EXPIRED", "EXPIRED", REJECTED)
            return
        for order in pending:
            order.update_ms = self._desk.clock.now_ms()
        if len(pending) == 2:
            order_list.locked = max(locks)
            self._engine.move_lock(listing, pending[0], order_list.locked, "lock")
        elif pending:
            self._engine.lock(listing, pending[0], locks[0])
        for order in pending:
            if order.is_open:
                self._engine.begin(listing, order)

    def _check_pending(self, listing: Listing, order: SpotOrder) -> int:
        self._engine.check_price(listing, order)
        return check_funds(self._desk, listing, order)

    def _follow(self, listing: Listing, order_list: OrderList, order: SpotOrder) -> None:
        """One order was cancelled or expired: the rest of the list goes the same way."""
        status: OrderStatus = "CANCELED" if order.status == "CANCELED" else "EXPIRED"
        execution: ExecutionType = "CANCELED" if status == "CANCELED" else "EXPIRED"
        for other in order_list.orders:
            if not other.is_open:
                continue
            reason = PHASE_ONE_EXPIRED if order is order_list.orders[0] else order.expiry_reason
            self.hand_over_lock(order_list, other)
            renamed = self._desk.client_ids.next() if status == "CANCELED" else None
            self._engine.end(listing, other, status, execution, reason if status == "EXPIRED" else 0, renamed=renamed)

    def hand_over_lock(self, order_list: OrderList, order: SpotOrder) -> None:
        """The pair's lock becomes this order's own; an order that is in no pair has none to take over."""
        if self.partner(order) is None:
            return
        order.locked += order_list.locked
        order_list.locked = 0

    def _tell(self, order_list: OrderList) -> None:
        now = self._desk.clock.now_ms()
        self._desk.tape.append(
            "list",
            market="spot",
            account=order_list.account_id,
            symbol=order_list.symbol,
            list=order_list.order_list_id,
            client=order_list.client_id,
            status_type=order_list.status_type,
            status=order_list.order_status,
            orders=[order.order_id for order in order_list.orders],
        )
        self._desk.bus.publish(ListStatus(order_list, now))
