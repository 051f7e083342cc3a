"""Start, recover and check are one path: compare what we believe with what the venue shows, and fold the difference.

One sweep reads an account's open orders once, and its trades per symbol from where it last read where anything is in
doubt, and serves every instance on the account. It decides nothing: reports and fills go to the engines like any other.
Orders under our name that no instance of ours believes in are cancelled with an alarm; foreign orders are counted and
never touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog

from core.background import give_way
from core.base_exchange import BaseExchange, OpenOrder
from core.base_journal import BaseJournal, Fenced
from core.clock import Clock
from core.crash_points import reach
from domain.client_order_id import ForeignOrderId, OrderKey, decode
from domain.fill import Fill
from domain.order import OPEN, PENDING, Order, OrderReport, is_complete
from domain.outcome import Rejected
from domain.sentences import say
from engine.alarms import Alarms
from engine.inputs import Input
from engine.order_gateway import OrderGateway
from engine.strangers import Stranger, Strangers
from engine.trading_engine import TradingEngine

log = structlog.get_logger(__name__)

#: How far before the newest trade booked, or the oldest order still working, trades are read for a new engine.
LOOK_BACK_MS = 3_600_000
#: How far before its last report trades are read for an order that has executed more than is booked.
MISSED_LOOK_BACK_MS = 24 * 3_600_000
#: Sweeps without any doubt after which the trades of a symbol are read all the same.
UNREAD_SWEEPS = 9
#: Orders that are compared before others have their turn: some hundreds take milliseconds.
AT_A_TIME = 50


#: Client order id -> an order that its engine takes to be at the venue.
Believed = Mapping[str, tuple[TradingEngine, Order]]


@dataclass(slots=True)
class Cursor:
    """How far the trades of a symbol have been read, and for whom."""

    engines: set[TradingEngine]
    #: Newest trade of the read before the last one: each trade is read twice, should the venue's list lag behind.
    before: str = ""
    last: str = ""
    #: Sweeps that have left it unread since.
    unread: int = 0


@dataclass(slots=True)
class SweepReport:
    """What a sweep has found."""

    orders: int = 0
    fills: int = 0
    foreign_orders: int = 0
    #: The same by symbol.
    foreign_by_symbol: Counter[str] = field(default_factory=Counter)
    #: Orders under our name that the venue shows as resting and nobody here believes in, by client order id.
    unbelieved: dict[str, OpenOrder] = field(default_factory=dict)
    #: Those of them that the venue has cancelled, or may have.
    orphans: list[str] = field(default_factory=list)
    #: Symbols of which an order is missing, or has executed what we do not know of.
    doubtful: set[str] = field(default_factory=set)
    #: Orders we believe in and the venue does not show as resting; being asked for.
    missing: list[str] = field(default_factory=list)


class PositionSyncer:
    """Sweeps one account."""

    def __init__(
        self,
        deployment: int,
        exchange: BaseExchange,
        journal: BaseJournal,
        gateway: OrderGateway,
        clock: Clock,
        alarms: Alarms | None = None,
    ) -> None:
        self._deployment = deployment
        self._exchange = exchange
        self._gateway = gateway
        self._clock = clock
        self._alarms = alarms if alarms is not None else Alarms()
        self._cursors: dict[str, Cursor] = {}
        self._strangers = Strangers(exchange, journal, self._alarms)
        #: Symbol -> executions that were told of orders which their instance does not have in mind.
        self._strays: dict[str, list[Fill]] = {}

    def distrust(self) -> None:
        """News may have been lost: the next sweep reads every trade, whatever the orders look like."""
        for cursor in self._cursors.values():
            cursor.unread = UNREAD_SWEEPS

    async def sweep(self, engines: Mapping[int, TradingEngine]) -> SweepReport:
        """Read the account and tell every engine what it has missed. Raises what the venue's reads raise."""
        report = SweepReport()
        # Believed orders are taken down before the venue is asked: one placed meanwhile is not missing.
        believed = {
            order.client_order_id: (engine, order) for engine in engines.values() for order in engine.sent_orders()
        }
        reach("syncer.before_open_orders")
        resting = await self._exchange.open_orders()
        reach("syncer.after_open_orders")
        report.orders = len(resting)
        seen = await self._compare_orders(resting, believed, engines, report)
        missing = [found for name, found in believed.items() if name not in seen and not _has_ended(*found)]
        report.doubtful |= {order.symbol for _, order in missing}
        for symbol in sorted({engine.instance.instrument.symbol for engine in engines.values()}):
            await self._read_fills(symbol, engines, report)
        for engine, order in missing:
            # An instance that was let go meanwhile is asked for by whoever takes it up.
            if engines.get(engine.instance.instance) is engine and not _has_ended(engine, order):
                report.missing.append(order.client_order_id)
                reach("syncer.order_missing")
                self._gateway.resolve(order, self._clock.machine.now_ms(), engine.put)
        return report

    async def _compare_orders(
        self, resting: list[OpenOrder], believed: Believed, engines: Mapping[int, TradingEngine], report: SweepReport
    ) -> set[str]:
        """Tell engines of what differs from what they know; gives the names of our orders that rest."""
        seen: set[str] = set()
        for place, found in enumerate(resting):
            if place % AT_A_TIME == AT_A_TIME - 1:
                await give_way()  # what trades goes first
            known = believed.get(found.client_order_id)
            if known is not None and _is_as_known(*known, found, engines):
                known[0].folding.tell_time(found.time_ms)
                seen.add(found.client_order_id)
            elif known is not None and _has_ended(*known):
                seen.add(found.client_order_id)  # while the list was on its way
            else:
                await self._look_at(found, engines, seen, report)
        return seen

    async def _look_at(
        self, found: OpenOrder, engines: Mapping[int, TradingEngine], seen: set[str], report: SweepReport
    ) -> None:
        """An order that is news to its instance, or not ours."""
        key = self._key_of(found.client_order_id)
        if key is None:
            report.foreign_orders += 1
            report.foreign_by_symbol[found.symbol] += 1
            return
        engine = engines.get(key.instance)
        if engine is None or engine.status.state == "lost":
            return  # another node's instance
        seen.add(found.client_order_id)
        engine.folding.tell_time(found.time_ms)
        if _is_believed(engine, found.client_order_id):
            if found.filled != engine.instance.orders[key.slot].filled:
                report.doubtful.add(found.symbol)
            engine.put(OrderReport(found.client_order_id, found.venue_order_id, OPEN, found.filled, found.time_ms))
        elif await self._is_still_ours(engine):
            report.unbelieved[found.client_order_id] = found
            engine.is_new = False  # whatever its journal says
            report.doubtful.add(found.symbol)
            await self._cancel_orphan(key, found, report)

    @staticmethod
    async def _is_still_ours(engine: TradingEngine) -> bool:
        """Whether no newer owner can have placed what this one does not know. Raises what the journal raises."""
        try:
            await engine.prove_ownership()
        except Fenced as error:
            engine.lose(error)
            return False
        return True

    async def _cancel_orphan(self, key: OrderKey, found: OpenOrder, report: SweepReport) -> None:
        """A list may be old: only what the venue still cancels was alive."""
        name = found.client_order_id
        order = Order(
            key, found.client_order_id, found.symbol, found.side, 0, found.ticks, found.lots,
            status=OPEN, filled=found.filled, venue_order_id=found.venue_order_id,
        )  # fmt: skip
        reach("syncer.before_orphan_cancel")
        outcome = await self._exchange.cancel(order)
        reach("syncer.after_orphan_cancel")
        if isinstance(outcome, Rejected):
            log.info("orphan_not_cancelled", client_order_id=name, reason=outcome.reason)
            return
        report.orphans.append(name)
        self._alarms.ring(
            "orphan_cancelled",
            say(
                "order_was_orphan",
                "order {name} of instance {number} lived at the venue and nobody believed in it any more: "
                "it was cancelled; what it had executed is booked.",
                name=name,
                number=key.instance,
            ),
            key.instance,
        )

    async def _read_fills(self, symbol: str, engines: Mapping[int, TradingEngine], report: SweepReport) -> None:
        """Read on from where the last read ended; not at all where every order stands as we know it.

        An order cannot execute without being missing from what rests, or having executed more there. What we have given
        up for lost can: so nothing stays unread for long.

        The newest trade booked is no such place: a stream that lost a trade may have told of a later one. A new
        engine begins before what it knows, and an order that has executed more than is booked proves a loss.
        """
        on_symbol = (engine for engine in engines.values() if engine.instance.instrument.symbol == symbol)
        serving = {engine for engine in on_symbol if not engine.is_new}
        if not serving:
            return
        cursor = self._cursors.get(symbol)
        goes_on = cursor is not None and serving <= cursor.engines and not _misses_fills(serving)
        is_doubtful = symbol in report.doubtful or symbol in self._strays
        if cursor is not None and goes_on and not is_doubtful and cursor.unread < UNREAD_SWEEPS:
            cursor.unread += 1
            return
        since_ms = self._from_when(serving)
        after = cursor.before if cursor is not None and goes_on else ""
        reach("syncer.before_fills")
        found = await self._exchange.fills_since(symbol, after, since_ms)
        told = await self._introduce(symbol, [*self._strays.get(symbol, ()), *found], engines, report)
        for fill in [*self._strays.pop(symbol, ()), *found]:
            if (tell := told.pop(fill.client_order_id, None)) is not None:
                tell()
            report.fills += int(self.route_fill(fill, engines))
        for tell in told.values():
            tell()
        last = cursor.last if cursor is not None else ""
        self._cursors[symbol] = Cursor(serving, last, found[-1].trade_id if found else last)
        reach("syncer.after_fills")

    async def _introduce(
        self, symbol: str, found: list[Fill], engines: Mapping[int, TradingEngine], report: SweepReport
    ) -> dict[str, Callable[[], None]]:
        """Client order id -> what tells the engine of an order that it does not have in mind."""
        met: dict[TradingEngine, dict[str, Stranger]] = {}

        def stranger(name: str) -> Stranger | None:
            engine = self._stranger_to(name, engines)
            return None if engine is None else met.setdefault(engine, {}).setdefault(name, Stranger(decode(name)))

        for name, rests in report.unbelieved.items():
            if rests.symbol == symbol and (one := stranger(name)) is not None:
                one.rests = rests
        for fill in found:
            if not self._is_booked(fill, engines) and (one := stranger(fill.client_order_id)) is not None:
                one.fills.append(fill)
        told: dict[str, Callable[[], None]] = {}
        for engine, strangers in met.items():
            for name, items in (await self._strangers.introduce(engine, strangers, found)).items():
                told[name] = partial(_put_all, engine, items)
        return told

    def _stranger_to(self, client_order_id: str, engines: Mapping[int, TradingEngine]) -> TradingEngine | None:
        """The engine whose order this is and that does not have it in mind."""
        key = self._key_of(client_order_id)
        engine = None if key is None else engines.get(key.instance)
        if engine is None or engine.status.state == "lost" or engine.instance.key_of(client_order_id) is None:
            return None
        return engine if engine.instance.order_known(client_order_id) is None else None

    def _is_booked(self, fill: Fill, engines: Mapping[int, TradingEngine]) -> bool:
        key = self._key_of(fill.client_order_id)
        engine = None if key is None else engines.get(key.instance)
        return engine is not None and engine.instance.has_booked(fill.symbol, fill.trade_id)

    def hear(self, fill: Fill, engines: Mapping[int, TradingEngine]) -> bool:
        """Hand on an execution that the stream tells of; whether a sweep has to find out first whose it is."""
        engine = self._stranger_to(fill.client_order_id, engines)
        if engine is None or self._is_booked(fill, engines):
            self.route_fill(fill, engines)
            return False
        engine.is_new = False
        self._strays.setdefault(fill.symbol, []).append(fill)
        return True

    def _from_when(self, serving: Iterable[TradingEngine]) -> int:
        now_ms = self._clock.trading.now_ms()
        times = [engine.folding.known_from_ms for engine in serving]
        times += [order.updated_ms or now_ms for engine in serving for order in engine.instance.live_orders()]
        margin = MISSED_LOOK_BACK_MS if _misses_fills(serving) else LOOK_BACK_MS
        return max(min([now_ms, *times]) - margin, 0)

    def route_fill(self, fill: Fill, engines: Mapping[int, TradingEngine]) -> bool:
        """Hand a fill to the instance whose order it is; False for fills of nobody here."""
        key = self._key_of(fill.client_order_id)
        engine = None if key is None else engines.get(key.instance)
        if engine is None:
            return False
        engine.put(fill)
        return True

    def is_surprise(self, report: OrderReport, engines: Mapping[int, TradingEngine]) -> bool:
        """Whether an order works that its instance takes for ended: it was given up for lost, and lives.

        News that came late, of an order whose end has been told since, are none.
        """
        key = self._key_of(report.client_order_id) if report.status == OPEN else None
        engine = None if key is None else engines.get(key.instance)
        if engine is None or engine.status.state == "lost" or _is_believed(engine, report.client_order_id):
            return False
        known = engine.instance.order_named(report.client_order_id)
        return known is None or known.updated_ms < report.time_ms

    def route_report(self, report: OrderReport, engines: Mapping[int, TradingEngine]) -> bool:
        """Hand a report to the instance whose order it is; False for orders of nobody here."""
        key = self._key_of(report.client_order_id)
        engine = None if key is None else engines.get(key.instance)
        if engine is None:
            return False
        engine.put(report)
        return True

    def _key_of(self, client_order_id: str) -> OrderKey | None:
        """The key of an order of this deployment; None for every other."""
        try:
            key = decode(client_order_id)
        except ForeignOrderId:
            return None
        return key if key.deployment == self._deployment else None


def _put_all(engine: TradingEngine, items: Iterable[Input]) -> None:
    for item in items:
        engine.put(item)


def _misses_fills(engines: Iterable[TradingEngine]) -> bool:
    """Whether any order has executed more than is booked."""
    return any(order.filled > order.booked for engine in engines for order in engine.instance.live_orders())


def _is_as_known(
    engine: TradingEngine, believed: Order, found: OpenOrder, engines: Mapping[int, TradingEngine]
) -> bool:
    """Whether the engine would learn nothing from what rests: true of nearly every order of nearly every sweep."""
    order = engine.instance.orders.get(believed.key.slot)
    return (
        order is not None
        and order.client_order_id == found.client_order_id
        and order.status == OPEN
        and order.filled == found.filled
        and order.venue_order_id == found.venue_order_id
        and order.updated_ms >= found.time_ms
        and engine.status.state != "lost"
        and engines.get(engine.instance.instance) is engine
    )


def _has_ended(engine: TradingEngine, order: Order) -> bool:
    """Whether the order's end has been told while the venue was asked: then there is nothing to ask for."""
    now = engine.instance.order_known(order.client_order_id)
    return now is None or is_complete(now)


def _is_believed(engine: TradingEngine, client_order_id: str) -> bool:
    """Whether the instance thinks the order may still be working."""
    order = engine.instance.order_named(client_order_id)
    return order is not None and order.status in (PENDING, OPEN)
