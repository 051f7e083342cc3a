"""The board of standing faults: set by the admin API or a test, asked by the wire and by the streams.

How the streams ask (everything counts as applied when it is returned, so act on it):

* handshake: `refuses_websocket(scope)`; the HTTP server asks this before it hands a handshake over.
* every frame about to be sent, only while `has_stream_rules`: `for_frame(scope)` gives the rules of `FRAME_KINDS`
  that apply to it, oldest first; arguments are in `rule.args`, filled with defaults.
* every connection, on each tick and when `join`ed listeners are told of a new rule: `for_connection(scope)` gives
  the rules of `CONNECTION_KINDS` (without refuse_ws) to carry out now, each at most once per connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from simulator.clock import ProtocolClock, monotonic
from simulator.faults.kinds import CONNECTION_KINDS, FRAME_KINDS, REQUEST_KINDS, BadRule
from simulator.faults.rules import RequestScope, Rule, StreamScope, parse_rule

__all__ = ["BadRule", "FaultBoard"]

Listener = Callable[[Rule], None]


class FaultBoard:
    """All fault rules of a venue, in the order they were set."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._rules: dict[int, Rule] = {}
        self._count = 0
        self._listeners: list[Listener] = []
        self._hit: set[tuple[int, str]] = set()
        self.has_request_rules = False
        self.has_stream_rules = False
        self._later: set[asyncio.Task[Any]] = set()
        self._clock: ProtocolClock | None = None

    def add(self, spec: Mapping[str, object]) -> Rule:
        """Set a fault: `{"kind": ..., "args": {...}, selectors}`; raises BadRule and changes nothing if it is wrong.

        Selectors: market, account, key, method, path (glob over the REST path or WebSocket API name), via, where
        (parameter globs), stream (glob), connection. Extent: after (skip the first n), times, for_ms.
        """
        rule = parse_rule(self._count + 1, spec, self._now())
        self._count = rule.id
        self._rules[rule.id] = rule
        self._refresh()
        for listener in self._listeners:
            listener(rule)
        return rule

    def remove(self, rule_id: int) -> bool:
        """Take a fault off the board, letting go what it holds; False when there is none of this id."""
        rule = self._rules.pop(rule_id, None)
        if rule is not None:
            rule.released.set()
        self._hit = {item for item in self._hit if item[0] != rule_id}
        self._refresh()
        return rule is not None

    def clear(self) -> None:
        """Take every fault off the board."""
        for rule_id in list(self._rules):
            self.remove(rule_id)

    def release(self, rule_id: int) -> bool:
        """Let the requests go that a `late` rule with `hold` keeps; False when there is none of this id."""
        rule = self._rules.get(rule_id)
        if rule is not None:
            rule.released.set()
        return rule is not None

    def join(self, listener: Listener) -> None:
        """Tell `listener` of every rule as it is set."""
        self._listeners.append(listener)

    def rules(self) -> list[Rule]:
        """Everything on the board, spent rules included."""
        return list(self._rules.values())

    def views(self) -> list[dict[str, object]]:
        """The same for a person."""
        now = self._now()
        return [rule.view(now) for rule in self._rules.values()]

    def view(self, rule: Rule) -> dict[str, object]:
        """One rule for a person."""
        return rule.view(self._now())

    def for_request(self, scope: RequestScope) -> list[Rule]:
        """The rules that apply to this request, counted."""
        self.keep_time()
        return [
            rule
            for rule in self._active(REQUEST_KINDS)
            if rule.kind != "clock_step" and rule.matches_request(scope) and rule.count()
        ]

    def for_frame(self, scope: StreamScope) -> list[Rule]:
        """The rules that apply to this frame, counted."""
        return [rule for rule in self._active(FRAME_KINDS) if rule.matches_stream(scope) and rule.count()]

    def for_connection(self, scope: StreamScope) -> list[Rule]:
        """What is to be done to this connection now, each rule once per connection."""
        found = []
        for rule in self._active(CONNECTION_KINDS):
            mark = (rule.id, scope.connection)
            if rule.kind == "refuse_ws" or mark in self._hit or not rule.matches_stream(scope):
                continue
            self._hit.add(mark)
            if rule.count():
                found.append(rule)
        return found

    def refuses_websocket(self, scope: StreamScope) -> Rule | None:
        """The rule that refuses this handshake, if one does."""
        for rule in self._active(CONNECTION_KINDS):
            if rule.kind == "refuse_ws" and rule.matches_stream(scope) and rule.count():
                return rule
        return None

    def steer(self, clock: ProtocolClock) -> None:
        """Let the rules of kind clock_step move this clock while they stand."""
        self._clock = clock
        self.keep_time()

    def keep_time(self) -> None:
        """Set the clock as the rules of kind clock_step want it now; called often, so that `for_ms` ends by itself."""
        if self._clock is not None:
            steps = [int(rule.args["step_ms"]) for rule in self._active(REQUEST_KINDS) if rule.kind == "clock_step"]
            self._clock.step_ms = sum(steps)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold on to a request that will be executed later."""
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    @property
    def pending(self) -> int:
        """Requests still to be executed."""
        return len(self._later)

    def stop(self) -> None:
        """Give up everything that was to happen later."""
        for task in list(self._later):
            task.cancel()

    def _active(self, kinds: Mapping[str, object]) -> list[Rule]:
        now = self._now()
        return [rule for rule in self._rules.values() if rule.kind in kinds and rule.is_active(now)]

    def _refresh(self) -> None:
        kinds = {rule.kind for rule in self._rules.values()}
        self.has_request_rules = not kinds.isdisjoint(REQUEST_KINDS)
        self.keep_time()
        self.has_stream_rules = not kinds.isdisjoint({*FRAME_KINDS, *CONNECTION_KINDS})
