"""What concerns this machine: `doctor`, `migrate`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.doctor import examine
from core.clock import system_clock, utc_from_ms
from core.config import load_config
from core.editions import LAW
from db import migrate as schema
from db.database import opened
from db.queries import editions
from db.unit_of_work import committed


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command()(doctor)
    app.command()(migrate)


def doctor() -> None:
    """Check this machine; every finding says what to do next. Exit status 1 when something needs doing."""
    findings = list(examine(load_config(), system_clock().machine))
    table = Table("", "what", "found", "next step", box=None)
    for finding in findings:
        table.add_row("ok" if finding.is_well else "!!", finding.what, finding.found, finding.next_step)
    Console().print(table)
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


def migrate(
    back: Annotated[
        bool, typer.Option(help="Let this build take up what a newer one has run; only when no newer one will run.")
    ] = False,
) -> None:
    """Bring the database to the schema of this version; asking again changes nothing."""
    with opened(load_config().database.url.get_secret_value()) as engine:
        before = schema.current_revision(engine)
        schema.upgrade(engine)
        after = schema.current_revision(engine)
        if back:
            with committed(engine) as unit:
                editions.go_back(unit, LAW, utc_from_ms(system_clock().machine.now_ms()))
    typer.echo(
        f"The schema is {after}." if before == after else f"The schema was {before or 'none'}, now it is {after}."
    )
