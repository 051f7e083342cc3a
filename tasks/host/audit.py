"""Looks from outside: what is wanted against what is leased and shown; and wishes that come by other ways than HTTP."""

from __future__ import annotations

import secrets
from datetime import timedelta
from functools import partial
from typing import Final

from core import redis_names
from core.clock import utc_from_ms
from core.lease import pieces
from core.redis_names import strategy_lock
from db.models import Command
from db.queries import audit, commands, fleet, instances
from db.queries.instances import PAUSED, RUNNING, STOPPED
from db.unit_of_work import UnitOfWork
from domain.sentences import say
from tasks.host.feeds import Feeds
from tasks.host.runner import Runner
from tasks.wiring import Parts

#: A strategy that should run and has had no lease for so many audits in a row is told of.
PATIENCE: Final = 2
COMMAND_LIVES: Final = timedelta(seconds=60)
_MISSED: Final = "audit:missed"


async def compare(parts: Parts, feeds: Feeds) -> dict[str, int]:
    """Count what is wanted, leased and shown, and alert the owners of what has been missing for a while."""
    wanted = [
        want for want in await parts.database.read(fleet.everything_wanted) if want.desired in (RUNNING, PAUSED)
    ]  # fmt: skip
    leased = shown = 0
    missing: list[fleet.Want] = []
    for some in pieces(wanted):
        holders = await parts.leases.holders(strategy_lock(want.instance) for want in some)
        async with parts.redis.pipeline(transaction=False) as pipe:
            for want in some:
                pipe.exists(redis_names.strategy_running(want.instance))
            there = await pipe.execute()
        leased, shown = leased + sum(map(bool, holders)), shown + sum(map(bool, there))
        missing += [want for want, holder in zip(some, holders, strict=True) if not holder]
    counts = await _count(parts, missing)
    for want in missing:
        if counts[want.instance] == PATIENCE:
            words = say(
                "nobody_runs_it",
                "strategy {number} should be {wished} and nobody runs it; look at the nodes.",
                number=want.instance,
                wished=want.desired,
            )
            feeds.alert(want.owner, "error", "not_running", words, want.instance)
    return {"wanted": len(wanted), "leased": leased, "shown": shown, "missing": len(missing)}


async def wish_stopped(parts: Parts, runner: Runner, actor: str) -> None:
    """Stop a strategy by wish, command and audit record, as the API does. Raises what the database raises."""
    now = utc_from_ms(parts.clock.machine.now_ms())
    number, owner = runner.number, runner.want.owner

    def work(unit: UnitOfWork) -> None:
        commands.give(
            unit,
            Command(
                strategy_instance_id=number, owner_id=owner, request_key=f"{actor}-{secrets.token_hex(8)}", kind="stop",
                created_at=now, expires_at=now + COMMAND_LIVES,
            ),
        )  # fmt: skip
        instances.wish(unit, number, owner, STOPPED, now)
        audit.record(unit, audit.Deed(actor, "strategy.stop", {}, owner, number), now)

    await parts.database.keep(partial(work))


async def _count(parts: Parts, missing: list[fleet.Want]) -> dict[int, int]:
    """How many audits in a row each has been missing."""
    async with parts.redis.pipeline(transaction=True) as pipe:
        pipe.hgetall(_MISSED)
        pipe.delete(_MISSED)
        before = {int(number): int(count) for number, count in (await pipe.execute())[0].items()}
    counts = {want.instance: before.get(want.instance, 0) + 1 for want in missing}
    if counts:
        async with parts.redis.pipeline(transaction=True) as pipe:
            pipe.hset(_MISSED, mapping={str(number): count for number, count in counts.items()})
            pipe.expire(_MISSED, 300)
            await pipe.execute()
    return counts
