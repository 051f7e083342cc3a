"""One follower, live on a fake venue: every target reached by as few orders as it takes, and none twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from core.base_exchange import CAME_LATE, Capabilities
from domain import events, slots
from domain.copying import follow
from domain.events import Event
from domain.fill import Fill
from domain.order import ENTRY, EXIT, LIMIT, MARKET, OPEN, OrderReport
from domain.outcome import Rejected
from engine.engine_manager import InstanceSpec
from engine.follower_engine.kind import COPY, Params
from tests.fakes.fake_orders import Lost
from tests.fakes.virtual_time import in_virtual_time
from tests.unit.engine.floor import PRICE, SYMBOL, Floor, Node, node_on, open_floor


def open_futures() -> Floor:
    floor = open_floor()
    floor.exchange.capabilities = Capabilities(market="futures", has_time_window=True, can_short=True)
    return floor


def spec(floor: Floor, *, can_short: bool = True) -> InstanceSpec:
    return replace(floor.spec(), kind=COPY, params=Params(can_short=can_short))


def tell(node: Node, version: int, lots: int, **more: int) -> None:
    node.engine.put(Event(events.TARGET, 0, lots=lots, cycle=version, **more))


def held(floor: Floor) -> int:
    return sum(fill.side * fill.lots for fill in floor.exchange.orders.trades)


@in_virtual_time
async def test_the_masters_path_is_followed_exactly_and_ends_flat() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        for version, lots in enumerate([10_000, 20_000, 5_000, -10_000, 0], 1):
            tell(node, version, lots)
            await node.quiet()
            assert held(floor) == lots
        # Through zero it is closed first, and only then opened the other way.
        sent = [(order.side * order.lots, order.key.leg, order.reduce_only) for order in floor.our_orders()]
        assert sent == [
            (10_000, ENTRY, False), (10_000, ENTRY, False), (-15_000, EXIT, True), (-5_000, EXIT, True),
            (-10_000, ENTRY, False), (10_000, EXIT, True),
        ]  # fmt: skip
        floor.check_books()


@in_virtual_time
async def test_the_same_target_told_again_or_late_places_nothing() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        tell(node, 2, 100)
        await node.quiet()
        for version in (1, 2, 2, 1, 2):
            tell(node, version, 100 * version)
            await node.quiet()
        assert [order.lots for order in floor.our_orders()] == [100]


@in_virtual_time
async def test_fifty_changes_while_an_order_is_under_way_become_one_order_for_the_newest() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        floor.exchange.users.hold()
        tell(node, 1, 100)
        for version in range(2, 52):
            await asyncio.sleep(0.2)
            tell(node, version, 100 + 10 * version)
        floor.exchange.users.release()
        await node.quiet()
        assert held(floor) == 610
        assert len(floor.our_orders()) == 2


@in_virtual_time
async def test_a_target_that_comes_with_the_news_of_an_execution_does_not_count_it_twice() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        floor.exchange.users.hold()
        tell(node, 1, 100)
        await asyncio.sleep(0.05)
        assert held(floor) == 100
        assert node.engine.instance.position.lots == 0  # the venue knows, we do not yet
        tell(node, 2, 150)
        await asyncio.sleep(0.05)
        assert [order.lots for order in floor.our_orders()] == [100], "what is under way was not counted"
        tell(node, 3, 160)  # in one step with the news, and before it
        (order,) = floor.our_orders()
        report = floor.exchange.orders.report(order.client_order_id)
        assert report is not None
        news: list[OrderReport | Fill] = [report, *floor.exchange.orders.trades]
        for item in news:
            node.engine.put(item)
        await node.quiet()
        floor.exchange.users.release()
        await node.quiet()
        assert [order.lots for order in floor.our_orders()] == [100, 50, 10]
        assert held(floor) == 160


@in_virtual_time
async def test_an_order_of_unknown_fate_keeps_everything_waiting_and_is_never_sent_again() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        floor.exchange.orders.next_places(Lost(kept=True))
        floor.exchange.users.lose()
        tell(node, 1, 100)
        await asyncio.sleep(0.01)
        tell(node, 2, 300)
        await asyncio.sleep(60)
        floor.exchange.users.lose(False)
        floor.exchange.users.gap()
        await node.quiet()
        assert held(floor) == 300
        assert [order.lots for order in floor.our_orders()] == [100, 200]


@in_virtual_time
async def test_a_refused_entry_is_told_and_tried_ever_more_slowly_until_a_person_must_look() -> None:
    floor = open_futures()
    floor.limits = floor.limits._replace(max_rejections=3)
    async with node_on(floor, spec(floor)) as node:
        floor.exchange.orders.next_places(*[Rejected("-2019 margin is insufficient")] * 50)
        tell(node, 1, 100)
        await asyncio.sleep(3_600)
        assert len(floor.our_orders()) == 3
        assert "margin is insufficient" in node.engine.status.last_error
        assert node.engine.status.held_back == {0: "repeated_rejection"}


@in_virtual_time
async def test_orders_that_came_after_their_time_are_tried_again_until_one_is_taken() -> None:
    floor = open_futures()
    floor.limits = floor.limits._replace(max_rejections=3)
    async with node_on(floor, spec(floor)) as node:
        floor.exchange.orders.next_places(*[Rejected(f"{CAME_LATE}: -1021")] * 6)
        tell(node, 1, 100)
        await asyncio.sleep(20)
        assert held(floor) == 0
        assert CAME_LATE in node.engine.status.last_error
        await asyncio.sleep(3_600)
        assert held(floor) == 100, "a busy moment kept a follower from its target for ever"


@in_virtual_time
async def test_another_process_goes_on_from_the_target_that_was_kept() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        tell(node, 1, 100)
        await node.quiet()
    async with node_on(floor, spec(floor)) as node:
        tell(node, 1, 100)
        await node.quiet()
        assert held(floor) == 100
        tell(node, 7, -40)
        await node.quiet()
    assert held(floor) == -40
    assert len(floor.our_orders()) == 3


@in_virtual_time
async def test_an_entry_keeps_to_its_collar_and_an_exit_to_none() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        tell(node, 1, 100, high=PRICE - 10_000, low=PRICE - 200_000)  # the market is above what may be paid
        await node.quiet()
        (order,) = floor.our_orders()
        assert (order.type, order.ticks) == (LIMIT, PRICE - 10_000)
        assert held(floor) == 0
        floor.exchange.orders.reach(SYMBOL, PRICE - 20_000)
        await node.quiet()
        assert held(floor) == 100
        tell(node, 2, 0, high=PRICE - 10_000, low=PRICE * 2)  # far below what an entry would have to take
        await node.quiet()
        assert floor.our_orders()[-1].type == MARKET
        assert held(floor) == 0


@in_virtual_time
async def test_an_entry_that_was_not_possible_in_time_is_withdrawn_and_says_so() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        now_ms = node.engine._clock.trading.now_ms()
        tell(node, 1, 100, high=PRICE - 10_000, low=1, base=now_ms + 5_000)
        await node.quiet()
        assert [order.status for order in node.engine.instance.live_orders()] == [OPEN]
        assert node.engine.instance.state[slots.WAKE_MS] == now_ms + 5_001
        await asyncio.sleep(6)
        node.engine.put(Event(events.TIMER, 0))
        await node.quiet()
        assert node.engine.instance.live_orders() == []
        assert node.engine.instance.state[follow.WHY] == follow.TOO_LATE
        assert node.engine.instance.state[follow.RESIDUAL] == 100


@in_virtual_time
async def test_what_is_below_the_smallest_order_is_remembered_and_traded_once_it_is_worth_it() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        tell(node, 1, 8)  # 4.80 USDT, and the venue takes 5
        await node.quiet()
        assert floor.our_orders() == []
        assert (node.engine.instance.state[follow.RESIDUAL], node.engine.instance.state[follow.WHY]) == (
            8, follow.TOO_SMALL,
        )  # fmt: skip
        floor.exchange.orders.market_ticks[SYMBOL] = 6_300_000
        floor.market.move(SYMBOL, 6_300_000, 10**12)
        await node.quiet()
        assert held(floor) == 8
        tell(node, 2, 0)  # closing is possible at any size where positions may be short
        await node.quiet()
        assert held(floor) == 0


@in_virtual_time
async def test_a_paused_follower_lets_exits_go_on_and_enters_what_is_left_when_resumed() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        tell(node, 1, 100)
        await node.quiet()
        node.manager.tell(7, events.PAUSE)
        tell(node, 2, 200)
        await node.quiet()
        assert held(floor) == 100
        assert node.engine.instance.state[follow.WHY] == follow.PAUSED
        tell(node, 3, 30)
        await node.quiet()
        assert held(floor) == 30
        tell(node, 4, 90)
        node.manager.tell(7, events.RESUME)
        await node.quiet()
        assert held(floor) == 90


@in_virtual_time
async def test_a_follower_stopped_before_its_order_left_sends_none() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        tell(node, 1, 100)
        node.manager.tell(7, events.STOP)  # the same step
        await node.quiet()
        assert floor.our_orders() == [] or held(floor) == 100
        before = len(floor.our_orders())
        tell(node, 2, 500)
        await node.quiet()
        assert len(floor.our_orders()) == before, "an order left after copying had ended"
        assert node.engine.instance.state[follow.WHY] == follow.ENDED


@in_virtual_time
async def test_closing_sells_everything_whatever_the_target_says() -> None:
    floor = open_futures()
    async with node_on(floor, spec(floor)) as node:
        tell(node, 1, -100)
        await node.quiet()
        node.manager.tell(7, events.FLATTEN)
        tell(node, 2, -300)
        await node.quiet()
        assert held(floor) == 0


@in_virtual_time
async def test_a_spot_account_that_pays_fees_in_base_ends_within_a_lot_and_never_sells_what_it_has_not() -> None:
    floor = open_floor()
    floor.exchange.orders.fee_ppm = 1_000
    async with node_on(floor, spec(floor, can_short=False)) as node:
        for version, lots in enumerate([100, 220, 50, -30], 1):
            tell(node, version, lots)
            await node.quiet()
            position = node.engine.instance.position.lots
            assert abs(max(lots, 0) * 1_000 - position) < 1_000
            assert position >= 0
        assert node.engine.instance.state[follow.WHY] == follow.NO_SHORT
