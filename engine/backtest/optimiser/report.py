"""An outcome as JSON, as a parquet table of all trials, and as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import orjson

from engine.backtest.optimiser.outcome import Best, Outcome, shares_of
from engine.backtest.optimiser.plateau import Heatmap

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#1c2430}
table{border-collapse:collapse}td,th{padding:.2rem .6rem;border-bottom:1px solid #e3e7ee;text-align:right}
th:first-child,td:first-child{text-align:left}.warning{background:#fff3d6;padding:.6rem 1rem}
.luck{font-size:1.15rem;padding:.6rem 1rem;background:#f0f4fa}.map td{font-size:11px;padding:.15rem .3rem}
.wide{overflow-x:auto}
"""


def to_json(outcome: Outcome) -> bytes:
    """Everything but the table of all trials."""
    return orjson.dumps(outcome.as_dict(), option=orjson.OPT_INDENT_2)


def write_trials(outcome: Outcome, path: Path) -> None:
    """Every trial as a parquet file: parameters as text, ratios floating, amounts as decimal text."""
    import polars

    names = [one.name for one in outcome.search.space.dimensions] + list(outcome.search.space.fixed)
    columns: dict[str, list[Any]] = {
        "number": [trial.number for trial in outcome.trials],
        **{name: [trial.params[name] for trial in outcome.trials] for name in names},
        "status": [trial.status for trial in outcome.trials],
        **{figure: [trial.values.get(figure) for trial in outcome.trials] for figure in outcome.search.figures},
        "words": [trial.words for trial in outcome.trials],
    }
    polars.DataFrame(columns, strict=False).write_parquet(path)


def to_html(outcome: Outcome) -> str:
    """The report: the best and how much of it is luck, the landscape, and how the choice held elsewhere."""
    search = outcome.search
    title = escape(f"{search.title}: {outcome.counts['tried']} sets tried")
    parts = [f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>']
    parts.append(f"<h1>{title}</h1>")
    if outcome.warnings:
        told = "".join(f"<li>{escape(words)}</li>" for words in outcome.warnings[:50])
        parts.append(f'<div class="warning"><strong>Warnings</strong><ul>{told}</ul></div>')
    if outcome.best:
        parts.append(f'<p class="luck">{escape(outcome.best[0].luck.words)}</p>')
        parts.append(f"<h2>Best</h2>{_table(*_best_rows(outcome, outcome.best))}")
        parts.append(_shares(outcome))
    if outcome.robust is not None:
        parts.append(f"<h2>Best together with its neighbours</h2>{_table(*_best_rows(outcome, [outcome.robust]))}")
    if outcome.validated is not None:
        parts.append(f"<h2>Where it was not chosen</h2><p>{escape(outcome.validated.words)}</p>")
        parts.append(_table(*_fold_rows(outcome)))
    parts += [_map(heatmap, outcome) for heatmap in outcome.heatmaps]
    proof = [[name, value] for name, value in search.stamp().items()]
    return "".join([*parts, "<h2>To repeat it</h2>", _table(["", ""], proof), "</html>"])


def _best_rows(outcome: Outcome, best: Iterable[Best]) -> tuple[list[str], list[list[str]]]:
    names = [one.name for one in outcome.search.space.dimensions]
    figures = list(dict.fromkeys([*(o.name for o in outcome.search.objectives), *SHORT]))
    head = [*names, *figures, "plateau", "deflated sharpe", "overfitting", "verdict"]
    return head, [
        [
            *(one.trial.params[name] for name in names),
            *(shown(one.trial.values.get(figure)) for figure in figures),
            *(shown(value) for value in (one.plateau, one.luck.deflated_sharpe, one.luck.overfitting)),
            one.luck.verdict,
        ]
        for one in best
    ]


def _shares(outcome: Outcome) -> str:
    """What each instance had of the best set; nothing where one was searched alone."""
    shares = shares_of(outcome.best[0].trial, outcome.search)
    if not shares:
        return ""
    rows = [[shown(value) for value in share.values()] for share in shares]
    return f"<h2>What each instance had of the best</h2>{_table(list(shares[0]), rows)}"


#: Figures that stand in every table.
SHORT = ("net", "return_percent", "excess_percent", "sharpe", "max_drawdown_percent", "fills")


def _fold_rows(outcome: Outcome) -> tuple[list[str], list[list[str]]]:
    names = [one.name for one in outcome.search.space.dimensions]
    folds = outcome.validated.folds if outcome.validated else ()
    rows = [
        [
            fold.name, f"{fold.begin} to {fold.end}", *(fold.params[name] for name in names),
            *(shown(value) for value in (fold.sharpe_seen, fold.sharpe_unseen, fold.return_percent_unseen)),
        ]
        for fold in folds
    ]  # fmt: skip
    return ["fold", "unseen bars", *names, "sharpe where chosen", "sharpe unseen", "return unseen (%)"], rows


def _map(heatmap: Heatmap, outcome: Outcome) -> str:
    name = outcome.search.objectives[0].name
    known = [value for row in heatmap.cells for value in row if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    rows = "".join(
        f"<tr><th>{escape(y)}</th>" + "".join(_cell(value, low, high) for value in row) + "</tr>"
        for y, row in zip(heatmap.y_values, heatmap.cells, strict=True)
    )
    head = "".join(f"<th>{escape(x)}</th>" for x in heatmap.x_values)
    return (
        f"<h2>{escape(name)} by {escape(heatmap.y)} (down) and {escape(heatmap.x)} (across)</h2>"
        f'<div class="wide"><table class="map"><tr><th></th>{head}</tr>{rows}</table></div>'
    )


def _cell(value: float | None, low: float, high: float) -> str:
    if value is None:
        return "<td></td>"
    share = (value - low) / (high - low) if high > low else 0.5
    return f'<td style="background:hsl({int(120 * share)} 60% 80%)">{value:.3g}</td>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(word.replace('_percent', ' (%)').replace('_', ' '))}</th>" for word in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def shown(value: Any) -> str:
    """A figure for people."""
    if value is None:
        return "-"
    if isinstance(value, str):
        head, dot, tail = value.partition(".")
        return head + dot + tail[:4] if dot else value
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
