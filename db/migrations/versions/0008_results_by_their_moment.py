"""Results of relationships are found by their moment.

Revision: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_follow_results_at", "follow_results", ["at"])


def downgrade() -> None:
    """Drop it again."""
    op.drop_index("ix_follow_results_at", "follow_results")
