"""Copy trading: masters and what they hold, who follows them on which terms, and what came of it.

Revision: 0005
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.columns import ExactDecimal, UtcDateTime, WholeNumber, identifier, long_text, row_number, venue_name

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
#: In the order in which they refer to one another.
TABLES = (
    "masters", "master_positions", "master_signals", "follower_accounts", "follow_relationships",
    "virtual_positions", "follow_targets", "trade_logs", "tracking_errors", "follow_results", "follow_commands",
)  # fmt: skip


def _link(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")


def upgrade() -> None:
    """Make the tables."""
    _masters()
    _master_positions()
    _master_signals()
    _follower_accounts()
    _follow_relationships()
    _virtual_positions()
    _follow_targets()
    _trade_logs()
    _tracking_errors()
    _follow_results()
    _follow_commands()


def downgrade() -> None:
    """Drop them again."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _masters() -> None:
    op.create_table(
        "masters",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", identifier(12), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=True),
        sa.Column("venue", identifier(40), nullable=False),
        sa.Column("state", identifier(12), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("watcher", identifier(120), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("equity", ExactDecimal(), nullable=True),
        sa.Column("equity_at", UtcDateTime(), nullable=True),
        sa.Column("quote_asset", venue_name(20), nullable=False),
        sa.Column("wins", sa.BigInteger(), nullable=False),
        sa.Column("losses", sa.BigInteger(), nullable=False),
        sa.Column("won", ExactDecimal(), nullable=False),
        sa.Column("lost", ExactDecimal(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("version >= 0 AND epoch >= 0 AND revision >= 0", name=op.f("ck_masters_counters")),
        _link("masters", "account_id", "accounts.id"),
        _link("masters", "owner_id", "users.id"),
        _link("masters", "strategy_instance_id", "strategy_instances.id"),
        sa.PrimaryKeyConstraint("id", name="pk_masters"),
        sa.UniqueConstraint("owner_id", "name", name="uq_masters_owner_id_name"),
        **OPTIONS,
    )
    op.create_index("ix_masters_account_id", "masters", ["account_id"])
    op.create_index("ix_masters_strategy_instance_id", "masters", ["strategy_instance_id"])
    op.create_index("ix_masters_updated_at", "masters", ["updated_at"])


def _master_positions() -> None:
    op.create_table(
        "master_positions",
        sa.Column("master_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", venue_name(40), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("entry_price", ExactDecimal(), nullable=True),
        sa.Column("price", ExactDecimal(), nullable=True),
        sa.Column("signal_at", UtcDateTime(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("source", identifier(12), nullable=False),
        _link("master_positions", "master_id", "masters.id"),
        sa.PrimaryKeyConstraint("master_id", "symbol", name="pk_master_positions"),
        **OPTIONS,
    )


def _master_signals() -> None:
    op.create_table(
        "master_signals",
        sa.Column("master_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("symbol", venue_name(40), nullable=False),
        sa.Column("action", identifier(16), nullable=False),
        sa.Column("quantity_before", ExactDecimal(), nullable=False),
        sa.Column("quantity", ExactDecimal(), nullable=False),
        sa.Column("entry_price", ExactDecimal(), nullable=True),
        sa.Column("price", ExactDecimal(), nullable=True),
        sa.Column("equity", ExactDecimal(), nullable=True),
        sa.Column("signal_at", UtcDateTime(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("source", identifier(12), nullable=False),
        sa.Column("event_key", venue_name(120), nullable=True),
        _link("master_signals", "master_id", "masters.id"),
        sa.PrimaryKeyConstraint("master_id", "version", name="pk_master_signals"),
        sa.UniqueConstraint("master_id", "event_key", name="uq_master_signals_master_id_event_key"),
        **OPTIONS,
    )
    op.create_index("ix_master_signals_master_id_symbol_version", "master_signals", ["master_id", "symbol", "version"])
    op.create_index("ix_master_signals_owner_id", "master_signals", ["owner_id"])


def _follower_accounts() -> None:
    op.create_table(
        "follower_accounts",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("max_notional", ExactDecimal(), nullable=True),
        sa.Column("max_leverage", ExactDecimal(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("runner", identifier(120), nullable=False),
        sa.Column("equity", ExactDecimal(), nullable=True),
        sa.Column("equity_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("epoch >= 0 AND revision >= 0", name=op.f("ck_follower_accounts_counters")),
        _link("follower_accounts", "account_id", "accounts.id"),
        _link("follower_accounts", "owner_id", "users.id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_follower_accounts"),
        **OPTIONS,
    )
    op.create_index("ix_follower_accounts_owner_id", "follower_accounts", ["owner_id"])


def _follow_relationships() -> None:
    op.create_table(
        "follow_relationships",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("master_id", sa.BigInteger(), nullable=False),
        sa.Column("live_master_id", sa.BigInteger(), nullable=True),
        sa.Column("mode", identifier(20), nullable=False),
        sa.Column("ratio", ExactDecimal(), nullable=False),
        sa.Column("max_ratio", ExactDecimal(), nullable=True),
        sa.Column("notional", ExactDecimal(), nullable=True),
        sa.Column("kelly_fraction", ExactDecimal(), nullable=True),
        sa.Column("allow_symbols", long_text(), nullable=False),
        sa.Column("deny_symbols", long_text(), nullable=False),
        sa.Column("max_symbol_notional", ExactDecimal(), nullable=True),
        sa.Column("max_notional", ExactDecimal(), nullable=True),
        sa.Column("max_leverage", ExactDecimal(), nullable=True),
        sa.Column("slippage_collar", ExactDecimal(), nullable=True),
        sa.Column("max_entry_delay_ms", sa.BigInteger(), nullable=True),
        sa.Column("delay_ms", sa.BigInteger(), nullable=False),
        sa.Column("stop_loss", ExactDecimal(), nullable=True),
        sa.Column("take_profit", ExactDecimal(), nullable=True),
        sa.Column("total_stop_loss", ExactDecimal(), nullable=True),
        sa.Column("total_take_profit", ExactDecimal(), nullable=True),
        sa.Column("copy_existing", sa.Boolean(), nullable=False),
        sa.Column("on_stop", identifier(12), nullable=False),
        sa.Column("reverse", sa.Boolean(), nullable=False),
        sa.Column("desired_state", identifier(12), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("resync", sa.BigInteger(), nullable=False),
        sa.Column("since_version", sa.BigInteger(), nullable=False),
        sa.Column("state", identifier(12), nullable=False),
        sa.Column("applied_revision", sa.BigInteger(), nullable=False),
        sa.Column("applied_resync", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("stopped_at", UtcDateTime(), nullable=True),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("revision >= 0 AND resync >= 0", name=op.f("ck_follow_relationships_counters")),
        _link("follow_relationships", "account_id", "accounts.id"),
        _link("follow_relationships", "master_id", "masters.id"),
        _link("follow_relationships", "owner_id", "users.id"),
        sa.PrimaryKeyConstraint("id", name="pk_follow_relationships"),
        sa.UniqueConstraint("account_id", "live_master_id", name="uq_follow_relationships_account_id_live_master_id"),
        **OPTIONS,
    )
    op.create_index("ix_follow_relationships_master_id", "follow_relationships", ["master_id"])
    op.create_index("ix_follow_relationships_owner_id", "follow_relationships", ["owner_id"])
    op.create_index("ix_follow_relationships_updated_at", "follow_relationships", ["updated_at"])


def _virtual_positions() -> None:
    op.create_table(
        "virtual_positions",
        sa.Column("relationship_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", venue_name(40), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("lots", sa.BigInteger(), nullable=False),
        sa.Column("cost", WholeNumber(), nullable=False),
        sa.Column("realised", WholeNumber(), nullable=False),
        sa.Column("fees", WholeNumber(), nullable=False),
        sa.Column("master_version", sa.BigInteger(), nullable=False),
        sa.Column("target_lots", sa.BigInteger(), nullable=False),
        sa.Column("reason", identifier(40), nullable=False),
        sa.Column("residual_lots", sa.BigInteger(), nullable=False),
        sa.Column("residual_reason", identifier(40), nullable=False),
        sa.Column("track", long_text(), nullable=False),
        sa.Column("tracking", long_text(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        _link("virtual_positions", "relationship_id", "follow_relationships.id"),
        _link("virtual_positions", "strategy_instance_id", "strategy_instances.id"),
        sa.PrimaryKeyConstraint("relationship_id", "symbol", name="pk_virtual_positions"),
        **OPTIONS,
    )
    op.create_index("ix_virtual_positions_account_id_symbol", "virtual_positions", ["account_id", "symbol"])
    op.create_index("ix_virtual_positions_owner_id", "virtual_positions", ["owner_id"])


def _follow_targets() -> None:
    op.create_table(
        "follow_targets",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", venue_name(40), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("lots", sa.BigInteger(), nullable=False),
        sa.Column("reference_ticks", sa.BigInteger(), nullable=False),
        sa.Column("ceiling_ticks", sa.BigInteger(), nullable=False),
        sa.Column("floor_ticks", sa.BigInteger(), nullable=False),
        sa.Column("enter_until", UtcDateTime(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("folded", long_text(), nullable=False),
        _link("follow_targets", "account_id", "accounts.id"),
        _link("follow_targets", "strategy_instance_id", "strategy_instances.id"),
        sa.PrimaryKeyConstraint("account_id", "symbol", name="pk_follow_targets"),
        **OPTIONS,
    )
    op.create_index("ix_follow_targets_owner_id", "follow_targets", ["owner_id"])
    op.create_index("ix_follow_targets_strategy_instance_id", "follow_targets", ["strategy_instance_id"])


def _trade_logs() -> None:
    op.create_table(
        "trade_logs",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("timestamp", UtcDateTime(), nullable=False),
        sa.Column("relationship_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=True),
        sa.Column("master_id", sa.BigInteger(), nullable=False),
        sa.Column("master_user_id", sa.BigInteger(), nullable=False),
        sa.Column("master_version", sa.BigInteger(), nullable=False),
        sa.Column("master_action", identifier(16), nullable=False),
        sa.Column("master_symbol", venue_name(40), nullable=False),
        sa.Column("master_position_size", ExactDecimal(), nullable=False),
        sa.Column("master_entry_price", ExactDecimal(), nullable=True),
        sa.Column("follower_action", identifier(16), nullable=False),
        sa.Column("follower_ratio", ExactDecimal(), nullable=False),
        sa.Column("follower_amount", ExactDecimal(), nullable=False),
        sa.Column("position_before", ExactDecimal(), nullable=False),
        sa.Column("target", ExactDecimal(), nullable=False),
        sa.Column("order_id", identifier(64), nullable=True),
        sa.Column("client_order_id", identifier(36), nullable=True),
        sa.Column("order_type", identifier(10), nullable=True),
        sa.Column("side", identifier(4), nullable=True),
        sa.Column("status", identifier(12), nullable=False),
        sa.Column("is_success", sa.Boolean(), nullable=False),
        sa.Column("reason", identifier(60), nullable=False),
        sa.Column("error_message", sa.String(length=500), nullable=True),
        sa.Column("outcome", identifier(10), nullable=False),
        sa.Column("signal_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.Column("venue_at", UtcDateTime(), nullable=True),
        sa.Column("master_price", ExactDecimal(), nullable=True),
        sa.Column("average_price", ExactDecimal(), nullable=True),
        sa.Column("slippage", ExactDecimal(), nullable=True),
        sa.Column("fee", ExactDecimal(), nullable=True),
        sa.Column("execution_time_ms", sa.BigInteger(), nullable=True),
        _link("trade_logs", "account_id", "accounts.id"),
        _link("trade_logs", "master_id", "masters.id"),
        _link("trade_logs", "master_user_id", "users.id"),
        _link("trade_logs", "owner_id", "users.id"),
        _link("trade_logs", "relationship_id", "follow_relationships.id"),
        sa.PrimaryKeyConstraint("id", name="pk_trade_logs"),
        sa.UniqueConstraint("relationship_id", "master_version", name="uq_trade_logs_relationship_id_master_version"),
        **OPTIONS,
    )
    op.create_index("ix_trade_logs_account_id_client_order_id", "trade_logs", ["account_id", "client_order_id"])
    op.create_index("ix_trade_logs_master_id", "trade_logs", ["master_id"])
    op.create_index("ix_trade_logs_owner_id", "trade_logs", ["owner_id"])


def _tracking_errors() -> None:
    op.create_table(
        "tracking_errors",
        sa.Column("relationship_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("symbol", venue_name(40), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("strategy_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", identifier(12), nullable=False),
        sa.Column("master_version", sa.BigInteger(), nullable=False),
        sa.Column("units_per_quantum", WholeNumber(), nullable=False),
        sa.Column("ideal", WholeNumber(), nullable=False),
        sa.Column("actual", WholeNumber(), nullable=False),
        sa.Column("latency", WholeNumber(), nullable=False),
        sa.Column("slippage", WholeNumber(), nullable=False),
        sa.Column("rounding", WholeNumber(), nullable=False),
        sa.Column("caps", WholeNumber(), nullable=False),
        sa.Column("skipped", WholeNumber(), nullable=False),
        sa.Column("fees", WholeNumber(), nullable=False),
        _link("tracking_errors", "relationship_id", "follow_relationships.id"),
        _link("tracking_errors", "strategy_instance_id", "strategy_instances.id"),
        sa.PrimaryKeyConstraint("relationship_id", "symbol", "sequence", name="pk_tracking_errors"),
        **OPTIONS,
    )
    op.create_index("ix_tracking_errors_owner_id", "tracking_errors", ["owner_id"])


def _follow_results() -> None:
    op.create_table(
        "follow_results",
        sa.Column("relationship_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("master_id", sa.BigInteger(), nullable=False),
        sa.Column("quote_asset", venue_name(20), nullable=False),
        sa.Column("realised", ExactDecimal(), nullable=False),
        sa.Column("unrealised", ExactDecimal(), nullable=False),
        sa.Column("fees", ExactDecimal(), nullable=False),
        sa.Column("notional", ExactDecimal(), nullable=False),
        _link("follow_results", "relationship_id", "follow_relationships.id"),
        sa.PrimaryKeyConstraint("relationship_id", "at", name="pk_follow_results"),
        **OPTIONS,
    )
    op.create_index("ix_follow_results_owner_id", "follow_results", ["owner_id"])


def _follow_commands() -> None:
    op.create_table(
        "follow_commands",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("relationship_id", sa.BigInteger(), nullable=False),
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
        _link("follow_commands", "owner_id", "users.id"),
        _link("follow_commands", "relationship_id", "follow_relationships.id"),
        sa.PrimaryKeyConstraint("id", name="pk_follow_commands"),
        sa.UniqueConstraint("owner_id", "request_key", name="uq_follow_commands_owner_id_request_key"),
        sa.UniqueConstraint("relationship_id", "sequence", name="uq_follow_commands_relationship_id_sequence"),
        **OPTIONS,
    )
    op.create_index("ix_follow_commands_outcome", "follow_commands", ["outcome"])
