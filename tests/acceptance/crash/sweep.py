"""Many runs, a few at a time: each hand has a venue of its own, and every run an account and a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle, product
from pathlib import Path
from queue import SimpleQueue

from tests.acceptance.crash.desk import OPTIONS, SYMBOL, Desk
from tests.acceptance.crash.driver import Run, Verdict
from tests.acceptance.crash.points import OUTCOMES, POINTS, Point
from tests.simulator_process import SimulatorProcess, simulator_process

Case = tuple[Point, str]


def exhaustive() -> list[Case]:
    """Every point under every outcome class; those of `matrix` first."""
    first = matrix()
    return first + [case for case in product(POINTS, OUTCOMES) if case not in set(first)]


def matrix() -> list[Case]:
    """Every place under every outcome class once; the parts of a place take turns."""
    return [(some[turn % len(some)], outcome) for some in _by_place() for turn, outcome in enumerate(OUTCOMES)]


def sample() -> list[Case]:
    """Every place once; the parts and the classes take turns, so that each of them comes up too."""
    classes = cycle(OUTCOMES)
    return [(some[turn % len(some)], next(classes)) for turn, some in enumerate(_by_place())]


def _by_place() -> list[list[Point]]:
    points: dict[str, list[Point]] = {}
    for point in POINTS:
        points.setdefault(point.place, []).append(point)
    return list(points.values())


@contextmanager
def venue_process(folder: Path) -> Iterator[SimulatorProcess]:
    """A venue whose price moves only when it is told to."""
    folder.mkdir()
    with simulator_process(folder, *OPTIONS) as venue:
        venue.post("market/freeze", {"symbol": SYMBOL, "on": True})
        yield venue


def run_all(
    cases: Sequence[Case], folder: Path, url: Callable[[Path], str], hands: int = 2, market: str = "binance_spot"
) -> list[Verdict]:
    """The verdict of every case, in the order of the cases."""
    with ExitStack() as stack:
        venues: SimpleQueue[SimulatorProcess] = SimpleQueue()
        for hand in range(hands):
            place = folder / f"venue-{hand}"
            venues.put(stack.enter_context(venue_process(place)))

        def one(numbered: tuple[int, Case]) -> Verdict:
            number, (point, outcome) = numbered
            place = folder / f"run-{number}"
            place.mkdir()
            venue = venues.get()
            try:
                return Run(Desk(venue, place, url(place), market), point, outcome).whole()
            finally:
                venues.put(venue)

        with ThreadPoolExecutor(hands) as pool:
            return list(pool.map(one, enumerate(cases)))


def told(verdicts: Iterable[Verdict]) -> str:
    """What went wrong, run by run."""
    return "\n".join(str(verdict) for verdict in verdicts if verdict.complaints)
