"""What is swept: every labelled place in every part of an order's life in which it is reached, and every outcome."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[3]
#: Folders of the house in which places are labelled.
HOUSE: Final = ("core", "domain", "strategies", "exchanges", "engine", "db", "tasks")

#: "The venue has taken a request and has not answered": there the driver kills, looking at the tape.
PLACE_TAKEN, CANCEL_TAKEN = "venue.place_taken", "venue.cancel_taken"

# Parts of the story in which a process may die.
START, FILL, RISE, EDIT, GAP, STOP, FLATTEN, RELEASE = (
    "start", "fill", "rise", "edit", "gap", "stop", "flatten", "release",
)  # fmt: skip
#: A new process after one that died when its sell order was journaled; after one that died when bids were to move.
RESTART, RESTART_MOVED = "restart", "restart_moved"
#: A new process on a database of before: orders were placed, filled and moved since, which only the venue knows.
RESTORED = "restored"

Fault = dict[str, Any]
RESET: Fault = {"kind": "reply_lost", "how": "reset"}
REFUSED: Fault = {"status": 400, "code": -2010, "msg": "Account has insufficient balance for requested action."}
UNKNOWN_ORDER: Fault = {"status": 400, "code": -2011, "msg": "Unknown order sent."}
OVERLOADED: Fault = {
    "status": 503,
    "code": -1000,
    "msg": "Unknown error, please check your request or try again later.",
}
NO_ANSWER: Fault = {"status": 400, "code": -1007, "msg": "Timeout waiting for response from backend server."}
LATE_MS = 300


def rule(kind: str, **args: Any) -> Fault:
    """A fault of the venue."""
    return {"kind": kind, "args": args}


def both(kind: str, **args: Any) -> dict[str, list[Fault]]:
    """The same for orders and cancels."""
    return {"POST": [rule(kind, **args)], "DELETE": [rule(kind, **args)]}


#: Name -> method -> what happens to the requests.
OUTCOMES: Final[Mapping[str, Mapping[str, list[Fault]]]] = {
    "accepted": {},
    "rejected": {
        "POST": [rule("reply_status", executed=False, **REFUSED)],
        "DELETE": [rule("reply_status", executed=False, **UNKNOWN_ORDER)],
    },
    "reply lost": both("reply_lost", how="reset"),
    "reply closed": both("reply_lost", how="fin"),
    "5xx though executed": both("reply_status", **OVERLOADED),
    "-1007 though executed": both("reply_status", **NO_ANSWER),
    "cut 200": both("reply_cut"),
    "empty 200": both("reply_empty"),
    "HTML 200": both("reply_html"),
    "timed out, executed": both("reply_lost", how="hang"),
    "timed out, swallowed": both("swallow"),
    "swallowed": both("swallow", reply=RESET),
    "late": both("late", delay_ms=LATE_MS, reply=RESET),
    "denied for a while": both("reply_lost", how="reset"),
}
#: Classes that are told by time alone.
HANGING: Final = frozenset({"timed out, executed", "timed out, swallowed"})
#: In the class "denied for a while" so many queries deny what the venue has.
DENIALS = 4


@dataclass(frozen=True, slots=True)
class Point:
    """A place in a part of the story, and what has to be arranged so that it is reached there."""

    place: str
    part: str
    #: The first request of the kind ends so, before the class that is swept begins: method -> fault.
    first: tuple[tuple[str, str], ...] = ()
    #: Commits lose their answer; an order under our name that nobody has journaled rests.
    loses_commit: bool = False
    has_orphan: bool = False
    #: The private stream loses everything until the death: its news would answer before the gateway has to ask.
    is_deaf: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.place} in {self.part}"


@dataclass(frozen=True, slots=True)
class _Row:
    """Places that are reached alike."""

    places: tuple[str, ...]
    parts: tuple[str, ...]
    first: tuple[tuple[str, str], ...] = ()
    loses_commit: bool = False
    has_orphan: bool = False
    is_deaf: bool = False

    def points(self) -> Iterator[Point]:
        """Each place in each part."""
        for place, part in product(self.places, self.parts):
            yield Point(place, part, self.first, self.loses_commit, self.has_orphan, self.is_deaf)


_ASKED = ("gateway.before_query", "gateway.after_query")
_SWEEPING = ("syncer.before_open_orders", "syncer.after_open_orders", "syncer.before_fills", "syncer.after_fills")
_TAKING_UP = ("manager.epoch_raised", "manager.loaded", "manager.swept", "manager.started", "hub.opened")
_ROWS = (
    _Row(("engine.inputs_taken", "engine.folded", "engine.decided"), (START, FILL, RISE)),
    _Row(("engine.intent_approved", "engine.send_ended"), (START, RISE)),
    _Row(
        ("engine.before_commit", "engine.after_commit", "engine.sends_started"),
        (START, FILL, RISE, EDIT, FLATTEN, RESTART, STOP),
    ),
    _Row(("engine.fill_folded",), (FILL, RISE, GAP, FLATTEN)),
    _Row(("engine.unwished_found",), (RESTART_MOVED,)),
    _Row(("engine.commit_unknown",), (FILL, RISE), loses_commit=True),
    _Row(("gateway.before_place", "gateway.after_place", "gateway.place_delivered"), (START, FILL, RISE)),
    _Row(("gateway.before_cancel", "gateway.after_cancel"), (RISE, EDIT, STOP)),
    _Row(("gateway.rejected",), (START, FILL), first=(("POST", "rejected"),)),
    _Row(("gateway.unknown",), (START, FILL), first=(("POST", "reply lost"),)),
    _Row(_ASKED, (START,), first=(("POST", "reply lost"),), is_deaf=True),
    _Row(_ASKED, (RISE,), first=(("DELETE", "swallowed"),)),
    _Row(_ASKED, (RESTART,)),
    _Row(("gateway.before_second_cancel",), (RISE, STOP), first=(("DELETE", "swallowed"),)),
    _Row(("gateway.taken_for_lost",), (FILL,), first=(("POST", "swallowed"),)),
    _Row(("hub.user_event",), (START, FILL, RISE)),
    _Row(("hub.stream_gap", "hub.swept", *_SWEEPING, "syncer.order_missing"), (GAP, RESTART)),
    _Row(("syncer.before_orphan_cancel", "syncer.after_orphan_cancel"), (RESTART,), has_orphan=True),
    _Row(_TAKING_UP, (START, RESTART)),
    _Row(("manager.released",), (RELEASE,)),
    _Row(("journal.half_written", "journal.before_keep", "journal.after_keep"), (FILL, RISE, RESTART)),
    _Row(("engine.caught_up",), (START, RESTART, RESTORED)),
    _Row(("strangers.before_ask", "strangers.order_taken_over", "engine.order_rebuilt"), (RESTORED,)),
    _Row((*_TAKING_UP, *_SWEEPING, "hub.swept", "engine.inputs_taken", "engine.folded"), (RESTORED,)),
    _Row(("engine.before_commit", "engine.after_commit", "engine.sends_started", "engine.fill_folded"), (RESTORED,)),
    _Row(("journal.half_written", "journal.before_keep", "journal.after_keep"), (RESTORED,)),
    _Row((PLACE_TAKEN,), (START, FILL, RISE)),
    _Row((CANCEL_TAKEN,), (RISE, STOP)),
)
POINTS: Final = tuple(point for row in _ROWS for point in row.points())


def labels() -> set[str]:
    """Every place that is labelled in the source of the house."""
    found: set[str] = set()
    for folder in HOUSE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found |= set(_labels_in(path))
    return found


def _labels_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reach":
            label = node.args[0]
            assert isinstance(label, ast.Constant), f"{path}:{node.lineno}: a place is named by a plain text"
            yield str(label.value)
