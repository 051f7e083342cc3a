"""A journal beside each paper book, and quick answers to which commands wait and which instances have changed.

Revision: 0003
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.columns import long_text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the table and the indexes."""
    op.create_table(
        "paper_records",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("content", long_text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_paper_records_account_id"),
        sa.PrimaryKeyConstraint("account_id", "version", name="pk_paper_records"),
        **OPTIONS,
    )
    op.create_index("ix_commands_outcome", "commands", ["outcome"])
    op.create_index("ix_strategy_instances_updated_at", "strategy_instances", ["updated_at"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("ix_strategy_instances_updated_at", table_name="strategy_instances")
    op.drop_index("ix_commands_outcome", table_name="commands")
    op.drop_table("paper_records")
