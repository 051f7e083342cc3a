"""What copying tells those who watch: signals as they are taken in and end, and what becomes of relationships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from core.event_bus import COPY_SIGNAL, COPY_STATUS, COPY_TRADE, Event
from db.models import MasterPosition
from db.queries.copy_fleet import Kept
from domain.money import to_wire

#: Of a new record; of a change those that are among it.
_TOLD: Final = ("status", "reason", "outcome", "follower_action", "master_symbol")


def of_signal(position: MasterPosition) -> Event:
    """A master's new version, to its owner."""
    entry = position.entry_price
    told = {
        "master": position.master_id, "symbol": position.symbol, "version": position.version,
        "quantity": to_wire(position.quantity), "entry_price": to_wire(entry) if entry is not None else None,
        "signal_at": position.signal_at.isoformat(),
    }  # fmt: skip
    return Event(COPY_SIGNAL, position.owner_id, told)


def of_trades(owner: int, kept: Kept) -> Iterator[Event]:
    """Records that are new, or have come to another status."""
    for row in kept.logs:
        yield Event(COPY_TRADE, owner, _trade(row["relationship_id"], row["master_version"], row))
    for row in kept.log_changes:
        if "status" in row:
            yield Event(COPY_TRADE, owner, _trade(row["relationship_id"], row["master_version"], row))


def of_reports(owner: int, reports: Iterable[tuple[int, int, Mapping[str, Any]]]) -> Iterator[Event]:
    """Relationships, by number, with the revision that is spoken of and what was said."""
    for relationship, _, changes in reports:
        told = {name: changes[name] for name in ("state", "last_error", "applied_revision")}
        yield Event(COPY_STATUS, owner, {"relationship": relationship, **told})


def _trade(relationship: int, version: int, row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name.removeprefix("master_"): row[name] for name in _TOLD if name in row}
    return {"relationship": relationship, "version": version, **told}
