"""What a person removed keeps its rows; a key is told by its last four characters; trades are found by their owner.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.columns import UtcDateTime, identifier

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the index."""
    op.add_column("accounts", sa.Column("key_hint", identifier(8), nullable=True))
    op.add_column("accounts", sa.Column("removed_at", UtcDateTime(), nullable=True))
    op.add_column("strategy_instances", sa.Column("removed_at", UtcDateTime(), nullable=True))
    op.create_index("ix_fills_owner_id_executed_at", "fills", ["owner_id", "executed_at"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("ix_fills_owner_id_executed_at", "fills")
    op.drop_column("strategy_instances", "removed_at")
    op.drop_column("accounts", "removed_at")
    op.drop_column("accounts", "key_hint")
