"""The engine under everything at once: losses, rejections, partial fills, deaths, takeovers, outages, edits."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import events
from domain.order import CANCELLED, EXPIRED
from domain.outcome import Rejected
from tests.fakes.fake_orders import Lost
from tests.fakes.memory_journal import DOWN, UNKNOWN_KEPT, UNKNOWN_LOST
from tests.property.engine_world import SYMBOL, World

EXHAUSTIVE = os.environ.get("ARES_HYPOTHESIS_PROFILE") == "exhaustive"
ANSWERS = some.sampled_from([None, Lost(kept=True), Lost(kept=False), Rejected("-2010 refused")])
INDEX = some.integers(0, 9)


class EngineMachine(RuleBasedStateMachine):
    """One instance, one venue, one journal, and anything that may happen to them."""

    world: World

    @initialize(kind=some.sampled_from(["grid", "trailing_grid"]), fee=some.sampled_from([0, 1_000]))
    def begin(self, kind: str, fee: int) -> None:
        self.world = World(kind, fee)
        self.world.start()
        self.world.wait(1)

    @rule(count=some.integers(1, 6))
    def a_few_steps_of_the_loop(self, count: int) -> None:
        self.world.ticks(count)

    @rule(seconds=some.sampled_from([0.01, 0.6, 2.0, 15.0, 70.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule(answers=some.lists(ANSWERS, min_size=1, max_size=3))
    def the_next_placements_end_so(self, answers: list[Rejected | Lost | None]) -> None:
        self.world.exchange.orders.next_places(*answers)

    @rule(answers=some.lists(ANSWERS, min_size=1, max_size=3))
    def the_next_cancels_end_so(self, answers: list[Rejected | Lost | None]) -> None:
        self.world.exchange.orders.next_cancels(*answers)

    @rule(index=INDEX, percent=some.sampled_from([10, 50, 100, 100]))
    def an_order_trades(self, index: int, percent: int) -> None:
        live = self.world.exchange.live()
        if live:
            order = live[index % len(live)]
            lots = max((order.lots - order.filled) * percent // 100, 1)
            self.world.do(lambda: self.world.exchange.orders.fill(order.client_order_id, lots))

    @rule(index=INDEX, status=some.sampled_from([CANCELLED, EXPIRED]))
    def the_venue_ends_an_order(self, index: int, status: int) -> None:
        live = self.world.exchange.live()
        if live:
            name = live[index % len(live)].client_order_id
            self.world.do(lambda: self.world.exchange.orders.expire(name, status))

    @rule(index=INDEX)
    def a_lost_order_arrives(self, index: int) -> None:
        names = list(self.world.exchange.orders._late)
        if names:
            name = names[index % len(names)]
            self.world.do(lambda: self.world.exchange.arrive_late(name))

    @rule(delta=some.sampled_from([-90_000, -31_000, -7_000, 7_000, 31_000, 90_000, 150_000]))
    def the_price_moves(self, delta: int) -> None:
        self.world.move(delta)

    @rule(is_holding=some.booleans())
    def answers_are_held(self, is_holding: bool) -> None:
        self.world.do(lambda: self.world.exchange.orders.hold_answers(is_holding))

    @rule()
    def events_are_held(self) -> None:
        self.world.do(self.world.exchange.users.hold)

    @rule(seed=some.integers(0, 1_000))
    def events_come_mixed_and_doubled(self, seed: int) -> None:
        self.world.release_events(seed)

    @rule(count=some.integers(1, 40))
    def old_events_come_again(self, count: int) -> None:
        self.world.do(lambda: self.world.exchange.users.replay(count))

    @rule(is_losing=some.booleans())
    def the_stream_loses_events(self, is_losing: bool) -> None:
        self.world.lose_events(is_losing)

    @rule(times=some.integers(1, 4))
    def reads_fail(self, times: int) -> None:
        self.world.exchange.fail_reads(times)

    @rule(times=some.integers(1, 5))
    def queries_deny_what_exists(self, times: int) -> None:
        self.world.exchange.orders.denials = times

    @rule(faults=some.lists(some.sampled_from([DOWN, UNKNOWN_KEPT, UNKNOWN_LOST]), min_size=1, max_size=3))
    def commits_break(self, faults: list[str]) -> None:
        self.world.journal.fail_next(*faults)

    @rule(is_down=some.booleans())
    def the_journal_goes_down_or_comes_back(self, is_down: bool) -> None:
        self.world.journal.is_down = is_down

    @rule()
    def the_process_dies_and_another_comes(self) -> None:
        self.world.crash()
        self.world.start()

    @rule()
    def another_process_takes_over(self) -> None:
        self.world.take_over()

    @rule()
    def the_instance_is_let_go_and_taken_up_again(self) -> None:
        self.world.restart_in_place()

    @rule(verb=some.sampled_from([events.PAUSE, events.RESUME, events.RESUME]))
    def a_person_pauses_or_resumes(self, verb: int) -> None:
        self.world.tell(verb)

    @rule(number=some.integers(0, 2))
    def a_person_edits(self, number: int) -> None:
        self.world.edit(number)

    @invariant()
    def what_must_always_hold(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.end()
        finally:
            self.world.close()

    def end(self) -> None:
        world = self.world
        world.settle()
        world.check_settled()
        is_flattening = len(world.exchange.orders.placed) % 2 == 0
        world.exchange.orders.market_ticks[SYMBOL] = world.price
        world.tell(events.FLATTEN if is_flattening else events.STOP)
        world.quiet(120)
        world.check_settled()
        if is_flattening:
            world.check_flat()
        else:
            world.check_stopped()


TestEngineMachine = EngineMachine.TestCase
TestEngineMachine.settings = settings(
    max_examples=2_000 if EXHAUSTIVE else 60,
    stateful_step_count=60 if EXHAUSTIVE else 40,
    phases=[Phase.explicit, Phase.generate],  # cutting a run down takes the machine long; see engine_soak.cut_down
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
