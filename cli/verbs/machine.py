"""What concerns this machine: `doctor`, `version`, `migrate`."""

from __future__ import annotations

import sys
from importlib import metadata

import typer
from rich.console import Console
from rich.table import Table

from cli.doctor import examine
from core.clock import system_clock
from core.config import load_config
from db import migrate as schema
from db.database import opened


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command()(doctor)
    app.command()(migrate)
    app.command()(version)


def doctor() -> None:
    """Check this machine; every finding says what to do next. Exit status 1 when something needs doing."""
    findings = list(examine(load_config(), system_clock().machine))
    table = Table("", "what", "found", "next step", box=None)
    for finding in findings:
        table.add_row("ok" if finding.is_well else "!!", finding.what, finding.found, finding.next_step)
    Console().print(table)
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


def migrate() -> None:
    """Bring the database to the schema of this version; asking again changes nothing."""
    with opened(load_config().database.url.get_secret_value()) as engine:
        before = schema.current_revision(engine)
        schema.upgrade(engine)
        after = schema.current_revision(engine)
    typer.echo(
        f"The schema is {after}." if before == after else f"The schema was {before or 'none'}, now it is {after}."
    )


def version() -> None:
    """Show the version of Ares and of Python."""
    typer.echo(f"ares {metadata.version('ares')}, Python {sys.version.split()[0]}")
