"""Rows of copying as the law's integers, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from core.clock import utc_from_ms
from db import copy_law
from db.copy_law import milliseconds, ppm, quanta
from db.models import (
    FollowerAccount,
    FollowRelationship,
    FollowTarget,
    Master,
    MasterPosition,
    MasterSignal,
    VirtualPosition,
)
from domain.copying import target, terms
from domain.copying.netting import AccountCaps
from domain.copying.sizing import Record, Scale
from domain.copying.target import Track
from domain.copying.terms import PPM, Terms
from domain.copying.tracking import Causes, Gaps, Tracking, units_per_quantum
from domain.instrument import Instrument
from domain.position_tracker import Position
from engine.follower_engine.book import Holding, Target

#: Limits of relationships are kept in this unit of the quote asset.
QUANTUM: Final = Decimal("0.00000001")


def terms_of(row: FollowRelationship, master: Master) -> Terms:
    """A relationship as the law has it: paused and ended with its master too."""
    found = copy_law.terms_of(row, QUANTUM)
    return found._replace(
        paused=found.paused or master.state == "paused", active=found.active and master.state != "ended"
    )


def caps_of(row: FollowerAccount, equity: int) -> AccountCaps:
    """What the account may hold."""
    most = quanta(row.max_notional, QUANTUM)
    if row.max_leverage is not None and equity > 0:
        geared = equity * ppm(row.max_leverage) // PPM
        most = min(most or geared, geared)
    return AccountCaps(most, equity)


def newest(row: MasterPosition, master: Master, instrument: Instrument) -> target.MasterPosition:
    """What a master holds now, in a follower's units."""
    return copy_law.newest(row, master, instrument, QUANTUM)


def started_with(row: MasterSignal, instrument: Instrument) -> target.MasterPosition:
    """What a master held when following began."""
    return copy_law.started_with(row, instrument, QUANTUM)


def holding_of(row: VirtualPosition) -> Holding:
    """What a relationship holds, as it was kept."""
    track, record = json.loads(row.track), json.loads(row.tracking)
    return Holding(
        track=_track(track) if track else Track(),
        position=Position(row.lots, row.cost, row.realised),
        fees=row.fees,
        record=_tracking(record) if record else Tracking(),
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
        "reason": terms.REASON_NAMES[holding.decision.reason], "residual_lots": 0, "residual_reason": "",
        "track": json.dumps(holding.track), "tracking": json.dumps(holding.record),
    }  # fmt: skip


def target_row(made: Target, epoch: int, folded: list[str], common: Mapping[str, Any]) -> dict[str, Any]:
    """A target as it is kept; `common` has account, owner, instance and the moment."""
    return {
        **common, "symbol": made.symbol, "version": made.version, "lots": made.lots,
        "reference_ticks": made.reference, "ceiling_ticks": made.ceiling, "floor_ticks": made.floor,
        "enter_until": utc_from_ms(made.until_ms) if made.until_ms else None, "epoch": epoch,
        "folded": json.dumps(folded),
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


def _track(found: list[Any]) -> Track:
    version, master, uncopied, why, stopped, scale, ticks, time_ms = found
    follower, leader, peak, anchor, record = scale
    made = Scale(follower, leader, peak, anchor, Record(*record))
    return Track(version, master, uncopied, why, stopped, made, ticks, time_ms)


def _tracking(found: list[Any]) -> Tracking:
    ticks, ideal, actual, gaps, ideal_value, actual_value, causes = found
    return Tracking(ticks, ideal, actual, Gaps(*gaps), ideal_value, actual_value, Causes(*causes))
