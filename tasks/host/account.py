"""One account in this worker: its hub, and its strategies from claim to release. It works toward what is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

import structlog
from redis.exceptions import RedisError

from core.base_exchange import Capabilities
from core.base_journal import Fenced
from core.lease import pieces
from core.redis_names import account_lock, strategy_lock
from db.models import Account, StrategyInstance
from db.queries import fleet
from db.queries.fleet import Want
from domain.errors import AresError, Broken, Refused, sentence_of
from domain.sentences import say
from engine.account_hub import AccountHub
from engine.alarms import Alarm
from engine.engine_manager import InstanceSpec
from engine.trading_engine import TradingEngine
from tasks.host.quarantine import quarantined
from tasks.host.rights import require_rights
from tasks.host.runner import CLAIMING, ERROR, LIVE, LOADING, TELL_AGAIN_NS, Runner
from tasks.wiring import Parts, Venue, feed_of, number_of, spec_of

log = structlog.get_logger(__name__)
_SECOND: Final = 1_000_000_000
#: Strategies that are taken up together.
BATCH: Final = 50
#: Seconds until something that was refused is tried again without anybody asking.
REFUSED_AGAIN: Final = 60.0
#: Longest pause, in seconds, between attempts at what fails for now.
LONGEST_PAUSE: Final = 30.0
#: Seconds that requests in flight, and streams that close, may hold a hand-over up.
PATIENCE: Final = 0.5


QUARANTINED: Final = say(
    "quarantined", "it has stopped its node three times within an hour; look into it, edit it, then start it again."
)


class AccountDisabled(Refused):
    """This account is disabled, or its key may do more than trade; enable it or change the key."""


class AccountRunner:
    """Runs the strategies of an account under the account's lease."""

    def __init__(
        self, number: int, parts: Parts, *, on_change: Callable[[Runner], None], is_killed: Callable[[int], bool],
        on_alarm: Callable[[int, Alarm], None],
    ) -> None:  # fmt: skip
        self.number = number
        self.runners: dict[int, Runner] = {}
        self.wants: dict[int, Want] = {}
        self.hub: AccountHub | None = None
        self.venue: Venue | None = None
        #: Strategies that run, as last counted, and whether any of the others may need something.
        self.live = 0
        self.is_restless = True
        #: Taken although another worker should have: it is not handed over at once.
        self.is_orphan = False
        self.taken_ns = parts.clock.machine.steady_ns()
        self._parts = parts
        self._on_change = on_change
        self._is_killed = is_killed
        self._on_alarm = on_alarm
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work toward what is wanted."""
        self._task = asyncio.create_task(self._run(), name=f"account {self.number}")

    def want(self, wants: Mapping[int, Want]) -> None:
        """This is wanted from now on; what is not among it is let go."""
        has_changed = wants != self.wants
        self.wants = dict(wants)
        for number, want in wants.items():
            if (runner := self.runners.get(number)) is not None:
                self._follow_want(runner, want)
        if has_changed or any(runner.is_spent for runner in self.runners.values()):
            self._bell.set()
        self.live = sum(runner.state == LIVE for runner in self.runners.values())
        self.is_restless = not all(runner.is_calm for runner in self.runners.values())

    def hear(self, want: Want) -> None:
        """Something changed about one strategy: verbs are told at once, the rest when its turn comes."""
        self.wants[want.instance] = want
        if (runner := self.runners.get(want.instance)) is not None:
            self._follow_want(runner, want)
        self._bell.set()

    def apply(self, runner: Runner) -> None:
        """Tell the strategy what makes it what is wished, unless it was told a moment ago."""
        if runner.engine is None or runner.manager is None or runner.state != LIVE:
            return
        asked = any(command.kind == "start" for command in runner.commands)
        verb = runner.verb(killed=self._is_killed(runner.number), asked_to_start=asked)
        now_ns = self._parts.clock.machine.steady_ns()
        if verb < 0 or (verb == runner.told_verb and now_ns - runner.told_ns < TELL_AGAIN_NS):
            return
        runner.told_verb, runner.told_ns = verb, now_ns
        runner.manager.tell(runner.number, verb)

    async def lose(self, numbers: Collection[int]) -> None:
        """Others run these now: end them here, at once, and give nothing back."""
        self._parts.leases.drop(map(strategy_lock, numbers))
        for number in numbers:
            engine = runner.engine if (runner := self.runners.get(number)) else None
            if engine is not None:
                engine.lose(Fenced(say("lease_lost", "the lease was lost to another worker.")))
        self._bell.set()

    async def drain(self, *, is_lost: bool = False) -> None:
        """Let everything go: requests end, resting orders stay resting, leases are given back, the account's last."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if is_lost:
            await self.lose(list(self.runners))
        await self._let_go(list(self.runners.values()))
        if self.hub is not None:
            hub, self.hub = self.hub, None
            with suppress(TimeoutError, Exception):
                async with asyncio.timeout(PATIENCE):
                    await hub.stop()
        await self._parts.leases.release([account_lock(self.number)])

    async def _run(self) -> None:
        while True:
            self._bell.clear()
            try:
                pause = await self._converge()
            except (AresError, RedisError, OSError) as error:
                pause = self._cannot(error)
            except Exception as error:
                log.exception("account_failed", account=self.number)
                pause = self._cannot(error)
            try:
                async with asyncio.timeout(pause):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def _converge(self) -> float | None:
        """One step toward what is wanted; gives the seconds until the next, None for when something changes."""
        await self._let_go([runner for runner in self.runners.values() if self._must_go(runner)])
        for number, want in self.wants.items():
            if number not in self.runners:
                self.runners[number] = Runner(want)
        now_ns = self._parts.clock.machine.steady_ns()
        idle = [runner for runner in self.runners.values() if runner.engine is None]
        due = [runner for runner in idle if runner.retry_ns <= now_ns]
        if due:
            await self._bring_up(await self._leased(due))
        for runner in list(self.runners.values()):
            if runner.engine is not None and runner.revision != runner.want.revision:
                await self._edit(runner)
        waiting = [runner.retry_ns for runner in self.runners.values() if runner.engine is None]
        if not waiting:
            return None
        return max((min(waiting) - self._parts.clock.machine.steady_ns()) / _SECOND, 0.05)

    def _must_go(self, runner: Runner) -> bool:
        if runner.number not in self.wants:
            return True
        return runner.engine is not None and (runner.is_spent or runner.generation != runner.want.generation)

    async def _opened(self) -> tuple[AccountHub, Venue]:
        if self.hub is not None and self.venue is not None:
            return self.hub, self.venue
        found = await self._parts.database.read(lambda unit: fleet.accounts(unit, [self.number]))
        if not found or found[0].disabled or found[0].rights == "refused":
            raise AccountDisabled(
                say("of_account", "account {number}: {what}", number=self.number, what=sentence_of(AccountDisabled))
            )
        return await self._open(found[0])

    async def _open(self, account: Account) -> tuple[AccountHub, Venue]:
        venue = await self._parts.venue(feed_of(account))
        hub = self._parts.hub_of(account)
        try:
            await hub.start()
            await require_rights(self._parts, account, hub.exchange)
        except BaseException:
            with suppress(Exception):
                await hub.stop()
            raise
        venue.manager.is_killed = self._is_killed
        hub.alarms.on_alarm = partial(self._on_alarm, account.owner_id)
        self.hub, self.venue = hub, venue
        return hub, venue

    async def _leased(self, runners: list[Runner]) -> list[Runner]:
        """Those that may run here, under leases of their own: owned from here on, though not safe to order yet."""
        async with self._parts.asking:
            barred = await quarantined(self._parts.redis, [runner.number for runner in runners])
        for number in barred:
            self._fail(self.runners[number], QUARANTINED, REFUSED_AGAIN)
        runners = [runner for runner in runners if runner.retry_ns <= self._parts.clock.machine.steady_ns()]
        taken = await self._parts.leases.acquire([strategy_lock(runner.number) for runner in runners])
        for runner in runners:
            if strategy_lock(runner.number) not in taken:
                self._fail(
                    runner, say("lease_still_held", "another worker still holds the lease."), 1.0, state=CLAIMING
                )
        return [runner for runner in runners if strategy_lock(runner.number) in taken]

    async def _bring_up(self, runners: list[Runner]) -> None:
        """Take them up; whatever goes wrong, no lease is kept for one that does not run."""
        if not runners:
            return
        try:
            async with self._parts.opening.turn():
                hub, venue = await self._opened()
            await self._take_up(runners, hub, venue)
        finally:
            idle = [runner for runner in runners if runner.engine is None]
            await self._parts.leases.release([strategy_lock(runner.number) for runner in idle])

    async def _take_up(self, runners: list[Runner], hub: AccountHub, venue: Venue) -> None:
        mine = {runner.number: runner for runner in runners}
        specs: list[InstanceSpec] = []
        rows = await self._parts.database.read(partial(fleet.rows, instances=list(mine)))
        # The leases are held by now: whoever had them before sends nothing more, but what was sent may still arrive.
        await asyncio.sleep(takeover_wait(hub.exchange.capabilities, rows))
        for row in rows:
            runner = mine[number_of(row.id)]
            if (spec := self._prepared(runner, row, hub)) is not None:
                specs.append(spec)
        for some in pieces(specs, BATCH):
            # A few at a time in the whole process: what becomes ready together holds the loop up together.
            async with self._parts.starting.turn():
                results = await venue.manager.start_many(some, hub)
            for spec in some:
                self._started(mine[spec.number], venue, results[spec.number])

    def _prepared(self, runner: Runner, row: StrategyInstance, hub: AccountHub) -> InstanceSpec | None:
        runner.state, runner.is_dirty = LOADING, True
        runner.revision, runner.generation = row.revision, row.generation
        try:
            spec = spec_of(row, hub.exchange)
            runner.spec, runner.parameters = replace(spec, params=None), row.parameters
        except AresError as error:
            self._fail(runner, str(error), REFUSED_AGAIN)
            return None
        self._on_change(runner)
        return spec

    def _started(self, runner: Runner, venue: Venue, result: TradingEngine | BaseException) -> None:
        if isinstance(result, TradingEngine):
            runner.engine, runner.manager, runner.state = result, venue.manager, LIVE
            runner.started_ms = self._parts.clock.machine.now_ms()
            runner.last_error, runner.is_dirty = "", True
            self._watch(runner, result)
            self.apply(runner)
            self._on_change(runner)
            return
        if not isinstance(result, AresError):
            log.error("instance_not_started", instance=runner.number, error=repr(result))
        is_final = isinstance(result, Refused | Broken) and not isinstance(result, Fenced)
        self._fail(runner, str(result) or repr(result), REFUSED_AGAIN if is_final else self._pause_of(runner))

    def _watch(self, runner: Runner, engine: TradingEngine) -> None:
        before = engine.on_change

        def after_step(changed: TradingEngine) -> None:
            before(changed)
            runner.is_dirty = True
            if changed.status.state in ("lost", "broken"):
                self._bell.set()
            self._on_change(runner)

        engine.on_change = after_step

    async def _edit(self, runner: Runner) -> None:
        """Carry out an edit: only the orders that have to move do."""
        rows = await self._parts.database.read(partial(fleet.rows, instances=[runner.number]))
        if not rows or self.hub is None or runner.manager is None:
            return
        runner.revision = rows[0].revision
        try:
            spec = spec_of(rows[0], self.hub.exchange)
            limits = runner.spec.limits if runner.spec is not None else None
            if (rows[0].parameters, spec.limits) != (runner.parameters, limits):
                runner.manager.edit(spec)
            runner.spec, runner.parameters = replace(spec, params=None), rows[0].parameters
            runner.edit_refused = ""
        except AresError as error:
            runner.edit_refused, runner.refused_revision = str(error), runner.revision
            runner.last_error = str(error)
        runner.is_dirty = True
        self._on_change(runner)

    async def _let_go(self, runners: list[Runner]) -> None:
        """Release engines and leases. What is wanted still gets a fresh start, after a pause."""
        await asyncio.gather(*(self._release(runner) for runner in runners))
        await self._parts.leases.release([strategy_lock(runner.number) for runner in runners])
        for runner in runners:
            engine, state = runner.engine, runner.engine.status.state if runner.engine else ""
            del self.runners[runner.number]
            if runner.number in self.wants and engine is not None and state in ("broken", "lost", "error"):
                fresh = self.runners[runner.number] = Runner(self.wants[runner.number], failures=runner.failures)
                fresh.commands = runner.commands
                self._fail(fresh, engine.status.last_error, self._pause_of(fresh))
            runner.engine, runner.state = None, "released"
            self._on_change(runner)

    async def _release(self, runner: Runner) -> None:
        # Asked of the manager, not of the runner: one that was being taken up is not with its runner yet.
        if self.venue is None or runner.number not in self.venue.manager.engines:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await self.venue.manager.release(runner.number)
        except TimeoutError:
            log.warning("requests_cut_short", instance=runner.number)

    def _follow_want(self, runner: Runner, want: Want) -> None:
        if want is runner.want and runner.is_settled:
            return  # nearly every strategy in nearly every second
        if want.revision != runner.want.revision and runner.engine is None:
            runner.retry_ns = 0  # somebody changed something: try again at once
        is_other = want.desired != runner.want.desired
        if is_other:
            runner.told_verb, runner.is_dirty = -1, True
        runner.want = want
        self.apply(runner)
        if is_other:
            self._on_change(runner)

    def _cannot(self, error: Exception) -> float:
        """The account cannot be worked on: every strategy that waits says why."""
        is_final = isinstance(error, Refused | Broken)
        words = str(error) or type(error).__name__
        log.warning("account_not_ready", account=self.number, reason=words)
        pauses = [1.0]
        for runner in self.runners.values():
            if runner.engine is None:
                pauses.append(REFUSED_AGAIN if is_final else self._pause_of(runner))
                self._fail(runner, words, pauses[-1])
        return max(pauses)

    def _pause_of(self, runner: Runner) -> float:
        return min(2.0**runner.failures, LONGEST_PAUSE)

    def _fail(self, runner: Runner, words: str, pause: float, state: str = ERROR) -> None:
        runner.state, runner.last_error, runner.is_dirty = state, words, True
        runner.failures += state == ERROR
        runner.retry_ns = self._parts.clock.machine.steady_ns() + round(pause * _SECOND)
        self._on_change(runner)


def takeover_wait(capabilities: Capabilities, rows: Iterable[StrategyInstance]) -> float:
    """Seconds until a request of an earlier owner can reach the venue no more; 0 where its time window ends it."""
    has_predecessor = any(row.epoch for row in rows)
    return capabilities.takeover_wait_seconds if has_predecessor and not capabilities.has_time_window else 0
