"""Rows of copying as the law's integers, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from core.clock import utc_from_ms
from db import copy_law
from db.copy_law import milliseconds, ppm, quanta
from db.models import (
    FollowerAccount,
    FollowTarget,
    Master,
    MasterPosition,
    MasterSignal,
    VirtualPosition,
)
from domain.copying import target, terms
from domain.copying.netting import AccountCaps
from domain.copying.terms import PPM
from domain.copying.tracking import HOUR_MS, Causes, Gaps, Tracking, units_per_quantum
from domain.instrument import Instrument
from domain.position_tracker import Position
from engine.follower_engine.book import Holding, Target

#: The unit of the quote asset until an instrument names its own.
QUANTUM: Final = Decimal("0.00000001")


#: Whole numbers of any size, in a tenth of the time that the standard library takes.
_JSON: Final = msgspec.json.Encoder()


def _text(record: Any) -> str:
    return _JSON.encode(record).decode()


def caps_of(row: FollowerAccount, equity: int, quantum: Decimal) -> AccountCaps:
    """What the account may hold."""
    most = quanta(row.max_notional, quantum)
    if row.max_leverage is not None and equity > 0:
        geared = equity * ppm(row.max_leverage) // PPM
        most = min(most or geared, geared)
    return AccountCaps(most, equity)


def newest(row: MasterPosition, master: Master, instrument: Instrument) -> target.MasterPosition:
    """What a master holds now, in a follower's units."""
    return copy_law.newest(row, master, instrument, instrument.quote_quantum)


def started_with(row: MasterSignal, instrument: Instrument) -> target.MasterPosition:
    """What a master held when following began."""
    return copy_law.started_with(row, instrument, instrument.quote_quantum)


def holding_of(row: VirtualPosition) -> Holding:
    """What a relationship holds, as it was kept."""
    record = json.loads(row.tracking)
    return Holding(
        track=copy_law.track_of(row.track),
        position=Position(row.lots, row.cost, row.realised),
        fees=row.fees,
        record=_tracking(record, milliseconds(row.updated_at)) if record else Tracking(),
        residual=row.residual_lots,
        why=terms.REASON_NAMES.index(row.residual_reason) if row.residual_reason else terms.COPIED,
    )


def target_of(row: FollowTarget) -> Target:
    """What an account is to hold, as it was kept."""
    until = milliseconds(row.enter_until) if row.enter_until is not None else 0
    return Target(
        row.symbol, row.version, row.lots, row.reference_ticks, row.ceiling_ticks, row.floor_ticks, until
    )  # fmt: skip


def position_row(key: tuple[int, str], holding: Holding, common: Mapping[str, Any]) -> dict[str, Any]:
    """A holding as it is kept; `common` has owner, account, instance and the moment."""
    return {
        "relationship_id": key[0], "symbol": key[1], **common,
        "lots": holding.position.lots, "cost": holding.position.cost, "realised": holding.position.realised,
        "fees": holding.fees, "master_version": holding.track.version, "target_lots": holding.decision.lots,
        "reason": terms.REASON_NAMES[holding.decision.reason], "residual_lots": holding.residual,
        "residual_reason": terms.REASON_NAMES[holding.why] if holding.why else "",
        "track": _text(holding.track), "tracking": _text(holding.record),
    }  # fmt: skip


def target_row(made: Target, epoch: int, folded: list[str], common: Mapping[str, Any]) -> dict[str, Any]:
    """A target as it is kept; `common` has account, owner, instance and the moment."""
    return {
        **common, "symbol": made.symbol, "version": made.version, "lots": made.lots,
        "reference_ticks": made.reference, "ceiling_ticks": made.ceiling, "floor_ticks": made.floor,
        "enter_until": utc_from_ms(made.until_ms) if made.until_ms else None, "epoch": epoch,
        "folded": _text(folded),
    }  # fmt: skip


def error_row(
    key: tuple[int, str], holding: Holding, sequence: int, kind: str, instrument: Instrument, common: Mapping[str, Any]
) -> dict[str, Any]:
    """The tracking error as it stands; `common` has owner, instance and the moment."""
    record = holding.record
    return {
        "relationship_id": key[0], "symbol": key[1], "sequence": sequence, **common, "kind": kind,
        "master_version": holding.track.version, "units_per_quantum": units_per_quantum(instrument),
        "ideal": record.ideal_value, "actual": record.actual_value, **record.causes._asdict(),
    }  # fmt: skip


def _tracking(found: list[Any], kept_ms: int) -> Tracking:
    ticks, ideal, actual, gaps, ideal_value, actual_value, causes, *hours = found
    if not hours:  # kept before funding was followed: it is from here on
        hours = [kept_ms // HOUR_MS, ideal, actual, kept_ms, kept_ms]
    return Tracking(ticks, ideal, actual, Gaps(*gaps), ideal_value, actual_value, Causes(*causes), *hours)
