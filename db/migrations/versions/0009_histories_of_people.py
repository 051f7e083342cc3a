"""Histories that people send in: whose they are, and what is on its way.

Revision: 0009
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.columns import UtcDateTime, identifier, long_text, packed, row_number

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
#: Columns that may be empty: SQLite would make the table anew for anything else, and others refer to it.
ADDED: dict[str, Any] = {
    "owner_id": sa.BigInteger(),
    "title": identifier(100),
    "source": identifier(12),
    "removed_at": UtcDateTime(),
}


def upgrade() -> None:
    """Add the columns, make the tables."""
    for name, kind in ADDED.items():
        op.add_column("histories", sa.Column(name, kind, nullable=True))
    op.create_table(
        "history_imports",
        sa.Column("id", row_number(), autoincrement=True, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", identifier(100), nullable=False),
        sa.Column("job", long_text(), nullable=False),
        sa.Column("state", identifier(12), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("done", "total")),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("findings", long_text(), nullable=True),
        sa.Column("history_id", sa.BigInteger(), nullable=True),
        sa.Column("worker", identifier(120), nullable=False),
        sa.Column("claimed_until", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        *(sa.Column(name, UtcDateTime(), nullable=False) for name in ("created_at", "updated_at")),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_history_imports_owner_id"),
        sa.ForeignKeyConstraint(["history_id"], ["histories.id"], name="fk_history_imports_history_id"),
        sa.PrimaryKeyConstraint("id", name="pk_history_imports"),
        **OPTIONS,
    )
    op.create_index("ix_history_imports_owner_id", "history_imports", ["owner_id"])
    op.create_index("ix_history_imports_state", "history_imports", ["state"])
    op.create_table(
        "history_import_parts",
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("content", packed(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["history_imports.id"], name="fk_history_import_parts_import_id"),
        sa.PrimaryKeyConstraint("import_id", "part", name="pk_history_import_parts"),
        **OPTIONS,
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("history_import_parts")
    op.drop_table("history_imports")
    for name in reversed(ADDED):
        op.drop_column("histories", name)
