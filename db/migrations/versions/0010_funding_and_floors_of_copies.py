"""Copies have funding, and a floor of liquidity of their own.

Revision: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.columns import ExactDecimal, WholeNumber

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("tracking_errors", sa.Column("funding", WholeNumber(), nullable=True))
    op.add_column("follow_relationships", sa.Column("least_volume", ExactDecimal(), nullable=True))


def downgrade() -> None:
    """Drop them again."""
    op.drop_column("follow_relationships", "least_volume")
    op.drop_column("tracking_errors", "funding")
