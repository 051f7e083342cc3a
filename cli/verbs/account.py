"""Accounts from the terminal: `ares account list | add | remove`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.client import Client
from core.config import load_config
from domain.errors import Refused

accounts = typer.Typer(help="List, add and remove accounts at venues.", no_args_is_help=True)


class BadSettings(Refused):
    """The settings of an account are a JSON object."""


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    app.add_typer(accounts, name="account")


@accounts.command("list")
def list_accounts() -> None:
    """Every account, one line each; keys are never shown."""
    table = Table("number", "name", "exchange", "money", "key", "rights", box=None)
    for one in Client(load_config()).pages("/api/accounts"):
        money, key = "paper" if one["paper"] else "real", one["key_hint"] or ("yes" if one["has_key"] else "none")
        table.add_row(str(one["id"]), one["name"], one["exchange"], money, key, one["rights"])
    Console().print(table)


@accounts.command()
def add(
    name: Annotated[str, typer.Argument(help="What you call it.")],
    exchange: Annotated[str, typer.Argument(help="binance_spot, binance_futures, okx_spot, bybit_spot, paper, ...")],
    settings: Annotated[str, typer.Option(help="JSON object of what the venue wants to know beside keys.")] = "{}",
    consent: Annotated[
        bool, typer.Option("--consent-unknown-rights", help="Accept a key whose rights the venue does not tell.")
    ] = False,
) -> None:
    """Add an account; its key and secret are asked for and not shown. A key that can withdraw is refused."""
    try:
        wanted = json.loads(settings)
    except ValueError as error:
        raise BadSettings(f"--settings cannot be read as JSON: {error}.") from error
    body = {"name": name, "exchange": exchange, "settings": wanted, "consent_unknown_rights": consent}
    if exchange != "paper":
        body["api_key"] = typer.prompt("API key", hide_input=True)
        body["api_secret"] = typer.prompt("API secret", hide_input=True)
        if passphrase := typer.prompt("Passphrase (empty for none)", default="", hide_input=True, show_default=False):
            body["passphrase"] = passphrase
    made = Client(load_config()).post("/api/accounts", body)
    typer.echo(f"Account {made['id']}, {made['name']}. A worker is looking at what the key may do.")


@accounts.command()
def remove(number: Annotated[int, typer.Argument(help="The account's number.")]) -> None:
    """Remove an account without strategies, and its key with it."""
    Client(load_config()).delete(f"/api/accounts/{number}")
    typer.echo(f"Account {number} is removed.")
