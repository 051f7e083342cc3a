"""A follower ends at its target, or says why not, whatever happens on the way: to its orders, its process, its news."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import events
from domain.copying import follow
from domain.events import Event
from domain.order import CANCELLED, EXPIRED
from domain.outcome import Rejected
from tests.fakes.fake_orders import Lost
from tests.fakes.memory_journal import DOWN, UNKNOWN_KEPT, UNKNOWN_LOST
from tests.law_harness import BTCUSDT
from tests.property.engine_world import PARAMETERS, SYMBOL, World

EXHAUSTIVE = os.environ.get("ARES_HYPOTHESIS_PROFILE") == "exhaustive"
ANSWERS = some.sampled_from([None, Lost(kept=True), Lost(kept=False), Rejected("-2010 refused")])
TARGETS = some.sampled_from([0, 0, 1, -1, 4, 9, 10, -10, 20, 25, -25, 50, 100, -100, 200, -200])
COLLARS = some.sampled_from([0, 0, 3_000, 20_000])


class FollowerMachine(RuleBasedStateMachine):
    """One follower of one symbol, and anything that may happen to it."""

    world: World

    @initialize(can_short=some.booleans(), fee=some.sampled_from([0, 1_000]))
    def begin(self, can_short: bool, fee: int) -> None:
        self.world = World("copy", fee, can_short=can_short)
        self.world.parameters = PARAMETERS["copy"][0 if can_short else 1]
        self.told: list[Event] = []
        self.world.start()
        self.world.wait(1)

    def tell(self, target: Event) -> None:
        engine = self.world.engine
        if engine is not None:
            self.world.do(lambda: engine.put(target))

    @rule(lots=TARGETS, collar=COLLARS)
    def the_target_changes(self, lots: int, collar: int) -> None:
        price, version = self.world.price, len(self.told) + 1
        worst = {"high": price + collar, "low": price - collar} if collar else {}
        self.told.append(Event(events.TARGET, 0, lots=lots, cycle=version, **worst))
        self.tell(self.told[-1])

    @rule(place=some.integers(0, 50))
    def an_old_target_is_told_again(self, place: int) -> None:
        if self.told:
            self.tell(self.told[place % len(self.told)])

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

    @rule(is_dry=some.booleans())
    def market_orders_find_nobody_or_somebody_again(self, is_dry: bool) -> None:
        ticks = self.world.exchange.orders.market_ticks
        if is_dry:
            ticks.pop(SYMBOL, None)
        else:
            ticks[SYMBOL] = self.world.price

    @rule(percent=some.sampled_from([10, 50, 100]))
    def an_order_trades(self, percent: int) -> None:
        for order in self.world.exchange.live():
            lots = max((order.lots - order.filled) * percent // 100, 1)
            name, ticks = order.client_order_id, order.ticks or self.world.price
            self.world.do(lambda: self.world.exchange.orders.fill(name, lots, ticks))  # noqa: B023

    @rule(status=some.sampled_from([CANCELLED, EXPIRED]))
    def the_venue_ends_an_order(self, status: int) -> None:
        for order in self.world.exchange.live():
            name = order.client_order_id
            self.world.do(lambda: self.world.exchange.orders.expire(name, status))  # noqa: B023

    @rule()
    def a_lost_order_arrives(self) -> None:
        for name in list(self.world.exchange.orders._late):
            self.world.do(lambda: self.world.exchange.arrive_late(name))  # noqa: B023

    @rule(delta=some.sampled_from([-31_000, -2_000, 2_000, 31_000]))
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

    @rule(is_losing=some.booleans())
    def the_stream_loses_events(self, is_losing: bool) -> None:
        self.world.lose_events(is_losing)

    @rule(faults=some.lists(some.sampled_from([DOWN, UNKNOWN_KEPT, UNKNOWN_LOST]), min_size=1, max_size=3))
    def commits_break(self, faults: list[str]) -> None:
        self.world.journal.fail_next(*faults)

    @rule()
    def the_process_dies_and_another_comes(self) -> None:
        self.world.crash()
        self.world.start()

    @rule()
    def another_process_takes_over(self) -> None:
        self.world.take_over()

    @rule(verb=some.sampled_from([events.PAUSE, events.RESUME, events.RESUME]))
    def a_person_pauses_or_resumes(self, verb: int) -> None:
        self.world.tell(verb)

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
        """The faults stop, a worker tells the newest target once more, as every start does, and time passes."""
        world = self.world
        world.exchange.orders.market_ticks[SYMBOL] = world.price
        world.settle()
        for order in world.exchange.live():
            if not order.ticks:
                name = order.client_order_id
                world.do(lambda: world.exchange.orders.fill(name, ticks=world.price))  # noqa: B023
        if self.told:
            self.tell(self.told[-1])
        world.tell(events.RESUME)
        for _ in range(3):
            world.quiet(400)
            world.move(0)
        world.check_settled()
        self.check_converged()

    def check_converged(self) -> None:
        engine = self.world.engine
        assert engine is not None
        state = engine.instance.state
        target = self.told[-1].lots if self.told else 0
        assert (state[follow.VERSION], state[follow.TARGET]) == (len(self.told), target)
        missing = target * BTCUSDT.base_per_lot - engine.instance.position.lots
        if abs(missing) < BTCUSDT.base_per_lot:
            return
        resting = sum(order.side * (order.lots - order.filled) for order in self.world.exchange.live())
        if resting and abs(missing - resting * BTCUSDT.base_per_lot) < BTCUSDT.base_per_lot:
            return  # an entry that waits for the price to come back within its collar
        why = state[follow.WHY]
        assert why in (follow.TOO_SMALL, follow.NO_SHORT), f"{missing} quanta missing without a reason: {state}"
        if why == follow.TOO_SMALL:
            worth = abs(missing) // BTCUSDT.base_per_lot * self.world.price * BTCUSDT.tick_lot
            assert worth < 5 * 10**8 * 12 // 10, f"{missing} quanta are called too small"
        else:
            assert target < 0
            assert not self.world.exchange.capabilities.can_short


TestFollowerMachine = FollowerMachine.TestCase
TestFollowerMachine.settings = settings(
    max_examples=2_000 if EXHAUSTIVE else 40,
    stateful_step_count=60 if EXHAUSTIVE else 40,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
