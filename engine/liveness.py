"""Notices an instance that should be doing something and does nothing, heals it where it can, and tells a person.

Three looks in a row must find the same thing: between two steps anything may be on its way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

from core.background import give_way
from domain import slots
from domain.sentences import say
from engine.alarms import Alarms
from engine.inputs import Price
from engine.trading_engine import TradingEngine

LOOKS: Final = 3
#: Instances that are looked at without a break.
TOGETHER: Final = 10
NOT_WOKEN: Final = "the price is where it waits for it"
#: States in which an instance says by itself why it stands still.
_EXPLAINED: Final = frozenset({"lost", "suspended", "loading"})


class Liveness:
    """Looks at every instance of an account."""

    def __init__(self, engines: Mapping[int, TradingEngine], alarms: Alarms) -> None:
        self._engines = engines
        self._alarms = alarms
        #: Instance -> what the last looks have found, and how often in a row.
        self._found: dict[int, tuple[str, int]] = {}
        #: Instances that the last look has woken.
        self._woken: set[int] = set()
        #: Engine -> its steps when nothing was left to place. Only a step changes that, so the slots of what sleeps are
        #: looked at once.
        self._content: WeakKeyDictionary[TradingEngine, int] = WeakKeyDictionary()

    async def look(self) -> None:
        """Look once at every instance, a few at a time: thousands at once would hold up every order."""
        for place, number in enumerate(list(self._engines)):
            self._look_at(number)
            if place % TOGETHER == TOGETHER - 1:
                await give_way()
        self._forget()

    def _look_at(self, number: int) -> None:
        engine = self._engines.get(number)
        if engine is None:
            return
        idle = self._idleness(engine)
        before, times = self._found.get(number, ("", 0))
        times = times + 1 if idle == before else 1
        if idle:
            self._found[number] = (idle, times)
        else:
            self._found.pop(number, None)
        if before == NOT_WOKEN and times == 1 and number in self._woken:
            self._tell(
                number,
                engine,
                say("was_not_woken", "the price had reached what it waits for and it was not woken; it is now."),
            )
        self._woken.discard(number)
        if idle and times == LOOKS:
            self._heal(number, engine, idle)

    def _idleness(self, engine: TradingEngine) -> str:
        """What the instance should have done by now, in words with the next step; empty when nothing is wrong."""
        if engine.status.state in _EXPLAINED:
            return ""
        if not engine.is_running:
            reason = engine.status.last_error or say("nobody_knows_why", "nobody knows why")
            return say("engine_ended", "its engine has ended ({reason}); stop it and start it again.", reason=reason)
        is_content = self._content.get(engine) == engine.status.steps
        if (is_content and not _is_due(engine)) or not engine.is_idle:
            return ""
        if not is_content:
            waiting = [slot for slot in _wishes(engine) if slot not in engine.status.held_back]
            if waiting:
                return say(
                    "orders_left_lying",
                    "{count} orders are wished and neither placed nor held back; they are placed now.",
                    count=len(waiting),
                )
            self._content[engine] = engine.status.steps
        return NOT_WOKEN if _is_due(engine) else ""

    def _forget(self) -> None:
        for number in self._found.keys() - self._engines.keys():
            del self._found[number]

    def _heal(self, number: int, engine: TradingEngine, idle: str) -> None:
        """A price that wakes nobody may be as it should be: it was missed only if waking the instance makes it move."""
        if idle == NOT_WOKEN:
            self._woken.add(number)
            engine.put(Price(engine.books.last_ticks, 0))
        else:
            self._tell(number, engine, idle)
            engine.recheck()

    def _tell(self, number: int, engine: TradingEngine, words: str) -> None:
        self._alarms.ring(
            "instance_idle",
            say("of_strategy", "strategy instance {number}: {words}", number=number, words=words),
            number,
        )


def _is_due(engine: TradingEngine) -> bool:
    """Whether the price is where the instance waits for it, and it could act on it."""
    state, last = engine.instance.state, engine.books.last_ticks
    is_reached = last > 0 and (0 < state[slots.WAKE_ABOVE] <= last or last <= state[slots.WAKE_BELOW])
    return is_reached and not engine.status.held_back and not slots.is_finished(state)


def _wishes(engine: TradingEngine) -> list[int]:
    """Slots that wish an order and have none, and could place one."""
    instance = engine.instance
    return [
        slot
        for slot in range(slots.count_of(instance.state))
        if slots.action_for(slots.wish_of(instance.state, slot), instance.orders.get(slot)) == slots.PLACE
    ]
