"""One transaction of the journal: the requests of many instances, each held to its epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from core.base_journal import Conflict, Fenced, NoSuchInstance, Step, UnitsChanged, check
from core.crash_points import reach
from db.journal import rows as shape
from db.journal.drivers import BAD_ROW, Driver, Row, marks
from db.journal.rows import Place, Rows
from db.upsert import AMONG
from domain.errors import AresError
from domain.fill import Fill
from domain.instrument import Instrument
from domain.ledger import Entry
from domain.money import check_storable
from domain.sentences import say

UNITS: Final = ("base_asset", "quote_asset", "tick_size", "lot_size", "base_quantum", "quote_quantum")
#: Most terms of one condition: SQLite parses no deeper than a thousand.
TERMS = 200
#: The instance's row is locked by another transaction: ask again in a moment.
LOCKED: Final = object()


class RaiseEpoch(NamedTuple):
    """Make a worker the owner of an instance."""

    instance: int
    owner: str


class PinUnits(NamedTuple):
    """Record the units of an instance."""

    instance: int
    instrument: Instrument


Request = Step | RaiseEpoch | PinUnits


class Holder(NamedTuple):
    """What is known of an instance whose row this transaction holds."""

    epoch: int
    account: int
    owner: int
    version: int


class Transaction:
    """Carries requests out on a connection whose transaction has begun; whoever calls ends it.

    Every instance occurs at most once. Results come in the order of the requests: the new epoch, the time of the
    commit in ms, None, an `AresError`, or `LOCKED`. Driver errors that concern the whole transaction are raised.
    In `careful` mode a step that the database refuses fails alone; otherwise its error is raised, for a second try.
    """

    def __init__(self, driver: Driver, now_ms: Callable[[], int], *, careful: bool) -> None:
        self._driver = driver
        self._now_ms = now_ms
        self._careful = careful
        self._holders: dict[int, Holder] = {}
        self._absent: set[int] = set()

    def run(self, requests: Sequence[Request]) -> list[Any]:
        """Everything but the commit."""
        self._hold([request.instance for request in requests])
        results: list[Any] = [self._begin(request) for request in requests]
        steps = [(place, request) for place, request in enumerate(requests) if results[place] is None]
        good = [(place, request) for place, request in steps if isinstance(request, Step)]
        committed_ms = self._now_ms()
        failed = self._write(good, committed_ms)
        for place, _ in good:
            results[place] = failed.get(place, committed_ms)
        return results

    def _hold(self, instances: list[int]) -> None:
        """Lock the rows of the instances, as many as can be had at once."""
        tail, hint = " FOR UPDATE SKIP LOCKED", " FORCE INDEX (PRIMARY)"
        held = self._numbers("strategy_instances", ("id", "epoch", "account_id", "owner_id"), instances, hint, tail)
        seen = self._numbers("strategy_states", ("strategy_instance_id", "version"), instances)
        versions = {row[0]: row[1] for row in seen}
        for name, epoch, account, owner in held:
            self._holders[name] = Holder(epoch, account, owner, versions.get(name, 0))
        if missing := [instance for instance in instances if instance not in self._holders]:
            there = self._driver.run(f"SELECT id FROM strategy_instances WHERE id IN ({marks(missing)})", missing)
            self._absent = set(missing) - {row[0] for row in there}

    def _numbers(
        self, table: str, columns: Sequence[str], keys: list[int], hint: str = "", tail: str = ""
    ) -> Sequence[Sequence[int]]:
        """Whole numbers out of the rows whose first column is among the keys, locked as `tail` says where rows can be.

        SQLite's driver lets other threads go first around every row that it fetches, so there all come as one text.
        """
        names, key = ",".join(columns), columns[0]
        if self._driver.locks_rows:
            return self._driver.run(f"SELECT {names} FROM {table}{hint} WHERE {key} IN ({marks(keys)}){tail}", keys)
        chosen = f"SELECT json_group_array(json_array({names})) FROM {table} WHERE {key} IN ({AMONG})"
        found: list[list[int]] = orjson.loads(self._driver.run(chosen, (orjson.dumps(keys).decode(),))[0][0])
        return found

    def _begin(self, request: Request) -> Any:
        """The result of a request that needs no rows, or None for a step that may be written."""
        instance = request.instance
        holder = self._holders.get(instance)
        if holder is None:
            return (
                NoSuchInstance(say("no_instance", "there is no instance {instance}.", instance=instance))
                if instance in self._absent
                else LOCKED
            )
        try:
            if isinstance(request, RaiseEpoch):
                return self._raise_epoch(request, holder)
            if isinstance(request, PinUnits):
                return self._pin_units(request)
            if request.epoch != holder.epoch:
                raise Fenced(
                    say(
                        "another_owner",
                        "instance {instance} is at epoch {epoch}, and this step has {step}.",
                        instance=instance,
                        epoch=holder.epoch,
                        step=request.epoch,
                    )
                )
            check(request)
        except AresError as error:
            return error
        return None

    def _raise_epoch(self, request: RaiseEpoch, holder: Holder) -> int:
        self._driver.run(
            "UPDATE strategy_instances SET epoch=epoch+1, owner=? WHERE id=? AND epoch=?",
            (request.owner, request.instance, holder.epoch),
        )
        return holder.epoch + 1

    def _pin_units(self, request: PinUnits) -> None:
        one = request.instrument
        sizes = (one.tick_size, one.lot_size, one.base_quantum, one.quote_quantum)
        wanted = (one.base, one.quote, *(format(check_storable(size), "f") for size in sizes))
        found = self._driver.run(f"SELECT {','.join(UNITS)} FROM strategy_instances WHERE id=?", (request.instance,))[0]
        if found[0] is None:
            sets = ",".join(f"{column}=?" for column in UNITS)
            self._driver.run(f"UPDATE strategy_instances SET {sets} WHERE id=?", (*wanted, request.instance))
        elif (*found[:2], *map(Decimal, found[2:])) != (*wanted[:2], *map(Decimal, wanted[2:])):
            raise UnitsChanged(
                say(
                    "units_have_changed",
                    "instance {instance} counts in {found}, and {symbol} now has {wanted}.",
                    instance=request.instance,
                    found=found,
                    symbol=one.symbol,
                    wanted=wanted,
                )
            )

    def _write(self, steps: list[tuple[int, Step]], committed_ms: int) -> dict[int, AresError]:
        """Write the steps; gives the errors of those that failed alone, by their place in the batch."""
        if not steps:
            return {}
        if not self._careful:
            self._insert([step for _, step in steps], committed_ms)
            return {}
        error = self._try([step for _, step in steps], committed_ms)
        if error is None:
            return {}
        if len(steps) == 1:
            place, step = steps[0]
            failed = self._without_repeats(step, error, committed_ms)
            return {} if failed is None else {place: failed}
        half = len(steps) // 2
        return self._write(steps[:half], committed_ms) | self._write(steps[half:], committed_ms)

    def _try(self, steps: list[Step], committed_ms: int) -> Exception | None:
        """Write all of the steps, or none and give the error."""
        self._driver.run("SAVEPOINT step")
        try:
            self._insert(steps, committed_ms)
        except Exception as error:  # sorted by what the driver says of it
            if self._driver.meaning(error) != BAD_ROW:
                raise
            self._driver.run("ROLLBACK TO SAVEPOINT step")
            return error
        self._driver.run("RELEASE SAVEPOINT step")
        return None

    def _without_repeats(self, step: Step, error: Exception, committed_ms: int) -> AresError | None:
        """Write the step without what is booked already, word for word; gives the conflict when that is not it."""
        place = self._place(step)
        fills = [fill for fill in step.fills if not self._is_booked_fill(step, place, fill)]
        entries = [entry for entry in step.entries if not self._is_booked_entry(step, place, entry)]
        again: Exception | None = error
        if len(fills) < len(step.fills) or len(entries) < len(step.entries):
            again = self._try([replace(step, fills=fills, entries=entries)], committed_ms)
        return (
            None
            if again is None
            else Conflict(
                say(
                    "step_refused",
                    "the step of instance {instance} was refused: {why}",
                    instance=step.instance,
                    why=again,
                )
            )
        )

    def _is_booked_fill(self, step: Step, place: Place, fill: Fill) -> bool:
        found = self._driver.run(
            f"SELECT {','.join(shape.FILLS)} FROM fills WHERE account_id=? AND symbol=? AND trade_id=?",
            (place.account, fill.symbol, fill.trade_id),
        )
        return any(row[3] == step.instance and shape.fill_of(self._driver, row) == fill for row in found)

    def _is_booked_entry(self, step: Step, place: Place, entry: Entry) -> bool:
        where = "WHERE account_id=? AND kind=? AND reference=?"
        name = (place.account, entry.kind, entry.reference)
        found = self._driver.run(f"SELECT {','.join(shape.ENTRIES)} FROM ledger_entries {where}", name)
        lines = self._driver.run(f"SELECT {','.join(shape.POSTINGS)} FROM postings {where} ORDER BY line", name)
        mine = [row for row in found if row[3] == step.instance]
        return shape.entries_of(self._driver, mine, lines) == [entry]

    def _place(self, step: Step) -> Place:
        holder = self._holders[step.instance]
        return Place(holder.account, holder.owner, holder.version + 1)

    def _insert(self, steps: list[Step], committed_ms: int) -> None:
        """Changes first, so that a slot is free before its next order comes."""
        all_rows, driver = Rows(self._driver, committed_ms), self._driver
        for step in steps:
            all_rows.add(step, self._place(step))
        if all_rows.changed_orders:
            driver.change(shape.CHANGE_ORDER, all_rows.changed_orders)
        for some in _pieces(all_rows.cancels):
            terms = " OR ".join(["(account_id=? AND client_order_id=?)"] * len(some))
            moment = driver.moment(committed_ms)
            driver.run(f"UPDATE orders SET cancel_requested_at=? WHERE {terms}", (moment, *_flat(some)))
        for table, columns in NEW_ROWS.items():
            _insert(driver, table, columns, all_rows.new[table])
            if table == "fills":
                reach("journal.half_written")
        _insert(driver, "strategy_states", shape.STATES, all_rows.states, shape.STATE_CHANGES)
        _insert(driver, "risk_metrics", shape.METRICS, all_rows.metrics, shape.METRIC_CHANGES)
        driver.flush()


#: In the order in which they refer to one another.
NEW_ROWS: Final = {
    "orders": shape.ORDERS,
    "fills": shape.FILLS,
    "ledger_entries": shape.ENTRIES,
    "postings": shape.POSTINGS,
}


def _insert(driver: Driver, table: str, columns: Sequence[str], rows: list[Row], update: Sequence[str] = ()) -> None:
    if rows:
        driver.insert(table, columns, rows, update)


def _pieces(rows: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), TERMS):
        yield rows[start : start + TERMS]


def _flat(rows: list[Row]) -> list[Any]:
    return [value for row in rows for value in row]
