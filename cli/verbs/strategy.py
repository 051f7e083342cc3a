"""Strategies from the terminal: list, show, make and command them; and the kill switch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.client import Client
from core.config import load_config
from domain.errors import Refused

strategies = typer.Typer(help="List, make and command strategies.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The strategy's number; `ares strategy list` shows it.")]


class BadFile(Refused):
    """The file does not hold what was asked for."""


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    app.add_typer(strategies, name="strategy")
    app.command()(kill)


@strategies.command("list")
def list_strategies() -> None:
    """Every strategy, one line each."""
    table = Table("number", "name", "kind", "symbol", "account", "wished", "is", "result", box=None)
    for one in _client().pages("/api/strategies"):
        live = one["live"] or {}
        table.add_row(
            str(one["id"]), one["name"], one["strategy_type"], one["symbol"], one["account_name"],
            one["desired_state"], live.get("status", "not running"), live.get("realised", ""),
        )  # fmt: skip
    Console().print(table)


@strategies.command()
def kinds() -> None:
    """The kinds of strategy there are, and what each wants to know."""
    for kind in _client().get("/api/strategy-kinds"):
        typer.echo(f"{kind['name']}: {kind['summary']}")
        for name, field in kind["schema"]["properties"].items():
            typer.echo(f"    {name}: {field.get('title', '')}. {field.get('description', '')}")


@strategies.command()
def show(number: Number) -> None:
    """Everything about one strategy, as JSON."""
    client = _client()
    told = {"strategy": client.get(f"/api/strategies/{number}"), "pnl": client.get(f"/api/strategies/{number}/pnl")}
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False))


@strategies.command()
def model(number: Number) -> None:
    """What a strategy has learned and why it waits, as JSON."""
    typer.echo(json.dumps(_client().get(f"/api/strategies/{number}/model"), indent=2, ensure_ascii=False))


@strategies.command()
def create(
    file: Annotated[Path, typer.Argument(help="JSON: name, strategy_type, symbol, interval, account_id, parameters.")],
) -> None:
    """Make a strategy from a file; it does not run before `ares strategy start`."""
    try:
        wanted = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(f"{file} cannot be read as JSON: {error}.") from error
    made = _client().post("/api/strategies", wanted)
    typer.echo(f"Strategy {made['id']}, {made['name']}. `ares strategy start {made['id']}` starts it.")


@strategies.command()
def start(number: Number) -> None:
    """Let it trade."""
    _command(number, "start")


@strategies.command()
def pause(number: Number) -> None:
    """No new entries; resting exits stay."""
    _command(number, "pause")


@strategies.command()
def resume(number: Number) -> None:
    """Go on after a pause."""
    _command(number, "resume")


@strategies.command()
def stop(number: Number) -> None:
    """Cancel its resting orders and keep its position."""
    _command(number, "stop")


@strategies.command()
def flatten(
    number: Number, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:  # fmt: skip
    """Cancel its resting orders and close its position at market."""
    if not yes:
        typer.confirm(f"Close the position of strategy {number} at market?", abort=True)
    _command(number, "flatten")


def kill(off: Annotated[bool, typer.Option("--off", help="Allow trading again.")] = False) -> None:
    """Stop every strategy from opening anything, and cancel resting entries, at once."""
    said = _client().post("/api/kill-switch", {"on": not off})
    typer.echo(f"The kill switch is {'on' if said['on'] else 'off'}.")


def _command(number: int, verb: str) -> None:
    answer: dict[str, Any] = _client().post(f"/api/strategies/{number}/{verb}")
    typer.echo(f"Told strategy {number} to {verb}: {answer['outcome'] or 'under way'}.")


def _client() -> Client:
    return Client(load_config())
