"""The engine host: it claims, loads, runs, suspends, drains and releases, and nothing it hears is an order to trade.

What is wanted is a row, the right to run is a lease, the proof of it an epoch. So whatever message is lost, late or
doubled, the next look at the database makes good.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from core.background import give_way
from core.base_journal import Step
from core.clock import utc_from_ms
from core.redis_names import DOORBELL, EVERYBODY, RING_ALL, account_lock
from db.queries import fleet, instances
from domain.errors import AresError
from tasks.host.account import AccountRunner
from tasks.host.attention import LOOKS_TOGETHER, Attention
from tasks.host.audit import compare, wish_stopped
from tasks.host.board import Board
from tasks.host.claims import Claims, note_law
from tasks.host.commands import CommandDesk
from tasks.host.copying.service import Copying
from tasks.host.desires import Desires
from tasks.host.doorbell import listen
from tasks.host.feeds import Feeds
from tasks.host.members import MemberList, about
from tasks.host.rights import check_account
from tasks.host.runner import Runner
from tasks.host.status import EVERY_SECONDS, StatusPublisher
from tasks.host.tender import LeaseTender
from tasks.host.watchdog import blocked_after
from tasks.wiring import Parts

log = structlog.get_logger(__name__)
_SECOND: Final = 1_000_000_000
_MILLISECOND: Final = 1_000_000
#: Seconds between looks at what nothing is heard of, and between those at how its status has aged.
LOOK_SECONDS: Final = 10.0
STATUS_SECONDS: Final = 5.0


class EngineHost:
    """Everything that trades in this process. `run` until `drain` is called."""

    def __init__(self, parts: Parts, address: tuple[str, str], http_port: int = 0) -> None:
        self.parts = parts
        self.accounts: dict[int, AccountRunner] = {}
        #: Whose turn it is to be compared with what is wanted, and to have its status written.
        self._looks = Attention(parts.clock.machine, LOOK_SECONDS)
        self._statuses = Attention(parts.clock.machine, STATUS_SECONDS)
        self.desires = Desires(parts.database, parts.clock.machine, self._looks.note)
        self.claims = Claims(parts.worker_id, parts.config.worker, parts.leases, parts.clock.machine, parts.edition)
        self.desk = CommandDesk(parts)
        self.publisher = StatusPublisher(parts, address)
        self.feeds = Feeds(parts)
        self.board = Board(parts, self._go_once)
        self.copying = Copying(parts, self.accounts, self.runner, self.ring, self.feeds.note)
        parts.leased_journal.on_kept = self._kept
        self.http_port = http_port
        #: Turned by the doorbell or by HTTP, so that it works while the database is away.
        #: Owners whose switch was turned on here; `EVERYBODY` is everybody.
        self.killed_here: set[int] = set()
        self.started_ms = parts.clock.machine.now_ms()
        #: Told of every change of a runner, beside what people see.
        self.on_runner: Callable[[Runner], None] = lambda _: None
        self._address = address
        self._members = MemberList(parts.redis, parts.worker_id, round(parts.config.worker.member_seconds * 1000))
        self.claims.rooms = self._members.rooms
        self._tasks: list[asyncio.Task[None]] = []
        self._bell = asyncio.Event()
        self._rung: set[int] = set()
        self._rings = asyncio.Event()
        self._asked: set[Runner] = set()
        self._tender = LeaseTender(parts, self.accounts, self._is_alive)
        #: Whether any kill switch was on when they were carried out last.
        self._was_killed = False
        self._seen_ns = parts.clock.machine.steady_ns()

    def start(self) -> None:
        """Begin to work."""
        self._go(self._tender.run(), "leases")
        self._go(self._every(1.0, self._beat), "member")
        self._go(self._reconcile_forever(), "reconcile")
        self._go(self._every(EVERY_SECONDS, self._publish), "status")
        url = self.parts.config.redis.url.get_secret_value()
        kill = lambda on, owner: self.turn_kill_switch(on=on, owner=owner)  # noqa: E731
        self._go(listen(url, self.ring, kill, self.copying.hear), "doorbell")
        for work, name in self.copying.works():
            self._go(work, name)
        self._go(self._answer_rings(), "rings")
        self._go(self._measure_lag(), "lag")

    @property
    def loop_lag_ms(self) -> float:
        """How late the loop wakes, at worst in the last second or so."""
        return self.parts.lag.milliseconds

    @property
    def runners(self) -> Iterator[Runner]:
        """Every strategy here."""
        for account in list(self.accounts.values()):
            yield from list(account.runners.values())

    def runner(self, number: int) -> Runner | None:
        """The runner of an instance, if it is here."""
        want = self.desires.wants.get(number)
        if want is not None:
            account = self.accounts.get(want.account)
            return account.runners.get(number) if account is not None else None
        return next((a.runners[number] for a in self.accounts.values() if number in a.runners), None)

    def ring(self, number: int | None) -> None:
        """Look at an instance now, or at everything."""
        if number is None:
            self._bell.set()
        else:
            self._rung.add(number)
            self._rings.set()

    def is_killed(self, number: int) -> bool:
        """Whether an instance may not open anything."""
        want = self.desires.wants.get(number)
        runner = self.runner(number) if want is None else None
        owner = want.owner if want is not None else runner.want.owner if runner is not None else 0
        return not self.killed_here.isdisjoint({EVERYBODY, owner}) or self.desires.kill.stops(owner)

    def turn_kill_switch(self, *, on: bool, owner: int = EVERYBODY) -> int:
        """Turn this worker's own switch, or an owner's; gives how many strategies are stopped from opening anything."""
        (self.killed_here.add if on else self.killed_here.discard)(owner)
        log.warning("kill_switch", on=on, owner=owner)
        return self.apply_kill()

    def apply_kill(self) -> int:
        """Carry the switches out, whoever turned them; gives how many strategies are stopped."""
        was_killed, self._was_killed = self._was_killed, bool(self.killed_here) or self.desires.kill.is_on
        if not was_killed and not self._was_killed:
            return 0
        killed = 0
        for runner in self.runners:
            is_on = self.is_killed(runner.number)
            killed += is_on
            if runner.engine is None or runner.manager is None or is_on == runner.engine.books.killed:
                continue
            runner.is_dirty = True
            self._note(runner)
            if is_on:
                runner.manager.kill([runner.number])
            else:
                runner.engine.books.killed = False
                runner.told_verb = -1
                self.accounts[runner.want.account].apply(runner)
        return killed

    async def drain(self) -> None:
        """Hand everything over: others take it up at once, resting orders stay resting."""
        if self.claims.is_draining:
            return
        self.claims.is_draining = True
        count = sum(1 for _ in self.runners)
        began = self.parts.clock.machine.steady_ns()
        with suppress(RedisError, OSError):
            await self._members.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        gone = list(self.accounts.values())
        self.accounts.clear()
        await asyncio.gather(self.copying.masters.close(), *(account.drain() for account in gone))
        await self._ring_others()
        took = (self.parts.clock.machine.steady_ns() - began) // _MILLISECOND
        log.info("drained", strategies=count, accounts=len(gone), milliseconds=took)

    async def check_account(self, number: int) -> str:
        """Find out what an account's key may do; see `rights`."""
        found = await self.parts.database.read(partial(fleet.accounts, numbers=[number]))
        return await check_account(self.parts, found[0]) if found else "unknown"

    async def audit(self) -> dict[str, int]:
        """Compare what is wanted with leases and statuses; tell of what nobody runs."""
        return await compare(self.parts, self.feeds)

    def stop_strategy(self, runner: Runner, actor: str) -> None:
        """Wish a strategy stopped, as a person would."""
        self._go_once(self._stop_strategy(runner, actor))

    async def _stop_strategy(self, runner: Runner, actor: str) -> None:
        await wish_stopped(self.parts, runner, actor)
        self.ring(runner.number)

    async def reconcile(self) -> None:
        """One look at what is wanted, who is there and what runs here."""
        await self.desires.refresh(self._is_here)
        if self.claims.check_edition(self.desires.recorded):
            self._looks.note_all()
        due = self._looks.due(self.accounts)
        mine = [runner for account in due for runner in account.runners.values()]
        self._finish_what_is_over(mine)
        await self.copying.refresh(self.claims.newest, self.desires.tags, takes=not self.claims.gate)
        self._hand_out_commands(mine)
        self.apply_kill()
        await self._begin_anew(mine)
        for place, account in enumerate(due):
            wants = self.copying.wanted_of(account.number, self.desires.by_account())
            if wants is not None and self.accounts.get(account.number) is account:
                account.want(self.claims.for_account(wants, account))
                if account.is_restless:
                    self._looks.note(account.number)
            if place % LOOKS_TOGETHER == LOOKS_TOGETHER - 1:
                await give_way()
        wanted = self.copying.also_wanted(self.desires.by_account())
        for number, account in list(self.accounts.items()):
            if number not in wanted:
                await self._let_account_go(account)
        await self._claim(wanted)
        for account in await self.claims.to_hand_over(self.accounts, self.desires.tags):
            log.info("hand_over", account=account.number, strategies=len(account.runners))
            await self._let_account_go(account)
            await self._ring_others()
        await self.desk.settle(mine)

    async def _claim(self, wanted: Any) -> None:
        free = {number: wants for number, wants in wanted.items() if number not in self._tender.ending}
        chosen = await self.claims.to_claim(free, self.accounts, self.desires.tags)
        if not chosen:
            return
        was_young = self.parts.leases.is_young
        taken = await self.parts.leases.acquire(map(account_lock, chosen))
        if self.parts.leases.is_young and not was_young:
            await self.parts.leases.release(taken)  # the server lost its memory just now: others may still run these
            return
        if taken:
            await note_law(self.parts, self.desires.recorded, taken)
        for number, is_orphan in chosen.items():
            if account_lock(number) in taken:
                account = self.accounts[number] = AccountRunner(
                    number,
                    self.parts,
                    on_change=self._changed,
                    is_killed=self.is_killed,
                    on_alarm=self.feeds.note_alarm,
                )
                account.is_orphan = is_orphan
                account.want(wanted[number])
                account.start()

    async def _let_account_go(self, account: AccountRunner) -> None:
        self.accounts.pop(account.number, None)
        self.copying.desk.drop(account.number)
        await account.drain()

    def _finish_what_is_over(self, runners: list[Runner]) -> None:
        for runner in runners:
            if runner.is_over and not runner.commands and runner.number not in self.desires.waiting:
                self.desires.done_with(runner.number)

    async def _begin_anew(self, runners: list[Runner]) -> None:
        """Give those a new generation that are to start again with nothing left of the last one."""
        for runner in [one for one in runners if one.begins_anew and one.generation == one.want.generation]:
            now = utc_from_ms(self.parts.clock.machine.now_ms())
            await self.parts.database.keep(
                partial(instances.reset, instance=runner.number, owner=runner.want.owner, now=now)
            )
            await self.desires.hear([runner.number], lambda _: True)

    def _hand_out_commands(self, runners: list[Runner]) -> None:
        for runner in runners:
            runner.commands = self.desires.waiting.get(runner.number, [])

    async def _beat(self) -> None:
        running = sum(account.live for account in self.accounts.values())
        wanted = self.parts.config.worker
        room = max(wanted.most_strategies - sum(len(account.runners) for account in self.accounts.values()), 0)
        about_me = about(
            wanted, self._address, self.claims.edition, self.claims.gate, running, room, self.started_ms,
            self.loop_lag_ms, self.http_port,
        )  # fmt: skip
        self.claims.see(await self._members.beat(about_me, joins=not self.claims.is_draining))

    async def _publish(self) -> None:
        asked, self._asked = self._asked, set()
        if asked:
            await self.desk.settle(asked)
        await self.parts.right_of_way.pass_by()
        due = [runner for account in self._statuses.due(self.accounts) for runner in account.runners.values()]
        await self.publisher.publish(due)
        for runner in due:
            if runner.is_dirty:  # it has changed meanwhile, or could not be written
                self._statuses.note(runner.want.account)
        await self.feeds.tell(self.runners)
        await self.board.tell(due)

    def _kept(self, step: Step) -> None:
        self.feeds.note_step(self.runner(step.instance), step)
        self.copying.note_step(step)

    def _note(self, runner: Runner) -> None:
        self._looks.note(runner.want.account)
        self._statuses.note(runner.want.account)

    def _is_here(self, number: int) -> bool:
        return self.runner(number) is not None

    def _changed(self, runner: Runner) -> None:
        self._note(runner)
        self.on_runner(runner)
        self.copying.desk.note_runner(runner)
        if runner.commands and not self._asked:
            self._rings.set()
        if runner.commands:
            self._asked.add(runner)
        if runner.state == "released":
            self._go_once(self.publisher.forget(runner))

    async def _reconcile_forever(self) -> None:
        wanted = self.parts.config.worker
        while True:
            self._bell.clear()
            try:
                await self.reconcile()
            except (AresError, RedisError, OSError) as error:
                log.warning("reconcile_failed", reason=str(error) or type(error).__name__)
            except Exception:
                log.exception("reconcile_failed")
            pause = min(wanted.reconcile_seconds, wanted.stop_poll_seconds) * random.uniform(0.8, 1.2)  # noqa: S311
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._bell.wait()

    async def _answer_rings(self) -> None:
        while True:
            await self._rings.wait()
            self._rings.clear()
            rung, self._rung = self._rung, set()
            try:
                if rung:
                    await self._hear(rung)
                if self._asked:
                    asked, self._asked = self._asked, set()
                    await self.desk.settle(asked)
            except (AresError, RedisError, OSError) as error:
                log.warning("doorbell_not_answered", reason=str(error) or type(error).__name__)
                self._bell.set()
            except Exception:
                log.exception("doorbell_not_answered")
                self._bell.set()

    async def _hear(self, rung: Collection[int]) -> None:
        for want in await self.desires.hear(rung, self._is_here):
            account = self.accounts.get(want.account)
            if account is None:
                self._bell.set()
                continue
            runner = account.runners.get(want.instance)
            if runner is not None:
                runner.commands = self.desires.waiting.get(runner.number, [])
                self._asked.add(runner)
            if runner is not None or (want.instance in self.desires.wants and not self.claims.gate):
                account.hear(want)

    async def _ring_others(self) -> None:
        with suppress(RedisError, OSError):
            await self.parts.redis.publish(DOORBELL, RING_ALL)

    def _is_alive(self) -> bool:
        """Whether this loop has turned lately; asked by the thread that renews the leases."""
        patience_ns = blocked_after(self.parts.config) * _SECOND
        return self.parts.clock.machine.steady_ns() - self._seen_ns < patience_ns

    async def _measure_lag(self) -> None:
        while True:
            before = self._seen_ns = self.parts.clock.machine.steady_ns()
            await asyncio.sleep(0.1)
            self.parts.lag.note((self.parts.clock.machine.steady_ns() - before) / _MILLISECOND - 100)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except (AresError, RedisError, OSError) as error:
                log.warning("host_task_failed", task=work.__name__, reason=str(error) or type(error).__name__)
            except Exception:
                log.exception("host_task_failed", task=work.__name__)
            await asyncio.sleep(seconds)

    def _go(self, work: Any, name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def _go_once(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.append(task)
        task.add_done_callback(lambda done: self._tasks.remove(done) if done in self._tasks else None)
