"""One run: a story, a death at a point of it, a new process, and the verdict once everything has settled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from domain import events
from tests.acceptance.crash import points
from tests.acceptance.crash.child import Times
from tests.acceptance.crash.desk import Desk
from tests.acceptance.crash.judge import judge
from tests.acceptance.crash.points import OUTCOMES, Point
from tests.acceptance.crash.processes import KILLED, Died, Process

#: How often each method of a class meets its fault.
TIMES = 2
#: Longer than the busiest machine takes to send a request.
TAKEN_SECONDS = 180.0
#: What the market does while nobody runs, in percent.
ABSENCES: tuple[tuple[str, ...], ...] = ((), ("-0.7",), ("1.4",), ("-0.7", "1.4"))
#: Requests that place or cancel; on futures several orders go in one.
WRITES = "*/{order,batchOrders}"
VERBS = {points.STOP: events.STOP, points.FLATTEN: events.FLATTEN}
#: What comes before a part of the story.
BEFORE: dict[str, tuple[str, ...]] = {
    points.START: (), points.FILL: (points.START,), points.RESTART: (points.START,),
    points.RESTART_MOVED: (points.START,), points.RESTORED: (points.START,),
}  # fmt: skip
#: Where the first process dies when the point is one of the second.
FIRST_DEATH = {points.RESTART: points.FILL, points.RESTART_MOVED: points.RISE}


@dataclass(slots=True)
class Verdict:
    """How a run went."""

    point: str
    outcome: str
    seconds: float = 0.0
    processes: int = 0
    #: Whether the successor died at its place too.
    died_twice: bool = False
    complaints: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.point}, {self.outcome}: " + "; ".join(self.complaints[:6])


class Run:
    """One point under one class."""

    def __init__(
        self, desk: Desk, point: Point, outcome: str, times: Times | None = None, second_death: str = ""
    ) -> None:
        self.desk = desk
        self.point = point
        self.outcome = outcome
        then = f", then {second_death}" if second_death else ""
        self.verdict = Verdict(point.name + then, outcome)
        #: The place at which the successor dies as well, should it get there; empty: nowhere.
        self.second_death = second_death
        #: Whether its processes are started by the command line instead of being forked.
        self.is_command = False
        # A busy machine must not look like a venue that does not answer, unless that is what is swept.
        self._times = times or Times(timeout=0.5 if outcome in points.HANGING else 5.0)
        self._process: Process | None = None
        self._gaps = 0
        self._planted = ""
        #: What the venue had when the backup came back: of an order that ends without a trade nothing tells for sure.
        self._from_before: frozenset[str] = frozenset()
        self._chance = Random(f"{point.name} {outcome}")

    def whole(self) -> Verdict:
        """The run from its beginning to its verdict."""
        began = time.monotonic()
        try:
            self._story()
        except Died:
            self._blame("a process ended by itself")
        except Exception as error:  # noqa: BLE001 - a run that cannot be finished is a finding too
            self._blame(f"{type(error).__name__}: {error}")
        finally:
            if self._process is not None:
                self._process.kill()
                self._process.ended()
            self.desk.clear()
        self.verdict.seconds = time.monotonic() - began
        return self.verdict

    def _story(self) -> None:
        self._lead_up()
        self._die()
        for percent in self._chance.choice(ABSENCES):
            self.desk.move(percent)
        if self.second_death:
            self._die_again()
        self._start()
        if self.point.part in VERBS:
            self._ask("tell", verb=VERBS[self.point.part])
        elif self.point.part == points.EDIT:
            self._edit()
        self._quiet()
        self._judge("after the restart")
        self._move("-0.8")
        self._move("2.5")
        self._judge("after trading on")
        self._nothing_to_do()
        self._ask("tell", verb=events.STOP)
        self._quiet()
        self._judge("after the stop")
        if ours := self.desk.views().open_orders:
            self._blame(f"after the stop {sorted(ours)} rest")

    def _lead_up(self) -> None:
        """What comes before the part in which the process dies."""
        part = self.point.part
        for each in BEFORE.get(part, (points.START, points.FILL)):
            self._start() if each == points.START else self._move("-0.8")
            self._quiet()
        if part == points.RESTORED:
            self._go_back()
        elif part in FIRST_DEATH:
            self._ask("arm", place="engine.after_commit")
            self._until_death(lambda: self._move("-0.8" if part == points.RESTART else "2.5"), "engine.after_commit")
            self.desk.move("-0.4" if part == points.RESTART else "0.1")
            if self.point.has_orphan:
                self._planted = self.desk.plant_orphan()

    def _go_back(self) -> None:
        """Trade on after a backup was made, end, and bring the backup back."""
        backup = self.desk.back_up()
        for percent in ("-0.8", "2.5", "-0.8"):
            self._move(percent)
        assert self._process is not None
        self._process.kill()
        self._process.ended()
        self._process = None
        self.desk.read_tape()
        self._from_before = frozenset(self.desk.tape.orders)
        self.desk.restore(backup)

    def _die(self) -> None:
        """The part of the story in which it dies."""
        self._set_faults()
        deaf = self.desk.fault("drop") if self.point.is_deaf else 0
        self._die_there()
        if deaf:
            self.desk.lift(deaf)

    def _die_there(self) -> None:
        part, place = self.point.part, self.point.place
        if place in (points.PLACE_TAKEN, points.CANCEL_TAKEN):
            self._until_death(self._kill_when_taken, place)
        elif part in (points.START, points.RESTART, points.RESTART_MOVED, points.RESTORED):
            self._until_death(lambda: self._start(place), place)
        else:
            self._ask("arm", place=place)
            self._until_death(lambda: self._act(part), place)

    def _die_again(self) -> None:
        """The successor dies while it takes up what the first has left, or in the quiet moment after it."""
        try:
            self._start(self.second_death)
            self._quiet()
        except Died:
            self.verdict.died_twice = True
        assert self._process is not None
        self._process.kill()
        status, self._process = self._process.ended(), None
        assert status == KILLED, f"the process ended with {status} instead of at {self.second_death}"

    def _until_death(self, act: Callable[[], object], place: str) -> None:
        try:
            act()
            self._quiet()
        except Died:
            assert self._process is not None
            status, self._process = self._process.ended(), None
            assert status == KILLED, f"the process ended with {status} instead of at {place}"
        else:
            raise AssertionError(f"{place} was never reached")

    def _act(self, part: str) -> None:
        if part == points.FILL:
            self.desk.move("-0.8")
        elif part == points.RISE:
            self.desk.move("2.5")
        elif part == points.EDIT:
            self._edit()
        elif part == points.GAP:
            self._lose_the_stream()
        elif part == points.RELEASE:
            self._ask("release")
        elif part in VERBS:
            self._ask("tell", verb=VERBS[part])

    def _edit(self) -> None:
        self.desk.params["offset_percent"] = "0.7"
        self._ask("edit", params=self.desk.params)

    def _lose_the_stream(self) -> None:
        """A fill is lost on the private stream, and then the stream breaks."""
        desk = self.desk
        lost = desk.fault("drop")
        desk.move("-0.6")
        self._quiet()
        desk.lift(lost)
        desk.fault("disconnect")
        self._gaps += 1

    def _kill_when_taken(self) -> None:
        """End the process after the venue has taken a request and before it answers."""
        desk, is_place = self.desk, self.point.place == points.PLACE_TAKEN
        rule = desk.fault("delay", {"after_ms": 1_000}, method="POST" if is_place else "DELETE", path=WRITES, times=1)
        if self.point.part == points.START:
            self._open()
        else:
            self._act(self.point.part)
        deadline = time.monotonic() + TAKEN_SECONDS
        while not any(one["id"] == rule and one["applied"] for one in desk.venue.get("faults")):
            assert time.monotonic() < deadline, "the venue was never asked"
            time.sleep(0.002)
        assert self._process is not None
        self._process.kill()
        raise Died

    def _set_faults(self) -> None:
        """First what the point needs, then the class that is swept."""
        desk, point = self.desk, self.point
        skipped = dict(point.first)
        for method, name in point.first:
            for fault in OUTCOMES[name][method]:
                desk.fault(fault["kind"], fault["args"], method=method, path=WRITES, times=1)
        for method, faults in OUTCOMES[self.outcome].items():
            for fault in faults:
                after = int(method in skipped)
                desk.fault(fault["kind"], fault["args"], method=method, path=WRITES, times=TIMES, after=after)
        if self.outcome == "denied for a while":
            desk.fault("unknown_order", method="GET", path="*/order", times=points.DENIALS)
        if point.loses_commit:
            self._ask("lose_commits", times=1)

    def _open(self, place: str = "") -> Process:
        self.verdict.processes += 1
        self._gaps = 1
        self._process = Process(self.desk.life(place, self._times), is_command=self.is_command)
        return self._process

    def _start(self, place: str = "") -> None:
        self._open(place).come_up()

    def _ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        assert self._process is not None
        return self._process.ask(do, **arguments)

    def _move(self, percent: str) -> None:
        self.desk.move(percent)
        self._quiet()

    def _quiet(self) -> dict[str, Any]:
        """Until nothing is under way anywhere."""
        before = -1
        while True:
            market_ms = self.desk.venue.post("settle")["market_ms"]
            report = self._ask("quiet", market_ms=market_ms, gaps=self._gaps)
            if report["activity"] == before:
                return report
            before = report["activity"]

    def _judge(self, when: str) -> None:
        desk = self.desk
        report = self._quiet()
        desk.read_tape()
        orders = [line for line in desk.lines if line["kind"] == "order"]
        found = judge(desk.database, desk.tape, orders, desk.views(), self._planted)
        if report["state"] != "running":
            found.append(f"the engine is {report['state']}: {report['error']}")
        found += report["idle_slots"]
        idle = {name for name in self._from_before if desk.tape.orders[name] == ("CANCELED", Decimal(0))}
        excused = {f"order {name} has no intent" for name in idle}
        for one in found:
            if one not in excused:
                self._blame(f"{when}, {one}")

    def _nothing_to_do(self) -> None:
        """A death in a quiet moment changes nothing: the next process asks, and sends nothing."""
        if self.outcome == "late":
            time.sleep(points.LATE_MS / 1000)  # what is executed late is on the tape when it is executed
        before = self._quiet()
        self.desk.read_tape()
        sent = self.desk.sent()
        assert self._process is not None
        self._process.kill()
        self._process.ended()
        self._start()
        after = self._quiet()
        self.desk.read_tape()
        if self.desk.sent() != sent:
            self._blame(f"a restart in a quiet moment sent {self.desk.sent() - sent} requests")
        if after["memory"] != before["memory"]:
            self._blame(f"a restart in a quiet moment changed the state: {before['memory']} {after['memory']}")

    def _blame(self, complaint: str) -> None:
        self.verdict.complaints.append(complaint)
