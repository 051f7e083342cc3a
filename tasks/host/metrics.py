"""What a worker says of itself in figures."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import psutil
from prometheus_client.core import GaugeMetricFamily

from core.redis_names import strategy_lock
from tasks.host.host import EngineHost


@dataclass(slots=True)
class Census:
    """What the strategies of a worker come to."""

    states: Counter[str] = field(default_factory=Counter)
    fenced: int = 0
    held_back: int = 0


async def census(host: EngineHost) -> Census:
    """Count the strategies here, an account at a time: thousands in one go would hold up every order."""
    leases, found = host.parts.leases, Census()
    for account in list(host.accounts.values()):
        for runner in account.runners.values():
            found.states[runner.shown_state(is_leased=leases.is_good(strategy_lock(runner.number)))] += 1
            if runner.engine is not None:
                found.fenced += runner.engine.status.fenced
                found.held_back += len(runner.engine.status.held_back)
        await asyncio.sleep(0)
    return found


def families(host: EngineHost, counted: Census) -> list[GaugeMetricFamily]:
    """Gauges of this moment; names begin with `ares_`."""
    leases, machine = host.parts.leases, host.parts.clock.machine
    by_state = GaugeMetricFamily("ares_strategies", "Strategies here, by state", labels=["state"])
    for state, count in counted.states.items():
        by_state.add_metric([state], count)
    batches, written = host.parts.journal.counts()
    read_ns = host.desires.read_ns
    orders, alarms = 0, 0
    for account in host.accounts.values():
        if account.hub is not None:
            orders += account.hub.gateway.requests
            alarms += len(account.hub.gateway.alarms)
    plain = {
        "ares_accounts": ("Accounts here", len(host.accounts)),
        "ares_leases": ("Leases held", len(leases.held)),
        "ares_lease_shortest_seconds": (
            "Time until the first lease runs out",
            leases.shortest_ns() / 1e9,
        ),
        "ares_fenced": ("Strategies that found a newer owner", counted.fenced),
        "ares_held_back": ("Orders held back by a rule", counted.held_back),
        "ares_members": ("Live workers seen", len(host.claims.members)),
        "ares_wanted": ("Strategies that somebody has to run", len(host.desires.wants)),
        "ares_commands_waiting": ("Commands without an outcome", sum(map(len, host.desires.waiting.values()))),
        "ares_loop_lag_ms": ("How late the loop wakes", host.loop_lag_ms),
        "ares_database_age_seconds": (
            "Since the last look at what is wanted",
            (machine.steady_ns() - read_ns) / 1e9 if read_ns else -1,
        ),
        "ares_journal_batches": ("Transactions of the journal", batches),
        "ares_journal_written": ("Requests the journal has kept", written),
        "ares_order_requests": ("Requests about orders that have been sent", orders),
        "ares_alarms": ("Orders that were never seen by a venue", alarms),
        "ares_statuses_published": ("Statuses written", host.publisher.published),
        "ares_memory_bytes": ("Resident memory", psutil.Process().memory_info().rss),
        "ares_killed": ("Whether this worker's own kill switch is on", int(bool(host.killed_here))),
    }
    singles = [GaugeMetricFamily(name, words, value=value) for name, (words, value) in plain.items()]
    return [by_state, *singles]
