"""The verbs of `ares`."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from cli.doctor import examine
from cli.entry import SIMULATOR
from cli.foreground import run_child
from cli.instance import Address, AlreadyRunning, Instance
from core.clock import system_clock
from core.config import Config, load_config
from domain.errors import AresError

app = typer.Typer(
    name="ares",
    help="Ares: a trading platform whose law is pure and whose shell does the walking.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Entry point; an error of ours is one sentence and exit status 1, never a trace."""
    try:
        app()
    except AresError as error:
        typer.echo(f"ares: {error}", err=True)
        sys.exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def simulator(context: typer.Context) -> NoReturn:
    """Start the simulated exchange with options of its own; `ares simulator --help` lists them."""
    os.execv(SIMULATOR[0], [*SIMULATOR, *context.args])  # noqa: S606 - our own program, no shell


@app.command()
def up(port: Annotated[int | None, typer.Option(help="Port on loopback; 0 takes a free one.")] = None) -> None:
    """Start the simulated exchange with a generated market, in the foreground, until Ctrl-C."""
    config = load_config()
    instance = Instance(config.home)
    command = simulator_command(config, instance, config.simulator.port if port is None else port)
    told = False

    def show(line: str) -> None:
        nonlocal told
        typer.echo(f"simulator | {line}")
        if not told and (address := instance.address()):
            told = True
            typer.echo(describe(address))

    try:
        with instance.claim() as lock:
            status = run_child(command, lock, show)
    except AlreadyRunning:
        address = instance.address()
        typer.echo(f"Already running.\n{describe(address)}" if address else "Already starting; try `ares status`.")
        return
    typer.echo("Stopped." if status == 0 else f"The simulated exchange ended with status {status}; see its last lines.")
    raise typer.Exit(status)


@app.command()
def down() -> None:
    """End what `ares up` started here, from any terminal."""
    stopped = Instance(load_config().home).stop(system_clock().machine)
    typer.echo("Stopped." if stopped else "Nothing was running.")


@app.command()
def status() -> None:
    """Show whether the simulated exchange runs and where; exit status 1 when it does not."""
    instance = Instance(load_config().home)
    if not instance.is_running():
        typer.echo("Not running; `ares up` starts it.")
        raise typer.Exit(1)
    address = instance.address()
    typer.echo(f"Running, process {address.pid}.\n{describe(address)}" if address else "Starting.")


@app.command()
def doctor() -> None:
    """Check this machine; every finding says what to do next. Exit status 1 when something needs doing."""
    findings = list(examine(load_config(), system_clock().machine))
    table = Table("", "what", "found", "next step", box=None)
    for finding in findings:
        table.add_row("ok" if finding.is_well else "!!", finding.what, finding.found, finding.next_step)
    Console().print(table)
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


@app.command()
def version() -> None:
    """Show the version of Ares and of Python."""
    typer.echo(f"ares {metadata.version('ares')}, Python {sys.version.split()[0]}")


def simulator_command(config: Config, instance: Instance, port: int) -> list[str]:
    """The command line of the exchange that `up` starts."""
    wanted = config.simulator
    return [
        *SIMULATOR,
        *("--port", str(port)),
        *("--market", f"generated:{wanted.seed}"),
        *("--speed", str(wanted.speed)),
        *("--symbols", ",".join(wanted.symbols)),
        *("--announce", str(instance.announce_path)),
    ]


def describe(address: Address) -> str:
    """Where to point a client."""
    return f"  REST    {address.rest}\n  stream  {address.stream}\n  admin   {address.admin}"
