"""The vocabulary of faults: every kind, what it does, its arguments with their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Arguments = dict[str, Any]


class BadRule(ValueError):
    """A rule that cannot be used: `field` names the culprit, `reason` says why and what is wanted."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.field = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a kind. A default of None makes it optional without a value of its own."""

    type: type
    default: object = None
    choices: tuple[object, ...] = ()
    low: int | None = None
    high: int | None = None

    def check(self, name: str, value: object) -> object:
        """The value when it fits, else BadRule."""
        if self.type is object or value is None:
            return value
        if not isinstance(value, self.type) or (isinstance(value, bool) and self.type is not bool):
            raise BadRule(name, f"is not a {self.type.__name__}")
        if self.choices and value not in self.choices:
            raise BadRule(name, f"must be one of {', '.join(map(str, self.choices))}")
        if isinstance(value, int) and (
            (self.low is not None and value < self.low) or (self.high is not None and value > self.high)
        ):
            raise BadRule(name, f"must be from {self.low} to {self.high}")
        return value


@dataclass(frozen=True, slots=True)
class Kind:
    """What a fault does, in words, and what it can be told."""

    text: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    method: str | None = None
    """Method and path it applies to when the rule names none."""
    path: str | None = None
    times: int | None = None
    """How often it applies when the rule does not say; None is without end."""


def _milliseconds(default: int | None = None) -> Argument:
    return Argument(int, default, low=0, high=30 * 86_400_000)


_HOW = Argument(str, "reset", ("reset", "fin", "hang"))
_REPLY = Argument(dict)
_QUERIES = "*/{order,algoOrder,orderList}"
_LISTS = "*/{openOrders,allOrders,account,balance,openOrderList,allOrderList,openAlgoOrders,allAlgoOrders,positionRisk}"

REPLY_KINDS: dict[str, Kind] = {
    "reply_lost": Kind("Executed, then the connection is reset, closed, or left hanging.", {"how": _HOW}),
    "reply_status": Kind(
        "Executed (unless told otherwise), then answered with this status, code and text, or this raw body.",
        {
            "status": Argument(int, None, low=200, high=599),
            "code": Argument(int),
            "msg": Argument(str),
            "body": Argument(object),
            "executed": Argument(bool, True),
        },
    ),
    "reply_cut": Kind(
        "Executed, 200, but the body ends too early.", {"how": Argument(str, "length", ("length", "chunked"))}
    ),
    "reply_empty": Kind("Executed, then an empty body.", {"status": Argument(int, 200, low=200, high=599)}),
    "reply_html": Kind("Executed, then an HTML page.", {"status": Argument(int, 200, low=200, high=599)}),
    "reply_other": Kind(
        "Executed, then a body that belongs to somebody else (given, or the true one with other ids).",
        {"body": Argument(object)},
    ),
}

REQUEST_KINDS: dict[str, Kind] = {
    **REPLY_KINDS,
    "late": Kind(
        "Executed only after delay_ms, or when released; the reply waits for it, or is the given one at once.",
        {
            "delay_ms": _milliseconds(1000),
            "hold": Argument(bool, False),
            "bypass_recv_window": Argument(bool, False),
            "reply": _REPLY,
        },
    ),
    "swallow": Kind("Never executed; the reply is the given one, else the connection hangs.", {"reply": _REPLY}),
    "unknown_order": Kind("Order queries answer -2013 although the order exists.", {}, "GET", _QUERIES),
    "pruned": Kind(
        "Order queries answer as if it were archived.", {"code": Argument(int, -2013, (-2013, -2026))}, "GET", _QUERIES
    ),
    "stale_lists": Kind(
        "Lists are answered as they were when the rule was set; renewed after an answer older than age_ms.",
        {"age_ms": _milliseconds()},
        "GET",
        _LISTS,
    ),
    "batch_missing": Kind(
        "One item is missing from the answer of a batch.", {"index": Argument(int, -1, low=-20, high=19)}
    ),
    "cancel_replace": Kind(
        "Halves of a cancelReplace fail.",
        {"cancel": Argument(str, "ok", ("ok", "fail")), "place": Argument(str, "ok", ("ok", "fail"))},
        "POST",
        "*/order/cancelReplace",
    ),
    "cancel_half": Kind(
        "A cancel-all stops after half of the orders; then the given reply, else -1007.",
        {"reply": _REPLY},
        "DELETE",
        "*/{openOrders,allOpenOrders}",
    ),
    "delay": Kind("Waits before or after execution.", {"before_ms": _milliseconds(0), "after_ms": _milliseconds(0)}),
    "refuse_connection": Kind(
        "The connection is reset or closed before anything is read.", {"how": Argument(str, "reset", ("reset", "fin"))}
    ),
    "ban": Kind("418 for this address.", {"retry_after": Argument(int, 120, low=1, high=259_200)}),
    "rate_limit": Kind("429, not executed.", {"retry_after": Argument(int, 35, low=0, high=3600)}),
    "order_limit": Kind("-1015, not executed."),
    "weight_jump": Kind("The used-weight header shows this.", {"used": Argument(int, 5_000, low=0, high=10_000_000)}),
    "bad_key": Kind("The key is refused.", {"code": Argument(int, -2015, (-2015, -2014, -1002))}),
    "clock_step": Kind(
        "The venue's protocol clock is off while the rule stands.",
        {"step_ms": Argument(int, 0, low=-86_400_000, high=86_400_000)},
    ),
    "bypass_recv_window": Kind("A request is accepted although its time window has passed."),
    "proxy_page": Kind(
        "An HTML page of something in between; not executed.", {"status": Argument(int, 502, low=400, high=599)}
    ),
}

FRAME_KINDS: dict[str, Kind] = {
    "stall": Kind("Frames are not sent, pings are."),
    "freeze": Kind("The stream repeats its last frame instead of new ones."),
    "drop": Kind("The frame is lost."),
    "duplicate": Kind("The frame is sent more than once.", {"copies": Argument(int, 2, low=2, high=100)}),
    "reorder": Kind(
        "The frame is held back until `behind` later ones, or hold_ms, have passed.",
        {"behind": Argument(int, 1, low=1, high=1000), "hold_ms": _milliseconds(5000)},
    ),
    "delay_frame": Kind(
        "The frame is sent later; others overtake it unless in_order.",
        {"delay_ms": _milliseconds(1000), "in_order": Argument(bool, True)},
    ),
    "malformed_frame": Kind("The frame is not JSON.", {"text": Argument(str, '{"e":"executionReport","i":12')}),
    "huge_frame": Kind(
        "A frame of this size comes before it.", {"bytes": Argument(int, 5_000_000, low=1, high=50_000_000)}
    ),
    "unknown_event": Kind("An event nobody knows comes before it.", {"event": Argument(object)}),
}

CONNECTION_KINDS: dict[str, Kind] = {
    "half_open": Kind("Nothing is read or written any more; no close, no pings.", times=1),
    "disconnect": Kind(
        "The connection is closed with this code; 1006 drops it without a close frame.",
        {"code": Argument(int, 1006, low=1000, high=4999), "reason": Argument(str, "")},
        times=1,
    ),
    "server_shutdown": Kind(
        "A serverShutdown event, then a close after close_ms.", {"close_ms": _milliseconds(10_000)}, times=1
    ),
    "listen_key_expire": Kind("The listen key or subscription behind the connection ends now.", times=1),
    "replay_last": Kind(
        "The last frames are sent once more.", {"count": Argument(int, 10, low=1, high=10_000)}, times=1
    ),
    "refuse_ws": Kind(
        "The WebSocket handshake is refused with this status.", {"status": Argument(int, 503, low=400, high=599)}
    ),
}

KINDS: dict[str, Kind] = {**REQUEST_KINDS, **FRAME_KINDS, **CONNECTION_KINDS}


def check_arguments(name: str, given: Mapping[str, object], prefix: str = "args") -> Arguments:
    """All arguments of a kind, with defaults filled in; BadRule names the first that does not fit."""
    arguments = KINDS[name].arguments
    for key in given:
        if key not in arguments:
            known = ", ".join(arguments) or "none"
            raise BadRule(f"{prefix}.{key}", f"is not an argument of {name}; it knows: {known}")
    checked: Arguments = {}
    for key, argument in arguments.items():
        checked[key] = argument.check(f"{prefix}.{key}", given.get(key, argument.default))
    if checked.get("reply") is not None:
        checked["reply"] = _check_reply(checked["reply"], f"{prefix}.reply")
    return checked


def _check_reply(reply: Mapping[str, object], prefix: str) -> Arguments:
    kind = reply.get("kind")
    if not isinstance(kind, str) or kind not in REPLY_KINDS:
        raise BadRule(f"{prefix}.kind", f"must be one of {', '.join(REPLY_KINDS)}")
    rest = {key: value for key, value in reply.items() if key != "kind"}
    return {"kind": kind, **check_arguments(kind, rest, prefix)}
