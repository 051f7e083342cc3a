"""`ares optimise-together`: many parameter sets of several strategies on one account, on the past."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.histories import kind_named, load
from cli.verbs.backtest_together import has_shares, read
from cli.verbs.optimise import (
    Conditions,
    Embargo,
    Folds,
    Html,
    Json,
    Kept,
    Method,
    Objectives,
    Parquet,
    Processes,
    Seed,
    Sought,
    Top,
    Trials,
    Validation,
    Ways,
    finish,
    job_of,
)
from core.base_jobs import AccountBacktest, AccountOptimisationJob, names_of

if TYPE_CHECKING:
    from engine.backtest.optimiser import Search

Space = Annotated[
    list[str],
    typer.Option("--params", "-p", help="instance.parameter=a,b,c or =from:to:step; instance.quote is its share."),
]


def optimise_together(
    account: Annotated[Path, typer.Argument(help="A JSON file as for `ares backtest-together`.")],
    params: Space,
    objective: Objectives = None,
    condition: Conditions = None,
    method: Method = "exhaustive",
    trials: Trials = 200,
    seed: Seed = 1,
    validation: Validation = "none",
    folds: Folds = 5,
    embargo: Embargo = 0,
    processes: Processes = 0,
    folder: Kept = None,
    top: Top = 10,
    json: Json = False,
    html: Html = None,
    parquet: Parquet = None,
) -> None:
    """Search the parameters of several strategies on one account. What the search does not name stays as in the file.

    Instances are called as the file names them (`name`), or as their strategies. Interrupted, the same command goes on.
    """
    found = read(account)
    wanted = Sought(params, objective, condition, method, trials, seed, validation, folds, embargo).terms()
    finish(search_in(found, wanted), Ways(processes, folder, top, json, html, parquet))


def search_in(account: AccountBacktest, wanted: dict[str, Any]) -> Search:
    """The search among the instances of a file."""
    from engine.backtest.optimiser import account_search_of

    names = names_of([(one.name, one.strategy) for one in account.instances])
    searched = {place for place, name in enumerate(names) if f"{name}.quote" in wanted["space"]}
    instances = [
        {
            "name": name, "strategy": one.strategy, "params": one.params,
            "assumptions": one.assumptions.model_dump(exclude_unset=True),
        }
        for name, one in zip(names, account.instances, strict=True)
    ]  # fmt: skip
    given = {"capital": account.capital, "instances": instances, "is_equal": not has_shares(account, searched)}
    histories = [load(Path(one.history), one.symbol) for one in account.instances]
    return account_search_of(job_of(AccountOptimisationJob, {**wanted, **given}), kind_named, histories)


def add_to(app: typer.Typer) -> None:
    """Give the command line this verb."""
    app.command("optimise-together")(optimise_together)
