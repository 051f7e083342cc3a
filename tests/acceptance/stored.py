"""What the journal has stored, read with plain SQL: amounts as decimals, times in milliseconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
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
    #: (ledger account, asset) -> what entries that are not of trades have brought
    transfers: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    #: instance -> results of all days after fees, and the fees in them
    realised: dict[int, Decimal] = field(default_factory=dict)
    day_fees: dict[int, Decimal] = field(default_factory=dict)
    #: instance -> (base, quote)
    assets: dict[int, tuple[str, str]] = field(default_factory=dict)


def read(engine: Engine, account: int) -> Stored:
    """All rows of an account, as of one moment."""
    stored = Stored()
    with engine.connect() as connection:

        def rows(sql: str) -> list[Mapping[str, Any]]:
            return [dict(row) for row in connection.execute(text(sql), {"account": account}).mappings()]

        units = {
            row["id"]: (Decimal(row["tick_size"]), Decimal(row["lot_size"]))
            for row in rows("SELECT * FROM strategy_instances WHERE account_id = :account AND tick_size IS NOT NULL")
        }
        for row in rows("SELECT * FROM strategy_instances WHERE account_id = :account AND tick_size IS NOT NULL"):
            stored.assets[row["id"]] = row["base_asset"], row["quote_asset"]
        for row in rows("SELECT * FROM orders WHERE account_id = :account"):
            stored.intents[row["client_order_id"]] = _intent(row, *units[row["strategy_instance_id"]])
        for row in rows("SELECT * FROM fills WHERE account_id = :account"):
            stored.fills[row["symbol"], row["trade_id"]] = _fill(row, *units[row["strategy_instance_id"]])
        postings = "SELECT kind, reference, ledger_account, asset, amount FROM postings WHERE account_id = :account"
        _read_ledger(stored, connection.execute(text(postings), {"account": account}))
        metrics = "SELECT m.* FROM risk_metrics m JOIN strategy_instances i ON i.id = m.strategy_instance_id "
        for row in rows(metrics + "WHERE i.account_id = :account"):
            number = row["strategy_instance_id"]
            stored.realised[number] = stored.realised.get(number, Decimal(0)) + Decimal(row["realised"]) * _QUANTUM
            stored.day_fees[number] = stored.day_fees.get(number, Decimal(0)) + Decimal(row["fees"]) * _QUANTUM
    return stored


def _intent(row: Mapping[str, Any], tick: Decimal, lot: Decimal) -> StoredIntent:
    return StoredIntent(
        row["strategy_instance_id"], row["symbol"], _SIDES[row["side"]], row["ticks"] * tick, row["lots"] * lot,
        row["status"], row["filled"] * lot, bool(row["complete"]),
    )  # fmt: skip


def _fill(row: Mapping[str, Any], tick: Decimal, lot: Decimal) -> StoredFill:
    return StoredFill(
        row["strategy_instance_id"], row["client_order_id"], _SIDES[row["side"]], row["ticks"] * tick,
        row["lots"] * lot, Decimal(row["fee"]) * _QUANTUM, row["fee_asset"], bool(row["maker"]),
        _milliseconds(row["executed_at"]),
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
        if kind != "trade":
            transfers[ledger_account, asset] += amount
    stored.entry_sums = sums
    stored.balances = {name: amount * _QUANTUM for name, amount in balances.items()}
    stored.transfers = {name: amount * _QUANTUM for name, amount in transfers.items()}


def _milliseconds(moment: Any) -> int:
    """SQLite keeps microseconds since 1970; MariaDB a moment without a zone, in UTC."""
    if isinstance(moment, datetime):
        return round(moment.replace(tzinfo=UTC).timestamp() * 1000)
    return int(moment) // 1000
