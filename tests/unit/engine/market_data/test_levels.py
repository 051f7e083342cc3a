from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from domain.events import PRICE, TIMER
from engine.market_data.levels import LevelIndex, Watcher
from engine.market_data.timers import Timers


@dataclass
class Bench:
    """An index, its timers, and a list of who was woken."""

    index: LevelIndex = field(default_factory=LevelIndex)
    timers: Timers = field(default_factory=Timers)
    woken: list[tuple[int, int, int, int]] = field(default_factory=list)

    def watcher(self, name: int) -> Watcher:
        return Watcher(
            self.index, self.timers, lambda kind, ticks, time_ms: self.woken.append((name, kind, ticks, time_ms))
        )


def test_a_price_between_the_levels_wakes_nobody() -> None:
    bench = Bench()
    bench.watcher(1).arm(above=110, below=90)
    assert bench.index.tick(100, 1) == 0
    assert bench.woken == []


def test_reaching_a_level_exactly_wakes_once_until_it_is_armed_again() -> None:
    bench = Bench()
    watcher = bench.watcher(1)
    watcher.arm(above=110, below=90)
    assert bench.index.tick(110, 7) == 1
    assert bench.index.tick(111, 8) == 0
    assert bench.index.tick(90, 9) == 1, "the other level still stands"
    assert bench.woken == [(1, PRICE, 110, 7), (1, PRICE, 90, 9)]
    watcher.arm(above=90)
    assert bench.index.tick(95, 10) == 1, "a level already passed counts from the next price on"


def test_who_waits_for_any_price_is_woken_by_the_next_one_only() -> None:
    bench = Bench()
    bench.watcher(1).arm(any_price=True)
    assert bench.index.tick(5, 1) == 1
    assert bench.index.tick(6, 2) == 0


def test_a_level_that_was_moved_away_wakes_nobody() -> None:
    bench = Bench()
    watcher = bench.watcher(1)
    watcher.arm(above=110)
    watcher.arm(above=120)
    assert bench.index.tick(115, 1) == 0
    watcher.arm()
    assert bench.index.tick(1_000, 2) == 0
    assert len(bench.index) == 0


def test_one_price_wakes_each_watcher_once_even_when_both_of_its_levels_are_reached() -> None:
    bench = Bench()
    bench.watcher(1).arm(above=90, below=110, any_price=True)
    assert bench.index.tick(100, 1) == 1


def test_a_watcher_that_fails_does_not_keep_the_others_asleep() -> None:
    bench = Bench()

    def fail(kind: int, ticks: int, time_ms: int) -> None:
        raise ValueError("broken instance")

    Watcher(bench.index, bench.timers, fail).arm(above=10)
    bench.watcher(2).arm(above=11)
    assert bench.index.tick(12, 1) == 2
    assert [name for name, *_ in bench.woken] == [2]
    assert bench.index.failures == 1


def test_a_watcher_may_arm_again_while_it_is_woken() -> None:
    index, timers, seen = LevelIndex(), Timers(), list[int]()

    def wake(kind: int, ticks: int, time_ms: int) -> None:
        seen.append(ticks)
        watcher.arm(above=ticks)

    watcher = Watcher(index, timers, wake)
    watcher.arm(above=10)
    for ticks in (10, 11, 12):
        index.tick(ticks, 1)
    assert seen == [10, 11, 12]


def test_moving_levels_ten_thousand_times_does_not_fill_the_memory() -> None:
    bench = Bench()
    watchers = [bench.watcher(number) for number in range(10)]
    for turn in range(1_000):
        for watcher in watchers:
            watcher.arm(above=1_000 + turn, below=1 + turn % 500, wake_ms=10_000 + turn)
    assert len(bench.index._above) < 200
    assert len(bench.index._below) < 200
    assert len(bench.timers._heap) < 200


def test_moments_come_in_order_and_once() -> None:
    bench = Bench()
    for name, wake_ms in ((1, 300), (2, 100), (3, 200)):
        bench.watcher(name).arm(wake_ms=wake_ms)
    assert bench.timers.next_ms() == 100
    assert bench.timers.run_due(250) == 2
    assert bench.timers.run_due(250) == 0
    assert [(name, kind) for name, kind, *_ in bench.woken] == [(2, TIMER), (3, TIMER)]
    assert bench.timers.next_ms() == 300


def test_a_moment_that_was_put_off_does_not_come_early() -> None:
    bench = Bench()
    watcher = bench.watcher(1)
    watcher.arm(wake_ms=100)
    watcher.arm(wake_ms=200)
    assert bench.timers.run_due(150) == 0
    assert bench.timers.run_due(200) == 1
    assert len(bench.timers) == 0


LEVEL = st.integers(0, 30)
ARM = st.tuples(st.just("arm"), st.integers(0, 7), LEVEL, LEVEL, st.booleans(), st.integers(0, 40))
TICK = st.tuples(st.just("tick"), st.integers(1, 30))
TIME = st.tuples(st.just("time"), st.integers(1, 40))


@given(st.lists(st.one_of(ARM, TICK, TIME), max_size=120))
def test_the_index_wakes_exactly_whom_a_look_at_everyone_would_wake(steps: list[tuple[object, ...]]) -> None:
    bench = Bench()
    watchers = [bench.watcher(name) for name in range(8)]
    plain: dict[int, list[int]] = {name: [0, 0, 0, 0] for name in range(8)}
    for step in steps:
        bench.woken.clear()
        match step:
            case ("arm", int(name), int(above), int(below), bool(alert), int(wake_ms)):
                watchers[name].arm(above, below, wake_ms, any_price=alert)
                plain[name] = [above, below, int(alert), wake_ms]
                assert bench.woken == []
            case ("tick", int(ticks)):
                bench.index.tick(ticks, 1)
                expected = _reached(plain, ticks)
                assert sorted(name for name, *_ in bench.woken) == expected
            case ("time", int(now_ms)):
                bench.timers.run_due(now_ms)
                due = sorted(name for name, (*_, wake_ms) in plain.items() if 0 < wake_ms <= now_ms)
                assert sorted(name for name, *_ in bench.woken) == due
                for name in due:
                    plain[name][3] = 0
    assert len(bench.index) == sum((above > 0) + (below > 0) for above, below, *_ in plain.values())


def _reached(plain: dict[int, list[int]], ticks: int) -> list[int]:
    """Brute force: who is concerned, and what they then no longer wait for."""
    found = []
    for name, waits in plain.items():
        above, below, alert, _ = waits
        hits = (0 < above <= ticks, below >= ticks and below > 0)
        if alert or any(hits):
            found.append(name)
        waits[0], waits[1], waits[2] = above * (not hits[0]), below * (not hits[1]), 0
    return sorted(found)
