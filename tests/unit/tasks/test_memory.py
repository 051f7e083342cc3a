from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass, field

from structlog.testing import capture_logs

from core.config import WorkerSection
from tasks.host.memory import LONGEST_HELD_NS, REST_SECONDS, YOUNG, YOUNGER, Lasting, MemoryBound
from tests.fakes.virtual_time import in_virtual_time

MEBIBYTE = 1024 * 1024


@dataclass
class Process:
    """A process whose age and size are what a test says, and that counts how often it was asked to end."""

    seconds: float = 1_000.0
    megabytes: int = 100
    asked: list[float] = field(default_factory=list)

    def now_ms(self) -> int:
        return round(self.seconds * 1_000)

    def steady_ns(self) -> int:
        return round(self.seconds * 1_000_000_000)

    def bound(self, most: int) -> MemoryBound:
        settings = WorkerSection(most_memory_mb=most, memory_rest_seconds=600)
        return MemoryBound(
            settings, self, lambda: self.megabytes * MEBIBYTE, lambda: self.asked.append(self.seconds)
        )  # fmt: skip


def test_a_worker_that_takes_more_memory_than_it_may_is_asked_to_end_once() -> None:
    process = Process()
    bound = process.bound(200)
    process.seconds += 601
    assert not bound.look()
    process.megabytes = 201
    with capture_logs() as logs:
        assert bound.look()
    assert process.asked == [1_601]
    assert [(one["event"], one["megabytes"], one["most"]) for one in logs] == [("memory_bound_reached", 201, 200)]


def test_a_worker_that_has_just_begun_is_left_alone() -> None:
    process = Process(megabytes=300)
    bound = process.bound(200)
    process.seconds += 599
    with capture_logs() as logs:
        assert not bound.look()
        assert not bound.look()
    assert [one["event"] for one in logs] == ["memory_bound_too_small"]
    process.seconds += 2
    assert bound.look()
    assert len(process.asked) == 1


def test_without_a_bound_nobody_is_asked_to_end() -> None:
    process = Process(megabytes=1_000_000)
    bound = process.bound(0)
    process.seconds += 10_000
    assert not bound.look()
    assert process.asked == []


def test_what_a_long_look_for_garbage_found_alive_is_spared_from_then_on_and_short_looks_go_on() -> None:
    process, spared = Process(), []
    lasting = Lasting(process, lambda: spared.append(process.seconds))
    lasting.start()
    try:
        assert lasting.note in gc.callbacks
        assert len(spared) == 1, "programs and tables"
        for generation, seconds, count in ((0, 1.0, 1), (2, 0.001, 1), (2, 0.3, 2), (2, 0.002, 2)):
            lasting.note("start", {"generation": generation})
            process.seconds += seconds
            lasting.note("stop", {"generation": generation})
            assert len(spared) == count
    finally:
        lasting.stop()
    assert lasting.note not in gc.callbacks
    assert gc.get_threshold()[0] < YOUNG


@in_virtual_time
async def test_garbage_lies_while_something_is_urgent_and_is_looked_for_a_moment_after() -> None:
    process = Process()
    lasting = Lasting(process, lambda: None)
    lasting.start()
    try:
        lasting.hold_off(True)
        process.seconds += 1
        lasting.hold_off(False)
        await asyncio.sleep(REST_SECONDS / 2)
        assert not gc.isenabled(), "most of it is gone by itself in a moment"
        lasting.hold_off(True)
        await asyncio.sleep(2 * REST_SECONDS)
        assert not gc.isenabled(), "something else is urgent meanwhile"
        lasting.hold_off(False)
        await asyncio.sleep(2 * REST_SECONDS)
        assert gc.isenabled()
    finally:
        lasting.stop()


@in_virtual_time
async def test_garbage_lies_for_seconds_at_most_where_one_urgent_thing_follows_another() -> None:
    process = Process()
    lasting = Lasting(process, lambda: None)
    lasting.start()
    looks: list[str] = []
    gc.callbacks.append(lambda phase, about: looks.append(phase) if about["generation"] == YOUNGER else None)
    try:
        for _ in range(2 * LONGEST_HELD_NS // 1_000_000_000):
            lasting.hold_off(True)
            process.seconds += 1
            lasting.hold_off(False)
        assert looks == ["start", "stop"] * 2
        lasting.hold_off(True)
    finally:
        gc.callbacks.pop()
        lasting.stop()
    assert gc.isenabled(), "a host that ends in the middle leaves the collector as it was"
    await asyncio.sleep(2 * REST_SECONDS)
    assert looks == ["start", "stop"] * 2
