from __future__ import annotations

import asyncio
from itertools import pairwise

from core.background import LONGEST, REST, give_way, phase_of


class Clocked(asyncio.SelectorEventLoop):
    """A loop on which each look at the clock is so many seconds after the last."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._now = 0.0
        self._seconds = seconds

    def time(self) -> float:
        self._now += self._seconds
        return self._now


async def most_in_a_turn(works: int, pieces: int) -> int:
    """How many pieces of so many works are done between two turns of somebody else."""
    done: list[int] = []
    most = 0

    async def work(number: int) -> None:
        for _ in range(pieces):
            await give_way()
            done.append(number)

    async def watch() -> None:
        nonlocal most
        while True:
            before = len(done)
            await asyncio.sleep(0)
            most = max(most, len(done) - before)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*map(work, range(works)))
    watching.cancel()
    assert done == list(range(works)) * pieces, "they take turns"
    return most


def test_of_all_long_works_one_piece_is_done_at_a_time() -> None:
    with asyncio.Runner(loop_factory=lambda: Clocked(REST / 10)) as runner:
        assert runner.run(most_in_a_turn(works=3, pieces=10)) == 1


def test_works_that_wait_for_long_wait_for_each_other_no_more() -> None:
    with asyncio.Runner(loop_factory=lambda: Clocked(LONGEST)) as runner:
        assert runner.run(most_in_a_turn(works=5, pieces=10)) == 5


def test_one_that_is_cancelled_while_it_waits_takes_nobody_s_turn() -> None:
    done: list[str] = []

    async def work(name: str) -> None:
        await give_way()
        done.append(name)

    async def cancel_two() -> None:
        tasks = [asyncio.create_task(work(name)) for name in ("first", "second", "third")]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert done == ["third"]
        await work("fourth")

    with asyncio.Runner(loop_factory=lambda: Clocked(REST / 10)) as runner:
        runner.run(cancel_two())
    assert done == ["third", "fourth"], "the next one does not wait for them"


def test_each_loop_has_its_own_turns() -> None:
    async def leave_one_waiting() -> None:
        waiting = asyncio.create_task(give_way())
        await asyncio.sleep(0)
        waiting.cancel()

    async def go_on() -> str:
        await give_way()
        return "went on"

    asyncio.run(leave_one_waiting())
    assert asyncio.run(go_on()) == "went on"


def test_works_of_successive_numbers_spread_over_a_period() -> None:
    phases = sorted(phase_of(number) for number in range(1_000, 1_100))
    gaps = [after - before for before, after in pairwise([*phases, phases[0] + 1])]
    assert max(gaps) < 2 / 100
    assert 0 <= phases[0] <= phases[-1] < 1
