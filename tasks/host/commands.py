"""Commands of people, from waiting to their one outcome."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import structlog

from core import event_bus
from core.clock import utc_from_ms
from core.event_bus import Event
from db.queries import commands
from db.queries.commands import DONE, EXPIRED, REJECTED, SUPERSEDED
from db.queries.fleet import Waiting
from db.unit_of_work import UnitOfWork
from domain import slots
from domain.sentences import say, words_of
from tasks.host.runner import ERROR, LIVE, Runner
from tasks.wiring import Parts

log = structlog.get_logger(__name__)

START: Final = "start"
PAUSE: Final = "pause"
RESUME: Final = "resume"
STOP: Final = "stop"
FLATTEN: Final = "flatten"
EDIT: Final = "edit"
RESET: Final = "reset"
#: Each says what the instance should be doing, so a later one makes an earlier one pointless.
STATE_VERBS: Final = (START, PAUSE, RESUME, STOP, FLATTEN)
_FINISHED: Final = (slots.DONE, slots.CLOSING)


class Outcome(NamedTuple):
    """What became of a command."""

    command: Waiting
    outcome: str
    detail: str


def outcomes(runner: Runner, now_ms: int) -> Iterable[Outcome]:
    """The outcomes that are known by now of what waits for a strategy."""
    verbs = [command for command in runner.commands if command.kind in STATE_VERBS]
    for command in runner.commands:
        if command in verbs[:-1]:
            yield Outcome(command, SUPERSEDED, say("came_after", "{kind} came after it", kind=verbs[-1].kind))
        elif (found := _outcome(runner, command)) is not None:
            yield Outcome(command, *found)
        elif command.expires_at <= utc_from_ms(now_ms):
            yield Outcome(
                command, EXPIRED, runner.last_error or say("not_in_time", "it could not be carried out in time")
            )


def _outcome(runner: Runner, command: Waiting) -> tuple[str, str] | None:
    if command.kind in (START, RESET, EDIT) and runner.state == ERROR and runner.last_error:
        return REJECTED, runner.last_error
    if command.kind == EDIT:
        if runner.refused_revision == runner.want.revision and runner.edit_refused:
            return REJECTED, runner.edit_refused
        is_current = runner.revision == runner.want.revision and runner.generation == runner.want.generation
        return (DONE, "") if runner.state == LIVE and is_current and _is_quiet(runner) else None
    return (DONE, "") if _is_done(runner, command.kind) else None


def _is_done(runner: Runner, kind: str) -> bool:
    if kind == STOP:
        return runner.is_finished
    if kind == FLATTEN:
        return runner.is_flat
    if runner.state != LIVE or not _is_quiet(runner) or runner.generation != runner.want.generation:
        return False
    if kind == PAUSE:
        return runner.phase == slots.PAUSED or runner.phase in _FINISHED
    if kind in (START, RESUME):
        return runner.phase not in (slots.NEW, slots.PAUSED, *(_FINISHED if kind == START else ()))
    return kind == RESET


def _is_quiet(runner: Runner) -> bool:
    return runner.engine is not None and runner.engine.status.state == "running" and runner.engine.is_idle


class CommandDesk:
    """Writes outcomes down and tells of them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        #: Commands whose outcome is being written: several look at the same time, and one of them is enough.
        self._writing: set[int] = set()

    async def settle(self, runners: Iterable[Runner]) -> int:
        """Give every command its outcome that has one by now; gives how many had. Raises what the database raises."""
        now_ms = self._parts.clock.machine.now_ms()
        known = [(runner, one) for runner in runners if runner.commands for one in outcomes(runner, now_ms)]
        found = [(runner, one) for runner, one in known if one.command.id not in self._writing]
        if not found:
            return 0
        numbers = {one.command.id for _, one in found}
        self._writing |= numbers
        try:
            await self._write(found, now_ms)
        finally:
            self._writing -= numbers
        await self._tell(one for _, one in found)
        return len(found)

    async def _write(self, found: list[tuple[Runner, Outcome]], now_ms: int) -> None:
        moment = utc_from_ms(now_ms)

        def work(unit: UnitOfWork) -> None:
            for _, one in found:
                commands.finish(unit, one.command.id, one.outcome, one.detail, moment)

        await self._parts.database.keep(work)
        for runner, one in found:
            runner.commands = [command for command in runner.commands if command.id != one.command.id]

    async def _tell(self, found: Iterable[Outcome]) -> None:
        try:
            await self._parts.bus.publish_all(
                Event(
                    event_bus.COMMAND,
                    one.command.owner,
                    {
                        "id": one.command.id, "instance": one.command.instance, "kind": one.command.kind,
                        "outcome": one.outcome, "detail": one.detail, "detail_words": words_of(one.detail),
                    },
                )
                for one in found
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - whoever watches reads the row; trading goes on
            log.warning("command_outcome_not_told", reason=str(error))
