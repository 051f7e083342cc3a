"""The record of copied signals: one row for each signal and relationship, filled in while its order lives.

A signal belongs to the version of the account's target that was made of it, and that version is in the names of its
orders: so executions find their signal, also when a newer one has come before they are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from types import MappingProxyType
from typing import Any, Final

from core.clock import utc_from_ms
from db.copy_law import quanta
from db.models import FollowRelationship, Master, MasterPosition, TradeLog
from db.queries.masters import action_of
from domain.copying import follow, terms
from domain.fill import Fill
from domain.instrument import Instrument
from domain.money import from_units
from domain.order import LIMIT, OPEN, PENDING, REJECTED, Order
from domain.sentences import say
from engine.follower_engine.book import Holding, Taken
from engine.follower_engine.progress import Progress, target_of_order

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
    #: The version of the account's target that it is part of.
    target: int = 0
    traded: int = 0
    #: Ticks times lots of what was traded, and quote quanta of fees.
    value: int = 0
    fee: int = 0
    client_order_id: str = ""
    #: The venue has answered for its order; later news of it are no second answer.
    is_acknowledged: bool = False
    #: A newer signal of the relationship has come: it ends with its own order.
    is_superseded: bool = False
    has_failed: bool = False
    #: It waits for a price.
    waits: bool = False
    changes: dict[str, Any] = field(default_factory=dict)


class TradeLogs:
    """The signals of one follower account."""

    def __init__(self) -> None:
        self._pending: dict[str, list[Log]] = {}
        self._new: list[dict[str, Any]] = []
        self._changed: list[Log] = []

    def adopt(self, rows: Iterable[TradeLog], instruments: Mapping[str, Instrument]) -> None:
        """Go on with signals whose end an earlier owner has not seen."""
        for row in sorted(rows, key=lambda one: one.master_version):
            instrument = instruments.get(row.master_symbol)
            if instrument is None:
                continue
            lots, done = instrument.to_lots(row.target - row.position_before), instrument.to_lots(row.follower_amount)
            value = int((row.average_price or Decimal(0)) / instrument.tick_size * done)
            log = Log(
                row.relationship_id, row.master_version, row.master_symbol, lots, row.master_price,
                row.received_at or row.timestamp, target_of_order(row.client_order_id or ""),
                done if lots > 0 else -done, value, quanta(row.fee, instrument.quote_quantum),
                row.client_order_id or "", row.acknowledged_at is not None, waits=not lots,
            )  # fmt: skip
            self._supersede(log.symbol, log.relationship)
            self._pending.setdefault(log.symbol, []).append(log)

    def take(
        self, taken: Taken, row: FollowRelationship, master: Master, position: MasterPosition, instrument: Instrument,
        instance: int | None, target: int, now: datetime,
    ) -> None:  # fmt: skip
        """A signal was taken in; older ones of the same relationship and symbol end with their own orders."""
        self._supersede(taken.position.symbol, row.id or 0)
        lots, waits = taken.lots - taken.before, taken.reason == terms.NO_PRICE
        self._new.append(_row(taken, row, master, position, instrument, instance, now))
        if lots or waits:
            log = Log(row.id or 0, taken.position.version, taken.position.symbol, lots, position.price, now, target)
            log.waits = waits and not lots
            self._pending.setdefault(log.symbol, []).append(log)

    def resume(self, taken: Taken, instrument: Instrument, target: int) -> None:
        """What has waited for a price has one: it is copied, or it is known why not."""
        for log in self.pending(taken.position.symbol):
            if log.relationship != taken.relationship or not log.waits:
                continue
            log.lots, log.target, log.waits = taken.lots - taken.before, target, False
            reason = terms.REASON_NAMES[taken.reason] if taken.reason else ""
            self._change(log, target=instrument.from_lots(taken.lots), follower_action=_action(taken), reason=reason,
                         position_before=instrument.from_lots(taken.before))  # fmt: skip
            if not log.lots:
                self._end(log, "skipped")

    def pending(self, symbol: str) -> list[Log]:
        """Signals on a symbol that have not come to an end."""
        return list(self._pending.get(symbol, ()))

    def sent(self, orders: Iterable[Order], now: datetime) -> None:
        """Orders are about to leave."""
        for order in orders:
            for log in self._pending.get(order.symbol, []):
                if not log.client_order_id and log.target in (0, order.key.cycle // follow.USES):
                    log.client_order_id = order.client_order_id
                    self._change(log, client_order_id=order.client_order_id, sent_at=now,
                                 order_type="limit" if order.type == LIMIT else "market",
                                 side="buy" if order.side > 0 else "sell")  # fmt: skip

    def told(self, orders: Iterable[Order], now: datetime, heard: Mapping[str, int] = MappingProxyType({})) -> None:
        """The venue has said something of orders; when, where `heard` does not say it, is `now`."""
        for order in orders:
            if order.status == PENDING:
                continue
            for log in self._pending.get(order.symbol, []):
                if log.client_order_id != order.client_order_id or log.is_acknowledged:
                    continue
                if order.status == REJECTED:
                    self._change(log, outcome="rejected", status="failed",
                                 error_message=say(
                        "copy_refused", "the venue refused the order; the strategy's last error says why."
                    ),
                                 execution_time_ms=_milliseconds(log, now))  # fmt: skip
                    log.client_order_id, log.has_failed = "", True  # the next attempt is the order of this signal
                elif order.status >= OPEN:
                    log.is_acknowledged = True
                    heard_ms = heard.get(order.client_order_id)
                    at = now if heard_ms is None else utc_from_ms(heard_ms)
                    self._change(log, outcome="accepted", acknowledged_at=at, order_id=order.venue_order_id or None,
                                 execution_time_ms=_milliseconds(log, at))  # fmt: skip

    def settle(self, symbol: str, progress: Progress | None, holdings: Callable[[int], Holding | None]) -> None:
        """End signals that nothing will be done for any more.

        None stands for an instance that is not up: what a newer signal has replaced before its order left is not
        waited for.
        `Progress.is_resting` counts for the newest target only, so the caller clears it for an older one.
        """
        for log in self.pending(symbol):
            if progress is None:
                is_over = not log.client_order_id
            else:
                is_over = progress.version > log.target and log.target not in progress.under_way
            if log.is_superseded and is_over:
                self._close(log, "success" if log.traded else "coalesced")
            elif progress is not None and progress.is_resting and not log.waits:
                self._settle_one(log, progress, holdings(log.relationship))

    def _settle_one(self, log: Log, progress: Progress, holding: Holding | None) -> None:
        why = holding.why if holding is not None else progress.why
        if log.traded or holding is None or not holding.residual:
            if why:
                self._change(log, reason=terms.REASON_NAMES[why])
            self._end(log, "success")
        elif not log.has_failed:
            self._change(log, reason=terms.REASON_NAMES[why or progress.why])
            self._close(log, "skipped")
            self._change(log, error_message=terms.REASONS[why or progress.why])
        else:
            self._close(log, "skipped")

    def _close(self, log: Log, status: str) -> None:
        """End a signal, unless it is known to have failed: that stays what became of it."""
        if log.has_failed and not log.traded:
            self._pending[log.symbol].remove(log)
        else:
            self._end(log, status)

    def _supersede(self, symbol: str, relationship: int) -> None:
        for older in self._pending.get(symbol, []):
            older.is_superseded = older.is_superseded or older.relationship == relationship

    def _of(self, fill: Fill, relationship: int) -> Log | None:
        """The signal that an execution is for: by the name of its order, else the newest."""
        mine = [log for log in self._pending.get(fill.symbol, []) if log.relationship == relationship]
        version = target_of_order(fill.client_order_id)
        found = [log for log in mine if log.target == version] or mine
        return found[-1] if found else None

    def traded(self, fill: Fill, relationship: int, lots: int, fee: int, instrument: Instrument, at: datetime) -> None:
        """Part of an execution was for a relationship."""
        log = self._of(fill, relationship)
        if log is None:
            return
        log.traded, log.value, log.fee = log.traded + lots, log.value + abs(lots) * fill.ticks, log.fee + fee
        if log.traded == 0:
            return
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
        """Rows to insert, and changes of rows, by relationship and version; then they count as kept."""
        new, self._new = self._new, []
        changed, self._changed = self._changed, []
        changes = [
            {"relationship_id": log.relationship, "master_version": log.version, **log.changes}
            for log in changed
            if log.changes
        ]
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
    is_open = lots or taken.reason == terms.NO_PRICE
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
        "master_entry_price": position.entry_price, "follower_action": _action(taken), "follower_ratio": ratio,
        "follower_amount": Decimal(0), "position_before": before, "target": instrument.from_lots(taken.lots),
        "status": "pending" if is_open else "skipped", "is_success": False,
        "reason": terms.REASON_NAMES[taken.reason] if taken.reason else ("" if lots else "nothing_to_do"),
        "outcome": "", "signal_at": position.signal_at, "received_at": now, "master_price": position.price,
    }  # fmt: skip


def _action(taken: Taken) -> str:
    if taken.lots == taken.before:
        return "skip"
    if not taken.lots:
        return "follow_close"
    return "follow_long" if taken.lots > 0 else "follow_short"


def _milliseconds(log: Log, now: datetime) -> int:
    return round((now - log.received_at).total_seconds() * 1000)
