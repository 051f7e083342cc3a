"""F-EX-13 to 18: cancels that cross fills, lose their answers, or succeed by halves; batches with holes."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from domain import events, slots
from domain.client_order_id import decode, encode
from domain.order import CANCELLED, FILLED, OPEN, REJECTED
from engine.gate import PAUSING
from engine.trading_engine import EngineSettings
from tests.acceptance.faults.bench import Bench, Node, until

#: What a futures account of the venue begins with.
LEVERAGE = 20


def stop(up: Node) -> None:
    up.manager.tell(1, events.STOP)


async def test_a_cancel_whose_answer_is_lost_is_asked_for_until_the_order_has_ended(both: Bench) -> None:
    async with both.node(both.grid(levels=1)) as up:
        await both.settled(up)
        (name,) = both.resting_names()
        both.fault("reply_lost", method="DELETE", path="*/order")
        both.fault("drop", None, stream="{executionReport,ORDER_TRADE_UPDATE}")
        stop(up)
        stored = await both.settled(up)
        assert stored.intents[name].status == CANCELLED
        assert stored.intents[name].complete
        assert not both.resting_names()


async def test_a_cancel_that_never_arrived_is_sent_again_until_it_does(both: Bench) -> None:
    async with both.node(both.grid(levels=1), timeout_seconds=3) as up:
        await both.settled(up)
        fault = both.fault("swallow", method="DELETE", path="*/order")
        stop(up)
        await until(lambda: not both.resting_names(), "the second cancel")
        await both.settled(up)
        assert both.applied(fault) == 1


async def test_a_cancel_refused_because_the_order_was_filled_books_the_fill(both: Bench) -> None:
    async with both.node(both.grid(levels=1)) as up:
        await both.settled(up)
        (name,) = both.resting_names()
        fault = both.fault("late", method="DELETE", path="*/order", args={"hold": True, "bypass_recv_window": True})
        stop(up)
        await until(lambda: both.applied(fault) == 1, "the cancel on its way")
        both.gap("-2")
        both.release(fault)
        stored = await both.settled(up)
        assert stored.intents[name].status == FILLED
        held = up.engine().instance.state[slots.HEADER + slots.WIDTH + slots.HELD]
        assert held > 0, "the strategy was told that it was cancelled"


async def test_a_fill_that_is_told_after_the_cancel_is_booked_on_the_cancelled_order(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=1, step_percent="0.00005", tick=Decimal("0.01"))) as up:
        await spot.settled(up)
        (name,) = spot.resting_names()
        (order,) = up.live()
        await spot.sell_into(order, "0.004")
        # (Faults are lifted when the other customer leaves.) The next fill is told seconds after the end.
        spot.fault("reorder", stream="executionReport", args={"behind": 1, "hold_ms": 3_000})
        assert spot.tape_status(name) == "PARTIALLY_FILLED"
        stop(up)
        stored = await spot.settled(up)
        assert stored.intents[name].status == CANCELLED
        assert 0 < stored.intents[name].filled < stored.intents[name].quantity


async def test_half_of_many_cancels_without_an_answer_are_settled_one_by_one(both: Bench) -> None:
    async with both.node(both.grid(levels=8)) as up:
        await both.settled(up)
        assert len(both.resting_names()) == 8
        fault = both.fault("reply_status", 4, method="DELETE", path="*/order", args={"status": 504, "code": -1007})
        stop(up)
        stored = await both.settled(up)
        assert both.applied(fault) == 4
        assert {intent.status for intent in stored.intents.values()} == {CANCELLED}


async def test_an_order_that_a_batch_s_answer_leaves_out_is_found_and_not_sent_again(futures: Bench) -> None:
    futures.fault("batch_missing", path="*/batchOrders", args={"index": 2})
    async with futures.node(futures.grid(levels=5, step_percent="0.3")) as up:
        await asyncio.sleep(0)
        stored = await futures.settled(up)
        assert len(futures.resting_names()) == 5
        assert len(stored.intents) == 5, "the missing one was sent again"


async def test_a_batch_of_three_taken_one_refused_and_one_missing_is_settled_one_by_one(futures: Bench) -> None:
    """The margin is enough for four of five, and the third is left out of the answer.

    A refusal in a batch names no order, so which of two was refused is not known: both are asked for.
    """
    slow = EngineSettings(parked_retry=0.1, refusal_pause=60.0)
    spec = futures.grid(levels=5, step_percent="0.3", quantity_per_level="0.1")
    futures.leave(futures.price() * Decimal("0.1") * Decimal("4.5") / LEVERAGE)
    futures.fault("batch_missing", path="*/batchOrders", args={"index": 2})
    async with futures.node(spec, engine=slow) as up:
        await until(lambda: "-2019" in up.engine().status.last_error, "the refusal of another attempt by name")
        stored = await futures.settled(up)
        assert len(futures.resting_names()) == 4
        assert {name for name, intent in stored.intents.items() if intent.status == OPEN} == futures.resting_names()
        refused = [decode(name) for name, intent in stored.intents.items() if intent.status == REJECTED]
        assert [key.attempt for key in sorted(refused)] == [0, 1], (
            "the one that was refused, asked for, and tried again"
        )
        assert {key.slot for key in refused} == {1}
        asked = {line["params"]["origClientOrderId"] for line in futures.requests("GET", "order")}
        assert encode(min(refused)) in asked
        assert PAUSING in up.engine().status.held_back.values()
