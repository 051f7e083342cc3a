"""`ares optimise`: many parameter sets on the past, and how much of the best of them is luck."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
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
from core.config import load_config
from domain.errors import Refused

if TYPE_CHECKING:
    from engine.backtest.optimiser import Outcome, Search
    from engine.backtest.optimiser.trial import Trial

Job = TypeVar("Job", bound=BaseModel)
_COLOURS = {"edge": "green", "unclear": "yellow", "luck": "red", "unknown": "yellow"}

Params = Annotated[list[str], typer.Option("--params", "-p", help="name=value, name=a,b,c or name=from:to:step.")]
Objectives = Annotated[
    list[str] | None, typer.Option(help="A figure, `min:` or `max:` in front; several with method nsga.")
]
Conditions = Annotated[list[str] | None, typer.Option("--condition", "-c", help="As `fast < slow` or `fills >= 30`.")]

Method = Annotated[str, typer.Option(help="exhaustive, random, tpe or nsga.")]
Trials = Annotated[int, typer.Option(help="Sets to try, by every method but exhaustive.")]
Seed = Annotated[int, typer.Option(help="The same seed is the same search.")]
Validation = Annotated[str, typer.Option(help="none, walk_forward or purged.")]
Folds = Annotated[int, typer.Option(help="Parts of the validation.")]
Embargo = Annotated[int, typer.Option(help="Bars left out between purged folds.")]
Processes = Annotated[int, typer.Option(help="0 is one for each core.", min=0)]
Kept = Annotated[Path | None, typer.Option(help="Where finished parts are kept; goes on from there.")]
Top = Annotated[int, typer.Option(help="Rows of the ranking.", min=1, max=20)]
Json = Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of tables.")]
Html = Annotated[Path | None, typer.Option(help="Write a report that needs no network.")]
Parquet = Annotated[Path | None, typer.Option(help="Write every trial as parquet.")]


def optimise(
    strategy: Annotated[str, typer.Argument(help="The name of a strategy, as `grid`.")],
    history: Annotated[Path, typer.Argument(help="A file of bars, or a name, as for `ares backtest`.")],
    params: Params,
    objective: Objectives = None,
    condition: Conditions = None,
    method: Method = "exhaustive",
    trials: Trials = 200,
    seed: Seed = 1,
    validation: Validation = "none",
    folds: Folds = 5,
    embargo: Embargo = 0,
    symbol: Annotated[str, typer.Option(help="Base and quote, with a stroke between.")] = "BTC/USDT",
    quote: Annotated[str, typer.Option(help="Capital in the quote asset.")] = "10000",
    fee: Annotated[str, typer.Option(help="Fee of makers and takers in percent.")] = "0.1",
    bars: Annotated[str, typer.Option(help="How bars are read: path or next_bar.")] = "path",
    runtime: Annotated[str, typer.Option(help="auto, compiled or interpreted.")] = "auto",
    leverage: Leverage = 0,
    maintenance: Maintenance = "0.4",
    tiers: Tiers = None,
    liquidation_fee: LiquidationFee = "1.25",
    funding_rate: FundingRate = "0.01",
    funding_hours: FundingHours = 8,
    funding: Funding = None,
    marks: Marks = None,
    processes: Processes = 0,
    folder: Kept = None,
    top: Top = 10,
    json: Json = False,
    html: Html = None,
    parquet: Parquet = None,
) -> None:
    """Try many parameter sets with the code that trades live, on every core. Interrupted, the same command goes on."""
    from core.base_jobs import OptimisationJob
    from engine.backtest.optimiser import search_of

    past = load(history, symbol)
    given = Given(leverage, maintenance, liquidation_fee, funding_rate, funding_hours, funding, marks, tiers)
    wanted = {
        **Sought(params, objective, condition, method, trials, seed, validation, folds, embargo).terms(),
        "strategy": strategy,
        "assumptions": {
            "quote": quote, "maker_fee": fee, "taker_fee": fee, "bar_model": bars, "runtime": runtime,
            "futures": given.terms(past.instrument.symbol),
        },
    }  # fmt: skip
    search = search_of(job_of(OptimisationJob, wanted), kind_named(strategy), past)
    finish(search, Ways(processes, folder, top, json, html, parquet))


class Sought(NamedTuple):
    """What is searched for and how, as the options say it, whoever it is for."""

    params: list[str]
    objectives: list[str] | None
    conditions: list[str] | None
    method: str
    trials: int
    seed: int
    validation: str
    folds: int
    embargo: int

    def terms(self) -> dict[str, Any]:
        """The same as the fields of a job."""
        return {
            "space": pairs(self.params), "objectives": self.objectives or ["sharpe"],
            "conditions": self.conditions or [], "method": self.method, "trials": self.trials,
            "population": min(max(self.trials, 2), 50), "seed": self.seed, "validation": self.validation,
            "folds": self.folds, "embargo_bars": self.embargo,
        }  # fmt: skip


class Ways(NamedTuple):
    """How a search is done on this machine, and how its outcome is given."""

    processes: int
    folder: Path | None
    top: int
    json: bool
    html: Path | None
    parquet: Path | None


def finish(search: Search, ways: Ways) -> None:
    """Do what is left of a search and give its outcome."""
    from engine.backtest.optimiser import Folder, conclude
    from engine.backtest.optimiser import report as reports

    kept = ways.folder or load_config().home / "optimisations" / search.digest[:16]
    try:
        outcome = conclude(search, _work(search, Folder(kept, search), ways.processes, Console(stderr=True)))
    except KeyboardInterrupt:
        typer.echo("Interrupted; the same command goes on where it was.", err=True)
        raise typer.Exit(130) from None
    if ways.html is not None:
        ways.html.write_text(reports.to_html(outcome))
    if ways.parquet is not None:
        reports.write_trials(outcome, ways.parquet)
    typer.echo(reports.to_json(outcome).decode()) if ways.json else show(outcome, ways.top)


def job_of(model: type[Job], wanted: dict[str, Any]) -> Job:
    """What was asked for; `Refused` names what is wrong."""
    try:
        return model.model_validate(wanted)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise Refused(f"{wrong}.") from error


def _work(search: Search, folder: Any, processes: int, console: Console) -> dict[str, list[Trial]]:
    from engine.backtest.optimiser import work

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(search.title, total=None)
        return work(
            search, kind_named, folder, processes,
            lambda done, total: progress.update(task, completed=done, total=total),
        )  # fmt: skip


def show(outcome: Outcome, top: int) -> None:
    """Warnings, the ranking, the best with its luck beside it, and how the choice held elsewhere."""
    console = Console()
    for words in outcome.warnings[:10]:
        console.print(f"warning: {words}", style="yellow")
    counts = outcome.counts
    console.print(
        f"{counts['tried']} sets tried, {counts['refused']} refused, {counts['allowed']} meet every condition."
    )
    if not outcome.best:
        return
    console.print(
        _ranking(outcome, outcome.ranking[:top] if len(outcome.best) == 1 else [b.trial for b in outcome.best])
    )
    best = outcome.best[0]
    if outcome.search.capital is not None:
        console.print(_shares(outcome))
    console.print(best.luck.words, style=_COLOURS[best.luck.verdict])
    if best.plateau is not None:
        console.print(f"Its neighbours keep {best.plateau:.0%} of what it is better than the middle of all.")
    if outcome.robust is not None and outcome.robust.trial.number != best.trial.number:
        found = ", ".join(
            f"{one.name}={outcome.robust.trial.params[one.name]}" for one in outcome.search.space.dimensions
        )
        console.print(f"Best together with its neighbours: {found}.")
    if outcome.validated is not None:
        console.print(_folds(outcome))
        console.print(outcome.validated.words)
    stamp = outcome.search.stamp()
    console.print(f"code {stamp['code']}, data {stamp['data'][:16]}, seed {stamp['seed']}")


def _ranking(outcome: Outcome, trials: Iterable[Trial]) -> Table:
    from engine.backtest.optimiser.report import SHORT, shown

    names = [one.name for one in outcome.search.space.dimensions]
    figures = list(dict.fromkeys([*(one.name for one in outcome.search.objectives), *SHORT]))
    table = Table(box=None)
    for name in (*names, *figures):
        table.add_column(name.replace("_percent", " %").replace("_", " "), justify="right")
    for trial in trials:
        table.add_row(*(trial.params[name] for name in names), *(shown(trial.values.get(figure)) for figure in figures))
    return table


def _shares(outcome: Outcome) -> Table:
    """What each instance had of the best set."""
    from engine.backtest.optimiser.outcome import shares_of
    from engine.backtest.optimiser.report import shown

    shares = shares_of(outcome.best[0].trial, outcome.search)
    table = Table(box=None)
    for name in shares[0]:
        table.add_column(name.replace("_percent", " %").replace("_", " "), justify="right")
    for share in shares:
        table.add_row(*map(shown, share.values()))
    return table


def _folds(outcome: Outcome) -> Table:
    from engine.backtest.optimiser.report import shown

    names = [one.name for one in outcome.search.space.dimensions]
    table = Table("fold", *names, "sharpe where chosen", "sharpe unseen", "return unseen %", box=None)
    for fold in outcome.validated.folds if outcome.validated else ():
        figures = (fold.sharpe_seen, fold.sharpe_unseen, fold.return_percent_unseen)
        table.add_row(fold.name, *(fold.params[name] for name in names), *map(shown, figures))
    return table


def add_to(app: typer.Typer) -> None:
    """Give the command line this verb."""
    app.command()(optimise)
