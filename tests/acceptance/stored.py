"""What the journal has stored, read with plain SQL: amounts as decimals, times in milliseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

_QUANTUM = Decimal("0.00000001")
_SIDES = {1: "BUY", -1: "SELL"}


@dataclass(frozen=True, slots=True)
class StoredFill:
    """One booked execution."""

    instance: int
    client: str
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    time_ms: int


@dataclass(frozen=True, slots=True)
class StoredIntent:
    """One journaled order."""

    instance: int
    symbol: str
    side: str
    price: Decimal
    quantity: Decimal
    status: int
    filled: Decimal
    complete: bool


@dataclass(slots=True)
class Stored:
    """Everything of one account."""

    intents: dict[str, StoredIntent] = field(default_factory=dict)
    #: (symbol, trade id) -> fill
    fills: dict[tuple[str, str], StoredFill] = field(default_factory=dict)
    #: (kind, reference) -> asset -> sum of its postings, in the venue's finest units
    entry_sums: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    #: (ledger account, asset) -> balance
    balances: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    #: (ledger account, asset) -> what entries that are neither of trades nor of funding have brought
    transfers: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    #: instance -> results of all days after fees, and the fees in them
    realised: dict[int, Decimal] = field(default_factory=dict)
    day_fees: dict[int, Decimal] = field(default_factory=dict)
    #: instance -> (base, quote)
    assets: dict[int, tuple[str, str]] = field(default_factory=dict)


_INTENT = "client_order_id, strategy_instance_id, symbol, side, ticks, lots, status, filled, complete"
_FILL = "symbol, trade_id, strategy_instance_id, client_order_id, side, ticks, lots, fee, fee_asset, maker, executed_at"
_UNITS = "id, tick_size, lot_size, base_asset, quote_asset"
_POSTING = "kind, reference, ledger_account, asset, amount"
Row = tuple[Any, ...]


class Reader:
    """Reads every row of an account each time; only rows that have changed since are made into amounts again."""

    def __init__(self, engine: Engine, account: int) -> None:
        self._engine = engine
        self._account = account
        self._intents: dict[Row, StoredIntent] = {}
        self._fills: dict[Row, StoredFill] = {}

    def read(self) -> Stored:
        """All rows, as of one moment."""
        stored = Stored()
        with self._engine.connect() as connection:

            def rows(columns: str, table: str, more: str = "") -> list[Row]:
                sql = f"SELECT {columns} FROM {table} WHERE account_id = :account {more}"
                return [tuple(row) for row in connection.execute(text(sql), {"account": self._account}).all()]

            units: dict[int, tuple[Decimal, Decimal]] = {}
            for number, tick, lot, base, quote in rows(_UNITS, "strategy_instances", "AND tick_size IS NOT NULL"):
                units[number] = Decimal(tick), Decimal(lot)
                stored.assets[number] = base, quote
            self._intents = {
                row: self._intents.get(row) or _intent(row, *units[row[1]]) for row in rows(_INTENT, "orders")
            }
            self._fills = {row: self._fills.get(row) or _fill(row, *units[row[2]]) for row in rows(_FILL, "fills")}
            _read_ledger(stored, rows(_POSTING, "postings"))
            days = "risk_metrics m JOIN strategy_instances i ON i.id = m.strategy_instance_id"
            for number, realised, fees in rows("strategy_instance_id, realised, fees", days):
                stored.realised[number] = stored.realised.get(number, Decimal(0)) + Decimal(realised) * _QUANTUM
                stored.day_fees[number] = stored.day_fees.get(number, Decimal(0)) + Decimal(fees) * _QUANTUM
        stored.intents = {row[0]: intent for row, intent in self._intents.items()}
        stored.fills = {(row[0], row[1]): fill for row, fill in self._fills.items()}
        return stored


def read(engine: Engine, account: int) -> Stored:
    """All rows of an account, as of one moment."""
    return Reader(engine, account).read()


def _intent(row: Row, tick: Decimal, lot: Decimal) -> StoredIntent:
    _, instance, symbol, side, ticks, lots, status, filled, complete = row
    return StoredIntent(
        instance, symbol, _SIDES[side], ticks * tick, lots * lot, status, filled * lot, bool(complete)
    )  # fmt: skip


def _fill(row: Row, tick: Decimal, lot: Decimal) -> StoredFill:
    _, _, instance, client, side, ticks, lots, fee, fee_asset, maker, moment = row
    return StoredFill(
        instance, client, _SIDES[side], ticks * tick, lots * lot, Decimal(fee) * _QUANTUM, fee_asset, bool(maker),
        _milliseconds(moment),
    )  # fmt: skip


def _read_ledger(stored: Stored, rows: Iterable[Any]) -> None:
    sums: dict[tuple[str, str], dict[str, int]] = {}
    balances: dict[tuple[str, str], int] = defaultdict(int)
    transfers: dict[tuple[str, str], int] = defaultdict(int)
    for kind, reference, ledger_account, asset, stored_amount in rows:
        amount = int(stored_amount)
        of_entry = sums.setdefault((kind, reference), {})
        of_entry[asset] = of_entry.get(asset, 0) + amount
        balances[ledger_account, asset] += amount
        if kind not in ("trade", "funding"):
            transfers[ledger_account, asset] += amount
    stored.entry_sums = sums
    stored.balances = {name: amount * _QUANTUM for name, amount in balances.items()}
    stored.transfers = {name: amount * _QUANTUM for name, amount in transfers.items()}


def _milliseconds(moment: Any) -> int:
    """SQLite keeps microseconds since 1970; MariaDB a moment without a zone, in UTC."""
    if isinstance(moment, datetime):
        return round(moment.replace(tzinfo=UTC).timestamp() * 1000)
    return int(moment) // 1000
