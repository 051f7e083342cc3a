"""`ares data`: histories of the market, what is wrong with them, and where they are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.histories import fetched, store
from core.clock import ms_from_utc, system_clock, utc_from_ms
from core.config import load_config
from domain.errors import Refused

if TYPE_CHECKING:
    from engine.backtest import History

data = typer.Typer(help="Histories of the market.", no_args_is_help=True)
_SHOWN = 20
_VENUE = "binance_spot"
_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


@data.command()
def check(
    path: Annotated[Path, typer.Argument(help="A file of bars, or the name of a history.")],
    depth: Annotated[bool, typer.Option("--depth", help="It holds recorded frames of depth and trades.")] = False,
) -> None:
    """Name every row that is wrong and every gap; exit status 1 when a backtest could not run on it."""
    from cli.histories import load_depth
    from engine.backtest import files

    if not path.exists() and store().has(str(path)):
        _describe(str(path), store().get(str(path)))
        return
    if depth:
        _describe(str(path), load_depth(path, "BASE/QUOTE"))
        return
    found = files.read(path)
    table = Table("row", "", "finding", box=None)
    for finding in found.findings:
        table.add_row(str(finding.row or ""), "" if finding.is_bearable else "!!", finding.words)
    Console().print(table)
    typer.echo(f"{len(found.rows)} bars of {found.bar_ms / 1000:g} s, {len(found.findings)} findings.")
    raise typer.Exit(0 if found.is_usable else 1)


@data.command("import")
def import_file(
    path: Annotated[Path, typer.Argument(help="A file of bars: CSV (also .gz, .zip), JSON, feather, parquet.")],
    name: Annotated[str, typer.Option(help="What it is called from here on; the file's name when left out.")] = "",
    symbol: Annotated[str, typer.Option(help="Base and quote, with a stroke between.")] = "BTC/USDT",
    interval: Annotated[str, typer.Option(help="Longer bars to make of them, as 1h or 1d.")] = "",
    prints: Annotated[bool, typer.Option("--prints", help="It holds trades, as the archive's aggTrades.")] = False,
    depth: Annotated[
        bool, typer.Option("--depth", help="It holds recorded frames of depth and trades, and a snapshot of the book.")
    ] = False,
) -> None:
    """Keep bars, trades or depth of a file under a name, in exact units, with a checksum. A bad row refuses all."""
    from cli.histories import load, load_depth, load_prints
    from engine.backtest.store import INTERVALS, resampled

    if not path.is_file():
        raise Refused(f"{path}: there is no such file.")
    if prints and depth:
        raise Refused("--prints and --depth: a file holds trades alone, or depth with trades; give one of them.")
    history = load_depth(path, symbol) if depth else load_prints(path, symbol) if prints else load(path, symbol)
    if interval:
        if interval not in INTERVALS:
            raise Refused(f"{interval}: there is no such interval; choose from {', '.join(INTERVALS)}.")
        history = resampled(history, INTERVALS[interval])
    name = name or path.name.partition(".")[0]
    kept = store().keep(name, history)
    _describe(name, history)
    typer.echo(f"Kept as {name} ({kept.stat().st_size} bytes); `ares backtest STRATEGY {name}` runs on it.")


@data.command()
def download(
    symbol: Annotated[str, typer.Argument(help="The venue's name of it, as BTCUSDT.")],
    interval: Annotated[str, typer.Argument(help="Length of a bar, as 1m, 1h or 1d.")],
    since: Annotated[datetime, typer.Option(help="The first day or moment, UTC.", formats=_MOMENTS)],
    until: Annotated[
        datetime | None, typer.Option(help="Bars before this moment, UTC; up to now when left out.", formats=_MOMENTS)
    ] = None,
    venue: Annotated[str, typer.Option(help="Where to ask; config.yaml may name another address of it.")] = _VENUE,
    name: Annotated[str, typer.Option(help="What it is called from here on.")] = "",
) -> None:
    """Keep bars of a venue under a name, in its own ticks and lots. Interrupted, the same command goes on."""
    from engine.backtest.download import Wanted

    end_ms = system_clock().machine.now_ms() if until is None else ms_from_utc(until.replace(tzinfo=UTC))
    wanted = Wanted(venue, symbol, interval, ms_from_utc(since.replace(tzinfo=UTC)), end_ms)
    name = name or f"{symbol}-{interval}"
    try:
        history = fetched(wanted, store().part(name), Console(stderr=True))
    except KeyboardInterrupt:
        typer.echo("Interrupted; what has come is kept, and the same command goes on.", err=True)
        raise typer.Exit(130) from None
    kept = store().keep(name, history)
    store().part(name).unlink()
    _describe(name, history)
    typer.echo(f"Kept as {name} ({kept.stat().st_size} bytes); `ares backtest STRATEGY {name}` runs on it.")


@data.command("list")
def list_all() -> None:
    """Show every history that was imported here."""
    table = Table("name", "symbol", "bar", "bars", "gaps", "from", "to", box=None)
    for name, _, history in ((kept.name, kept.path, kept.history) for kept in store().all()):
        table.add_row(name, *_row(history))
    Console().print(table)


@data.command()
def share(name: Annotated[str, typer.Argument(help="The name of a history that was imported.")]) -> None:
    """Put a history into the database, where the API and every compute worker find it."""
    from db.database import open_database
    from db.migrate import require_current_schema
    from db.queries import histories
    from db.unit_of_work import committed
    from engine.backtest.store import unpack
    from tasks.imports import row_of

    content = store().content(name)
    row = row_of(name, unpack(content), content, utc_from_ms(system_clock().machine.now_ms()))
    engine = open_database(load_config().database.url.get_secret_value())
    try:
        require_current_schema(engine)
        with committed(engine) as unit:
            number = histories.add(unit, row, content).id
    finally:
        engine.dispose()
    typer.echo(f"Shared as history {number}; POST /api/backtests takes its number.")


def _describe(name: str, history: History) -> None:
    """What a history holds, and where bars are missing."""
    from engine.backtest import Prints
    from engine.backtest.store import gaps

    console = Console()
    missing = gaps(history)
    for gap in missing[:_SHOWN]:
        console.print(f"gap: {gap.bars} bars from {utc_from_ms(gap.begin_ms):%Y-%m-%d %H:%M}", style="yellow")
    if len(missing) > _SHOWN:
        console.print(f"and {len(missing) - _SHOWN} more gaps", style="yellow")
    symbol, bar, bars, holes, begin, end = _row(history)
    console.print(f"{name}: {symbol}, {bars} bars of {bar}, {holes} gaps, {begin} to {end}, data {history.digest[:16]}")
    if isinstance(history, Prints) and history.depth is not None:
        book = history.depth.book
        console.print(
            f"book: {len(book.times)} states with {len(book.states)} changes, updates {book.first_id} to "
            f"{book.last_id} without a gap"
        )
        for words in history.warnings:
            console.print(f"warning: {words}", style="yellow")


def _row(history: History) -> tuple[str, ...]:
    from engine.backtest.store import gaps

    moments = (utc_from_ms(int(history.open_ms[at])) for at in (0, -1))
    instrument = history.instrument
    return (
        f"{instrument.base}/{instrument.quote}", _bar(history), str(len(history)),
        str(len(gaps(history))), *(f"{moment:%Y-%m-%d %H:%M}" for moment in moments),
    )  # fmt: skip


def _bar(history: History) -> str:
    """The name of a bar's length; trades have none."""
    from engine.backtest import Prints
    from engine.backtest.store import INTERVALS

    if isinstance(history, Prints):
        return "one trade"
    names = {length: name for name, length in INTERVALS.items()}
    return names.get(history.bar_ms, f"{history.bar_ms} ms")


def add_to(app: typer.Typer) -> None:
    """Give the command line these verbs."""
    app.add_typer(data, name="data")
