"""`ares backtest-together`: several strategies on one account and one capital, on the past."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from cli.histories import kind_named, load
from core.base_jobs import AccountBacktest
from domain.errors import Refused
from domain.money import to_wire

if TYPE_CHECKING:
    from engine.backtest.together import Together


def backtest_together(
    account: Annotated[
        Path, typer.Argument(help="A JSON file: capital, and instances with strategy, params, history.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON instead of a table.")] = False,
) -> None:
    """Run several strategies over their histories on one account: a result for each, and the account's."""
    found = replayed(read(account))
    typer.echo(orjson.dumps(content(found), option=orjson.OPT_INDENT_2).decode()) if json else show(found)


def read(path: Path) -> AccountBacktest:
    """What is to be replayed; `Refused` names what is wrong."""
    try:
        return AccountBacktest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise Refused(f"{path}: it cannot be read: {error}.") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise Refused(f"{path}: {wrong}.") from error


def replayed(job: AccountBacktest) -> Together:
    """Every instance over its history, with its share of the capital."""
    from engine.backtest.optimiser.search import settings_of
    from engine.backtest.together import Member, run_together, shared

    members = []
    for number, one in enumerate(job.instances, 1):
        kind = kind_named(one.strategy)
        try:
            params = kind.params(**one.params)
        except ValidationError as error:
            raise Refused(f"instance {number}: {error.errors(include_input=False)[0]['msg']}.") from error
        members.append(Member(kind, params, load(Path(one.history), one.symbol), settings_of(one.assumptions)))
    return run_together(members if has_shares(job) else shared(members, job.capital), job.capital)


def has_shares(job: AccountBacktest, searched: Collection[int] = frozenset()) -> bool:
    """Whether instances own shares that were given, or are searched for; else all own an equal one."""
    named = {"quote" in one.assumptions.model_fields_set or at in searched for at, one in enumerate(job.instances)}
    if len(named) > 1:
        raise Refused("assumptions.quote: give every instance its share of the capital, or none.")
    return True in named


def content(found: Together) -> dict[str, Any]:
    """The account, and every instance as `ares backtest --json` shows it."""
    from engine.backtest import report

    account = {name: _text(value) for name, value in found.sum._asdict().items()}
    return {"account": account, "instances": [orjson.loads(report.to_json(result)) for result in found.results]}


def show(found: Together) -> None:
    """The figures that add up, instance by instance, and their sum; then the account."""
    titles = (
        f"{number} {one.kind.name} {one.history.instrument.symbol}" for number, one in enumerate(found.results, 1)
    )
    table = Table("figure", *titles, "account", box=None)
    for name in ("equity", "realised", "unrealised", "funding", "fees"):
        parts = (to_wire(result.amount(getattr(result.figures, name))) for result in found.results)
        table.add_row(name, *parts, to_wire(getattr(found.sum, name)))
    table.add_row("net", *(to_wire(result.net) for result in found.results), to_wire(found.sum.net))
    table.add_row("fills", *(str(result.figures.fills) for result in found.results), str(found.sum.fills))
    console = Console()
    for number, result in enumerate(found.results, 1):
        for words in result.warnings[:5]:
            console.print(f"warning: {number}: {words}", style="yellow")
    console.print(table)
    console.print(f"not allotted {to_wire(found.unallocated)}, deepest fall {100 * found.sum.max_drawdown:.2f} %")


def _text(value: Any) -> Any:
    return value if isinstance(value, int | float) else to_wire(value)


def add_to(app: typer.Typer) -> None:
    """Give the command line this verb."""
    app.command("backtest-together")(backtest_together)
