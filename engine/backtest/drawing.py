"""Lines on paper: a chart as SVG with round marks at its side, dates below, and no fall missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy

from core.clock import utc_from_ms

WIDTH: Final = 960
_LEFT, _BELOW, _TOP = 92, 24, 14
#: Columns of the picture, of each of which the lowest and the highest point are drawn.
_COLUMNS: Final = 480
_DAY_MS: Final = 86_400_000


class Line(NamedTuple):
    """One line, or one area that hangs from zero."""

    values: Any
    #: A class of the page's style.
    name: str
    is_area: bool = False


def chart(times: Any, lines: Sequence[Line], label: str, *, height: int = 260, unit: str = "") -> str:
    """Lines on one scale over the same moments (milliseconds); `label` tells those who do not see it."""
    low, high = (float(pick(line.values.min() if pick is min else line.values.max() for line in lines))
                 for pick in (min, max))  # fmt: skip
    marks = round_marks(low, high)
    bottom, top = marks[0], marks[-1]
    scale = (height - _TOP) / (top - bottom)
    span = max(int(times[-1]) - int(times[0]), 1)

    def across(place: int) -> float:
        return _LEFT + (int(times[place]) - int(times[0])) / span * (WIDTH - _LEFT)

    def down(value: float) -> float:
        return _TOP + (top - value) * scale

    parts = [f'<svg viewBox="0 0 {WIDTH} {height + _BELOW}" role="img" aria-label="{escape(label)}">']
    for mark in marks:
        parts.append(f'<line class="mark" x1="{_LEFT}" x2="{WIDTH}" y1="{down(mark):.1f}" y2="{down(mark):.1f}"/>')
        parts.append(
            f'<text x="{_LEFT - 8}" y="{down(mark) + 4:.1f}" text-anchor="end">{_figure(mark, marks)}{unit}</text>'
        )
    for place, anchor in ((0, "start"), (len(times) // 2, "middle"), (len(times) - 1, "end")):
        moment = utc_from_ms(int(times[place]))
        text = f"{moment:%Y-%m-%d}" if span > 3 * _DAY_MS else f"{moment:%m-%d %H:%M}"
        parts.append(f'<text x="{across(place):.1f}" y="{height + 16}" text-anchor="{anchor}">{text}</text>')
    for line in lines:
        points = " ".join(f"{across(at):.1f},{down(float(line.values[at])):.1f}" for at in _places(line.values))
        if line.is_area:
            points = f"{across(0):.1f},{down(0):.1f} {points} {across(len(times) - 1):.1f},{down(0):.1f}"
            parts.append(f'<polygon class="{line.name}" points="{points}"/>')
        else:
            parts.append(f'<polyline class="{line.name}" points="{points}"/>')
    return "".join([*parts, "</svg>"])


def round_marks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values from at most `low` to at least `high`, lowest first; at least two."""
    rough = ((high - low) or abs(high) * 0.01 or 1.0) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [place * step for place in range(first, last + 1)]


def _places(values: Any) -> list[int]:
    """The lowest and the highest point of each column, with both ends, in their order."""
    edges = numpy.unique(numpy.linspace(0, len(values), min(_COLUMNS, len(values)) + 1).astype(int))
    found = {0, len(values) - 1}
    for begin, end in pairwise(edges):
        part = values[begin:end]
        found |= {int(begin + numpy.argmin(part)), int(begin + numpy.argmax(part))}
    return sorted(found)


def _figure(mark: float, marks: Sequence[float]) -> str:
    step = marks[1] - marks[0]
    places = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1 else (1 if step % 1 else 0)
    return f"{mark:,.{min(places + (1 if step < 1 and (step * 10**places) % 1 > 1e-9 else 0), 8)}f}"
