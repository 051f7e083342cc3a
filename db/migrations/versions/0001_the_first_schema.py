"""The first schema: people, accounts, strategy instances, the journal, the ledger, commands and the audit chain.

Revision: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.columns import ExactDecimal, UtcDateTime, WholeNumber, identifier, long_text, row_number, venue_name

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
#: In the order in which they refer to one another.
TABLES = (
    "audit", "audit_head", "users", "accounts", "cursors", "paper_books", "strategy_instances", "commands",
    "fills", "ledger_entries", "orders", "risk_metrics", "strategy_states", "postings",
)  # fmt: skip


def upgrade() -> None:
    """Make every table."""
    _audit()
    _audit_head()
    _users()
    _accounts()
    _cursors()
    _paper_books()
    _strategy_instances()
    _commands()
    _fills()
    _ledger_entries()
    _orders()
    _risk_metrics()
    _strategy_states()
    _postings()


def downgrade() -> None:
    """Drop every table."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("action", identifier(60), nullable=False),
        sa.Column("content", long_text(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("previous_hash", identifier(64), nullable=False),
        sa.Column("hash", identifier(64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit"),
        **OPTIONS,
    )
    op.create_index("ix_audit_owner_id", "audit", ["owner_id"])
    op.create_index("ix_audit_strategy_instance_id", "audit", ["strategy_instance_id"])


def _audit_head() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", identifier(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
        **OPTIONS,
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("login", identifier(190), nullable=False),
        sa.Column("display_name", sa.String(length=190), nullable=False),
        sa.Column("role", identifier(20), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("login", name="uq_users_login"),
        **OPTIONS,
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("exchange", identifier(40), nullable=False),
        sa.Column("paper", sa.Boolean(), nullable=False),
        sa.Column("settings", long_text(), nullable=False),
        sa.Column("api_key", sa.LargeBinary(length=4096), nullable=True),
        sa.Column("api_secret", sa.LargeBinary(length=4096), nullable=True),
        sa.Column("passphrase", sa.LargeBinary(length=4096), nullable=True),
        sa.Column("key_id", identifier(64), nullable=True),
        sa.Column("rights", identifier(20), nullable=False),
        sa.Column("rights_checked_at", UtcDateTime(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_accounts_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("owner_id", "name", name="uq_accounts_owner_id_name"),
        **OPTIONS,
    )


def _cursors() -> None:
    op.create_table(
        "cursors",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", venue_name(100), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.String(length=200), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_cursors_account_id"),
        sa.PrimaryKeyConstraint("account_id", "name", name="pk_cursors"),
        **OPTIONS,
    )


def _paper_books() -> None:
    op.create_table(
        "paper_books",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", long_text(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_paper_books_account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_paper_books"),
        **OPTIONS,
    )


def _strategy_instances() -> None:
    op.create_table(
        "strategy_instances",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("strategy_type", identifier(40), nullable=False),
        sa.Column("symbol", venue_name(40), nullable=False),
        sa.Column("kline_interval", identifier(8), nullable=False),
        sa.Column("parameters", long_text(), nullable=False),
        sa.Column("limits", long_text(), nullable=False),
        sa.Column("desired_state", identifier(12), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("owner", identifier(120), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("paper", sa.Boolean(), nullable=False),
        sa.Column("base_asset", venue_name(20), nullable=True),
        sa.Column("quote_asset", venue_name(20), nullable=True),
        sa.Column("tick_size", ExactDecimal(), nullable=True),
        sa.Column("lot_size", ExactDecimal(), nullable=True),
        sa.Column("base_quantum", ExactDecimal(), nullable=True),
        sa.Column("quote_quantum", ExactDecimal(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "epoch >= 0 AND generation >= 0 AND revision >= 0", name=op.f("ck_strategy_instances_counters")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_strategy_instances_account_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_strategy_instances_owner_id"),
        sa.PrimaryKeyConstraint("id", name="pk_strategy_instances"),
        sa.UniqueConstraint("owner_id", "name", name="uq_strategy_instances_owner_id_name"),
        **OPTIONS,
    )
    op.create_index("ix_strategy_instances_account_id", "strategy_instances", ["account_id"])
    op.create_index("ix_strategy_instances_desired_state", "strategy_instances", ["desired_state"])


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("request_key", identifier(64), nullable=False),
        sa.Column("kind", identifier(20), nullable=False),
        sa.Column("payload", long_text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", identifier(12), nullable=True),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_commands_owner_id"),
        sa.ForeignKeyConstraint(
            ["strategy_instance_id"], ["strategy_instances.id"], name="fk_commands_strategy_instance_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sa.UniqueConstraint("owner_id", "request_key", name="uq_commands_owner_id_request_key"),
        sa.UniqueConstraint("strategy_instance_id", "sequence", name="uq_commands_strategy_instance_id_sequence"),
        **OPTIONS,
    )


def _fills() -> None:
    op.create_table(
        "fills",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", venue_name(40), nullable=False),
        sa.Column("trade_id", identifier(64), nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("client_order_id", identifier(36), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("ticks", sa.BigInteger(), nullable=False),
        sa.Column("lots", sa.BigInteger(), nullable=False),
        sa.Column("fee", WholeNumber(), nullable=False),
        sa.Column("fee_asset", venue_name(20), nullable=False),
        sa.Column("maker", sa.Boolean(), nullable=False),
        sa.Column("executed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_instance_id"], ["strategy_instances.id"], name="fk_fills_strategy_instance_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "symbol", "trade_id", name="pk_fills"),
        **OPTIONS,
    )
    op.create_index("ix_fills_account_id_symbol_executed_at", "fills", ["account_id", "symbol", "executed_at"])
    op.create_index("ix_fills_strategy_instance_id_executed_at", "fills", ["strategy_instance_id", "executed_at"])


def _ledger_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", identifier(20), nullable=False),
        sa.Column("reference", venue_name(120), nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("booked_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_instance_id"], ["strategy_instances.id"], name="fk_ledger_entries_strategy_instance_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", "reference", name="pk_ledger_entries"),
        **OPTIONS,
    )
    op.create_index(
        "ix_ledger_entries_strategy_instance_id_booked_at", "ledger_entries", ["strategy_instance_id", "booked_at"]
    )


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_order_id", identifier(36), nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("symbol", venue_name(40), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("ticks", sa.BigInteger(), nullable=False),
        sa.Column("lots", sa.BigInteger(), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("state_version", sa.BigInteger(), nullable=False),
        sa.Column("committed_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("filled", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.Column("venue_order_id", identifier(64), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("live_slot", sa.Integer(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("cancel_requested_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["strategy_instance_id"], ["strategy_instances.id"], name="fk_orders_strategy_instance_id"
        ),
        sa.PrimaryKeyConstraint("account_id", "client_order_id", name="pk_orders"),
        sa.UniqueConstraint(
            "strategy_instance_id", "generation", "slot", "cycle", "leg", "attempt", name="uq_orders_order_key"
        ),
        sa.UniqueConstraint("strategy_instance_id", "live_slot", name="uq_orders_strategy_instance_id_live_slot"),
        **OPTIONS,
    )
    op.create_index(
        "ix_orders_strategy_instance_id_complete_state_version",
        "orders",
        ["strategy_instance_id", "complete", "state_version"],
    )


def _risk_metrics() -> None:
    op.create_table(
        "risk_metrics",
        sa.Column("strategy_instance_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("realised", WholeNumber(), nullable=False),
        sa.Column("fees", WholeNumber(), nullable=False),
        sa.Column("trades", sa.BigInteger(), nullable=False),
        sa.Column("losses_in_a_row", sa.BigInteger(), nullable=False),
        sa.Column("last_loss_at", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_instance_id"], ["strategy_instances.id"], name="fk_risk_metrics_strategy_instance_id"
        ),
        sa.PrimaryKeyConstraint("strategy_instance_id", "day", name="pk_risk_metrics"),
        **OPTIONS,
    )


def _strategy_states() -> None:
    op.create_table(
        "strategy_states",
        sa.Column("strategy_instance_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state_data", long_text(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_instance_id"], ["strategy_instances.id"], name="fk_strategy_states_strategy_instance_id"
        ),
        sa.PrimaryKeyConstraint("strategy_instance_id", name="pk_strategy_states"),
        **OPTIONS,
    )


def _postings() -> None:
    op.create_table(
        "postings",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", identifier(20), nullable=False),
        sa.Column("reference", venue_name(120), nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("ledger_account", identifier(60), nullable=False),
        sa.Column("asset", venue_name(20), nullable=False),
        sa.Column("amount", WholeNumber(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "kind", "reference"],
            ["ledger_entries.account_id", "ledger_entries.kind", "ledger_entries.reference"],
            name="fk_postings_account_id_kind_reference",
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", "reference", "line", name="pk_postings"),
        **OPTIONS,
    )
