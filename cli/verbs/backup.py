"""Keeping what an installation knows: `backup`, `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.installation import AlreadyRunning, Installation
from core.clock import system_clock, utc_from_ms
from core.config import load_config
from db import archive
from db.archive import Summary
from db.database import opened


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command()(backup)
    app.command()(restore)


def backup(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; a name with the time when left out.")] = None,
) -> None:
    """Write the whole database into one file, while everything goes on. Exchange keys stay encrypted in it."""
    now = utc_from_ms(system_clock().machine.now_ms())
    path = file or Path(f"ares-{now:%Y%m%d-%H%M%S}.zip")
    with opened(load_config().database.url.get_secret_value()) as engine:
        summary = archive.save(engine, path, now)
    typer.echo(f"{path}: {_told(summary)}. Keep the encryption key with it, and elsewhere.")


def restore(file: Annotated[Path, typer.Argument(help="A file that `ares backup` wrote.")]) -> None:
    """Fill an empty database from a backup: SQLite, MySQL or MariaDB, whichever is configured.

    The installation that the backup was made of must have ended: two of them would trade the same strategies.
    """
    config = load_config()
    if Installation(config.home).is_running():
        raise AlreadyRunning("Ares is running in this folder; end it by `ares down`, then restore.")
    with opened(config.database.url.get_secret_value()) as engine:
        summary = archive.restore(engine, file)
        archive.leave_room(engine, utc_from_ms(system_clock().machine.now_ms()))
    typer.echo(f"Restored {_told(summary)}, made at {summary.made_at}. Wished strategies go on with the next start.")


def _told(summary: Summary) -> str:
    rows = summary.rows
    return (
        f"{sum(rows.values())} rows, of them {rows['strategy_instances']} strategies, {rows['orders']} orders "
        f"and {rows['fills']} fills"
    )
