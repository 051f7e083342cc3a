"""The program `ares`: its verbs are found in `cli/verbs`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import typer

from cli import verbs
from domain.errors import AresError


def program(verb: str = "") -> typer.Typer:
    """The command line; only as much of it as `verb` needs, where that is one of ours."""
    app = typer.Typer(
        name="ares",
        help="Ares: a trading platform whose law is pure and whose shell does the walking.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_ares)
    found = [verbs.HOMES[verb]] if verb in verbs.HOMES else [one.name for one in pkgutil.iter_modules(verbs.__path__)]
    for name in found:
        importlib.import_module(f"{verbs.__name__}.{name}").add_to(app)
    return app


def main() -> None:
    """Entry point; an error of ours is one sentence and exit status 1, never a trace."""
    try:
        program(sys.argv[1] if len(sys.argv) > 1 else "")()
    except AresError as error:
        typer.echo(f"ares: {error}", err=True)
        sys.exit(1)


def _ares() -> None:
    """A command line of verbs, also while it has only one."""
