"""F-GRID: what can go wrong with a ladder of levels."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain import events, slots
from domain.client_order_id import decode
from domain.order import CANCELLED, EXIT, FLATTEN
from tests.acceptance.faults.bench import HUB, LIMITS, Bench, bench, until
from tests.acceptance.stored import Stored
from tests.simulator_process import simulator_process


def legs(stored: Stored) -> Counter[tuple[int, int, int]]:
    """(slot, cycle, leg) -> orders with an execution."""
    keys = (decode(name) for name, intent in stored.intents.items() if intent.filled)
    return Counter((key.slot, key.cycle, key.leg) for key in keys)


async def test_a_gap_through_twenty_levels_fills_each_once_and_offers_each_once(either: Bench) -> None:
    both_cap = LIMITS._replace(max_position_lots=25 * 1_000)
    async with either.node(either.grid(levels=20, step_percent="0.2", limits=both_cap)) as up:
        await either.settled(up)
        either.gap("-6")
        stored = await either.settled(up)
        filled = legs(stored)
        assert len(filled) == 20
        assert set(filled.values()) == {1}
        sides = Counter(intent.side for intent in stored.intents.values())
        assert sides == {"BUY": 20, "SELL": 20}
        either.gap("8")
        stored = await either.settled(up)
        assert set(legs(stored).values()) == {1}


@pytest.mark.parametrize("rounds", [pytest.param(25), pytest.param(10_000, marks=pytest.mark.acceptance)])
@pytest.mark.timeout(3_600)
async def test_a_price_that_swings_by_a_tick_around_a_level_pairs_each_purchase_with_one_sale(
    tmp_path: Path, rounds: int
) -> None:
    lines = ["trade_id,time,price,qty,is_buyer_maker"]
    for each in range(2 * rounds + 40):
        price = "50000.00" if each % 2 == 0 else "50000.03"
        lines.append(f"{each + 1},{1_746_403_200_000 + each * 1_000},{price},50,{1 - each % 2}")
    series = tmp_path / "BTCUSDT-prints.csv"
    series.write_text("\n".join(lines) + "\n")
    options = ("--market", f"replay:{series}@BTCUSDT", "--speed", "0", "--lift-limits")
    with simulator_process(tmp_path, *options) as venue, bench(venue, tmp_path) as found:
        params: dict[str, Any] = {"lower_price": "50000.01", "upper_price": "50000.02", "levels": 1}
        async with found.node(found.grid(**params)) as up:
            for _ in range(rounds):
                found.pass_time(2_000)
                await found.quiet(up)
            stored = await found.settled(up)
            filled = legs(stored)
            assert set(filled.values()) == {1}
            buys, sells = (sum(key[2] == leg for key in filled) for leg in (0, EXIT))
            assert 0 <= buys - sells <= 1
            assert buys >= rounds // 3
            assert len(stored.intents) <= buys + sells + 1


async def test_what_filled_while_nobody_was_there_is_offered_once_from_the_fills(either: Bench) -> None:
    spec = either.grid(levels=10, step_percent="0.3")
    async with either.node(spec) as up:
        await either.settled(up)
        names = either.resting_names()
    either.gap("-1.6")
    filled = names - either.resting_names()
    assert 3 <= len(filled) < 10
    either.gap("0.7")  # the price of now says nothing of what has happened
    async with either.node(spec) as up:
        stored = await either.settled(up)
        sells = [intent for intent in stored.intents.values() if intent.side == "SELL"]
        assert len(sells) == len(filled)
    async with either.node(spec) as up:
        again = await either.settled(up)
        assert set(again.intents) == set(stored.intents)


async def test_an_edit_while_orders_are_unknown_drains_the_old_ones_first(either: Bench) -> None:
    few = either.grid(levels=10, step_percent="0.4")
    more = either.grid(levels=30, step_percent="0.2")
    hub = replace(HUB, resolve=replace(HUB.resolve, dead_margin_ms=1_500))
    lost = either.fault(
        "swallow",
        1,
        method="POST",
        path="*/{order,batchOrders}",
        args={"reply": {"kind": "reply_status", "status": 503}},
    )
    async with either.node(few, hub=hub) as up:
        unknown = [order for order in up.live() if order.status == 0]
        assert unknown
        up.manager.edit(more)
        stored = await either.settled(up, 40)
        assert either.applied(lost) == 1
        assert len(either.resting_names()) == 29 or len(either.resting_names()) == 30
        prices = [row["price"] for row in either.resting()]
        assert len(set(prices)) == len(prices), "two orders for one level"
        assert stored.intents


async def test_parameters_changed_while_nobody_was_there_are_an_edit(either: Bench) -> None:
    price = either.price().quantize(Decimal(1))
    params: dict[str, Any] = {"quantity_per_level": "0.01"}
    first = either.grid(levels=4, **params, lower_price=price - 800, upper_price=price - 400)
    async with either.node(first) as up:
        await either.settled(up)
        before = {row["price"]: row["client_order_id"] for row in either.resting()}
        assert len(before) == 4
    second = either.grid(levels=6, **params, lower_price=price - 1_000, upper_price=price - 400)
    async with either.node(second) as up:
        stored = await either.settled(up)
        after = {row["price"]: row["client_order_id"] for row in either.resting()}
        assert len(after) == 6
        assert {each: after[each] for each in before} == before, "orders of unchanged levels were replaced"
    third = either.grid(levels=2, **params, lower_price=price - 600, upper_price=price - 400)
    async with either.node(third) as up:
        stored = await either.settled(up)
        left = {row["price"]: row["client_order_id"] for row in either.resting()}
        assert len(left) == 2
        assert all(before[each] == name for each, name in left.items())
        ended = [name for name, intent in stored.intents.items() if intent.status == CANCELLED]
        assert len(ended) == 4
    async with either.node(third) as up:
        await either.settled(up)
        assert {row["price"]: row["client_order_id"] for row in either.resting()} == left


async def test_a_bid_that_moves_after_a_partial_fill_offers_only_what_it_bought(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=1, step_percent="0.00005", tick=Decimal("0.01"))) as up:
        await spot.settled(up)
        (bid,) = up.live()
        await spot.sell_into(bid, "0.004")
        await spot.settled(up)
        up.manager.tell(1, events.PAUSE)  # the rest of the bid is withdrawn
        stored = await spot.settled(up)
        (sale,) = [intent for intent in stored.intents.values() if intent.side == "SELL"]
        assert sale.quantity == Decimal("0.004").quantize(Decimal("0.00001")) - Decimal("0.00001")
        assert stored.intents[bid.client_order_id].status == CANCELLED


async def test_news_of_a_fill_that_comes_many_times_starts_one_next_order(either: Bench) -> None:
    either.fault("duplicate", None, stream="*", args={"copies": 5})
    async with either.node(either.grid(levels=3)) as up:
        await either.settled(up)
        either.gap("-1.2")
        either.fault("replay_last", args={"count": 100})
        stored = await either.settled(up)
        keys = [decode(name) for name in stored.intents]
        assert len({(key.slot, key.cycle, key.leg) for key in keys}) == len(keys)


async def test_two_strategies_on_one_symbol_never_trade_with_each_other(spot: Bench) -> None:
    price = spot.price().quantize(Decimal(1))
    one = spot.grid(levels=1, number=1, lower_price=price - 100, upper_price=price - 50)
    # The other's offer would meet the first one's bid: it owns coins and offers them below the market.
    two = spot.grid(levels=1, number=2, lower_price=price - 300, upper_price=price - 200, split_at_start=True)
    async with spot.node(one, two) as up:
        await spot.settled(up)
        for percent in ("-0.3", "0.4", "-0.5", "0.6"):
            spot.gap(percent)
            await spot.quiet(up)
        stored = await spot.settled(up)
        assert {fill.instance for fill in stored.fills.values()} <= {1, 2}
        assert all(len(trades) == 1 for trades in spot.tape.trades.values()), "the account traded with itself"
    sent = [line["params"] for line in spot.requests("POST", "order")]
    assert {params.get("selfTradePreventionMode") for params in sent} == {"EXPIRE_MAKER"}


async def test_an_instance_that_idles_although_it_has_work_is_noticed_and_healed(spot: Bench) -> None:
    hub = replace(HUB, liveness_interval=0.1)
    async with spot.node(spot.grid(levels=2), hub=hub) as up:
        await spot.settled(up)
        engine = up.engine()
        # What no known fault does: a step loses the order of a wish, and nobody is told.
        order = engine.instance.orders.pop(1)
        engine.status.steps += 1
        await until(lambda: bool(up.alarms()), "the alarm")
        assert "strategy instance 1" in up.alarms()[0]
        assert "orders are wished and neither placed nor held back" in up.alarms()[0]
        engine.instance.orders.setdefault(1, order)


async def test_an_instance_that_a_price_did_not_wake_is_woken_and_a_person_told(spot: Bench) -> None:
    hub = replace(HUB, liveness_interval=0.1)
    price = spot.price()
    stop = (price * Decimal("0.96")).quantize(Decimal(1))
    async with spot.node(spot.grid(levels=2, stop_loss_price=stop), hub=hub) as up:
        await spot.settled(up)
        for tie in up.manager._market._ties.values():  # type: ignore[attr-defined]
            tie.watcher._wake = lambda *_: None  # the way from prices to the engine is cut
        spot.gap("-6")
        await until(lambda: bool(up.alarms()), "the alarm")
        assert "it was not woken" in up.alarms()[0]
        await spot.settled(up)
        assert up.engine().instance.state[slots.PHASE] == slots.CLOSING


async def test_an_engine_that_has_ended_by_itself_is_noticed(spot: Bench) -> None:
    hub = replace(HUB, liveness_interval=0.1)
    async with spot.node(spot.grid(levels=1), hub=hub) as up:
        await spot.settled(up)
        up.manager._running[1].cancel()
        await until(lambda: bool(up.alarms()), "the alarm")
        assert "its engine has ended" in up.alarms()[0]
        assert "start it again" in up.alarms()[0]


async def test_a_stop_loss_while_orders_are_unknown_sells_no_more_than_is_held(either: Bench) -> None:
    price = either.price()
    stop = (price * Decimal("0.95")).quantize(Decimal(1))
    hub = replace(HUB, sweep_interval=1.0, resolve=replace(HUB.resolve, dead_margin_ms=1_500))
    async with either.node(either.grid(levels=12, step_percent="0.3", stop_loss_price=stop), hub=hub) as up:
        await either.settled(up)
        either.gap("-2")
        await either.settled(up)
        either.fault(
            "reply_status", 10, method="POST", path="*/{order,batchOrders}", args={"status": 503, "code": -1000}
        )
        either.fault("drop", 30, stream="*")
        either.gap("-6")
        stored = await either.settled(up, 40)
        sold = sum(fill.quantity for fill in stored.fills.values() if fill.side == "SELL")
        bought = sum(fill.quantity for fill in stored.fills.values() if fill.side == "BUY")
        assert sold <= bought
        assert up.engine().instance.state[slots.PHASE] == slots.CLOSING
        assert not either.resting_names()
        held = sum(up.engine().instance.state[slots.HEADER + slot * slots.WIDTH + slots.HELD] for slot in range(13))
        assert held == 0
        flattening = [decode(name) for name in stored.intents if decode(name).leg == FLATTEN]
        assert flattening
        if either.market == "futures":
            rows = either.requests("POST", "order")
            assert all(row["params"].get("reduceOnly") == "true" for row in rows if row["params"]["type"] == "MARKET")
