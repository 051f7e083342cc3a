"""What a sweep has shown so far, run by run, in a file: a sweep that was broken off goes on where it stopped.

A line counts for the build it was made on and for no other: the sum of the sources of the house, of the simulated venue
and of the sweep itself.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from tests.acceptance.crash.driver import Verdict
from tests.acceptance.crash.points import HOUSE, ROOT
from tests.acceptance.crash.sweep import Case

#: Folders whose sources decide what a run shows.
_SOURCES = (*HOUSE, "simulator", "tests/acceptance", "tests/fakes")


@dataclass(frozen=True, slots=True)
class Line:
    """One run."""

    build: str
    form: str
    place: str
    point: str
    outcome: str
    second_death: str
    seconds: float
    processes: int
    died_twice: bool
    complaints: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """What was swept."""
        return self.form, self.point, self.outcome, self.second_death


def key(form: str, case: Case) -> tuple[str, ...]:
    """The key of a case's line."""
    return form, case.point.name, case.outcome, case.second_death


def line(build: str, form: str, case: Case, verdict: Verdict) -> Line:
    """A run's line."""
    return Line(
        build, form, case.point.place, case.point.name, case.outcome, case.second_death, round(verdict.seconds, 2),
        verdict.processes, verdict.died_twice, tuple(verdict.complaints),
    )  # fmt: skip


def build_of(root: Path = ROOT) -> str:
    """The sum of the sources, short."""
    sum_of = sha256()
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*.py")):
            sum_of.update(f"{path.relative_to(root)} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return sum_of.hexdigest()[:12]


def read(path: Path, build: str) -> Iterator[Line]:
    """The lines of this build; a last line that was cut off is passed over, and its run done again."""
    if not path.exists():
        return
    for text in path.read_bytes().splitlines(keepends=True):
        if text.endswith(b"\n"):
            given = orjson.loads(text)
            if given["build"] == build:
                yield Line(**given | {"complaints": tuple(given["complaints"])})


def append(path: Path, added: Line) -> None:
    """Add a line, whole or not at all beside those of other processes that write there."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(file, orjson.dumps(asdict(added)) + b"\n")
    finally:
        os.close(file)


def report(lines: Iterable[Line], wanted: Iterable[tuple[str, Case]]) -> str:
    """A table of every place: runs done of those wanted, by form, deaths and what went wrong."""
    known = list(lines)
    runs = Counter((each.place, each.form) for each in known)
    asked = Counter((case.point.place, form) for form, case in wanted)
    forms = list(dict.fromkeys(form for _, form in asked))
    rows = [" | ".join(["place", *forms, "deaths", "violations"])]
    rows.extend(
        " | ".join([place, *_counts(place, forms, runs, asked), *_deaths(known, place)])
        for place in dict.fromkeys(place for place, _ in asked)
    )
    total = [f"{sum(runs[pair] for pair in asked if pair[1] == form)}/{_of(asked, form)}" for form in forms]
    rows.append(" | ".join(["all", *total, *_deaths(known)]))
    return "\n".join(rows)


def _counts(
    place: str, forms: list[str], runs: Counter[tuple[str, str]], asked: Counter[tuple[str, str]]
) -> Iterator[str]:
    for form in forms:
        yield f"{runs[place, form]}/{asked[place, form]}"


def _of(asked: Counter[tuple[str, str]], form: str) -> int:
    return sum(number for pair, number in asked.items() if pair[1] == form)


def _deaths(lines: list[Line], place: str = "") -> tuple[str, str]:
    some = [each for each in lines if place in ("", each.place)]
    return str(sum(1 + each.died_twice for each in some)), str(sum(1 for each in some if each.complaints))
