from __future__ import annotations

import gc
from dataclasses import dataclass, field

from structlog.testing import capture_logs

from core.config import WorkerSection
from tasks.host.memory import YOUNG, Lasting, MemoryBound

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
