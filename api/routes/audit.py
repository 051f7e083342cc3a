"""What was done, by whom."""

from __future__ import annotations

import json
from typing import Any

from api import identity
from api.cursors import after, unpack
from api.deps import AnyServices, Viewer
from api.router import new_router
from api.schemas.common import Cursor, Limit
from api.schemas.platform import Audit, AuditList
from db.models import AuditRecord
from db.queries import pages
from db.unit_of_work import reading

router = new_router("audit")


@router.get("/api/audit")
def list_audit(services: AnyServices, caller: Viewer, cursor: Cursor = None, limit: Limit = 100) -> AuditList:
    """What was done, newest first. Administrators see everything, others what concerns them."""
    before = unpack(cursor, int, (int,))
    owner = None if caller.may(identity.ADMIN) else caller.id
    with reading(services.database) as unit:
        page, next_cursor = after(pages.audit(unit, owner, before, limit + 1), limit, lambda one: [one.sequence])
    return AuditList(items=[_view(one) for one in page], next_cursor=next_cursor)


def _view(row: AuditRecord) -> Audit:
    detail: Any = json.loads(row.content)
    target = f"strategy {row.strategy_instance_id}" if row.strategy_instance_id is not None else ""
    if not target and isinstance(detail, dict) and "account" in detail:
        target = f"account {detail['account']}"
    return Audit(
        id=row.sequence,
        at=row.recorded_at,
        actor=row.actor,
        action=row.action,
        target=target,
        detail=detail if isinstance(detail, dict) else {"value": detail},
    )
