"""What relationships have come to at the prices of now, all symbols together: leaderboards are made of these rows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from db.models import FollowRelationship, Master
from domain.money import from_units
from engine.follower_engine.book import FollowerBook


class Result(NamedTuple):
    """In quote quanta; `notional` is what is held, at the price of now."""

    realised: int = 0
    unrealised: int = 0
    fees: int = 0
    notional: int = 0


NO_RESULT: Final = Result()


def results_of(book: FollowerBook) -> dict[int, Result]:
    """Relationship -> its result; those that have ended too."""
    found: dict[int, Result] = {}
    for (number, symbol), holding in book.holdings.items():
        if not number or symbol not in book.instruments:
            continue
        before, position = found.get(number, NO_RESULT), holding.position
        ticks = book.marks.get(symbol) or holding.record.ticks or holding.track.ticks
        value = position.lots * ticks * book.instruments[symbol].tick_lot
        found[number] = Result(
            before.realised + position.realised, before.unrealised + value - position.cost,
            before.fees + holding.fees, before.notional + abs(value),
        )  # fmt: skip
    return found


def result_row(
    row: FollowRelationship, master: Master, found: Result, quantum: Decimal, now: datetime
) -> dict[str, Any]:
    """A result as it is kept."""
    amounts = {name: from_units(count, quantum) for name, count in found._asdict().items()}
    return {
        "relationship_id": row.id, "at": now, "owner_id": row.owner_id, "master_id": row.master_id,
        "quote_asset": master.quote_asset, **amounts,
    }  # fmt: skip
