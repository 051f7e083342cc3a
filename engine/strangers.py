"""Orders under our name that their instance does not have in mind, found by what they executed or because they rest.

Some are in the journal: given up for lost long ago, and alive after all. Some are not, because the journal is older
than the venue: a backup was restored, or a replica that lagged took over. Those are asked for and taken over, one
after the other as they were executed, so that the strategy comes to know what it had known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.base_exchange import BaseExchange, OpenOrder
from core.base_journal import BaseJournal
from core.crash_points import reach
from domain.client_order_id import OrderKey
from domain.errors import Transient
from domain.fill import Fill
from domain.order import (
    CANCELLED,
    ENTRY,
    EXIT,
    FLATTEN,
    LIMIT,
    MARKET,
    OPEN,
    STOP,
    Order,
    OrderReport,
    is_terminal,
)
from domain.sentences import say
from engine.alarms import Alarms
from engine.inputs import Found, Input
from engine.trading_engine import TradingEngine
from engine.venue_orders import order_at_venue


@dataclass(slots=True)
class Stranger:
    """What is known of an order before it was asked for."""

    key: OrderKey
    rests: OpenOrder | None = None
    fills: list[Fill] = field(default_factory=list)


class Strangers:
    """Finds out about the orders of one account."""

    def __init__(self, exchange: BaseExchange, journal: BaseJournal, alarms: Alarms) -> None:
        self._exchange = exchange
        self._journal = journal
        self._alarms = alarms

    async def introduce(
        self, engine: TradingEngine, found: Mapping[str, Stranger], executed: Sequence[Fill]
    ) -> dict[str, list[Input]]:
        """Name -> what the engine has to be told before anything that the order executed.

        `executed` is everything that was read of the symbol. Raises what the venue's and the journal's reads raise.
        """
        journaled = await self._journal.find_orders(engine.instance.instance, list(found))
        kept = {order.client_order_id: order for order in journaled}
        told: dict[str, list[Input]] = {}
        rebuilt = []
        for name, stranger in found.items():
            reach("strangers.before_ask")
            if name in kept:
                report = await self._exchange.query(kept[name])
                told[name] = [Found(kept[name], is_journaled=True), *([] if report is None else [report])]
            elif (order := await self._ask(engine, name, stranger)) is not None:
                ended = await self._end_before(engine, order, executed)
                told[name] = [*ended, Found(order, is_journaled=False)]
                rebuilt.append(order)
                reach("strangers.order_taken_over")
        if rebuilt:
            self._tell(engine, rebuilt)
        return told

    async def _ask(self, engine: TradingEngine, name: str, stranger: Stranger) -> Order | None:
        asked = _as_seen(engine, name, stranger)
        if asked is None:
            return None
        order = await order_at_venue(self._exchange, asked)
        executed = sum(fill.lots for fill in stranger.fills)
        if order is not None:
            return order._replace(filled=max(order.filled, executed))
        # It has been forgotten since; what it executed is in the account's trades.
        newest = max((fill.time_ms for fill in stranger.fills), default=0)
        return asked._replace(status=CANCELLED, filled=executed, updated_ms=newest) if executed else None

    async def _end_before(self, engine: TradingEngine, order: Order, executed: Sequence[Fill]) -> list[Input]:
        """The end of the order that the slot had before: it has ended, or this one had never been sent."""
        last = engine.instance.orders.get(order.key.slot)
        if last is None or is_terminal(last) or last.client_order_id == order.client_order_id:
            return []
        report = await self._exchange.query(last)
        if report is not None and report.status == OPEN:
            both = f"{order.client_order_id} and {last.client_order_id}"
            raise Transient(
                say("two_for_one_slot", "the venue shows {both} for one slot of one instance; ask again.", both=both)
            )
        if report is None:
            name = last.client_order_id
            lots = sum(fill.lots for fill in executed if fill.client_order_id == name)
            report = OrderReport(name, last.venue_order_id, CANCELLED, max(last.filled, last.booked, lots), 0)
        return [report]

    def _tell(self, engine: TradingEngine, rebuilt: list[Order]) -> None:
        number = engine.instance.instance
        self._alarms.ring(
            "journal_behind",
            say(
                "journal_was_behind",
                "the database was older than what the exchange has done for instance {number}: {count} orders were "
                "taken over from there, and what they executed is booked. "
                "Look whether the strategy stands as it should.",
                number=number,
                count=len(rebuilt),
            ),
            number,
        )


def _as_seen(engine: TradingEngine, name: str, stranger: Stranger) -> Order | None:
    """The order as far as it shows by what it executed, or as it rests."""
    instrument, rests, key = engine.instance.instrument, stranger.rests, stranger.key
    is_exit = key.leg in (EXIT, STOP, FLATTEN)
    if rests is not None:
        found = Order(key, name, instrument.symbol, rests.side, LIMIT, rests.ticks, rests.lots, is_exit)
        return found._replace(venue_order_id=rests.venue_order_id)
    if not stranger.fills:
        return None
    first, lots = stranger.fills[0], sum(fill.lots for fill in stranger.fills)
    kind, ticks = (LIMIT, first.ticks) if key.leg in (ENTRY, EXIT) else (MARKET, 0)
    return Order(key, name, instrument.symbol, first.side, kind, ticks, lots, is_exit)
