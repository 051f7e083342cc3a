"""Start, recover and check are one path: compare what we believe with what the venue shows, and fold the difference.

One sweep reads an account's open orders once and its trades per symbol from the newest booked one, and serves every
instance on the account. It decides nothing: reports and fills go to the engines like any other. Orders under our name
that no instance of ours believes in are cancelled with an alarm; foreign orders are counted and never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from core.base_exchange import BaseExchange, OpenOrder
from core.base_journal import BaseJournal
from core.clock import Clock
from core.crash_points import reach
from domain.client_order_id import ForeignOrderId, OrderKey, decode
from domain.fill import Fill
from domain.order import OPEN, PENDING, Order, OrderReport
from domain.outcome import Rejected
from engine.order_gateway import OrderGateway
from engine.trading_engine import TradingEngine

log = structlog.get_logger(__name__)

#: How far back trades are read when none is booked yet.
FIRST_LOOK_BACK_MS = 24 * 3_600_000


@dataclass(slots=True)
class SweepReport:
    """What a sweep has found."""

    orders: int = 0
    fills: int = 0
    foreign_orders: int = 0
    #: Client order ids under our name that nobody here believes in; cancelled.
    orphans: list[str] = field(default_factory=list)
    #: Orders we believe in and the venue does not show as resting; being asked for.
    missing: list[str] = field(default_factory=list)


class PositionSyncer:
    """Sweeps one account."""

    def __init__(
        self,
        account: int,
        deployment: int,
        exchange: BaseExchange,
        journal: BaseJournal,
        gateway: OrderGateway,
        clock: Clock,
    ) -> None:
        self._account = account
        self._deployment = deployment
        self._exchange = exchange
        self._journal = journal
        self._gateway = gateway
        self._clock = clock

    async def sweep(self, engines: Mapping[int, TradingEngine]) -> SweepReport:
        """Read the account and tell every engine what it has missed. Raises what the venue's reads raise."""
        report = SweepReport()
        # Believed orders are taken down before the venue is asked: one placed meanwhile is not missing.
        believed = {number: engine.instance.live_orders() for number, engine in engines.items()}
        reach("syncer.before_open_orders")
        resting = await self._exchange.open_orders()
        reach("syncer.after_open_orders")
        report.orders = len(resting)
        seen = await self._compare_orders(resting, engines, report)
        for symbol in sorted({engine.instance.instrument.symbol for engine in engines.values()}):
            await self._read_fills(symbol, engines, report)
        for number, orders in believed.items():
            for order in orders:
                if order.client_order_id not in seen:
                    report.missing.append(order.client_order_id)
                    reach("syncer.order_missing")
                    self._gateway.resolve(order, self._clock.machine.now_ms(), engines[number].put)
        return report

    async def _compare_orders(
        self, resting: list[OpenOrder], engines: Mapping[int, TradingEngine], report: SweepReport
    ) -> set[str]:
        seen: set[str] = set()
        for found in resting:
            key = self._key_of(found.client_order_id)
            if key is None:
                report.foreign_orders += 1
                continue
            engine = engines.get(key.instance)
            if engine is None:
                continue  # another node's instance
            seen.add(found.client_order_id)
            if engine.instance.owns(found.client_order_id) and _is_believed(engine, found.client_order_id):
                engine.put(OrderReport(found.client_order_id, found.venue_order_id, OPEN, found.filled, found.time_ms))
            else:
                report.orphans.append(found.client_order_id)
                await self._cancel_orphan(key, found)
        return seen

    async def _cancel_orphan(self, key: OrderKey, found: OpenOrder) -> None:
        log.error("orphan_cancelled", client_order_id=found.client_order_id, instance=key.instance)
        order = Order(
            key, found.client_order_id, found.symbol, found.side, 0, found.ticks, found.lots,
            status=OPEN, filled=found.filled, venue_order_id=found.venue_order_id,
        )  # fmt: skip
        reach("syncer.before_orphan_cancel")
        outcome = await self._exchange.cancel(order)
        reach("syncer.after_orphan_cancel")
        if isinstance(outcome, Rejected):
            log.info("orphan_not_cancelled", client_order_id=found.client_order_id, reason=outcome.reason)

    async def _read_fills(self, symbol: str, engines: Mapping[int, TradingEngine], report: SweepReport) -> None:
        newest = await self._journal.watermark(self._account, symbol)
        since_ms = self._clock.trading.now_ms() - FIRST_LOOK_BACK_MS
        reach("syncer.before_fills")
        for fill in await self._exchange.fills_since(symbol, newest, max(since_ms, 0)):
            report.fills += int(self.route_fill(fill, engines))
        reach("syncer.after_fills")

    def route_fill(self, fill: Fill, engines: Mapping[int, TradingEngine]) -> bool:
        """Hand a fill to the instance whose order it is; False for fills of nobody here."""
        key = self._key_of(fill.client_order_id)
        engine = None if key is None else engines.get(key.instance)
        if engine is None:
            return False
        engine.put(fill)
        return True

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


def _is_believed(engine: TradingEngine, client_order_id: str) -> bool:
    """Whether the instance thinks the order may still be working."""
    return any(
        order.client_order_id == client_order_id and order.status in (PENDING, OPEN)
        for order in engine.instance.live_orders()
    )
