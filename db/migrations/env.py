"""What Alembic runs around every step; the connection and its transaction come from `db.migrate`."""

from __future__ import annotations

from alembic import context

from db.models import METADATA


def run() -> None:
    """Bring the schema to the revision that was asked for."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        # SQLite cannot change a table in place: Alembic makes a new one and moves the rows.
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="",
    )
    with context.begin_transaction():
        context.run_migrations()


run()
