"""What is installed: `version`."""

from __future__ import annotations

import sys
from importlib import metadata

import typer


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command()(version)


def version() -> None:
    """Show the version of Ares and of Python."""
    typer.echo(f"ares {metadata.version('ares')}, Python {sys.version.split()[0]}")
