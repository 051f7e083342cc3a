"""The program `ares`: its verbs are found in `cli/verbs`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import typer

from cli import verbs
from domain.errors import AresError

app = typer.Typer(
    name="ares",
    help="Ares: a trading platform whose law is pure and whose shell does the walking.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for found in pkgutil.iter_modules(verbs.__path__):
    importlib.import_module(f"{verbs.__name__}.{found.name}").add_to(app)


def main() -> None:
    """Entry point; an error of ours is one sentence and exit status 1, never a trace."""
    try:
        app()
    except AresError as error:
        typer.echo(f"ares: {error}", err=True)
        sys.exit(1)
