"""The verdict on one run, from the venue's tape and the journal's rows alone, beside what the checker compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Engine, text

from tests.acceptance.checker import Views, complaints
from tests.acceptance.stored import Stored, read
from tests.acceptance.tape import OURS, Tape

ACCOUNT = 1
#: Statuses in the journal, and what the tape may call them. An order the venue never took was refused or is lost.
_NAMES = {2: {"REJECTED", ""}, 3: {"EXPIRED", "EXPIRED_IN_MATCH"}, 4: {"CANCELED"}, 5: {"FILLED"}}
_OPEN = ("NEW", "PARTIALLY_FILLED")


def judge(database: Engine, tape: Tape, lines: list[Mapping[str, Any]], views: Views, planted: str) -> list[str]:
    """Everything that is wrong at a quiet moment; `planted` is an order that the driver has placed under our name."""
    stored = read(database, ACCOUNT)
    found = [
        *complaints(stored, tape, views),
        *check_ends(stored, tape),
        *check_slots(database, lines),
        *check_never_back(lines),
        *check_steps(database),
    ]
    if not planted:
        return found
    if tape.orders.get(planted, ("",))[0] != "CANCELED":
        found.append(f"the orphan {planted} is {tape.orders.get(planted)}")
    return [one for one in found if not one.startswith(f"order {planted} ")]


def check_ends(stored: Stored, tape: Tape) -> Iterator[str]:
    """Every intent rests or has ended, and as the venue says."""
    for client, intent in stored.intents.items():
        told = tape.orders.get(client, ("", None))[0]
        if intent.status == 0:
            yield f"intent {client} is still unknown"
        elif intent.status == 1:
            if told not in _OPEN:
                yield f"intent {client} is open, and at the venue {told or 'nothing'}"
        elif told not in _NAMES[intent.status]:
            yield f"intent {client} ended as {intent.status}, at the venue as {told or 'nothing'}"
        if intent.status >= 2 and not intent.complete:
            yield f"intent {client} has ended and still holds its slot"


def check_slots(database: Engine, lines: list[Mapping[str, Any]]) -> Iterator[str]:
    """At no moment have two orders of one slot been alive."""
    slots = _rows(database, "SELECT client_order_id, slot FROM orders")
    alive: dict[int, str] = {}
    for line in lines:
        client = line.get("original_client") or line["client"]
        if client not in slots:
            continue
        slot = slots[client]
        if line["execution"] == "NEW":
            if alive.get(slot, client) != client:
                yield f"order {client} came alive in slot {slot} beside {alive[slot]}"
            alive[slot] = client
        elif line["status"] not in _OPEN and alive.get(slot) == client:
            del alive[slot]


def check_never_back(lines: list[Mapping[str, Any]]) -> Iterator[str]:
    """No name is used for a second order, not even after the first has ended."""
    seen: set[str] = set()
    for line in lines:
        if line["execution"] == "NEW" and str(line["client"]).startswith(OURS):
            if line["client"] in seen:
                yield f"order {line['client']} was sent again"
            seen.add(str(line["client"]))


def check_steps(database: Engine) -> Iterator[str]:
    """What the state says is held is what was traded: a fill and the state that knows of it are one step."""
    fills = _rows(database, "SELECT client_order_id, SUM(lots) FROM fills GROUP BY client_order_id")
    booked = _rows(database, "SELECT client_order_id, booked FROM orders WHERE booked > 0")
    for client in fills.keys() | booked.keys():
        if fills.get(client) != booked.get(client):
            yield f"order {client}: fills of {fills.get(client)} lots, {booked.get(client)} in its row"


def _rows(database: Engine, sql: str) -> dict[str, int]:
    with database.connect() as connection:
        return {row[0]: int(row[1]) for row in connection.execute(text(sql))}
