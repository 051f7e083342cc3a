"""Starting, ending and looking at an installation: `up`, `down`, `status`, `logs`, `login`, `simulator`."""

from __future__ import annotations

import os
from threading import Event
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cli import log_files
from cli.client import Client, NotRunning
from cli.entry import SIMULATOR
from cli.installation import Address, AlreadyRunning, Installation
from core.clock import system_clock
from core.config import load_config
from domain.errors import AresError, Refused

COLUMNS = ("strategy", "symbol", "wished", "is", "price", "orders", "result", "equity", "node", "lease")


class NoSuchLog(Refused):
    """There is no log of this name."""


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(logs)
    app.command()(login)
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
    )(simulator)  # fmt: skip


def up(browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True) -> None:
    """Start everything on this machine, with a simulated exchange and simulated money, until Ctrl-C."""
    from cli import up as starting  # what is slow to load, other verbs do not need

    config = load_config()
    try:
        status = starting.run(config, open_browser=browser)
    except AlreadyRunning:
        record = Installation(config.home).record()
        where = record.page if record else ""
        typer.echo(f"Already running: {where}. `ares login` makes a link." if where else "Already starting.")
        return
    raise typer.Exit(status)


def down() -> None:
    """End what `ares up` started here, from any terminal."""
    stopped = Installation(load_config().home).stop(system_clock().machine)
    typer.echo("Stopped." if stopped else "Nothing was running.")


def status(watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again every second.")] = False) -> None:
    """Show what runs and how every strategy is doing; exit status 1 when nothing runs."""
    config = load_config()
    installation = Installation(config.home)
    record = installation.record()
    if not installation.is_running() or record is None:
        typer.echo("Not running; `ares up` starts it.")
        raise typer.Exit(1)
    running = ", ".join(f"{name} ({pid})" for name, (pid, _) in record.programs.items())
    typer.echo(f"Running: {running}.\n  page    {record.page or 'starting'}\n{describe(installation.simulator())}")
    if not record.page:
        return
    client = Client(config)
    if not watch:
        Console().print(_table(client))
        Console().print(*_held_back(client), sep="\n", end="\n")
        return
    pause = Event()
    with Live(_table(client), auto_refresh=False) as live:
        while not pause.wait(1):
            try:
                live.update(_table(client), refresh=True)
            except NotRunning:
                return


def logs(
    program: Annotated[str, typer.Argument(help="redis, simulator, api, worker or compute; all when left out.")] = "",
    lines: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the last lines.")] = 50,
) -> None:
    """Show what the programs of this installation have said last."""
    folder = Installation(load_config().home).logs
    known = sorted(path.stem for path in folder.glob("*.log"))
    if program and program not in known:
        raise NoSuchLog(f"there is no log of {program!r} here; there is {', '.join(known) or 'none yet'}.")
    for name in [program] if program else known:
        for line in log_files.tail(folder / f"{name}.log", lines):
            typer.echo(f"{name:>9} | {line}")


def login() -> None:
    """Make a link that signs you in once, for a browser on this machine."""
    from cli import login as sign_in  # what is slow to load, other verbs do not need

    config = load_config()
    record = Installation(config.home).record()
    if record is None or not record.page:
        raise NotRunning
    typer.echo(sign_in.link(config, record.page))


def simulator(context: typer.Context) -> NoReturn:
    """Start the simulated exchange with options of its own; `ares simulator --help` lists them."""
    os.execv(SIMULATOR[0], [*SIMULATOR, *context.args])  # noqa: S606 - our own program, no shell


def describe(address: Address | None) -> str:
    """Where to point a client of the simulated exchange."""
    if address is None:
        return "  The simulated exchange is starting."
    return f"  REST    {address.rest}\n  stream  {address.stream}\n  admin   {address.admin}"


def _table(client: Client) -> Table:
    table = Table(*COLUMNS, box=None)
    try:
        for one in client.pages("/api/strategies"):
            table.add_row(*_row(one))
    except AresError as error:
        table.caption = str(error)
    return table


def _held_back(client: Client) -> list[str]:
    """A line for each node that takes no strategies up, with the reason."""
    try:
        nodes = client.get("/api/nodes")
    except AresError:
        return []  # the table says already what keeps it from being asked
    return [f"Node {one['worker_id']} takes no strategies up: {one['gate']}." for one in nodes if one["gate"]]


def _row(strategy: dict[str, Any]) -> tuple[str, ...]:
    live = strategy["live"] or {}
    orders = f"{live.get('pending_buys', 0)} / {live.get('pending_sells', 0)}" if live else ""
    lease = f"{live['lease_age_ms'] / 1000:.1f} s" if live.get("lease_age_ms") is not None else ""
    return (
        strategy["name"], strategy["symbol"], strategy["desired_state"], live.get("status", "not running"),
        live.get("current_price", ""), orders, live.get("realised", ""), live.get("equity", ""),
        live.get("worker_hostname", ""), lease,
    )  # fmt: skip
