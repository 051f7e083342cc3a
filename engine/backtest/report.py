"""A result as JSON, as parquet, and as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy
import orjson

from domain.errors import Refused
from engine.backtest.kernel import layout as lay
from engine.backtest.metrics import metrics
from engine.backtest.result import Result

_WIDTH, _HEIGHT, _POINTS = 960, 240, 960
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#1c2430}
table{border-collapse:collapse;width:100%}td{padding:.2rem .6rem;border-bottom:1px solid #e3e7ee}
td:last-child{text-align:right;font-variant-numeric:tabular-nums}.warning{background:#fff3d6;padding:.6rem 1rem}
svg{width:100%;height:auto;background:#f7f9fc}
"""


def to_json(result: Result) -> bytes:
    """Figures, assumptions, warnings and the stamp."""
    settings = {name: str(value) for name, value in vars(result.settings).items()}
    content = {
        "strategy": result.kind.name,
        "symbol": result.history.instrument.symbol,
        "bars": len(result.history),
        "metrics": metrics(result),
        "assumptions": settings,
        "warnings": list(result.warnings),
        "stamp": {**result.stamp._asdict(), "data": result.history.digest},
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def loaded(path: Path) -> dict[str, Any]:
    """A result that `to_json` has written; `Refused` when the file is none."""
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise Refused(f"{path}: it cannot be read as a result: {error}.") from error
    if not isinstance(content, dict) or not {"metrics", "stamp", "assumptions"} <= content.keys():
        raise Refused(f"{path}: it is not a result of `ares backtest --json`.")
    return content


def compared(runs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Each figure with its value in every run, as text."""
    names = dict.fromkeys(name for run in runs for name in run["metrics"])
    return [[_words(name), *(_shown(run["metrics"].get(name)) for run in runs)] for name in names]


def differences(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was not the same in all runs, besides their figures: as long as it is, they show nothing else."""
    told = []
    for group in ("stamp", "assumptions"):
        for name in dict.fromkeys(name for run in runs for name in run[group]):
            values = [str(run[group].get(name)) for run in runs]
            if len(set(values)) > 1:
                told.append(f"{name} differs: {'; '.join(values)}")
    return told


def write_fills(result: Result, path: Path) -> None:
    """Every fill as a parquet file, in ticks, lots and quanta."""
    import polars

    columns = {name: result.fills[:, place] for place, name in enumerate(lay.FILL_FIELDS)}
    polars.DataFrame(columns).write_parquet(path)


def to_html(result: Result) -> str:
    """The report: what was earned, the curve beside buying and holding, the fall from highs, every warning."""
    found = metrics(result)
    first = result.first_place - 1
    curve = result.curve[first:]
    closes = result.history.close[first:]
    hold = curve[0] * closes / closes[0]
    falls = curve / numpy.maximum.accumulate(numpy.maximum(curve, 1e-12)) - 1
    rows = "".join(f"<tr><td>{escape(_words(name))}</td><td>{escape(_shown(value))}</td></tr>"
                   for name, value in found.items())  # fmt: skip
    told = "".join(f"<li>{escape(words)}</li>" for words in result.warnings[:50])
    stamp = {**result.stamp._asdict(), "data": result.history.digest}
    proof = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in stamp.items())
    title = escape(f"{result.kind.title} on {result.history.instrument.symbol}")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1>"
        + (f'<div class="warning"><strong>Warnings</strong><ul>{told}</ul></div>' if told else "")
        + f"<h2>Equity (blue) and buy and hold (grey)</h2>{_chart((hold, '#9aa5b5'), (curve, '#1668dc'))}"
        f"<h2>Below the high</h2>{_chart((falls * 100, '#c0392b'))}"
        f"<h2>Figures</h2><table>{rows}</table><h2>To repeat it</h2><table>{proof}</table></html>"
    )


def _chart(*lines: tuple[Any, str]) -> str:
    """Lines on one scale."""
    low, high = min(float(line.min()) for line, _ in lines), max(float(line.max()) for line, _ in lines)
    scale = _HEIGHT / (high - low) if high > low else 0.0
    drawn = "".join(_line(line, color, low, scale) for line, color in lines)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 20}" role="img">{drawn}'
        f'<text x="4" y="14" font-size="12">{high:,.2f}</text>'
        f'<text x="4" y="{_HEIGHT + 14}" font-size="12">{low:,.2f}</text></svg>'
    )


def _line(line: Any, color: str, low: float, scale: float) -> str:
    places = numpy.unique(numpy.linspace(0, len(line) - 1, min(_POINTS, len(line))).astype(int))
    step = _WIDTH / max(len(line) - 1, 1)
    points = " ".join(f"{place * step:.1f},{_HEIGHT - (line[place] - low) * scale:.1f}" for place in places)
    return f'<polyline fill="none" stroke="{color}" stroke-width="1.5" points="{points}"/>'


def _words(name: str) -> str:
    return name.replace("_percent", " (%)").replace("_", " ")


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
