"""F-EX: what can happen to an order on its way, and what the engine makes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from core.base_journal import Conflict
from domain import slots
from domain.client_order_id import decode
from domain.order import OPEN, PENDING
from tests.acceptance.faults.bench import DEAD_SECONDS, PATIENT, Bench, holds, until
from tests.simulator_process import SimulatorProcess

EXECUTED: list[tuple[str, str, dict[str, Any]]] = [
    ("F-EX-01", "reply_lost", {"how": "reset"}),
    ("F-EX-01", "reply_lost", {"how": "hang"}),
    ("F-EX-02", "reply_status", {"status": 503, "code": -1000, "msg": "Unknown error, please check your request."}),
    ("F-EX-03", "reply_status", {"status": 503, "code": -1008, "msg": "Server is currently overloaded."}),
    ("F-EX-03", "reply_status", {"status": 500, "code": -1001, "msg": "Internal error."}),
    ("F-EX-03", "reply_status", {"status": 502, "code": -9999, "msg": "A code of tomorrow."}),
    ("F-EX-04", "reply_status", {"status": 400, "code": -1006, "msg": "An unexpected response."}),
    ("F-EX-04", "reply_status", {"status": 504, "code": -1007, "msg": "Timeout waiting for response."}),
    ("F-EX-04", "reply_status", {"status": 200, "code": -1007, "msg": "Timeout waiting for response."}),
    ("F-EX-05", "reply_cut", {"how": "length"}),
    ("F-EX-05", "reply_cut", {"how": "chunked"}),
    ("F-EX-05", "reply_empty", {}),
    ("F-EX-05", "reply_html", {}),
    ("F-EX-27", "reply_other", {}),
]


@pytest.mark.parametrize(("row", "kind", "args"), EXECUTED, ids=lambda value: str(value)[:40])
async def test_an_order_whose_answer_is_lost_is_found_and_never_sent_again(
    both: Bench, row: str, kind: str, args: dict[str, Any]
) -> None:
    fault = both.placing(kind, **args)
    # The private stream is deaf, so that nothing but asking can find the order.
    both.fault("drop", None, stream="{executionReport,ORDER_TRADE_UPDATE}")
    async with both.node(both.grid(levels=1)) as up:
        stored = await both.settled(up)
        assert both.applied(fault) == 1
        (name,) = both.resting_names()
        assert both.sends(name) == 1
        assert stored.intents[name].status == 1
        assert all(order.venue_order_id for order in up.live())


@pytest.mark.parametrize("delay_ms", [300, 1_100])
async def test_an_order_that_appears_late_is_adopted_and_its_slot_waits_for_it(both: Bench, delay_ms: int) -> None:
    fault = both.placing("late", hold=True, bypass_recv_window=True)
    async with both.node(both.grid(levels=1), hub=PATIENT) as up:
        await until(lambda: up.hub.gateway.unresolved == 1, "the question for the order")
        await holds(lambda: len(up.engine().instance.orders) == 1, "the slot must wait", delay_ms / 1000)
        both.release(fault)
        stored = await both.settled(up)
        (name,) = both.resting_names()
        assert both.sends(name) == 1
        assert list(stored.intents) == [name]
        assert not up.alarms()


async def test_a_swallowed_order_is_lost_only_after_its_dead_time_and_replaced_once(both: Bench) -> None:
    both.placing("swallow", reply={"kind": "reply_status", "status": 503})
    async with both.node(both.grid(levels=1)) as up:
        began = time.monotonic()
        (lost,) = [order.client_order_id for order in up.live()]
        await until(lambda: bool(both.resting_names()), "another attempt")
        assert time.monotonic() - began > DEAD_SECONDS - 0.5
        stored = await both.settled(up)
        (name,) = both.resting_names()
        assert set(stored.intents) == {lost, name}
        assert decode(name) == decode(lost)._replace(attempt=1)
        assert any(lost in alarm for alarm in up.alarms())


async def test_a_lost_order_that_appears_is_cancelled_at_once_beside_its_successor(spot: Bench) -> None:
    fault = spot.placing("late", hold=True, bypass_recv_window=True)
    async with spot.node(spot.grid(levels=1, quantity_per_level="0.5")) as up:
        (lost,) = [order.client_order_id for order in up.live()]
        await until(lambda: bool(spot.resting_names()), "another attempt")
        (other,) = spot.resting_names()
        spot.resurrected.add(lost)
        spot.release(fault)
        await until(lambda: spot.tape_status(lost) == "CANCELED", "the end of the order that appeared")
        await until(lambda: any(lost in alarm and "cancelled" in alarm for alarm in up.alarms()), "the alarm")
        await spot.settled(up)
        assert spot.resting_names() == {other}


@pytest.fixture
def thaws(venue: SimulatorProcess) -> Iterator[None]:
    """However a test ends, the market moves again."""
    yield
    venue.post("market/freeze", {"symbol": "BTCUSDT", "on": False})


@pytest.mark.usefixtures("thaws")
async def test_a_lost_order_that_appears_partly_filled_is_booked_and_its_rest_cancelled_at_once(spot: Bench) -> None:
    """What it takes at once is a part of it: the market stands a little below its price, with less than it wants."""
    fault = spot.placing("late", hold=True, bypass_recv_window=True)
    spec = spot.grid(levels=1, quantity_per_level="100", capital={"USDT": "90000000"})
    async with spot.node(spec) as up:
        (lost,) = [order.client_order_id for order in up.live()]
        await until(lambda: bool(spot.resting_names()), "another attempt")
        spot.resurrected |= {lost, *spot.resting_names()}
        bid = up.engine().instance.instrument.from_ticks(up.live()[0].ticks)
        spot.venue.post("market/freeze", {"symbol": "BTCUSDT", "on": True})
        spot.gap(str(((bid - Decimal("0.1")) / spot.price() * 100 - 100).quantize(Decimal("0.0001"))))
        spot.release(fault)
        await until(lambda: spot.tape_status(lost) == "CANCELED", "the end of the order that appeared")
        await until(lambda: any(lost in alarm and "cancelled" in alarm for alarm in up.alarms()), "the alarm")
        stored = await spot.settled(up)
        assert 0 < stored.intents[lost].filled < stored.intents[lost].quantity
        assert stored.intents[lost].filled == sum(f.quantity for f in stored.fills.values() if f.client == lost)
        assert spot.sends(lost) == 1


async def test_fills_of_a_lost_order_that_appears_are_booked_to_its_intent(spot: Bench) -> None:
    fault = spot.placing("late", hold=True, bypass_recv_window=True)
    async with spot.node(spot.grid(levels=1, quantity_per_level="0.5")) as up:
        (lost,) = [order.client_order_id for order in up.live()]
        await until(lambda: bool(spot.resting_names()), "another attempt")
        spot.resurrected |= {lost, *spot.resting_names()}
        spot.gap("-3")  # both trade at once: the one that rests, and the one that appears
        spot.release(fault)
        await until(lambda: any(line.get("client") == lost for line in spot.read_tape()), "the order to appear")
        stored = await spot.settled(up)
        assert {fill.client for fill in stored.fills.values()} >= {lost}
        assert stored.intents[lost].filled == stored.intents[lost].quantity


async def test_a_client_id_is_never_journaled_twice_so_a_filled_order_cannot_be_sent_again(spot: Bench) -> None:
    spot.placing("reply_lost")
    spec = spot.spec("grid", {**spot.grid(levels=1).params.model_dump(), **above(spot), "split_at_start": True})
    async with spot.node(spec) as up:
        stored = await spot.settled(up)
        (fill,) = {fill.client for fill in stored.fills.values()}
        engine = up.engine()
        order = engine.instance.orders[0]
        assert order.client_order_id == fill
        step = engine._keeper.new_step()
        step.intents.append(order._replace(status=PENDING, filled=0, booked=0, venue_order_id=""))
        step.reasons.append(1)
        with pytest.raises(Conflict):
            await up.journal.commit(step)
        await spot.settled(up)
        assert spot.sends(fill) == 1


async def test_duplicate_order_sent_on_the_first_answer_means_that_ours_lives(both: Bench) -> None:
    both.placing("reply_status", status=400, code=-2010, msg="Duplicate order sent.")
    async with both.node(both.grid(levels=1)) as up:
        stored = await both.settled(up)
        (name,) = both.resting_names()
        assert list(stored.intents) == [name]
        assert up.engine().books.rejections == 0


async def test_what_the_stream_said_before_the_reply_wins_and_nothing_is_asked(both: Bench) -> None:
    both.placing("delay", after_ms=400)
    both.placing("reply_status", status=408, code=-1007, msg="Timeout waiting for response from backend server.")
    async with both.node(both.grid(levels=1)) as up:
        await until(lambda: [order.status for order in up.live()] == [OPEN], "the stream's word")
        await until(lambda: up.engine().is_idle, "the reply")
        await holds(lambda: up.hub.gateway.unresolved == 0, "nothing has to be asked", 0.3)
        await both.settled(up)
        assert not both.requests("GET", "order")


@pytest.mark.parametrize("code", [0, -1007])
async def test_a_reply_after_the_stream_told_of_the_end_changes_nothing(spot: Bench, code: int) -> None:
    spot.placing("delay", after_ms=600)
    if code:
        spot.placing("reply_status", status=408, code=code, msg="Timeout waiting for response.")
    async with spot.node(spot.grid(levels=1, quantity_per_level="0.2")) as up:
        await until(lambda: [order.status for order in up.live()] == [OPEN], "the stream's word")
        (name,) = spot.resting_names()
        spot.gap("-2")
        await until(lambda: up.engine().instance.state[slots.HEADER + slots.WIDTH + slots.HELD] > 0, "the fill")
        stored = await spot.settled(up)
        assert stored.intents[name].filled == stored.intents[name].quantity
        assert not spot.requests("GET", "order")


def above(bench: Bench) -> dict[str, Any]:
    """A grid of one level that has to buy at the start, because its price is above the market's."""
    price = bench.price().quantize(Decimal(1))
    return {"lower_price": price + 100, "upper_price": price + 200}
