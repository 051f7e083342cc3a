"""People from the terminal of the installation: `ares user list | role | disable | enable | confirm`.

It goes straight to the database: whoever holds its password needs no one's leave, and an installation that has lost
its last administrator gets one again.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from core.clock import system_clock, utc_from_ms
from core.config import load_config
from db.database import opened
from db.queries import accounts, people
from db.queries.instances import NoSuchRow
from db.queries.people import PersonEdit
from db.unit_of_work import UnitOfWork, committed

Result = TypeVar("Result")

_PAGE: Final = 500
users = typer.Typer(help="List people and change what they may do.", no_args_is_help=True)


class Role(StrEnum):
    """What somebody may do."""

    VIEWER = "viewer"
    TRADER = "trader"
    ADMIN = "admin"


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    app.add_typer(users, name="user")


Login = Annotated[str, typer.Argument(help="What the sign-in proxy calls them.")]


@users.command("list")
def list_users() -> None:
    """Everybody who has ever signed in, one line each."""
    table = Table("number", "login", "role", "", "e-mail", box=None)
    for row in _in_database(_everybody):
        table.add_row(*row)
    Console().print(table)


@users.command()
def role(login: Login, wanted: Annotated[Role, typer.Argument(help="viewer, trader or admin.")]) -> None:
    """Give somebody a role."""
    _change(login, PersonEdit(role=wanted.value))


@users.command()
def disable(login: Login) -> None:
    """Shut somebody out within seconds. Their strategies go on; `ares kill` stops those."""
    _change(login, PersonEdit(disabled=True))


@users.command()
def enable(login: Login) -> None:
    """Let somebody in again."""
    _change(login, PersonEdit(disabled=False))


@users.command()
def confirm(login: Login) -> None:
    """Believe that somebody has a new e-mail address: the one of their next sign-in is kept."""
    _change(login, PersonEdit(forget_email=True))


def _everybody(unit: UnitOfWork) -> list[tuple[str, str, str, str, str]]:
    rows, last = list[tuple[str, str, str, str, str]](), 0
    while found := people.page(unit, last, _PAGE):
        for one in found:
            last = one.id or 0
            rows.append((str(last), one.login, one.role, "disabled" if one.disabled else "", one.email or ""))
    return rows


def _change(login: str, edit: PersonEdit) -> None:
    def change(unit: UnitOfWork) -> str:
        found = accounts.user_named(unit, login.strip().lower())
        if found is None or found.id is None:
            raise NoSuchRow(f"nobody called {login} has ever signed in; `ares user list` shows who has.")
        now = utc_from_ms(system_clock().machine.now_ms())
        changed = people.change(unit, found.id, edit, "terminal", now)
        return f"{changed.login}: {changed.role}{', disabled' if changed.disabled else ''}."

    typer.echo(_in_database(change))


def _in_database(work: Callable[[UnitOfWork], Result]) -> Result:
    with opened(load_config().database.url.get_secret_value()) as engine, committed(engine) as unit:
        return work(unit)
