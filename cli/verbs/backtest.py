"""`ares backtest`: a strategy on the past, with the code that trades live."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cli.futures_terms import (
    Funding,
    FundingHours,
    FundingRate,
    Given,
    Leverage,
    LiquidationFee,
    Maintenance,
    Marks,
    Tiers,
)
from cli.histories import kind_named, load, pairs
from core.base_strategy import StrategyKind
from domain.errors import Refused
from domain.money import exact

if TYPE_CHECKING:
    from engine.backtest import History

#: Who cancels where the book was recorded.
Cancellations = Annotated[
    str, typer.Option(help="Queue in a recorded book: who cancels there; behind, shared or ahead of an order.")
]


def backtest(
    strategy: Annotated[str, typer.Argument(help="The name of a strategy, as `grid`.")],
    history: Annotated[Path, typer.Argument(help="A file of bars, or the name of an imported one.")],
    params: Annotated[list[str] | None, typer.Option("--params", "-p", help="name=value, as often as needed.")] = None,
    symbol: Annotated[str, typer.Option(help="Base and quote, with a stroke between.")] = "BTC/USDT",
    quote: Annotated[str, typer.Option(help="Capital in the quote asset.")] = "10000",
    fee: Annotated[str, typer.Option(help="Fee of makers and takers in percent.")] = "0.1",
    bars: Annotated[str, typer.Option(help="How bars are read: path or next_bar.")] = "path",
    interval: Annotated[
        str, typer.Option(help="Of trades: decide on bars of this length, as 1m, and walk the trades within.")
    ] = "",
    fill: Annotated[str, typer.Option(help="When limit orders fill: touch, through, or (of trades) queue.")] = "touch",
    ahead: Annotated[str, typer.Option(help="Queue: what stands in front of an order, in the base asset.")] = "0",
    share: Annotated[str, typer.Option(help="Queue: and percent of what was traded in the minute before.")] = "0",
    cancelled: Annotated[str, typer.Option(help="Queue: percent of what is traded that is cancelled there too.")] = "0",
    whole_beyond: Annotated[
        bool, typer.Option(help="Queue: a trade beyond the price of an order executes all of it.")
    ] = False,
    cancellations: Cancellations = "behind",
    latency: Annotated[int, typer.Option(help="Milliseconds until the venue acts on a request.")] = 0,
    runtime: Annotated[str, typer.Option(help="auto, compiled or interpreted.")] = "auto",
    leverage: Leverage = 0,
    maintenance: Maintenance = "0.4",
    tiers: Tiers = None,
    liquidation_fee: LiquidationFee = "1.25",
    funding_rate: FundingRate = "0.01",
    funding_hours: FundingHours = 8,
    funding: Funding = None,
    marks: Marks = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of a table.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a report that needs no network.")] = None,
    fills: Annotated[Path | None, typer.Option(help="Write every fill as parquet.")] = None,
    compare: Annotated[
        list[Path] | None, typer.Option(help="A result that --json has printed, to show beside this one.")
    ] = None,
) -> None:
    """Run a strategy over history with the code that trades live."""
    from engine.backtest import Settings, report, run

    kind, past = kind_named(strategy), walked(load(history, symbol), interval)
    assumed: Any = {
        "bar_model": bars,
        "runtime": runtime,
        "latency_ms": latency,
        **fills_of(fill, ahead, share, cancelled, whole_beyond, cancellations),
    }
    given = Given(leverage, maintenance, liquidation_fee, funding_rate, funding_hours, funding, marks, tiers)
    assumed["futures"] = futures_of(given.terms(past.instrument.symbol))
    settings = Settings(quote=Decimal(quote), maker_fee=Decimal(fee), taker_fee=Decimal(fee), **assumed)
    result = run(kind, params_of(kind, params or []), past, settings)
    if html is not None:
        html.write_text(report.to_html(result))
    if fills is not None:
        report.write_fills(result, fills)
    if json:
        typer.echo(report.to_json(result).decode())
    elif compare:
        show_beside(result, compare)
    else:
        show(result)


def walked(history: History, interval: str) -> History:
    """Trades with bars of this length made of them, if one is named."""
    from engine.backtest import Prints
    from engine.backtest.store import INTERVALS
    from engine.backtest.taped import taped

    if not interval:
        return history
    if not isinstance(history, Prints):
        raise Refused("--interval is of trades; `ares data import --interval` makes longer bars of bars.")
    if interval not in INTERVALS:
        raise Refused(f"--interval: {interval} is no length; choose from {', '.join(INTERVALS)}.")
    return taped(history, INTERVALS[interval])


def fills_of(
    model: str, ahead: str, share: str, cancelled: str, whole_beyond: bool, cancellations: str
) -> dict[str, Any]:
    """What is assumed of resting orders."""
    from engine.backtest.queueing import Queue

    who: Any = cancellations
    queue = Queue(
        exact(ahead), exact(share), cancelled_percent=exact(cancelled), whole_beyond=whole_beyond, cancellations=who
    )
    return {"fill_model": model, "queue": queue if model == "queue" or queue != Queue() else None}


def futures_of(terms: dict[str, Any] | None) -> Any:
    """A futures account on these terms; None on spot."""
    from engine.backtest import futures

    if terms is None:
        return None
    percents = {name: exact(value) for name, value in terms.items() if name.endswith("_percent")}
    rates = tuple(futures.FundingRate(**one) for one in terms["funding_rates"])
    tiers = tuple(futures.Tier(**one) for one in terms["tiers"])
    return futures.Futures(**{**terms, **percents, "tiers": tiers, "funding_rates": rates})


def params_of(kind: StrategyKind, words: list[str]) -> Any:
    """The strategy's parameters from name=value words; `Refused` names what is wrong."""
    try:
        return kind.params(**pairs(words))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise Refused(f"parameters of {kind.name}: {wrong}.") from error


def show(result: Any) -> None:
    """The figures as a table, warnings first."""
    from engine.backtest.metrics import metrics

    console = Console()
    for words in result.warnings[:10]:
        console.print(f"warning: {words}", style="yellow")
    if len(result.warnings) > 10:
        console.print(f"warning: and {len(result.warnings) - 10} more", style="yellow")
    table = Table("figure", "value", box=None)
    for name, value in metrics(result).items():
        table.add_row(name, "-" if value is None else f"{value:,.2f}" if isinstance(value, float) else str(value))
    console.print(table)
    console.print(f"{result.stamp.runtime}, code {result.stamp.code}, data {result.history.digest[:16]}")


def show_beside(result: Any, others: list[Path]) -> None:
    """The figures of this run beside those of earlier ones, and what was different about them."""
    from engine.backtest import report

    runs = [report.loaded(path) for path in others] + [orjson.loads(report.to_json(result))]
    table = Table("figure", *(path.stem for path in others), "this run", box=None)
    for row in report.compared(runs):
        table.add_row(*row)
    Console().print(table)
    for words in report.differences(runs):
        Console().print(words, style="yellow")


def add_to(app: typer.Typer) -> None:
    """Give the command line this verb."""
    app.command()(backtest)
