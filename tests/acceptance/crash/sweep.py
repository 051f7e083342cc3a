"""Many runs, a few at a time: each hand has a venue of its own, and every run an account and a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle, product
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from tests.acceptance.crash.desk import OPTIONS, SYMBOL, Desk
from tests.acceptance.crash.driver import Run, Verdict
from tests.acceptance.crash.points import OUTCOMES, POINTS, Point
from tests.simulator_process import SimulatorProcess, simulator_process

#: Places that a process passes while it takes up what another has left.
RECOVERING = (
    "hub.opened", "hub.stream_gap", "manager.epoch_raised", "manager.loaded", "syncer.before_open_orders",
    "syncer.after_open_orders", "syncer.before_fills", "syncer.after_fills", "syncer.order_missing", "hub.swept",
    "manager.swept", "manager.started", "gateway.before_query", "gateway.after_query", "engine.folded",
    "engine.decided", "engine.fill_folded", "engine.before_commit", "journal.half_written", "journal.before_keep",
    "journal.after_keep", "engine.after_commit", "engine.sends_started", "gateway.before_place", "gateway.after_place",
)  # fmt: skip


class Case(NamedTuple):
    """What is swept by one run."""

    point: Point
    outcome: str
    #: Where the successor dies as well, should it get there.
    second_death: str = ""


def exhaustive(place: str) -> list[Case]:
    """Every point of a place under every outcome class."""
    return [Case(*pair) for pair in product(by_place()[place], OUTCOMES)]


def matrix() -> list[Case]:
    """Every place under every outcome class once; the parts of a place take turns."""
    return [
        Case(some[turn % len(some)], outcome) for some in by_place().values() for turn, outcome in enumerate(OUTCOMES)
    ]


def sample() -> list[Case]:
    """Every place once; the parts and the classes take turns, so that each of them comes up too."""
    classes = cycle(OUTCOMES)
    return [Case(some[turn % len(some)], next(classes)) for turn, some in enumerate(by_place().values())]


def twice(place: str) -> list[Case]:
    """A death at a place and another at each place of recovering; the parts and the classes take turns."""
    some, classes = by_place()[place], list(OUTCOMES)
    shift = list(by_place()).index(place)
    return [
        Case(some[turn % len(some)], classes[(turn + shift) % len(classes)], second)
        for turn, second in enumerate(RECOVERING)
    ]


def twice_sample(count: int) -> list[Case]:
    """So many of those, from all over."""
    cases = [case for place in by_place() for case in twice(place)]
    return cases[:: len(cases) // count][:count]


def by_place() -> dict[str, list[Point]]:
    """The points of each place."""
    points: dict[str, list[Point]] = {}
    for point in POINTS:
        points.setdefault(point.place, []).append(point)
    return points


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
            number, (point, outcome, second) = numbered
            place = folder / f"run-{number}"
            place.mkdir()
            venue = venues.get()
            try:
                return Run(Desk(venue, place, url(place), market), point, outcome, second_death=second).whole()
            finally:
                venues.put(venue)

        with ThreadPoolExecutor(hands) as pool:
            return list(pool.map(one, enumerate(cases)))


def told(verdicts: Iterable[Verdict]) -> str:
    """What went wrong, run by run."""
    return "\n".join(str(verdict) for verdict in verdicts if verdict.complaints)
