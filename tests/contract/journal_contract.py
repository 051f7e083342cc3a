"""What every journal has to do. A test class of a journal inherits `JournalContract` and gives the `bench` fixture."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from core.base_journal import (
    REBUILT,
    BaseJournal,
    Conflict,
    Fenced,
    RiskMetrics,
    Step,
    Stored,
    StoredState,
    UnitsChanged,
)
from domain.client_order_id import OrderKey, encode
from domain.fill import Fill
from domain.ledger import Entry, TradeLine, cash, trade_entry
from domain.order import BUY, CANCELLED, EXIT, FILLED, LIMIT, OPEN, SELL, Order
from tests.law_harness import BTCUSDT

#: Instances 1 to 3 trade on account 1, instance 4 on account 2.
ACCOUNTS = {1: 1, 2: 1, 3: 1, 4: 2}


@dataclass
class JournalBench:
    """A journal with the instances of `ACCOUNTS`, and what a test may do beside it."""

    journal: BaseJournal
    #: A person resets an instance: a new generation from scratch.
    reset: Callable[[int], None]


def order(
    instance: int = 1, slot: int = 1, cycle: int = 0, attempt: int = 0, generation: int = 0, **more: Any
) -> Order:
    """A limit order to buy, 0.001 BTC at 60,000."""
    key = OrderKey(1, instance, generation, slot, cycle, 0, attempt)
    return Order(key, encode(key), "BTCUSDT", BUY, LIMIT, 6_000_000, 100)._replace(**more)


def ended(of: Order, updated_ms: int = 5_000) -> Order:
    """The order executed and booked."""
    return of._replace(status=FILLED, filled=of.lots, booked=of.lots, updated_ms=updated_ms)


def exit_of(of: Order) -> Order:
    """The order that sells in the same cycle."""
    key = of.key._replace(leg=EXIT)
    return of._replace(key=key, client_order_id=encode(key), side=SELL)


def fill(of: Order, trade_id: str = "77", lots: int = 100, time_ms: int = 1_767_225_600_123, **more: Any) -> Fill:
    """An execution of an order."""
    made = Fill(of.symbol, trade_id, of.client_order_id, of.side, of.ticks, lots, 100, "BTC", True, time_ms)
    return made._replace(**more)


def entry_of(one: Fill, instance: int) -> Entry:
    """The ledger entry of a fill."""
    base, quote = one.side * one.lots * 1_000, -one.side * one.lots * one.ticks * 10
    name, owner = f"{one.symbol}:{one.trade_id}", cash(instance)
    return trade_entry(TradeLine(name, one.time_ms, owner, "BTC", base, "USDT", quote, one.fee, one.fee_asset, owner))


def step(instance: int = 1, epoch: int = 0, **parts: Any) -> Step:
    """A step of an instance; parts that are not given are empty."""
    given = {"intents": [], "cancels": [], "orders": [], "fills": [], "entries": [], **parts}
    given.setdefault("reasons", [7] * len(given["intents"]))
    return Step(instance, epoch, **given)


def filled_step(of: Order, one: Fill, epoch: int = 0, **parts: Any) -> Step:
    """A fill with all that belongs to it: order, entry."""
    lots = of.booked + one.lots
    after = of._replace(status=FILLED if lots == of.lots else OPEN, filled=lots, booked=lots, updated_ms=one.time_ms)
    instance = of.key.instance
    given = {"orders": [after], "fills": [one], "entries": [entry_of(one, instance)], **parts}
    return step(instance, epoch, **given)


class JournalContract:
    """The tests."""

    async def test_a_step_comes_back_as_it_was_kept(self, bench: JournalBench) -> None:
        first, second = order(slot=1), order(slot=2, reduce_only=True)
        state, metrics = StoredState([1, -2, 2**62], [0.1, -1e-300, 1 / 3]), RiskMetrics(1, 20_000, -5, 3, 2, 1, 99_000)
        await bench.journal.commit(step(intents=[first, second], reasons=[4, 5], state=state, metrics=metrics))
        stored = await bench.journal.load(1)
        assert stored == Stored(state, [first, second], [], [], metrics)

    async def test_the_highest_attempt_that_was_taken_over_from_the_venue_is_told(self, bench: JournalBench) -> None:
        taken = [order(slot=1), order(slot=2, attempt=5)]
        await bench.journal.commit(step(intents=taken, reasons=[REBUILT, REBUILT]))
        await bench.journal.commit(step(intents=[order(slot=3, attempt=70)]))
        assert (await bench.journal.load(1)).taken_over == 5
        assert (await bench.journal.load(2)).taken_over == -1

    async def test_the_time_of_a_commit_is_machine_time(self, bench: JournalBench) -> None:
        before = await bench.journal.commit(step())
        after = await bench.journal.commit(step())
        assert 1_600_000_000_000 < before <= after

    async def test_an_instance_that_never_stepped_has_nothing(self, bench: JournalBench) -> None:
        assert await bench.journal.load(3) == Stored(None, [], [], [], None)

    async def test_floats_read_back_as_themselves(self, bench: JournalBench) -> None:
        memory = [0.1 + 0.2, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, -0.0, 1.0]
        await bench.journal.commit(step(state=StoredState([], [*memory, math.nan])))
        stored = (await bench.journal.load(1)).state
        assert stored is not None
        assert [repr(value) for value in stored.memory] == [repr(value) for value in [*memory, math.nan]]

    async def test_a_large_state_and_numbers_beyond_64_bits_are_kept(self, bench: JournalBench) -> None:
        state = StoredState([2**70, *range(-20_000, 20_000)], [])
        of = order()
        huge = fill(of, fee=10**25)
        await bench.journal.commit(step(intents=[of]))
        await bench.journal.commit(filled_step(of, huge, state=state))
        stored = await bench.journal.load(1)
        assert stored.state == state
        assert stored.fills == [huge]
        assert stored.entries == [entry_of(huge, 1)]

    async def test_a_fill_and_its_paired_order_are_one_step(self, bench: JournalBench) -> None:
        bought = order(slot=1)
        await bench.journal.commit(step(intents=[bought]))
        one, paired = fill(bought), order(slot=1, cycle=1)
        await bench.journal.commit(filled_step(bought, one, intents=[paired], state=StoredState([5], [])))
        stored = await bench.journal.load(1)
        assert stored.orders == [paired]
        assert stored.fills == [one]
        assert stored.entries == [entry_of(one, 1)]

    async def test_parts_that_are_empty_leave_what_is_there(self, bench: JournalBench) -> None:
        state, metrics = StoredState([1], [0.5]), RiskMetrics(1, 3, 1, 1, 1, 0, 0)
        await bench.journal.commit(step(state=state, metrics=metrics))
        await bench.journal.commit(step(intents=[order()]))
        stored = await bench.journal.load(1)
        assert (stored.state, stored.metrics) == (state, metrics)

    async def test_the_metrics_of_the_newest_day_are_loaded(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(metrics=RiskMetrics(1, 3, 1, 1, 1, 0, 0)))
        for realised in (7, 8):
            await bench.journal.commit(step(metrics=RiskMetrics(1, 4, realised, 1, 1, 0, 0)))
        assert (await bench.journal.load(1)).metrics == RiskMetrics(1, 4, 8, 1, 1, 0, 0)

    async def test_instances_do_not_see_one_another(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(2, intents=[order(2)], state=StoredState([9], [])))
        assert await bench.journal.load(1) == Stored(None, [], [], [], None)

    async def test_each_owner_gets_the_next_epoch(self, bench: JournalBench) -> None:
        assert [await bench.journal.raise_epoch(1, owner) for owner in ("a", "b", "a")] == [1, 2, 3]
        assert await bench.journal.raise_epoch(2, "a") == 1

    async def test_owners_who_ask_at_once_get_different_epochs(self, bench: JournalBench) -> None:
        epochs = await asyncio.gather(*(bench.journal.raise_epoch(1, f"worker-{n}") for n in range(5)))
        assert sorted(epochs) == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize("epoch", [0, 1, 3])
    async def test_only_the_newest_epoch_may_journal(self, bench: JournalBench, epoch: int) -> None:
        await bench.journal.raise_epoch(1, "a")
        await bench.journal.raise_epoch(1, "b")
        with pytest.raises(Fenced):
            await bench.journal.commit(step(epoch=epoch, intents=[order()], state=StoredState([1], [])))
        assert await bench.journal.load(1) == Stored(None, [], [], [], None, 2)
        await bench.journal.commit(step(epoch=2, intents=[order()]))

    async def test_a_bad_step_fails_alone(self, bench: JournalBench) -> None:
        await bench.journal.raise_epoch(2, "someone else")
        await bench.journal.commit(step(3, intents=[order(3)]))
        results = await asyncio.gather(
            bench.journal.commit(step(1, intents=[order(1)])),
            bench.journal.commit(step(2, intents=[order(2)])),
            bench.journal.commit(step(3, intents=[order(3)])),
            bench.journal.commit(step(4, intents=[order(4)])),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [int, Fenced, Conflict, int]
        assert (await bench.journal.load(2)).orders == []

    async def test_an_intent_is_journaled_once(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(intents=[order()]))
        ended = order(status=CANCELLED)
        with pytest.raises(Conflict):
            await bench.journal.commit(step(orders=[ended], intents=[order()]))
        assert (await bench.journal.load(1)).orders == [order()]

    async def test_a_slot_never_has_two_live_orders(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(intents=[order()]))
        with pytest.raises(Conflict):
            await bench.journal.commit(step(intents=[order(attempt=1)]))
        with pytest.raises(Conflict):
            await bench.journal.commit(step(intents=[order(slot=5), order(slot=5, attempt=1)]))
        ended = order(status=CANCELLED, updated_ms=5)
        await bench.journal.commit(step(orders=[ended], intents=[order(attempt=1)]))
        assert (await bench.journal.load(1)).orders == [order(attempt=1)]

    async def test_a_slot_stays_locked_until_every_executed_lot_is_booked(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(intents=[order()]))
        await bench.journal.commit(step(orders=[order(status=CANCELLED, filled=40, booked=10)]))
        with pytest.raises(Conflict):
            await bench.journal.commit(step(intents=[order(attempt=1)]))
        await bench.journal.commit(step(orders=[order(status=CANCELLED, filled=40, booked=40)]))
        await bench.journal.commit(step(intents=[order(attempt=1)]))

    async def test_an_execution_that_shows_up_late_does_not_lock_the_slot_again(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(intents=[order()]))
        await bench.journal.commit(step(orders=[order(status=CANCELLED)], intents=[order(attempt=1)]))
        late = order(status=CANCELLED, filled=10, booked=0)
        await bench.journal.commit(step(orders=[late]))
        assert (await bench.journal.load(1)).orders == [late, order(attempt=1)]
        await bench.journal.commit(step(orders=[order(attempt=1, status=CANCELLED)], intents=[order(attempt=2)]))

    async def test_an_order_without_an_intent_cannot_be_updated(self, bench: JournalBench) -> None:
        with pytest.raises(Conflict):
            await bench.journal.commit(step(orders=[order(status=OPEN)]))
        assert (await bench.journal.load(1)).orders == []

    async def test_orders_of_others_and_orders_with_a_wrong_name_are_refused(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(2, intents=[order(2)]))
        for wrong in (
            step(1, orders=[order(2, status=CANCELLED)]),
            step(1, intents=[order(1, client_order_id=order(1, slot=9).client_order_id)]),
            step(1, intents=[order(1)], reasons=[]),
        ):
            with pytest.raises(Conflict):
                await bench.journal.commit(wrong)
        assert (await bench.journal.load(2)).orders == [order(2)]

    async def test_the_last_order_of_a_slot_is_loaded_complete_or_not(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(intents=[order(slot=1), order(slot=2)]))
        ended = order(slot=1, status=CANCELLED, updated_ms=1_767_225_600_456, venue_order_id="81")
        await bench.journal.commit(step(orders=[ended]))
        assert (await bench.journal.load(1)).orders == [ended, order(slot=2)]

    async def test_a_reset_leaves_only_what_is_not_complete(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(intents=[order(slot=1), order(slot=2)]))
        await bench.journal.commit(step(orders=[order(slot=1, status=CANCELLED)]))
        bench.reset(1)
        await bench.journal.commit(step(intents=[order(slot=3, generation=1)]))
        assert (await bench.journal.load(1)).orders == [order(slot=2), order(slot=3, generation=1)]

    async def test_a_step_without_intents_may_be_kept_twice(self, bench: JournalBench) -> None:
        of = order()
        await bench.journal.commit(step(intents=[of]))
        one = filled_step(of, fill(of), state=StoredState([3], []))
        await bench.journal.commit(one)
        once = await bench.journal.load(1)
        await bench.journal.commit(one)
        assert await bench.journal.load(1) == once

    async def test_what_is_booked_is_never_booked_otherwise(self, bench: JournalBench) -> None:
        of, other = order(), order(2)
        await bench.journal.commit(step(intents=[of]))
        await bench.journal.commit(step(2, intents=[other]))
        await bench.journal.commit(filled_step(of, fill(of, lots=50)))
        changed = fill(of, lots=60)
        for wrong in (
            step(fills=[changed]),
            step(entries=[entry_of(changed, 1)]),
            step(2, fills=[fill(other, lots=50)]),
            step(2, entries=[entry_of(fill(other, lots=50), 2)]),
        ):
            with pytest.raises(Conflict):
                await bench.journal.commit(wrong)
        assert (await bench.journal.load(1)).fills == [fill(of, lots=50)]
        assert (await bench.journal.load(2)).fills == []

    async def test_accounts_have_trade_ids_of_their_own(self, bench: JournalBench) -> None:
        for instance in (1, 4):
            of = order(instance)
            await bench.journal.commit(step(instance, intents=[of]))
            await bench.journal.commit(filled_step(of, fill(of)))
        assert (await bench.journal.load(4)).fills == [fill(order(4))]

    async def test_a_repeated_fill_comes_with_a_new_one(self, bench: JournalBench) -> None:
        of = order()
        first, second = fill(of, "9", 30), fill(of, "10", 70)
        await bench.journal.commit(step(intents=[of]))
        await bench.journal.commit(filled_step(of, first))
        await bench.journal.commit(
            step(fills=[first, second], entries=[entry_of(first, 1), entry_of(second, 1)], state=StoredState([1], []))
        )
        stored = await bench.journal.load(1)
        assert stored.fills == [first, second]
        assert len(stored.entries) == 2

    async def test_the_watermark_is_the_newest_trade(self, bench: JournalBench) -> None:
        assert await bench.journal.watermark(1, "BTCUSDT") == ""
        of = order()
        await bench.journal.commit(step(intents=[of]))
        for trade_id, time_ms in (("9", 5_000), ("10", 5_000), ("11", 4_000)):
            await bench.journal.commit(step(fills=[fill(of, trade_id, 1, time_ms)]))
        assert await bench.journal.watermark(1, "BTCUSDT") == "10"
        assert await bench.journal.watermark(1, "ETHUSDT") == ""
        assert await bench.journal.watermark(2, "BTCUSDT") == ""

    async def test_what_an_account_s_instances_held_before_a_time_is_told_by_instance(
        self, bench: JournalBench
    ) -> None:
        for instance, lots, time_ms, side in (
            (1, 100, 5_000, 1),
            (1, 30, 6_000, -1),
            (2, 7, 5_000, -1),
            (4, 9, 5_000, 1),
        ):
            await bench.journal.pin_units(instance, BTCUSDT)
            of = order(instance, slot=time_ms)
            await bench.journal.commit(step(instance, intents=[of]))
            made = fill(of, f"{instance}{time_ms}", lots, time_ms, side=side)
            await bench.journal.commit(filled_step(of, made))
        lot = BTCUSDT.base_per_lot
        assert await bench.journal.held_before(3, "BTCUSDT", 6_000) == {1: 100 * lot, 2: -7 * lot}
        assert await bench.journal.held_before(2, "BTCUSDT", 6_001) == {1: 70 * lot, 2: -7 * lot}
        assert await bench.journal.held_before(1, "BTCUSDT", 5_000) == {}
        assert await bench.journal.held_before(1, "ETHUSDT", 6_001) == {}

    async def test_it_tells_which_intents_it_has(self, bench: JournalBench) -> None:
        mine, never, other = order(slot=1), order(slot=2), order(2)
        await bench.journal.commit(step(intents=[mine]))
        await bench.journal.commit(step(2, intents=[other]))
        names = [mine.client_order_id, never.client_order_id, other.client_order_id]
        assert await bench.journal.has_intents(1, names) == {mine.client_order_id}
        assert await bench.journal.has_intents(1, []) == set()

    async def test_it_tells_who_holds_something_on_an_account_and_the_newest_epoch(self, bench: JournalBench) -> None:
        for instance, side, number in ((1, 1, "1"), (2, 1, "2"), (2, -1, "3"), (4, 1, "4")):
            of = order(instance, cycle=int(number))
            await bench.journal.commit(step(instance, intents=[of]))
            await bench.journal.commit(filled_step(of, fill(of, number, side=side)))
        assert await bench.journal.holders(1) == {1: "BTCUSDT"}
        assert await bench.journal.holders(2) == {4: "BTCUSDT"}
        assert (await bench.journal.load(1)).epoch == 0
        assert (await bench.journal.load(1)).epoch == await bench.journal.raise_epoch(1, "somebody") - 1

    async def test_it_finds_orders_by_name_however_old(self, bench: JournalBench) -> None:
        first, second, other = order(), order(cycle=1), order(2)
        await bench.journal.commit(step(intents=[first]))
        await bench.journal.commit(step(orders=[ended(first)], intents=[second]))
        await bench.journal.commit(step(2, intents=[other]))
        names = [first.client_order_id, order(slot=9).client_order_id, other.client_order_id]
        assert await bench.journal.find_orders(1, names) == [ended(first)]
        assert await bench.journal.find_orders(1, []) == []

    async def test_intents_written_after_the_fact_take_no_slot_and_the_last_of_them_is_the_slots(
        self, bench: JournalBench
    ) -> None:
        past = [ended(one, time_ms) for time_ms, one in enumerate((order(), exit_of(order()), order(cycle=1)), 1_000)]
        await bench.journal.commit(step(intents=past))
        assert (await bench.journal.load(1)).orders == past[2:]
        await bench.journal.commit(step(intents=[exit_of(order(cycle=1))]))
        assert (await bench.journal.load(1)).orders == [exit_of(order(cycle=1))]
        with pytest.raises(Conflict):
            await bench.journal.commit(step(intents=[order(cycle=2)]))

    async def test_units_are_pinned_until_a_reset(self, bench: JournalBench) -> None:
        coarser = replace(BTCUSDT, tick_size=Decimal("0.1"))
        await bench.journal.pin_units(1, BTCUSDT)
        await bench.journal.pin_units(1, BTCUSDT)
        with pytest.raises(UnitsChanged):
            await bench.journal.pin_units(1, coarser)
        bench.reset(1)
        await bench.journal.pin_units(1, coarser)

    async def test_cancels_are_noted_and_change_nothing_else(self, bench: JournalBench) -> None:
        await bench.journal.commit(step(intents=[order()]))
        await bench.journal.commit(step(cancels=[order().client_order_id]))
        assert (await bench.journal.load(1)).orders == [order()]

    async def test_symbols_outside_ascii_are_kept(self, bench: JournalBench) -> None:
        of = order(symbol="币安人生USDT")
        await bench.journal.commit(step(intents=[of]))
        await bench.journal.commit(step(fills=[fill(of, fee_asset="币安人生")]))
        stored = await bench.journal.load(1)
        assert (stored.orders[0].symbol, stored.fills[0].fee_asset) == ("币安人生USDT", "币安人生")
        assert await bench.journal.watermark(1, "币安人生USDT") == "77"

    async def test_many_steps_at_once_are_all_kept(self, bench: JournalBench) -> None:
        steps = [step(1 + n % 4, intents=[order(1 + n % 4, slot=n)]) for n in range(200)]
        await asyncio.gather(*(bench.journal.commit(one) for one in steps))
        kept = [len((await bench.journal.load(instance)).orders) for instance in ACCOUNTS]
        assert kept == [50] * 4
