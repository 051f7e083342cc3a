"""The platform: its settings, its nodes, who is signed in, and the equity of every instance over time.

Revision: 0002
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.columns import UtcDateTime, WholeNumber, identifier, long_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
TABLES = ("platform_settings", "nodes", "login_links", "sessions", "equity_points")


def upgrade() -> None:
    """Make the tables, and the two columns that people and accounts gain."""
    op.add_column("users", sa.Column("email", sa.String(length=254), nullable=True))
    op.add_column("accounts", sa.Column("rights_consent_at", UtcDateTime(), nullable=True))
    _platform_settings()
    _nodes()
    _login_links()
    _sessions()
    _equity_points()


def downgrade() -> None:
    """Drop them again."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("accounts", "rights_consent_at")
    op.drop_column("users", "email")


def _platform_settings() -> None:
    op.create_table(
        "platform_settings",
        sa.Column("name", identifier(60), nullable=False),
        sa.Column("value", long_text(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_platform_settings"),
        **OPTIONS,
    )


def _nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("worker_id", identifier(120), nullable=False),
        sa.Column("hostname", sa.String(length=255), nullable=False),
        sa.Column("ip", identifier(45), nullable=False),
        sa.Column("http_port", sa.Integer(), nullable=False),
        sa.Column("version", identifier(40), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name="pk_nodes"),
        **OPTIONS,
    )


def _login_links() -> None:
    op.create_table(
        "login_links",
        sa.Column("token_hash", identifier(64), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_login_links_owner_id"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_login_links"),
        **OPTIONS,
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", identifier(64), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_sessions_owner_id"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_sessions"),
        **OPTIONS,
    )
    op.create_index("ix_sessions_owner_id", "sessions", ["owner_id"])


def _equity_points() -> None:
    op.create_table(
        "equity_points",
        sa.Column("strategy_instance_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("equity", WholeNumber(), nullable=False),
        sa.Column("realised", WholeNumber(), nullable=False),
        sa.Column("unrealised", WholeNumber(), nullable=False),
        sa.Column("fees", WholeNumber(), nullable=False),
        sa.ForeignKeyConstraint(
            ["strategy_instance_id"], ["strategy_instances.id"], name="fk_equity_points_strategy_instance_id"
        ),
        sa.PrimaryKeyConstraint("strategy_instance_id", "at", name="pk_equity_points"),
        **OPTIONS,
    )
