"""The algo service: conditional orders that wait for a price and then become ordinary ones.

NEW -> TRIGGERING (the condition is met) -> TRIGGERED (the engine took the order) -> FINISHED (that order is over).
Or CANCELED (by the customer), REJECTED (the engine refused), EXPIRED (by the venue: GTD, price protection).
"""

from __future__ import annotations

from dataclasses import replace

from simulator.errors import VenueError
from simulator.futures.algo_store import AlgoStore
from simulator.futures.lifecycle import Lifecycle
from simulator.futures.positions import PositionBook
from simulator.futures.refusals import refuse
from simulator.futures.state import Core
from simulator.futures.trading import Trading
from simulator.futures.types import AlgoOrder, AlgoStatus, AlgoUpdate, FuturesOrder, NewOrder
from simulator.futures.validation import Validation
from simulator.market.types import Side
from simulator.units import ONE, format_quanta

TRIGGER_PROTECT = ONE // 20
"""Largest distance between contract and mark price at which a price-protected order still triggers (5 %)."""
WHOLE_RATE = 100 * ONE


class AlgoService:
    """Conditional orders of all accounts."""

    def __init__(
        self, core: Core, positions: PositionBook, validation: Validation, trading: Trading, lifecycle: Lifecycle
    ) -> None:
        self._core = core
        self._positions = positions
        self._validation = validation
        self._trading = trading
        self._lifecycle = lifecycle
        self.store = AlgoStore()
        lifecycle.ended.append(self._order_ended)

    def place(self, account_id: int, new: NewOrder) -> AlgoOrder:
        """Check and keep a conditional order. `new.client_order_id` is the clientAlgoId."""
        algo = self._build(account_id, new)
        algo.algo_id = self.store.next_id()
        algo.client_algo_id = new.client_order_id or f"algo_{algo.algo_id:017d}"
        self.store.accept(algo)
        self._tell(algo, "NEW")
        return algo

    def _build(self, account_id: int, new: NewOrder) -> AlgoOrder:
        self._validation.conditional(account_id, new)
        listing = self._core.listing(new.symbol)
        self._check_place(account_id, new)
        if not (new.reduce_only or new.close_position or _closes(new)):
            price = new.price or new.trigger_price or self.price(new.symbol, new.working_type)
            self._validation.notional(listing.instrument, price, new.quantity or 0)
        now = self._core.now()
        algo = AlgoOrder(
            0,
            account_id,
            new.symbol,
            new.side,
            new.position_side,
            new.type,
            new.time_in_force or "GTC",
            new.price or 0,
            new.quantity or 0,
            new.trigger_price or 0,
            "",
            now,
            reduce_only=new.reduce_only,
            close_position=new.close_position,
            working_type=new.working_type,
            price_protect=new.price_protect,
            price_match=new.price_match or "NONE",
            self_trade_prevention=new.self_trade_prevention or "EXPIRE_MAKER",
            activate_price=new.activate_price or 0,
            callback_rate=new.callback_rate or 0,
            good_till_ms=new.good_till_ms or 0,
            update_ms=now,
        )
        self._check_not_due(algo)
        return algo

    def _check_place(self, account_id: int, new: NewOrder) -> None:
        waiting = self.store.waiting_of(account_id, new.symbol)
        if new.client_order_id:
            found = self.store.find(account_id, None, new.client_order_id)
            if found is not None and found.status in ("NEW", "TRIGGERING", "TRIGGERED"):
                raise refuse(-4116)
        limit = self._core.listing(new.symbol).instrument.filters.maximum_algo_orders
        if limit and len(waiting) >= limit:
            raise refuse(-4045)
        same = (new.side, new.position_side, new.type, True)
        if new.close_position and any(
            (algo.side, algo.position_side, algo.type, algo.close_position) == same for algo in waiting
        ):
            raise refuse(-4130)

    def _check_not_due(self, algo: AlgoOrder) -> None:
        """-2021 for a condition that holds already."""
        price = self.price(algo.symbol, algo.working_type)
        if algo.type == "TRAILING_STOP_MARKET":
            if not algo.activate_price:
                algo.activate_price = price
                algo.extreme_price = price
            elif _reached(algo, price):
                raise refuse(-2021)
        elif _is_met(algo, price):
            raise refuse(-2021)

    def price(self, symbol: str, working_type: str) -> int:
        """The price conditions look at."""
        listing = self._core.listing(symbol)
        return listing.mark if working_type == "MARK_PRICE" else listing.market.last_price

    def cancel(self, account_id: int, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder:
        """Cancel one that waits; -2011 when there is none."""
        algo = self.store.find(account_id, algo_id, client_algo_id)
        if algo is None or algo.status != "NEW":
            raise refuse(-2011)
        self._end(algo, "CANCELED")
        return algo

    def cancel_all(self, account_id: int, symbol: str) -> list[AlgoOrder]:
        """Cancel all that wait on a symbol."""
        self._core.listing(symbol)
        waiting = self.store.waiting_of(account_id, symbol)
        for algo in waiting:
            self._end(algo, "CANCELED")
        return waiting

    def order(self, account_id: int, algo_id: int | None, client_algo_id: str | None) -> AlgoOrder:
        """One in any status; -2013 when there is none."""
        algo = self.store.find(account_id, algo_id, client_algo_id)
        if algo is None:
            raise refuse(-2013)
        return algo

    def open_orders(self, account_id: int, symbol: str | None = None, algo_id: int | None = None) -> list[AlgoOrder]:
        """Those that wait, oldest first."""
        if symbol is not None:
            self._core.listing(symbol)
        waiting = self.store.waiting_of(account_id, symbol)
        return [algo for algo in waiting if algo_id is None or algo.algo_id == algo_id]

    def all_orders(
        self,
        account_id: int,
        symbol: str,
        algo_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[AlgoOrder]:
        """All on a symbol, oldest first: from `algo_id` or `start_ms` on, else the newest."""
        self._core.listing(symbol)
        found = [
            algo
            for algo in self.store.all_of(account_id)
            if algo.symbol == symbol
            and (algo_id is None or algo.algo_id >= algo_id)
            and (start_ms is None or algo.time_ms >= start_ms)
            and (end_ms is None or algo.time_ms <= end_ms)
        ]
        return found[-limit:] if algo_id is None and start_ms is None else found[:limit]

    def expire_due(self, now_ms: int) -> None:
        """End those whose goodTillDate has come."""
        for algo in self.store.due(now_ms):
            self._end(algo, "EXPIRED")

    def expire(self, account_id: int, symbol: str) -> None:
        """End all of an account on a symbol: the venue does so when it liquidates."""
        for algo in self.store.waiting_of(account_id, symbol):
            self._end(algo, "EXPIRED")

    def on_price(self, symbol: str) -> None:
        """Look at the symbol's prices and let what is due trigger, oldest first."""
        for algo in self.store.waiting(symbol):
            if algo.status == "NEW" and self._is_due(algo):
                self._trigger(algo)

    def _is_due(self, algo: AlgoOrder) -> bool:
        price = self.price(algo.symbol, algo.working_type)
        if algo.type != "TRAILING_STOP_MARKET":
            return _is_met(algo, price)
        if not algo.extreme_price:
            if not _reached(algo, price):
                return False
            algo.extreme_price = price
        if algo.side == "SELL":
            algo.extreme_price = max(algo.extreme_price, price)
            return price * WHOLE_RATE <= algo.extreme_price * (WHOLE_RATE - algo.callback_rate)
        algo.extreme_price = min(algo.extreme_price, price)
        return price * WHOLE_RATE >= algo.extreme_price * (WHOLE_RATE + algo.callback_rate)

    def _trigger(self, algo: AlgoOrder) -> None:
        self.store.stop_waiting(algo)
        algo.trigger_ms = self._core.now()
        if algo.price_protect and self._is_far_from_mark(algo.symbol):
            self._end(algo, "EXPIRED")
            return
        self._tell(algo, "TRIGGERING")
        try:
            order = self._trading.check(algo.account_id, self._becomes(algo), algo.algo_id)
        except VenueError as error:
            algo.reject_reason = error.message
            self._tell(algo, "REJECTED")
            return
        order.original_type = algo.type
        order.trigger_price = algo.trigger_price
        order.activate_price, order.callback_rate = algo.activate_price, algo.callback_rate
        order.working_type, order.price_protect = algo.working_type, algo.price_protect
        if algo.good_till_ms:
            order.time_in_force, order.good_till_ms = "GTD", algo.good_till_ms
        algo.order = order
        self._lifecycle.accept(order)
        self._tell(algo, "TRIGGERED")
        self._trading.work(order)

    def _becomes(self, algo: AlgoOrder) -> NewOrder:
        """The request for the ordinary order."""
        quantity = algo.quantity
        if algo.close_position:
            position = self._positions.peek(algo.account_id, algo.symbol, algo.position_side)
            if position is None or not position.quantity:
                raise refuse(-2022)
            quantity = abs(position.quantity)
        limit = algo.type in ("STOP", "TAKE_PROFIT")
        new = NewOrder(
            algo.symbol,
            algo.side,
            "LIMIT" if limit else "MARKET",
            algo.position_side,
            quantity=quantity,
            reduce_only=algo.reduce_only,
            close_position=algo.close_position,
            client_order_id=algo.client_algo_id,
            self_trade_prevention=algo.self_trade_prevention,
        )
        if not limit:
            return new
        time_in_force = "GTC" if algo.time_in_force == "GTD" else algo.time_in_force
        if algo.price_match != "NONE":
            return replace(new, time_in_force=time_in_force, price_match=algo.price_match)
        return replace(new, time_in_force=time_in_force, price=algo.price)

    def _is_far_from_mark(self, symbol: str) -> bool:
        listing = self._core.listing(symbol)
        return abs(listing.market.last_price - listing.mark) * ONE > listing.mark * TRIGGER_PROTECT

    def _order_ended(self, order: FuturesOrder) -> None:
        algo = self.store.by_id(order.algo_id) if order.algo_id else None
        if algo is not None and algo.order is order:
            self._tell(algo, "FINISHED")

    def _end(self, algo: AlgoOrder, status: AlgoStatus) -> None:
        self.store.stop_waiting(algo)
        self._tell(algo, status)

    def _tell(self, algo: AlgoOrder, status: AlgoStatus) -> None:
        algo.status = status
        algo.update_ms = self._core.now()
        self._core.tape.append(
            "algo",
            market="futures",
            algo=algo.algo_id,
            client=algo.client_algo_id,
            account=algo.account_id,
            symbol=algo.symbol,
            side=algo.side,
            position_side=algo.position_side,
            type=algo.type,
            trigger=format_quanta(algo.trigger_price),
            price=format_quanta(algo.price),
            quantity=format_quanta(algo.quantity),
            status=status,
            order=algo.order.order_id if algo.order else 0,
            reason=algo.reject_reason,
        )
        self._core.bus.publish(AlgoUpdate(algo, algo.update_ms))


def _closes(new: NewOrder) -> bool:
    """Whether a hedge-mode order goes against its position side."""
    return new.position_side != "BOTH" and new.side == ("SELL" if new.position_side == "LONG" else "BUY")


def _is_met(algo: AlgoOrder, price: int) -> bool:
    """Whether a stop or take-profit condition holds at a price."""
    rises: Side = "BUY" if algo.type in ("STOP", "STOP_MARKET") else "SELL"
    return price >= algo.trigger_price if algo.side == rises else price <= algo.trigger_price


def _reached(algo: AlgoOrder, price: int) -> bool:
    """Whether a trailing stop's activation price is reached."""
    return price >= algo.activate_price if algo.side == "SELL" else price <= algo.activate_price
