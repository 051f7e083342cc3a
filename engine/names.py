"""Proves that a name is free before an order is placed under it, where the journal was older than the venue's orders.

A journal that a backup was restored into does not know which names were given since. A venue takes a name again once
the order that had it has ended, so it is asked before, once for each name.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.order import Order
from engine.gate import NAME_ASKED_FOR
from engine.inputs import Found, Input
from engine.order_gateway import OrderGateway


class NameProof:
    """The names of one instance."""

    def __init__(self, gateway: OrderGateway, put: Callable[[Input], None], retry: Callable[[], None]) -> None:
        self._gateway = gateway
        self._put = put
        self._retry = retry
        #: Whether names have to be proven: an order was found of which the journal had not known.
        self.is_needed = False
        #: Keys alone, since nearly always there are none: an empty set takes three times the room.
        self._free: dict[str, None] = {}

    def objection(self, order: Order) -> str:
        """What holds the order back until the venue has answered; empty when its name is free."""
        name = order.client_order_id
        if not self.is_needed or name in self._free:
            self._free.pop(name, None)
            return ""
        self._gateway.look_up(order, self._take)
        return NAME_ASKED_FOR

    def _take(self, asked: Order, found: Order | None) -> None:
        if found is None:
            self._free[asked.client_order_id] = None
        else:
            self._put(Found(found, is_journaled=False))
        self._retry()
