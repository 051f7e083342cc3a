"""What a run can be taken away as: reports and tables, beside its result.

Revision: 0007
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.columns import identifier, packed

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "run_files",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", identifier(40), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("content", packed(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_files_run_id"),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_run_files"),
        **OPTIONS,
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("run_files")
