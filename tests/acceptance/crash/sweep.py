"""Many runs, a few at a time: each hand has a venue of its own, and every run an account and a database of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle, product
from pathlib import Path
from queue import SimpleQueue
from typing import Final, NamedTuple

from tests.acceptance.crash.desk import OPTIONS, SYMBOL, Desk
from tests.acceptance.crash.driver import Run, Verdict
from tests.acceptance.crash.points import OUTCOMES, POINTS, Point
from tests.simulator_process import SimulatorProcess, simulator_process

#: Places that a process passes while it takes up what another has left.
RECOVERING = (
    "hub.opened", "hub.stream_gap", "manager.epoch_raised", "manager.loaded", "syncer.before_open_orders",
    "syncer.after_open_orders", "syncer.before_fills", "syncer.after_fills", "syncer.order_missing", "hub.swept",
    "manager.swept", "manager.started", "engine.caught_up", "gateway.before_query", "gateway.after_query",
    "engine.folded", "engine.decided", "engine.fill_folded", "engine.before_commit", "journal.half_written",
    "journal.before_keep", "journal.after_keep", "engine.after_commit", "engine.sends_started",
    "gateway.before_place", "gateway.after_place",
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


def sqlite(folder: Path) -> str:
    """A database of a run's own."""
    return f"sqlite:///{folder / 'ares.sqlite3'}"


@contextmanager
def venue_process(folder: Path) -> Iterator[SimulatorProcess]:
    """A venue whose price moves only when it is told to."""
    folder.mkdir()
    with simulator_process(folder, *OPTIONS) as venue:
        venue.post("market/freeze", {"symbol": SYMBOL, "on": True})
        yield venue


#: A venue is replaced after so many runs: with each of them its tape and its market's history grow.
RUNS_OF_A_VENUE: Final = 100


class Hand:
    """Does one run at a time, on a venue that it keeps for the next ones; it comes up when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._venue: SimulatorProcess | None = None
        self._runs = 0

    def venue(self) -> SimulatorProcess:
        """Nobody else's while this hand is held."""
        if self._venue is None:
            self._venue = self._stack.enter_context(venue_process(self.folder / f"venue-{self._runs}"))
        return self._venue

    def desk(self, url: Callable[[Path], str], market: str = "binance_spot") -> Desk:
        """What is made for one run, in a folder of its own."""
        if self._runs and self._runs % RUNS_OF_A_VENUE == 0:
            self.close()
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        return Desk(self.venue(), folder, url(folder), market)

    def do(self, case: Case, url: Callable[[Path], str], market: str = "binance_spot") -> Verdict:
        """One run; what it leaves in its folder stays when it went wrong."""
        desk = self.desk(url, market)
        verdict = Run(desk, case.point, case.outcome, second_death=case.second_death).whole()
        if not verdict.complaints:
            shutil.rmtree(desk.folder)
        return verdict

    def close(self) -> None:
        """End the venue; another comes up when it is asked for."""
        self._venue = None
        self._stack.close()


class Hands:
    """So many hands; whoever wants one waits until one is free."""

    def __init__(self, folder: Path, number: int) -> None:
        self.number = number
        self._free: SimpleQueue[Hand] = SimpleQueue()
        for hand in range(number):
            place = folder / f"hand-{hand}"
            place.mkdir()
            self._free.put(Hand(place))

    @contextmanager
    def one(self) -> Iterator[Hand]:
        """A hand, for as long as the block runs."""
        hand = self._free.get()
        try:
            yield hand
        finally:
            self._free.put(hand)

    def close(self) -> None:
        """End every venue; the hands must be free."""
        for _ in range(self.number):
            self._free.get().close()


@contextmanager
def hands_in(folder: Path, number: int) -> Iterator[Hands]:
    """So many hands, whose venues end with the block."""
    hands = Hands(folder, number)
    try:
        yield hands
    finally:
        hands.close()


def run_all(
    cases: Sequence[Case], hands: Hands, url: Callable[[Path], str], market: str = "binance_spot"
) -> list[Verdict]:
    """The verdict of every case, in the order of the cases."""

    def one(case: Case) -> Verdict:
        with hands.one() as hand:
            return hand.do(case, url, market)

    with ThreadPoolExecutor(hands.number) as pool:
        return list(pool.map(one, cases))


def told(verdicts: Iterable[Verdict]) -> str:
    """What went wrong, run by run."""
    return "\n".join(str(verdict) for verdict in verdicts if verdict.complaints)
