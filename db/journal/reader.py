"""What the journal is asked, on a connection and a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from core.base_journal import REBUILT, JournalDown, NoSuchInstance, RiskMetrics, Stored
from db.journal import rows as shape
from db.journal.drivers import LOST, Driver, Row, marks
from domain.money import to_units
from domain.order import Order
from domain.sentences import say

T = TypeVar("T")
#: Most values in one `IN (...)`.
MANY = 500


class Reader:
    """Questions, one at a time. A lost connection is made anew once; then it is `JournalDown`."""

    def __init__(self, connect: Callable[[], Driver]) -> None:
        self._connect = connect
        self._driver: Driver | None = None

    def load(self, instance: int) -> Stored:
        """Everything of an instance, as of one moment."""
        return self._ask(lambda driver: _load(driver, instance))

    def has_intents(self, instance: int, names: list[str]) -> set[str]:
        """Which orders are journaled, once no transaction that might still add them is under way."""
        return self._ask(lambda driver: _has_intents(driver, instance, names), writes=True)

    def find_orders(self, instance: int, names: list[str]) -> list[Order]:
        """The orders of these names."""
        return self._ask(lambda driver: _find_orders(driver, instance, names))

    def watermark(self, account: int, symbol: str) -> str:
        """The newest trade id of an account and symbol."""
        return self._ask(lambda driver: _watermark(driver, account, symbol))

    def holders(self, account: int) -> dict[int, str]:
        """Who holds something on an account."""
        return self._ask(lambda driver: _holders(driver, account))

    def held_before(self, instance: int, symbol: str, time_ms: int) -> dict[int, int]:
        """What the instances of an account held of a symbol."""
        return self._ask(lambda driver: _held_before(driver, instance, symbol, time_ms))

    def close(self) -> None:
        """Close the connection."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None

    def _ask(self, question: Callable[[Driver], T], *, writes: bool = False) -> T:
        try:
            return self._answer(question, writes)
        except _Gone:
            pass
        try:
            return self._answer(question, writes)
        except _Gone as error:
            raise JournalDown(
                say("journal_unreadable", "the journal could not be read: {error}", error=error)
            ) from error

    def _answer(self, question: Callable[[Driver], T], writes: bool) -> T:
        try:
            driver = self._driver = self._driver or self._connect()
        except Exception as error:
            raise _Gone(str(error)) from error
        try:
            if writes:
                driver.begin()
            else:
                driver.begin_read()
            answer = question(driver)
            driver.drop()
        except NoSuchInstance:
            driver.drop()
            raise
        except Exception as error:
            if driver.meaning(error) == LOST:
                self.close()
            else:
                driver.drop()
            raise _Gone(str(error)) from error
        return answer


class _Gone(Exception):
    """The database did not answer."""


def _load(driver: Driver, instance: int) -> Stored:
    mine = (instance,)
    found = driver.run("SELECT generation, epoch FROM strategy_instances WHERE id=?", mine)
    if not found:
        raise NoSuchInstance(say("no_instance", "there is no instance {instance}.", instance=instance))
    state = driver.run("SELECT state_data FROM strategy_states WHERE strategy_instance_id=?", mine)
    fills = driver.run(
        f"SELECT {','.join(shape.FILLS)} FROM fills WHERE strategy_instance_id=? "
        "ORDER BY executed_at, LENGTH(trade_id), trade_id",
        mine,
    )
    entries = driver.run(
        f"SELECT {','.join(shape.ENTRIES)} FROM ledger_entries WHERE strategy_instance_id=? "
        "ORDER BY booked_at, kind, reference",
        mine,
    )
    lines = ",".join(f"p.{column}" for column in shape.POSTINGS)
    postings = driver.run(
        f"SELECT {lines} FROM postings p JOIN ledger_entries e "
        "ON e.account_id=p.account_id AND e.kind=p.kind AND e.reference=p.reference "
        "WHERE e.strategy_instance_id=? ORDER BY p.kind, p.reference, p.line",
        mine,
    )
    return Stored(
        shape.decode_state(state[0][0]) if state else None,
        _orders(driver, instance, found[0][0]),
        [shape.fill_of(driver, row) for row in fills],
        shape.entries_of(driver, entries, postings),
        _metrics(driver, instance),
        found[0][1],
        _taken_over(driver, instance, found[0][0]),
    )


def _orders(driver: Driver, instance: int, generation: int) -> list[Order]:
    columns = ",".join(f"o.{column}" for column in shape.LOADED_ORDERS)
    # Cycles count the uses of a slot, so the last order is among those of the highest: found in the index alone.
    last = driver.run(
        f"SELECT {columns}, o.state_version FROM orders o JOIN (SELECT slot, MAX(cycle) AS cycle FROM orders "
        "WHERE strategy_instance_id=? AND generation=? GROUP BY slot) l ON l.slot=o.slot AND l.cycle=o.cycle "
        "WHERE o.strategy_instance_id=? AND o.generation=? ORDER BY o.state_version, o.updated_at, o.leg, o.attempt",
        (instance, generation, instance, generation),
    )
    working = driver.run(
        f"SELECT {columns}, o.state_version FROM orders o WHERE o.strategy_instance_id=? AND o.complete=0", (instance,)
    )
    # A slot gets at most one order in a step, so among equals the step tells the last one; several only where orders
    # were taken over from the venue, and those have ended one after the other.
    last_of_slots = {row[3]: row for row in last}
    by_name = {row[7]: row for row in (*last_of_slots.values(), *working)}
    chosen = sorted(by_name.values(), key=lambda row: (row[-1], row[3]))
    return [shape.order_of(driver, row[:-1]) for row in chosen]


def _taken_over(driver: Driver, instance: int, generation: int) -> int:
    found = driver.run(
        "SELECT MAX(attempt) FROM orders WHERE strategy_instance_id=? AND generation=? AND reason=?",
        (instance, generation, REBUILT),
    )
    return -1 if found[0][0] is None else int(found[0][0])


def _metrics(driver: Driver, instance: int) -> RiskMetrics | None:
    found = driver.run(
        f"SELECT {','.join(shape.METRICS)} FROM risk_metrics WHERE strategy_instance_id=? ORDER BY day DESC LIMIT 1",
        (instance,),
    )
    return shape.metrics_of(driver, found[0]) if found else None


def _has_intents(driver: Driver, instance: int, names: list[str]) -> set[str]:
    # A commit whose answer was lost may still be under way on the server; it holds this row until it has ended.
    lock = " FOR UPDATE" if driver.locks_rows else ""
    driver.run(f"SELECT id FROM strategy_instances WHERE id=?{lock}", (instance,))
    found: list[Row] = []
    for some in _pieces(names):
        found += driver.run(
            f"SELECT client_order_id FROM orders WHERE strategy_instance_id=? AND client_order_id IN ({marks(some)})",
            (instance, *some),
        )
    return {row[0] for row in found}


def _find_orders(driver: Driver, instance: int, names: list[str]) -> list[Order]:
    found: list[Row] = []
    for some in _pieces(names):
        found += driver.run(
            f"SELECT {','.join(shape.LOADED_ORDERS)} FROM orders "
            f"WHERE strategy_instance_id=? AND client_order_id IN ({marks(some)})",
            (instance, *some),
        )
    return [shape.order_of(driver, row) for row in found]


def _held_before(driver: Driver, instance: int, symbol: str, time_ms: int) -> dict[int, int]:
    found = driver.run(
        "SELECT f.strategy_instance_id, i.lot_size, i.base_quantum, SUM(f.side*f.lots) FROM fills f "
        "JOIN strategy_instances i ON i.id=f.strategy_instance_id WHERE f.account_id="
        "(SELECT account_id FROM strategy_instances WHERE id=?) AND f.symbol=? AND f.executed_at<? "
        "GROUP BY f.strategy_instance_id, i.lot_size, i.base_quantum",
        (instance, symbol, driver.moment(time_ms)),
    )
    return {row[0]: int(row[3]) * to_units(Decimal(row[1]), Decimal(row[2])) for row in found}


def _holders(driver: Driver, account: int) -> dict[int, str]:
    found = driver.run(
        "SELECT strategy_instance_id, symbol FROM fills WHERE account_id=? "
        "GROUP BY strategy_instance_id, symbol HAVING SUM(side*lots)<>0",
        (account,),
    )
    return {row[0]: row[1] for row in found}


def _watermark(driver: Driver, account: int, symbol: str) -> str:
    found = driver.run(
        "SELECT trade_id FROM fills WHERE account_id=? AND symbol=? "
        "ORDER BY executed_at DESC, LENGTH(trade_id) DESC, trade_id DESC LIMIT 1",
        (account, symbol),
    )
    return str(found[0][0]) if found else ""


def _pieces(values: Sequence[T]) -> list[Sequence[T]]:
    return [values[start : start + MANY] for start in range(0, len(values), MANY)]
