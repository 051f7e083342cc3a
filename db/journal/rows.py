"""Steps as rows, and rows as what the law knows. The order of columns is stated once, here."""

from __future__ import annotations

import json
from collections import defaultdict
from sys import intern
from typing import Any, Final, NamedTuple

import orjson

from core.base_journal import RiskMetrics, Step, StoredState
from db.journal.drivers import Driver, Row
from domain.client_order_id import OrderKey
from domain.fill import Fill
from domain.ledger import Entry, Posting
from domain.order import Order, is_complete

ORDERS: Final = (
    "account_id", "client_order_id", "strategy_instance_id", "owner_id", "deployment", "generation", "slot", "cycle",
    "leg", "attempt", "symbol", "side", "type", "ticks", "lots", "reduce_only", "reason", "epoch", "state_version",
    "committed_at", "status", "filled", "booked", "venue_order_id", "complete", "live_slot", "updated_at",
)  # fmt: skip
#: Once a slot is free it stays free, whatever shows up later of the order that was there.
CHANGE_ORDER: Final = (
    "UPDATE orders SET status=?, filled=?, booked=?, venue_order_id=?, complete=?, "
    "live_slot=CASE WHEN ?=1 THEN NULL ELSE live_slot END, updated_at=? WHERE account_id=? AND client_order_id=?"
)
FILLS: Final = (
    "account_id", "symbol", "trade_id", "strategy_instance_id", "owner_id", "client_order_id", "side", "ticks", "lots",
    "fee", "fee_asset", "maker", "executed_at",
)  # fmt: skip
ENTRIES: Final = ("account_id", "kind", "reference", "strategy_instance_id", "owner_id", "booked_at")
POSTINGS: Final = (
    "account_id", "kind", "reference", "line", "strategy_instance_id", "owner_id", "ledger_account", "asset", "amount",
)  # fmt: skip
STATE_CHANGES: Final = ("version", "state_data", "updated_at")
STATES: Final = ("strategy_instance_id", "owner_id", *STATE_CHANGES)
METRIC_CHANGES: Final = ("realised", "fees", "trades", "losses_in_a_row", "last_loss_at", "updated_at")
METRICS: Final = ("strategy_instance_id", "day", "owner_id", *METRIC_CHANGES)

LOADED_ORDERS: Final = (
    "deployment", "strategy_instance_id", "generation", "slot", "cycle", "leg", "attempt", "client_order_id", "symbol",
    "side", "type", "ticks", "lots", "reduce_only", "status", "filled", "venue_order_id", "booked", "updated_at",
)  # fmt: skip


class Place(NamedTuple):
    """Whose step it is, and under which number of the instance's steps it is kept."""

    account: int
    owner: int
    version: int


class Rows:
    """The rows of many steps, by what is done with them."""

    def __init__(self, driver: Driver, committed_ms: int) -> None:
        self._driver = driver
        self._committed = driver.moment(committed_ms)
        self.new: dict[str, list[Row]] = defaultdict(list)
        self.changed_orders: list[Row] = []
        #: (account, client order id)
        self.cancels: list[Row] = []
        self.states: list[Row] = []
        self.metrics: list[Row] = []

    def add(self, step: Step, place: Place) -> None:
        """Take in a step."""
        for order, reason in zip(step.intents, step.reasons, strict=True):
            self._intend(step, place, order, reason)
        for order in step.orders:
            complete, updated = int(is_complete(order)), self._driver.moment(order.updated_ms)
            what = (order.status, order.filled, order.booked, order.venue_order_id, complete, complete, updated)
            self.changed_orders.append((*what, place.account, order.client_order_id))
        self.cancels += [(place.account, name) for name in step.cancels]
        self.new["fills"] += [fill_row(self._driver, step.instance, place, fill) for fill in step.fills]
        for entry in step.entries:
            self.new["ledger_entries"].append(entry_row(self._driver, step.instance, place, entry))
            self.new["postings"] += posting_rows(self._driver, step.instance, place, entry)
        self._remember(step, place)

    def _intend(self, step: Step, place: Place, order: Order, reason: int) -> None:
        key, name, complete = order.key, order.client_order_id, is_complete(order)
        self.new["orders"].append(
            (
                place.account, name, step.instance, place.owner, key.deployment, key.generation, key.slot, key.cycle,
                key.leg, key.attempt, order.symbol, order.side, order.type, order.ticks, order.lots,
                int(order.reduce_only), reason, step.epoch, place.version, self._committed, order.status, order.filled,
                order.booked, order.venue_order_id, int(complete), None if complete else key.slot,
                self._driver.moment(order.updated_ms),
            )
        )  # fmt: skip

    def _remember(self, step: Step, place: Place) -> None:
        text = None if step.state is None else encode_state(step.state)
        self.states.append((step.instance, place.owner, place.version, text, self._committed))
        if step.metrics is not None:
            one, driver = step.metrics, self._driver
            last = driver.moment(one.last_loss_ms) if one.last_loss_ms else None
            amounts = driver.big(one.realised), driver.big(one.fees), one.trades, one.losses_in_a_row
            self.metrics.append((step.instance, one.day, place.owner, *amounts, last, self._committed))


def fill_row(driver: Driver, instance: int, place: Place, fill: Fill) -> Row:
    """A fill as it is stored."""
    return (
        place.account, fill.symbol, fill.trade_id, instance, place.owner, fill.client_order_id, fill.side, fill.ticks,
        fill.lots, driver.big(fill.fee), fill.fee_asset, int(fill.is_maker), driver.moment(fill.time_ms),
    )  # fmt: skip


def entry_row(driver: Driver, instance: int, place: Place, entry: Entry) -> Row:
    """A ledger entry without its postings."""
    return (place.account, entry.kind, entry.reference, instance, place.owner, driver.moment(entry.time_ms))


def posting_rows(driver: Driver, instance: int, place: Place, entry: Entry) -> list[Row]:
    """The postings of an entry."""
    start = (place.account, entry.kind, entry.reference)
    return [
        (*start, line, instance, place.owner, posting.account, posting.asset, driver.big(posting.amount))
        for line, posting in enumerate(entry.postings)
    ]


def encode_state(stored: StoredState) -> str:
    """JSON `[integers, floats]`. Every float is written so that it reads back as itself, infinities included."""
    try:
        integers = orjson.dumps(stored.state).decode()
    except TypeError:  # an integer beyond 64 bits
        integers = json.dumps(stored.state, separators=(",", ":"))
    return f"[{integers},{json.dumps(stored.memory, separators=(',', ':'))}]"


def decode_state(text: str | None) -> StoredState | None:
    """What `encode_state` wrote."""
    if text is None:
        return None
    integers, floats = json.loads(text)
    return StoredState(integers, floats)


def order_of(driver: Driver, row: Row) -> Order:
    """An order from `LOADED_ORDERS`."""
    name, symbol, side, kind, ticks, lots, reduce_only, status, filled, venue_order_id, booked, updated = row[7:]
    key, moment = OrderKey(*row[:7]), driver.milliseconds(updated)
    more = bool(reduce_only), status, filled, venue_order_id, booked, moment
    # Thousands of orders on the same few symbols: each would otherwise keep a text of its own.
    return Order(key, name, intern(symbol), side, kind, ticks, lots, *more)


def fill_of(driver: Driver, row: Row) -> Fill:
    """A fill from `FILLS`."""
    _, symbol, trade_id, _, _, name, side, ticks, lots, fee, fee_asset, maker, moment = row
    time_ms = driver.milliseconds(moment)
    return Fill(symbol, trade_id, name, side, ticks, lots, int(fee), fee_asset, bool(maker), time_ms)


def entries_of(driver: Driver, entries: list[Row], postings: list[Row]) -> list[Entry]:
    """Entries from `ENTRIES` with their postings, which come in the order of their lines."""
    lines: dict[tuple[Any, ...], list[Posting]] = defaultdict(list)
    for row in postings:
        lines[row[:3]].append(Posting(row[6], row[7], int(row[8])))
    return [Entry(intern(row[1]), row[2], driver.milliseconds(row[5]), tuple(lines[row[:3]])) for row in entries]


def metrics_of(driver: Driver, row: Row) -> RiskMetrics:
    """A day's results from `METRICS`."""
    instance, day, _, realised, fees, trades, losses, last, _ = row
    last_ms = 0 if last is None else driver.milliseconds(last)
    return RiskMetrics(instance, day, int(realised), int(fees), trades, losses, last_ms)
