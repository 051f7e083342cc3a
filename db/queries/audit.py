"""The audit chain: every row holds the hash of its content and of the row before, so nothing can be changed unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlmodel import col, select

from db.models import AuditHead, AuditRecord
from db.unit_of_work import UnitOfWork
from domain.errors import Broken

FIRST_HASH: Final = "0" * 64
_HEAD: Final = 1
_PAGE: Final = 1_000


class ChainBroken(Broken):
    """The audit chain has been changed."""


class Deed(NamedTuple):
    """What was done, by whom, to whose instance."""

    actor: str
    action: str
    content: Mapping[str, Any]
    owner: int | None = None
    instance: int | None = None


def record(unit: UnitOfWork, deed: Deed, now: datetime) -> AuditRecord:
    """Add to the end of the chain, in the caller's transaction; others wait until it has ended."""
    head = unit.session.get(AuditHead, _HEAD, with_for_update=True)
    if head is None:
        head = AuditHead(id=_HEAD, sequence=0, hash=FIRST_HASH)
        unit.session.add(head)
        # Two first writers: one of them inserts, the other fails and tries again.
        unit.session.flush()
    row = AuditRecord(
        sequence=head.sequence + 1,
        owner_id=deed.owner,
        strategy_instance_id=deed.instance,
        actor=deed.actor,
        action=deed.action,
        content=json.dumps(deed.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        recorded_at=now,
        previous_hash=head.hash,
        hash="",
    )
    row.hash = hash_of(row)
    head.sequence, head.hash = row.sequence, row.hash
    unit.session.add(row)
    unit.session.flush()
    return row


def verify(unit: UnitOfWork) -> int:
    """Walk the whole chain; gives its length. `ChainBroken` names the first row that does not fit."""
    length, last = 0, FIRST_HASH
    while rows := unit.session.exec(
        select(AuditRecord).where(col(AuditRecord.sequence) > length).order_by(col(AuditRecord.sequence)).limit(_PAGE)
    ).all():
        for row in rows:
            if (row.sequence, row.previous_hash) != (length + 1, last):
                raise ChainBroken(f"audit row {row.sequence} does not follow row {length}.")
            if row.hash != hash_of(row):
                raise ChainBroken(f"audit row {row.sequence} has been changed.")
            length, last = row.sequence, row.hash
            unit.session.expunge(row)
    head = unit.session.get(AuditHead, _HEAD)
    if (head.sequence, head.hash) != (length, last) if head else length:
        raise ChainBroken(f"the audit chain ends at row {length}, and its head says otherwise.")
    return length


def hash_of(row: AuditRecord) -> str:
    """SHA-256 over the row's content and the previous hash, as JSON, so that no two contents look the same."""
    moment = row.recorded_at.isoformat(timespec="microseconds")
    parts = [row.sequence, row.owner_id, row.strategy_instance_id, row.actor, row.action, row.content, moment]
    return hashlib.sha256(json.dumps([*parts, row.previous_hash], ensure_ascii=False).encode()).hexdigest()
