"""A result as JSON, as parquet, and as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy
import orjson

from core.clock import utc_from_ms
from domain.errors import Refused
from domain.money import from_units, to_wire
from domain.sentences import words_of
from engine.backtest.drawing import Line, chart
from engine.backtest.kernel import layout as lay
from engine.backtest.metrics import metrics
from engine.backtest.result import Result
from engine.backtest.together import Together

#: Executions that stand in the report: so many of the first, and of the last.
_SHOWN: Final = 50
_STYLE: Final = """
:root{--text:#1c2430;--soft:#566073;--line:#e3e7ee;--panel:#f7f9fc;--main:#1668dc;--bad:#c0392b;--good:#0b6b4b}
@media (prefers-color-scheme:dark){:root{--text:#e6ebf5;--soft:#a0acc2;--line:#2b3547;--panel:#161d2b;--main:#7fb0ff;
--bad:#ff8d7e;--good:#55d6a5}body{background:#0d1320}.warning{background:#3a2a10}}
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:var(--text)}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}.soft{color:var(--soft)}
dl{display:flex;flex-wrap:wrap;gap:.8rem 2.2rem;margin:1.2rem 0}dt{color:var(--soft);font-size:13px}
dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.good{color:var(--good)}.bad{color:var(--bad)}.key i{display:inline-block;width:16px;height:3px;margin:0 6px 3px 14px}
table{border-collapse:collapse;width:100%}
td,th{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left}
th{color:var(--soft);font-size:13px}td:last-child,th:last-child,.n{text-align:right;font-variant-numeric:tabular-nums}
td.code{font:12px/1.5 ui-monospace,monospace;overflow-wrap:anywhere;text-align:left}
.warning{background:#fff3d6;padding:.6rem 1rem;border-radius:6px}.wide{overflow-x:auto}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:0 2.5rem}
svg{width:100%;height:auto;background:var(--panel);border-radius:6px}svg text{font-size:12px;fill:var(--soft)}
polyline{fill:none;stroke-width:1.6}.mark{stroke:var(--line)}.equity{stroke:var(--main)}.hold{stroke:#9aa5b5}
.fall{fill:var(--bad);opacity:.55}
@media (max-width:600px){svg text{font-size:20px}dd{font-size:1.15rem}}
"""
#: What a net consists of.
_PARTS: Final = ("realised", "unrealised", "funding", "fees")
_ADDS_UP: Final = "The double-entry ledger proves it: the parts add up to the account to the last unit."
_DOES_NOT: Final = (
    "The double-entry ledger does not prove these sums; something is wrong, and nothing here is to be trusted."
)
#: What is told first.
_FIRST: Final = ("net", "return_percent", "buy_and_hold_percent", "max_drawdown_percent", "sharpe", "fills")
_NAMES: Final = {
    "cagr_percent": "return per year (%)",
    "cycle_profit": "profit of cycles",
    "exposure_percent": "time in the market (%)",
    "expectancy": "mean of a sale",
    "max_drawdown_days": "longest time below a high (days)",
    "max_drawdown_percent": "deepest fall (%)",
    "win_rate_percent": "sales that earned (%)",
}


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
        "warning_words": [words_of(words) for words in result.warnings],
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
    history, found = result.history, metrics(result)
    quote, first = history.instrument.quote, result.first_place - 1
    curve, closes, times = result.curve[first:], history.close[first:], history.open_ms[first:] + history.bar_ms
    falls = 100 * (curve / numpy.maximum.accumulate(numpy.maximum(curve, 1e-12)) - 1)
    title = escape(f"{result.kind.title} on {history.instrument.symbol}")
    begin, end = (f"{utc_from_ms(int(times[at])):%Y-%m-%d %H:%M}" for at in (0, -1))
    told = "".join(f"<li>{escape(words)}</li>" for words in result.warnings[:50])
    lines = (Line(curve[0] * closes / closes[0], "hold"), Line(curve, "equity"))
    proof = {**result.stamp._asdict(), "data": history.digest}
    return "".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>',
            f"<style>{_STYLE}</style><h1>{title}</h1>",
            f'<p class="soft">{begin} to {end} UTC, {len(history):,} bars of {_length(history.bar_ms)}; '
            f"amounts in {escape(quote)}</p>",
            f"<dl>{''.join(_tile(name, found[name]) for name in _FIRST)}</dl>",
            f'<div class="warning"><strong>Warnings</strong><ul>{told}</ul></div>' if told else "",
            '<h2>Equity <span class="soft key"><i style="background:var(--main)"></i>this strategy',
            '<i style="background:#9aa5b5"></i>buy and hold</span></h2>',
            chart(times, lines, f"Equity from {begin} to {end}: net {_shown(found['net'])} {quote}"),
            "<h2>Below the high</h2>",
            chart(times, [Line(falls, "fall", is_area=True)], "Percent below the high", height=110, unit=" %"),
            '<div class="columns"><div>',
            f"<h2>Figures</h2>{_table([(_words(name), _shown(value)) for name, value in found.items()])}</div><div>",
            f"<h2>Parameters</h2>{_table(_parameters(result.stamp.params))}",
            f"<h2>Assumptions</h2>{_table(_assumptions(result))}</div></div>",
            _fills(result),
            '<h2>To repeat it</h2><table>',
            *(f'<tr><td>{name}</td><td class="code">{escape(value)}</td></tr>' for name, value in proof.items()),
            "</table></html>",
        ]
    )  # fmt: skip


def account_to_html(found: Together) -> str:
    """The report of several on one account: the sums, the common curve, and every instance with its part of them."""
    told, times = found.sum, found.times
    quote = found.results[0].history.instrument.quote
    begin, end = (f"{utc_from_ms(int(times[at])):%Y-%m-%d %H:%M}" for at in (0, -1))
    falls = 100 * (found.curve / numpy.maximum.accumulate(numpy.maximum(found.curve, 1e-12)) - 1)
    title = f"{len(found.results)} strategies on one account"
    figures = {
        "net": to_wire(told.net), "return_percent": float(100 * told.net / told.capital),
        "max_drawdown_percent": 100 * told.max_drawdown, "fills": told.fills,
    }  # fmt: skip
    sums = {name: to_wire(getattr(told, name)) for name in ("capital", "unallocated", "equity", "net", *_PARTS)}
    warnings = "".join(
        f"<li>{number}: {escape(words)}</li>"
        for number, one in enumerate(found.results, 1)
        for words in one.warnings[:10]
    )
    return "".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>',
            f"<style>{_STYLE}</style><h1>{title}</h1>",
            f'<p class="soft">{begin} to {end} UTC; amounts in {escape(quote)}</p>',
            f"<dl>{''.join(_tile(name, value) for name, value in figures.items())}</dl>",
            f'<div class="warning"><strong>Warnings</strong><ul>{warnings}</ul></div>' if warnings else "",
            '<h2>Equity <span class="soft key"><i style="background:var(--main)"></i>the account',
            '<i style="background:#9aa5b5"></i>buy and hold</span></h2>',
            chart(times, (Line(found.hold, "hold"), Line(found.curve, "equity")), f"Equity from {begin} to {end}"),
            "<h2>Below the high</h2>",
            chart(times, [Line(falls, "fall", is_area=True)], "Percent below the high", height=110, unit=" %"),
            f"<h2>The account</h2>{_table([(_words(name), _shown(value)) for name, value in sums.items()])}",
            f"<h2>Its instances</h2>{_instances(found)}",
            f'<p class="soft">{_ADDS_UP if found.adds_up else _DOES_NOT}</p>',
            '<h2>To repeat it</h2><table>',
            *(
                f'<tr><td>{number}</td><td class="code">{escape(one.stamp.params)}; data {one.history.digest}; '
                f"code {escape(one.stamp.code)}</td></tr>"
                for number, one in enumerate(found.results, 1)
            ),
            "</table></html>",
        ]
    )  # fmt: skip


def _instances(found: Together) -> str:
    """A line for each, with its part of every sum."""
    head = "".join(f"<th{' class=n' if at else ''}>{_words(name)}</th>" for at, name in enumerate(
        ("instance", "capital", "net", *_PARTS, "fills")))  # fmt: skip
    rows = []
    for number, one in enumerate(found.results, 1):
        figures = one.figures
        amounts = (one.amount(one.start_equity), one.net, *(one.amount(getattr(figures, name)) for name in _PARTS))
        cells = "".join(f'<td class="n">{_shown(to_wire(amount))}</td>' for amount in amounts)
        name = escape(f"{number} {one.kind.title} on {one.history.instrument.symbol}")
        rows.append(f'<tr><td>{name}</td>{cells}<td class="n">{figures.fills:,}</td></tr>')
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _tile(name: str, value: Any) -> str:
    text = _shown(value)
    tone = ""
    if name in {"net", "return_percent"} and value is not None:
        tone = "bad" if text.startswith("-") else "good"
    return f'<div><dt>{escape(_words(name))}</dt><dd class="{tone}">{escape(text)}</dd></div>'


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = (f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{''.join(cells)}</table>"


def _parameters(stamped: str) -> list[tuple[str, str]]:
    try:
        params = orjson.loads(stamped)
    except orjson.JSONDecodeError:
        return [("parameters", stamped)]
    said = {True: "yes", False: "no"}
    return [
        (_words(name), said[value] if isinstance(value, bool) else str(value))
        for name, value in params.items()
        if value is not None
    ]


def _assumptions(result: Result) -> list[tuple[str, str]]:
    limits = {name: value for name, value in result.settings.limits._asdict().items() if value}
    left_out = {"limits", "log_orders", "futures", "queue"}
    told = {name: value for name, value in vars(result.settings).items() if name not in left_out}
    futures = result.settings.futures
    terms = {} if futures is None else {
        name: f"{len(value)} given" if isinstance(value, tuple) else value
        for name, value in vars(futures).items() if value != ()
    }  # fmt: skip
    queue = result.settings.queue
    waits = {} if queue is None else {f"queue_{name}": value for name, value in vars(queue).items()}
    return [(_words(name), str(value)) for name, value in {**told, **waits, **terms, **limits}.items()]


def _fills(result: Result) -> str:
    """The first and the last executions; all of them are in the table that `write_fills` makes."""
    count, quote = len(result.fills), result.history.instrument.quote
    if count == 0:
        return "<h2>Executions</h2><p>It executed nothing.</p>"
    places = sorted({*range(min(_SHOWN, count)), *range(max(count - _SHOWN, 0), count)})
    rows = "".join(_fill(result, at) for at in places)
    told = f"all {count:,}" if len(places) == count else f"the first and the last {_SHOWN} of {count:,}"
    head = "".join(f"<th{' class=n' if at > 1 else ''}>{name}</th>" for at, name in enumerate(
        ("time (UTC)", "side", "price", "quantity", "fee", f"realised ({quote})")))  # fmt: skip
    title = f'<h2>Executions <span class="soft">{told}</span></h2>'
    return f'{title}<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _fill(result: Result, place: int) -> str:
    instrument = result.history.instrument
    row = dict(zip(lay.FILL_FIELDS, result.fills[place].tolist(), strict=True))
    asset, quantum = (instrument.base, instrument.base_quantum) if row["fee_in_base"] else (
        instrument.quote, instrument.quote_quantum)  # fmt: skip
    numbers = (
        f"{instrument.from_ticks(row['ticks']):,f}", f"{instrument.from_lots(row['lots']):,f}",
        f"{to_wire(from_units(row['fee'], quantum))} {asset}",
        _shown(to_wire(result.amount(row["realised"]))) if row["side"] < 0 else "",
    )  # fmt: skip
    cells = "".join(f'<td class="n">{escape(text)}</td>' for text in numbers)
    side = "buy" if row["side"] > 0 else "sell"
    return f"<tr><td>{utc_from_ms(row['time_ms']):%Y-%m-%d %H:%M:%S}</td><td>{side}</td>{cells}</tr>"


def _length(bar_ms: int) -> str:
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if bar_ms % length == 0:
            return f"{bar_ms // length}{unit}"
    return f"{bar_ms} ms"


def _words(name: str) -> str:
    return _NAMES.get(name) or name.replace("_percent", " (%)").replace("_", " ")


def _shown(value: Any) -> str:
    """A ratio with two decimals, an amount with as many or, below one, with as many as say something."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    amount = Decimal(value)
    return (
        f"{amount:,.2f}"
        if abs(amount) >= 1 or amount == 0
        else f"{amount:.2g}"
        if abs(amount) >= Decimal("0.0001")
        else value
    )
