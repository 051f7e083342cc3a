"""The record of copied signals: one row for each signal and relationship, filled in while its order lives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from db.models import FollowRelationship, Master, MasterPosition
from db.queries.masters import action_of
from domain.copying import terms
from domain.fill import Fill
from domain.instrument import Instrument
from domain.money import from_units
from domain.order import LIMIT, OPEN, PENDING, REJECTED, Order
from engine.follower_engine.book import Taken

#: Digits of averages and shares; what is exact is in the fills.
DIGITS: Final = Decimal("0.000000000001")


@dataclass(slots=True)
class Log:
    """A signal whose order is under way."""

    relationship: int
    version: int
    symbol: str
    #: Lots to be traded for it, with their sign.
    lots: int
    signal: Decimal | None
    received_at: datetime
    traded: int = 0
    #: Ticks times lots of what was traded, and quote quanta of fees.
    value: int = 0
    fee: int = 0
    client_order_id: str = ""
    changes: dict[str, Any] = field(default_factory=dict)


class TradeLogs:
    """The signals of one follower account."""

    def __init__(self) -> None:
        self._pending: dict[str, list[Log]] = {}
        self._new: list[dict[str, Any]] = []
        self._changed: list[Log] = []

    def take(
        self, taken: Taken, row: FollowRelationship, master: Master, position: MasterPosition, instrument: Instrument,
        instance: int | None, now: datetime,
    ) -> None:  # fmt: skip
        """A signal was taken in; older ones of the same relationship and symbol are no longer waited for."""
        for older in [one for one in self._pending.get(taken.position.symbol, []) if one.relationship == row.id]:
            self._end(older, "coalesced" if not older.traded else "success")
        lots = taken.lots - taken.before
        self._new.append(_row(taken, row, master, position, instrument, instance, now))
        if lots:
            log = Log(row.id or 0, taken.position.version, taken.position.symbol, lots, position.price, now)
            self._pending.setdefault(log.symbol, []).append(log)

    def sent(self, orders: Iterable[Order], now: datetime) -> None:
        """Orders are about to leave."""
        for order in orders:
            for log in self._pending.get(order.symbol, []):
                if not log.client_order_id:
                    log.client_order_id = order.client_order_id
                    self._change(log, client_order_id=order.client_order_id, sent_at=now,
                                 order_type="limit" if order.type == LIMIT else "market",
                                 side="buy" if order.side > 0 else "sell")  # fmt: skip

    def told(self, orders: Iterable[Order], now: datetime) -> None:
        """The venue has said something of orders."""
        for order in orders:
            if order.status == PENDING:
                continue
            for log in self._pending.get(order.symbol, []):
                if log.client_order_id != order.client_order_id or "acknowledged_at" in log.changes:
                    continue
                if order.status == REJECTED:
                    self._change(log, outcome="rejected", status="failed", acknowledged_at=now,
                                 error_message="the venue refused the order; the strategy's last error says why.",
                                 execution_time_ms=_milliseconds(log, now))  # fmt: skip
                    log.client_order_id = ""  # the next attempt is the order of this signal
                    log.changes.pop("acknowledged_at")
                elif order.status >= OPEN:
                    self._change(log, outcome="accepted", acknowledged_at=now, order_id=order.venue_order_id or None,
                                 execution_time_ms=_milliseconds(log, now))  # fmt: skip

    def traded(self, fill: Fill, relationship: int, lots: int, fee: int, instrument: Instrument, at: datetime) -> None:
        """Part of an execution was for a relationship."""
        for log in self._pending.get(fill.symbol, []):
            if log.relationship != relationship:
                continue
            log.traded, log.value, log.fee = log.traded + lots, log.value + abs(lots) * fill.ticks, log.fee + fee
            if log.traded == 0:
                continue
            size = abs(log.traded)
            average = (from_units(log.value, instrument.tick_size) / size).quantize(DIGITS, ROUND_HALF_EVEN)
            changes: dict[str, Any] = {
                "follower_amount": instrument.from_lots(size), "average_price": average, "venue_at": at,
                "fee": from_units(log.fee, instrument.quote_quantum),
            }  # fmt: skip
            if log.signal:
                worse = (average - log.signal) * (1 if log.lots > 0 else -1)
                changes["slippage"] = (worse / log.signal).quantize(DIGITS, ROUND_HALF_EVEN)
            self._change(log, **changes)
            if log.traded == log.lots:
                self._end(log, "success")

    def take_changes(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows to insert, and changes of rows, by relationship `r` and version `v`; then they count as kept."""
        new, self._new = self._new, []
        changed, self._changed = self._changed, []
        changes = [{"r": log.relationship, "v": log.version, **log.changes} for log in changed if log.changes]
        for log in changed:
            log.changes = {}
        return new, changes

    @property
    def has_changes(self) -> bool:
        """Whether something is to be kept."""
        return bool(self._new or self._changed)

    def _end(self, log: Log, status: str) -> None:
        self._pending[log.symbol].remove(log)
        self._change(log, status=status, is_success=status == "success", error_message=None)

    def _change(self, log: Log, **changes: Any) -> None:
        log.changes.update(changes)
        if log not in self._changed:
            self._changed.append(log)


def _row(
    taken: Taken, row: FollowRelationship, master: Master, position: MasterPosition, instrument: Instrument,
    instance: int | None, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    lots, held = taken.lots - taken.before, taken.position.quanta
    action = (
        "skip"
        if not lots
        else "follow_close"
        if not taken.lots
        else "follow_long"
        if taken.lots > 0
        else "follow_short"
    )
    before = instrument.from_lots(taken.before)
    ratio = row.ratio
    if row.mode != "fixed_ratio" and held:
        whole = from_units(abs(held), instrument.base_quantum)
        ratio = (abs(instrument.from_lots(taken.lots)) / whole).quantize(DIGITS, ROUND_HALF_EVEN)
    return {
        "timestamp": now, "relationship_id": row.id, "owner_id": row.owner_id, "account_id": row.account_id,
        "strategy_instance_id": instance, "master_id": master.id, "master_user_id": master.owner_id,
        "master_version": taken.position.version,
        "master_action": action_of(from_units(taken.master_before, instrument.base_quantum), position.quantity),
        "master_symbol": position.symbol, "master_position_size": position.quantity,
        "master_entry_price": position.entry_price, "follower_action": action, "follower_ratio": ratio,
        "follower_amount": Decimal(0), "position_before": before, "target": instrument.from_lots(taken.lots),
        "status": "pending" if lots else "skipped", "is_success": False,
        "reason": terms.REASON_NAMES[taken.reason] if taken.reason else ("" if lots else "nothing_to_do"),
        "outcome": "", "signal_at": position.signal_at, "received_at": now, "master_price": position.price,
    }  # fmt: skip


def _milliseconds(log: Log, now: datetime) -> int:
    return round((now - log.received_at).total_seconds() * 1000)
