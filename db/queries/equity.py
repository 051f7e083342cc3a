"""What instances were worth over time, in quote quanta: a point a minute, thinned when old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select

from db.models import EquityPoint
from db.unit_of_work import UnitOfWork

PAGE = 2_000


def add(unit: UnitOfWork, points: Sequence[EquityPoint]) -> None:
    """Keep points; one that is there already is written over."""
    for point in points:
        unit.session.merge(point)
    unit.session.flush()


def since(unit: UnitOfWork, instance: int, moment: datetime | None, limit: int = PAGE) -> Sequence[EquityPoint]:
    """The newest points of an instance from a moment on, oldest of them first."""
    chosen = select(EquityPoint).where(col(EquityPoint.strategy_instance_id) == instance)
    if moment is not None:
        chosen = chosen.where(col(EquityPoint.at) >= moment)
    newest = unit.session.exec(chosen.order_by(col(EquityPoint.at).desc()).limit(limit)).all()
    return newest[::-1]


def thin(unit: UnitOfWork, instance: int, before: datetime, seconds: int) -> int:
    """Keep only the last point of every `seconds` before a moment; gives how many went."""
    chosen = select(EquityPoint.at).where(
        col(EquityPoint.strategy_instance_id) == instance, col(EquityPoint.at) < before
    )
    last_of: dict[int, datetime] = {}
    moments = unit.session.exec(chosen.order_by(col(EquityPoint.at))).all()
    for moment in moments:
        last_of[int(moment.timestamp()) // seconds] = moment
    going = [moment for moment in moments if last_of[int(moment.timestamp()) // seconds] != moment]
    for start in range(0, len(going), 500):
        some = col(EquityPoint.at).in_(going[start : start + 500])
        unit.connection.execute(delete(EquityPoint).where(col(EquityPoint.strategy_instance_id) == instance, some))
    return len(going)
