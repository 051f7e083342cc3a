"""One fault rule: what it applies to, how often, for how long."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.faults.kinds import KINDS, Arguments, BadRule, check_arguments

_TEXT_SELECTORS = ("market", "key", "method", "path", "stream", "connection", "via")
_NUMBERS = {"account": 1, "after": 0, "times": 1, "for_ms": 1}
_WORDS = {"market": ("spot", "futures"), "via": ("rest", "ws")}
_KNOWN = frozenset({"kind", "args", "where", *_TEXT_SELECTORS, *_NUMBERS})


@dataclass(slots=True)
class RequestScope:
    """A request as the rules see it."""

    market: str
    account: int | None
    key: str | None
    method: str
    path: str
    ws: str
    """Method name of the WebSocket API, where the endpoint has one."""
    via: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class StreamScope:
    """A connection, or a frame about to be sent on it."""

    market: str
    connection: str
    account: int | None = None
    stream: str = ""
    """Stream name such as btcusdt@trade; for user data the event's name such as executionReport."""
    path: str = ""
    """Path of the handshake."""


@dataclass(slots=True)
class Rule:
    """A fault that stands on the board; selectors left out match everything."""

    id: int
    kind: str
    args: Arguments
    market: str | None = None
    account: int | None = None
    key: str | None = field(default=None, repr=False)
    method: str | None = None
    path: str | None = None
    stream: str | None = None
    connection: str | None = None
    via: str | None = None
    where: dict[str, str] = field(default_factory=dict)
    after: int = 0
    times: int | None = None
    for_ms: int | None = None
    deadline: float | None = None
    """Monotonic second after which it no longer applies."""
    seen: int = 0
    applied: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set by the admin verb that lets held requests go."""
    memory: dict[object, object] = field(default_factory=dict, repr=False)
    """What the fault itself remembers (the snapshots of stale_lists)."""
    globs: dict[str, re.Pattern[str]] = field(default_factory=dict, repr=False)

    def is_active(self, now: float) -> bool:
        """Whether it may still apply."""
        if self.times is not None and self.applied >= self.times:
            return False
        return self.deadline is None or now < self.deadline

    def matches_request(self, scope: RequestScope) -> bool:
        """Whether the selectors fit a request."""
        if not (self._fits(scope.market, scope.account) and self.via in (None, scope.via)):
            return False
        if self.key is not None and self.key != scope.key:
            return False
        if self.method not in (None, scope.method) or not (
            self._glob("path", scope.path) or self._glob("path", scope.ws)
        ):
            return False
        return all(self._glob(f"where.{name}", scope.params.get(name, "")) for name in self.where)

    def matches_stream(self, scope: StreamScope) -> bool:
        """Whether the selectors fit a connection or frame."""
        if not self._fits(scope.market, scope.account):
            return False
        if self.connection not in (None, scope.connection):
            return False
        return self._glob("stream", scope.stream) and self._glob("path", scope.path)

    def count(self) -> bool:
        """Count one match; gives whether it is past the first `after` ones and so applies."""
        self.seen += 1
        if self.seen <= self.after:
            return False
        self.applied += 1
        return True

    def _fits(self, market: str, account: int | None) -> bool:
        return self.market in (None, market) and self.account in (None, account)

    def _glob(self, name: str, value: str) -> bool:
        pattern = self.globs.get(name)
        return pattern is None or (bool(value) and pattern.fullmatch(value) is not None)

    def view(self, now: float) -> dict[str, object]:
        """The rule for a person; a key shows its first characters only."""
        shown: dict[str, object] = {"id": self.id, "kind": self.kind, "args": self.args}
        for name in ("market", "account", "method", "path", "stream", "connection", "via", "times", "for_ms"):
            if (value := getattr(self, name)) is not None:
                shown[name] = value
        if self.key is not None:
            shown["key"] = f"{self.key[:6]}..."
        if self.where:
            shown["where"] = self.where
        return shown | {"after": self.after, "seen": self.seen, "applied": self.applied, "active": self.is_active(now)}


def glob(pattern: str) -> re.Pattern[str]:
    """A glob with `*`, `?` and `{one,other}`; `*` crosses slashes. Case counts."""
    parts: list[str] = []
    depth = 0
    for character in pattern:
        depth += (character == "{") - (character == "}")
        if depth not in (0, 1):
            raise ValueError("braces do not pair, or stand inside one another")
        parts.append("|" if character == "," and depth else _GLOB.get(character, re.escape(character)))
    if depth:
        raise ValueError("a brace is not closed")
    return re.compile("".join(parts), re.DOTALL)


_GLOB = {"*": ".*", "?": ".", "{": "(?:", "}": ")"}


def parse_rule(number: int, spec: Mapping[str, object], now: float) -> Rule:
    """A rule of a JSON object; BadRule names the field that does not fit."""
    for known in spec:
        if known not in _KNOWN:
            raise BadRule(known, f"is not a field of a fault; known are {', '.join(sorted(_KNOWN))}")
    name = spec.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise BadRule("kind", f"must be one of {', '.join(KINDS)}")
    kind = KINDS[name]
    rule = Rule(number, name, check_arguments(name, _mapping(spec, "args")), times=kind.times)
    if "path" not in spec:
        rule.method, rule.path = kind.method, kind.path
    _read_selectors(rule, spec)
    _read_where(rule, spec)
    if rule.path is not None:
        rule.globs["path"] = _compile("path", rule.path)
    if rule.stream is not None:
        rule.globs["stream"] = _compile("stream", rule.stream)
    if rule.for_ms is not None:
        rule.deadline = now + rule.for_ms / 1000
    return rule


def _read_selectors(rule: Rule, spec: Mapping[str, object]) -> None:
    for name in _TEXT_SELECTORS:
        value = spec.get(name)
        if value is not None:
            if not isinstance(value, str) or not value:
                raise BadRule(name, "must be a text that is not empty")
            setattr(rule, name, value)
    for name, words in _WORDS.items():
        if getattr(rule, name) not in (None, *words):
            raise BadRule(name, f"must be {words[0]} or {words[1]}")
    for name, low in _NUMBERS.items():
        value = spec.get(name)
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < low:
                raise BadRule(name, f"must be a whole number from {low}")
            setattr(rule, name, value)


def _read_where(rule: Rule, spec: Mapping[str, object]) -> None:
    for parameter, pattern in _mapping(spec, "where").items():
        if not isinstance(pattern, str):
            raise BadRule(f"where.{parameter}", "must be a text")
        rule.where[parameter] = pattern
        rule.globs[f"where.{parameter}"] = _compile(f"where.{parameter}", pattern)


def _mapping(spec: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = spec.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRule(name, "must be an object")
    return value


def _compile(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return glob(pattern)
    except ValueError as error:
        raise BadRule(name, f"is not a pattern: {error}") from None
