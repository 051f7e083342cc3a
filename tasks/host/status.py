"""What people see of the strategies that run here: a hash for each in Redis, and events when it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, cast

import orjson
import structlog
from redis.exceptions import RedisError

from core import event_bus, redis_names
from core.background import give_way
from core.clock import utc_from_ms
from core.event_bus import Event
from core.lease import pieces
from core.redis_names import strategy_lock
from domain.money import from_units, to_wire
from domain.sentences import words_of
from tasks.host.runner import Runner
from tasks.wiring import Parts

log = structlog.get_logger(__name__)

#: Seconds that a status lives without being refreshed.
TTL_SECONDS: Final = 30
REFRESH_NS: Final = 10_000_000_000
#: Not more often than this.
EVERY_SECONDS: Final = 0.5
#: Strategies in one pipeline: redis-py packs a pipeline in one go.
BATCH: Final = 50
ZERO: Final = Decimal(0)
#: ARGV: seconds to live, the time, then for each of KEYS how many fields, and these with their values. One script for
#: many: two commands for each would be packed and answered one by one. Gives how many fields of each are new.
_REFRESH: Final = """
local added, at = {}, 3
for i = 1, #KEYS do
  local last = at + 2 * tonumber(ARGV[at])
  added[i] = redis.call('HSET', KEYS[i], 'updated_at', ARGV[2], unpack(ARGV, at + 1, last))
  redis.call('EXPIRE', KEYS[i], ARGV[1])
  at = last + 1
end
return added
"""
_MONEY: Final = ("realised", "unrealised", "fees", "equity", "position")


def status_of(runner: Runner, parts: Parts, address: tuple[str, str]) -> dict[str, Any]:
    """The live status of a strategy, as the contract with the API and the page has it."""
    key = strategy_lock(runner.number)
    left_ns = parts.leases.left_ns(key)
    term_ms = parts.config.worker.lease_seconds * 1000
    buys, sells, held = runner.counts()
    engine, hostname, ip, error = runner.engine, *address, _last_error(runner)
    epoch = engine.epoch if engine is not None else 0
    return {
        "id": runner.number,
        "task_id": f"{runner.number}-{epoch}",
        "worker_id": parts.worker_id,
        "worker_ip": ip,
        "worker_hostname": hostname,
        "status": runner.shown_state(is_leased=parts.leases.is_good(key)),
        "started_at": _iso(runner.started_ms) if runner.started_ms else "",
        "pending_buys": buys,
        "pending_sells": sells,
        "position_count": held,
        "last_error": error,
        "last_error_words": words_of(error),
        "held_back": ",".join(sorted(set(engine.status.held_back.values()))) if engine is not None else "",
        "updated_at": _iso(parts.clock.machine.now_ms()),
        "lease_age_ms": max(round(term_ms - left_ns / 1_000_000), 0) if left_ns > 0 else 0,
        "epoch": epoch,
        "owner_id": runner.want.owner,
        **_money(runner),
    }


def refreshed(runner: Runner, parts: Parts) -> dict[str, str]:
    """What changes of a status, beside its time, while its strategy does nothing."""
    key = strategy_lock(runner.number)
    left_ns = parts.leases.left_ns(key)
    term_ms = parts.config.worker.lease_seconds * 1000
    return {
        "status": runner.shown_state(is_leased=parts.leases.is_good(key)),
        "lease_age_ms": str(max(round(term_ms - left_ns / 1_000_000), 0) if left_ns > 0 else 0),
        **_price(runner),
    }


def equity_of(runner: Runner) -> tuple[int, int, int, int] | None:
    """Equity, realised, unrealised and fees in quote quanta; None before there is a price."""
    engine = runner.engine
    if engine is None or runner.spec is None or engine.books.last_ticks <= 0:
        return None
    instrument, result = engine.instance.instrument, engine.books.result
    worth = engine.books.last_ticks * instrument.tick_lot
    value = result.base * worth // instrument.base_per_lot
    capital = dict(runner.spec.capital)
    own = capital.get(instrument.quote, 0) + capital.get(instrument.base, 0) * worth // instrument.base_per_lot
    unrealised = value - result.cost
    return own + result.realised + unrealised - result.fees, result.realised, unrealised, result.fees


class StatusPublisher:
    """Writes what has changed, and everything from time to time."""

    def __init__(self, parts: Parts, address: tuple[str, str]) -> None:
        self.published = 0
        self._parts = parts
        self._address = address
        self._refreshing = parts.redis.register_script(_REFRESH)
        #: Of strategies that have changed lately what their hashes hold: of such a one only what is new is written.
        self._written: dict[int, dict[str, str]] = {}

    async def publish(self, runners: Iterable[Runner]) -> None:
        """Write the statuses that have changed and tell of them; of those that have grown old, what may have."""
        now_ns = self._parts.clock.machine.steady_ns()
        due = [one for one in runners if one.is_dirty or now_ns - one.published_ns > REFRESH_NS]
        for some in pieces(due, BATCH):
            found = [(one, status_of(one, self._parts, self._address)) for one in some if one.is_dirty]
            idle = [one for one in some if not one.is_dirty]
            for runner in some:
                runner.is_dirty, runner.published_ns = False, now_ns
            try:
                await self._write(found, idle)
                await self._parts.bus.publish_all(
                    Event(event_bus.STRATEGY_STATUS, runner.want.owner, status) for runner, status in found
                )
            except (RedisError, OSError) as error:
                log.warning("status_not_published", reason=str(error))
                for runner in some:
                    runner.is_dirty = True
                    self._written.pop(runner.number, None)
                return
            self.published += len(some)
            await give_way()

    async def forget(self, runner: Runner) -> None:
        """The strategy runs here no more: whoever watches is told, and its hash goes, unless another has written it."""
        self._written.pop(runner.number, None)
        status = status_of(runner, self._parts, self._address) | {"status": "stopped"}
        try:
            key = redis_names.strategy_running(runner.number)
            if await cast("Any", self._parts.redis.hget(key, "worker_id")) == self._parts.worker_id.encode():
                await self._parts.redis.delete(key)
                await self._parts.bus.publish(event_bus.STRATEGY_STATUS, runner.want.owner, status)
        except (RedisError, OSError) as error:
            log.warning("status_not_forgotten", reason=str(error))

    async def _write(self, found: list[tuple[Runner, dict[str, Any]]], idle: list[Runner]) -> None:
        """What has changed of those that have, whole where it is not known what is there; of the others what may have.

        A hash that was not there any more has new fields now: it is written whole the next time.
        """
        whole: list[tuple[str, dict[str, str]]] = []
        parts: list[tuple[Runner, dict[str, str]]] = []
        for runner, status in found:
            texts = {name: _text(value) for name, value in status.items()}
            before, self._written[runner.number] = self._written.get(runner.number), texts
            if before is None:
                whole.append((redis_names.strategy_running(runner.number), texts))
            else:
                changes = {name: text for name, text in texts.items() if before[name] != text and name != "updated_at"}
                parts.append((runner, changes))
        for runner in idle:
            self._written.pop(runner.number, None)
            parts.append((runner, refreshed(runner, self._parts)))
        await self._write_whole(whole)
        await self._write_parts(parts)

    async def _write_whole(self, statuses: list[tuple[str, dict[str, str]]]) -> None:
        if not statuses:
            return
        async with self._parts.redis.pipeline(transaction=False) as pipe:
            for key, texts in statuses:
                pipe.hset(key, mapping=cast("Mapping[Any, Any]", texts))
                pipe.expire(key, TTL_SECONDS)
            await pipe.execute()

    async def _write_parts(self, changed: list[tuple[Runner, dict[str, str]]]) -> None:
        if not changed:
            return
        keys, given = [], [str(TTL_SECONDS), _iso(self._parts.clock.machine.now_ms())]
        for runner, fields in changed:
            keys.append(redis_names.strategy_running(runner.number))
            given.append(str(len(fields)))
            for pair in fields.items():
                given += pair
        added: list[int] = await self._refreshing(keys=keys, args=given)
        for runner, new in zip((runner for runner, _ in changed), added, strict=True):
            if new:
                runner.is_dirty = True
                self._written.pop(runner.number, None)


def _money(runner: Runner) -> dict[str, str]:
    engine, found = runner.engine, equity_of(runner)
    if engine is None or found is None:
        return dict.fromkeys(("current_price", *_MONEY), "")
    instrument, quantum = engine.instance.instrument, engine.instance.instrument.quote_quantum
    equity, realised, unrealised, fees = (to_wire(from_units(amount, quantum)) for amount in found)
    return {
        "current_price": to_wire(instrument.from_ticks(engine.books.last_ticks)),
        "realised": realised,
        "unrealised": unrealised,
        "fees": fees,
        "equity": equity,
        "position": to_wire(from_units(engine.books.result.base, instrument.base_quantum)),
    }


def _price(runner: Runner) -> dict[str, str]:
    """The price, and what it changes: nothing else where nothing is held."""
    engine = runner.engine
    if engine is None or runner.spec is None or engine.books.last_ticks <= 0:
        return {}
    if engine.books.result.base or engine.instance.instrument.base in dict(runner.spec.capital):
        return _money(runner)
    return {"current_price": to_wire(engine.instance.instrument.from_ticks(engine.books.last_ticks))}


def _text(value: object) -> str:
    if value is None:
        return ""
    return orjson.dumps(value).decode() if isinstance(value, dict) else str(value)


def _last_error(runner: Runner) -> str:
    engine = runner.engine
    if runner.last_error or engine is None:
        return runner.last_error
    return "" if engine.status.state == "running" else engine.status.last_error


def _iso(milliseconds: int) -> str:
    return utc_from_ms(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
