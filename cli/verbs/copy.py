"""Copy trading from the terminal: masters, what they hold, who follows them, how far followers are off, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.client import Client
from core.config import load_config

copying = typer.Typer(help="Follow masters, and see what became of it.", no_args_is_help=True)

ROOT = "/api/v1/follower"
Number = Annotated[int, typer.Argument(help="The relationship's number; `ares copy list` shows it.")]
Limit = Annotated[str | None, typer.Option(help="In quote; none without it.")]


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    app.add_typer(copying, name="copy")


@copying.command("masters")
def list_masters() -> None:
    """Who can be followed, and how everybody who ever followed them has done."""
    table = Table("number", "name", "kind", "followers", "followers' result", "deepest fall", "record", box=None)
    for one in _client().get(f"{ROOT}/leaderboard")["items"]:
        master = one["master"]
        record = f"{one['days']} days, {one['trades']} copies{'' if one['enough'] else ': too short'}"
        table.add_row(
            str(master["id"]), master["name"], master["kind"], str(master["followers"]), one["net_result"],
            one["max_drawdown"], record,
        )  # fmt: skip
    Console().print(table)


@copying.command()
def master(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    account: Annotated[int | None, typer.Option(help="Copy what this account of yours holds.")] = None,
    strategy: Annotated[int | None, typer.Option(help="Copy what this strategy of yours holds.")] = None,
    shared: Annotated[bool, typer.Option("--shared", help="Let others see and follow it.")] = False,
) -> None:
    """Let an account, a strategy, or (with neither) positions that you enter be followed."""
    kind = "strategy" if strategy is not None else "account" if account is not None else "manual"
    body = {"name": name, "kind": kind, "account_id": account, "strategy_id": strategy, "shared": shared}
    made = _client().post(f"{ROOT}/masters", body)
    typer.echo(f"Master {made['id']}, {made['name']}. `ares copy follow {made['id']} ACCOUNT` follows it.")


@copying.command(context_settings={"ignore_unknown_options": True})
def position(
    symbol: Annotated[str, typer.Argument(help="For example BTCUSDT.")],
    size: Annotated[str, typer.Argument(help="Above zero is long, below zero short, 0 closes.")],
    price: Annotated[str | None, typer.Option(help="Entry price.")] = None,
    master: Annotated[int | None, typer.Option(help="Which manual master; your first one without it.")] = None,
) -> None:
    """Enter what a manual master of yours holds now; its followers converge at once."""
    body = {"symbol": symbol, "position_size": size, "entry_price": price, "master_id": master}
    told = _client().post(f"{ROOT}/master-position", body)
    typer.echo(f"{told['master_name']}: {told['symbol']} {told['position_size']}, version {told['version']}.")


@copying.command("list")
def list_relationships() -> None:
    """Every relationship of yours, one line each."""
    table = Table("number", "account", "master", "mode", "ratio", "wished", "is", "last error", box=None)
    for one in _client().pages(f"{ROOT}/relationships"):
        table.add_row(
            str(one["id"]), one["account_name"], one["master_name"], one["mode"], one["follow_ratio"],
            one["desired_state"], one["state"], one["last_error"],
        )  # fmt: skip
    Console().print(table)


@copying.command()
def follow(
    master: Annotated[int, typer.Argument(help="The master's number; `ares copy masters` shows it.")],
    account: Annotated[int, typer.Argument(help="The account that follows; `ares account list` shows it.")],
    ratio: Annotated[str, typer.Option(help="Of the master's position.")] = "1",
    max_notional: Limit = None,
    collar: Annotated[str | None, typer.Option(help="Most an entry may slip, as a fraction: 0.005 is 0.5 %.")] = None,
    existing: Annotated[bool, typer.Option("--existing", help="Copy what the master holds already.")] = False,
    on_stop: Annotated[str, typer.Option(help="keep, close or hand_over.")] = "keep",
) -> None:
    """Let an account follow a master, from now on."""
    body = {
        "master_id": master, "account_id": account, "follow_ratio": ratio, "max_notional": max_notional,
        "slippage_collar": collar, "copy_existing": existing, "on_stop": on_stop,
    }  # fmt: skip
    made = _client().post(f"{ROOT}/relationships", body)
    typer.echo(f"Relationship {made['id']}: {made['account_name']} follows {made['master_name']}.")


@copying.command()
def edit(
    number: Number,
    ratio: Annotated[str | None, typer.Option(help="Of the master's position.")] = None,
    max_notional: Limit = None,
    collar: Annotated[str | None, typer.Option(help="Most an entry may slip, as a fraction: 0.005 is 0.5 %.")] = None,
    on_stop: Annotated[str | None, typer.Option(help="keep, close or hand_over.")] = None,
) -> None:
    """Change the terms of a relationship; what is left out stays."""
    given = {"follow_ratio": ratio, "max_notional": max_notional, "slippage_collar": collar, "on_stop": on_stop}
    terms = {name: value for name, value in given.items() if value is not None}
    client = _client()
    revision = client.get(f"{ROOT}/relationships/{number}")["revision"]
    made = client.put(f"{ROOT}/relationships/{number}", terms | {"revision": revision})
    typer.echo(f"Changed relationship {number}: {made['outcome'] or 'under way'}.")


@copying.command()
def pause(number: Number) -> None:
    """No new entries; exits still follow."""
    _command(number, "pause")


@copying.command()
def resume(number: Number) -> None:
    """Go on after a pause."""
    _command(number, "resume")


@copying.command()
def stop(
    number: Number, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:  # fmt: skip
    """End following; what is held is kept, closed or handed over, as the relationship says."""
    if not yes:
        on_stop = _client().get(f"{ROOT}/relationships/{number}")["on_stop"].replace("_", " ")
        typer.confirm(f"Stop relationship {number} ({on_stop} its positions)?", abort=True)
    _command(number, "stop")


@copying.command()
def resync(
    number: Number, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:  # fmt: skip
    """Copy all that the master holds now, whatever was skipped; shows first what would change."""
    preview = _client().get(f"{ROOT}/relationships/{number}/resync-preview")
    for step in preview["steps"]:
        typer.echo(f"{step['symbol']}: {step['held']} -> {step['target']} ({step['reason_text']})")
    for symbol in preview["unknown"]:
        typer.echo(f"{symbol}: the venue's rules are not known here yet; the worker will decide.")
    if not yes:
        typer.confirm(f"Resync relationship {number}?", abort=True)
    _command(number, "resync")


@copying.command()
def drift() -> None:
    """How far each follower is from its master, symbol by symbol, why, and what it has cost."""
    table = Table("relationship", "symbol", "master", "target", "held", "behind", "cost", "why", box=None)
    for one in _client().get(f"{ROOT}/drift")["items"]:
        table.add_row(
            str(one["relationship_id"]), one["symbol"], one["master_position"], one["target"] or "", one["held"],
            "yes" if one["is_behind"] else "no", one["causes"]["difference"] if one["causes"] else "",
            one["reason_text"],
        )  # fmt: skip
    Console().print(table)


@copying.command()
def log(
    count: Annotated[int, typer.Option(help="How many of the newest.", min=1, max=500)] = 20,
    status: Annotated[str | None, typer.Option(help="success, failed, pending, skipped or coalesced.")] = None,
) -> None:
    """What became of each signal, newest first."""
    table = Table("time", "signal", "copy", "outcome", "price", "slippage", "ms", "why", box=None)
    for one in _client().get(f"{ROOT}/trade-logs", limit=count, status=status)["items"]:
        table.add_row(
            one["timestamp"], f"{one['master_action']} {one['master_symbol']} {one['master_position_size']}",
            f"{one['position_before']} -> {one['target']}", one["status"], one["average_price"] or "",
            one["slippage"] or "", str(one["execution_time_ms"] or ""), one["error_message"] or one["reason_text"],
        )  # fmt: skip
    Console().print(table)


@copying.command()
def stats() -> None:
    """How many signals were copied, failed and skipped, and how long it took."""
    told: dict[str, Any] = _client().get(f"{ROOT}/trade-logs/stats")
    for name in ("total_trades", "successful_trades", "failed_trades", "skipped_signals", "success_rate"):
        typer.echo(f"{name.replace('_', ' ')}: {told[name]}")
    delay = told["signal_to_acknowledged"]
    typer.echo(f"from signal to acknowledgement, ms: p50 {delay['p50']}, p99 {delay['p99']} of {delay['count']}")


def _command(number: int, verb: str) -> None:
    answer: dict[str, Any] = _client().post(f"{ROOT}/relationships/{number}/{verb}")
    typer.echo(f"Told relationship {number} to {verb}: {answer['outcome'] or 'under way'}.")


def _client() -> Client:
    return Client(load_config())
