"""Backtests and optimisations, and the histories that they run on, apart from everything that trades.

Revision: 0006
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.columns import UtcDateTime, identifier, long_text, packed, row_number, venue_name

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "histories",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("name", identifier(100), nullable=False),
        sa.Column("symbol", venue_name(41), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("bar_ms", "bars", "gaps")),
        *(sa.Column(name, UtcDateTime(), nullable=False) for name in ("first_at", "last_at")),
        sa.Column("digest", identifier(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_histories"),
        sa.UniqueConstraint("name", name="uq_histories_name"),
        **OPTIONS,
    )
    op.create_table(
        "history_parts",
        sa.Column("history_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", packed(), nullable=False),
        sa.ForeignKeyConstraint(["history_id"], ["histories.id"], name="fk_history_parts_history_id"),
        sa.PrimaryKeyConstraint("history_id", "part", name="pk_history_parts"),
        **OPTIONS,
    )
    _runs()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("request_key", identifier(64), nullable=False),
        sa.Column("kind", identifier(12), nullable=False),
        sa.Column("history_id", sa.BigInteger(), nullable=False),
        sa.Column("job", long_text(), nullable=False),
        sa.Column("state", identifier(12), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("done", "total")),
        *(sa.Column(name, long_text(), nullable=True) for name in ("stamp", "result")),
        sa.Column("error", sa.String(length=500), nullable=False),
        *_claim(),
        *(sa.Column(name, UtcDateTime(), nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_runs_owner_id"),
        sa.ForeignKeyConstraint(["history_id"], ["histories.id"], name="fk_runs_history_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("owner_id", "request_key", name="uq_runs_owner_id_request_key"),
        **OPTIONS,
    )
    op.create_index("ix_runs_owner_id", "runs", ["owner_id"])
    op.create_index("ix_runs_state", "runs", ["state"])
    op.create_table(
        "run_chunks",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", identifier(60), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("content", long_text(), nullable=False),
        sa.Column("result", packed(), nullable=True),
        sa.Column("trials", sa.BigInteger(), nullable=False),
        *_claim(),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_chunks_run_id"),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_run_chunks"),
        **OPTIONS,
    )


def _claim() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("worker", identifier(120), nullable=False),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Drop them again."""
    for table in ("run_chunks", "runs", "history_parts", "histories"):
        op.drop_table(table)
