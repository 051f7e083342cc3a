"""F-EX-19 to 26: what the venue does to resting orders and to the account, and how the engine lives with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from core.base_exchange import KeyRefused
from domain import events, slots
from domain.order import CANCELLED, EXPIRED, OPEN, SELL, STOP_MARKET
from engine.gate import PAUSING, VENUE_CLOSED
from engine.rules_keeper import RulesSettings
from engine.trading_engine import EngineSettings
from tests.acceptance.faults.bench import HUB, LIMITS, Bench, Node, holds, until

EVENTS = "{executionReport,ORDER_TRADE_UPDATE}"
QUICK = replace(HUB, rules=RulesSettings(interval=600.0, while_halted=0.3, pause=0.1))


@pytest.fixture
def status(spot: Bench) -> Iterator[Callable[[str], None]]:
    """Sets the trading status of the symbol, and leaves it trading."""

    def change(word: str) -> None:
        spot.venue.post("market/status", {"market": "spot", "symbol": "BTCUSDT", "status": word})

    yield change
    change("TRADING")


def held(up: Node, slot: int = 1) -> int:
    return up.engine().instance.state[slots.HEADER + slot * slots.WIDTH + slots.HELD]


def attempts(bench: Bench) -> int:
    return len([line for line in bench.requests("POST", "order") if line["params"].get("newClientOrderId")])


async def test_an_order_that_queries_have_forgotten_ends_with_what_the_trades_say(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=1, step_percent="0.00005", tick=Decimal("0.01"))) as up:
        await spot.settled(up)
        (order,) = up.live()
        await spot.sell_into(order, "0.004")
        await spot.settled(up)
        spot.fault("drop", None, stream=EVENTS)
        spot.fault("pruned", None, where={"origClientOrderId": order.client_order_id})
        spot.cancel_at_venue(order)
        await up.hub.sweep_now()
        await until(lambda: order.client_order_id not in {each.client_order_id for each in up.live()}, "its end")
        stored = await spot.settled(up)
        assert stored.intents[order.client_order_id].status == CANCELLED
        assert stored.intents[order.client_order_id].filled == Decimal("0.004")


async def test_an_archived_order_has_ended_without_any_execution(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=1)) as up:
        await spot.settled(up)
        (order,) = up.live()
        spot.fault("drop", None, stream=EVENTS)
        where = {"origClientOrderId": order.client_order_id}
        spot.fault("pruned", None, where=where, args={"code": -2026})
        spot.cancel_at_venue(order)
        await up.hub.sweep_now()
        stored = await spot.settled(up)
        assert stored.intents[order.client_order_id].status == CANCELLED


async def test_a_conditional_order_is_looked_for_where_it_lives_before_anything_is_concluded(futures: Bench) -> None:
    async with futures.node(futures.grid(levels=1)) as up:
        await futures.settled(up)
        (bid,) = up.live()
        stop = bid._replace(type=STOP_MARKET, side=SELL, client_order_id=bid.client_order_id[:-2] + "QA")
        await up.exchange.place(stop, up.hub.gateway._clock.machine.now_ms())
        reports: list[int] = []
        up.hub.gateway.resolve(stop, 0, lambda report: reports.append(report.status))
        await until(lambda: bool(reports), "the answer")
        assert reports == [OPEN], "the ordinary service does not know it, and it was taken for lost"
        await up.exchange.cancel(stop)


async def test_a_stale_list_of_open_orders_ends_nothing(both: Bench) -> None:
    stale = both.fault("stale_lists", None, path="*/openOrders")  # a list of nothing
    async with both.node(both.grid(levels=3)) as up:
        await until(lambda: len(both.resting_names()) == 3, "the bids")
        await until(lambda: all(order.status == OPEN for order in up.live()), "their news")
        for _ in range(3):
            report = await up.hub.sweep_now()
            assert len(report.missing) == 3
        both.lift(stale)
        stored = await both.settled(up)
        assert len(stored.intents) == 3
        assert not up.alarms()


async def test_a_stale_list_that_shows_what_has_ended_raises_no_alarm(both: Bench) -> None:
    async with both.node(both.grid(levels=2)) as up:
        await both.settled(up)
        both.fault("stale_lists", None, path="*/openOrders")
        await up.hub.sweep_now()  # the list is taken now
        up.manager.tell(1, events.STOP)
        await until(lambda: not both.resting_names(), "the cancels")
        await until(lambda: not up.live(), "their news")
        report = await up.hub.sweep_now()
        assert report.orders == 2
        assert not report.orphans
        assert not up.alarms()
        venue_faults = both.venue.get("faults")
        both.lift(venue_faults[-1]["id"])
        await both.settled(up)


@pytest.mark.parametrize("word", ["HALT", "BREAK", "CANCEL_ONLY"])
async def test_a_halt_stops_new_orders_after_one_refusal_and_ends_by_itself(
    spot: Bench, status: Callable[[str], None], word: str
) -> None:
    async with spot.node(spot.grid(levels=2), hub=QUICK) as up:
        await spot.settled(up)
        # While nobody listens an order ends and the symbol halts; then its slot wants another order.
        deaf = spot.fault("drop", None, stream=EVENTS)
        spot.cancel_at_venue(up.live()[0])
        status(word)
        spot.lift(deaf)
        tried = attempts(spot)
        await up.hub.sweep_now()
        await until(lambda: VENUE_CLOSED in up.engine().status.held_back.values(), "the halt to be noticed")
        assert attempts(spot) - tried <= 2
        tried = attempts(spot)
        await holds(lambda: attempts(spot) == tried, "orders go on being sent", 1.0)
        assert "halted at the venue" in up.engine().status.last_error
        assert any("halted at the venue" in text for text in up.alarms())
        sweeps = up.hub.status.sweeps
        status("TRADING")
        await until(lambda: len(spot.resting_names()) == 2, "the grid to go on")
        assert up.hub.status.sweeps > sweeps, "it went on without looking first"
        await spot.settled(up)
        assert up.engine().status.last_error == ""


async def test_a_venue_that_cannot_be_reached_gets_no_orders_until_it_was_read_again(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=2), hub=QUICK) as up:
        await spot.settled(up)
        spot.venue.post("listening", {"accept": False})
        try:
            spot.fault("refuse_connection", None, path="*")
            spot.venue.post("connections/disconnect", {})
            spot.cancel_at_venue(up.live()[0])
            up.hub._lose_touch("nothing was sent: for the test")
            await until(lambda: up.hub.status.state == "unreachable", "the failed sweep")
            assert "cannot be reached" in up.engine().setbacks.standing.words
        finally:
            spot.venue.post("listening", {"accept": True})
            spot.venue.delete("faults")
        await until(lambda: len(spot.resting_names()) == 2, "the grid to go on")
        await spot.settled(up)
        assert up.engine().setbacks.standing.words == ""


async def test_an_order_the_venue_ends_is_placed_again_once_and_then_ever_more_slowly(both: Bench) -> None:
    patient = EngineSettings(parked_retry=0.05, refusal_pause=0.4)
    async with both.node(both.grid(levels=1), engine=patient) as up:
        await both.settled(up)
        first = up.live()[0]
        both.cancel_at_venue(first)
        await until(lambda: both.resting_names() - {first.client_order_id} != set(), "it once more")
        await both.settled(up)
        both.cancel_at_venue(up.live()[0])
        await until(lambda: PAUSING in up.engine().status.held_back.values(), "the pause")
        assert "ended at the venue and not by this strategy" in up.engine().status.last_error
        assert not both.resting_names()
        await until(lambda: len(both.resting_names()) == 1, "it after the pause")
        await both.settled(up)
        rows = both.rows("SELECT client_order_id, cancel_requested_at FROM orders WHERE status IN (3, 4)")
        assert len(rows) == 2
        assert all(row["cancel_requested_at"] is None for row in rows), "who ended them is not on record"


async def test_orders_that_meet_ones_of_the_same_account_expire_and_are_placed_again(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=1, step_percent="0.00005", tick=Decimal("0.01"))) as up:
        await spot.settled(up)
        (bid,) = up.live()
        await spot.by_hand("SELL", "9.5", up.engine().instance.instrument.from_ticks(bid.ticks))
        await until(lambda: spot.tape_status(bid.client_order_id) == "EXPIRED_IN_MATCH", "the end of the bid")
        await spot.settled(up)
        assert len([name for name in spot.resting_names() if name.startswith("ar1")]) == 1


@pytest.mark.parametrize("code", [-2015, -2014, -1002])
async def test_a_refused_key_stops_everything_after_one_failed_call(both: Bench, code: int) -> None:
    async with both.node(both.grid(levels=2)) as up:
        await both.settled(up)
        rule = both.fault("bad_key", None, path="*", args={"code": code})
        both.gap("-0.7")  # a bid is filled, and its offer wants to leave
        await until(lambda: up.hub.is_refused, "the refusal")
        calls = both.applied(rule)
        assert calls <= 1 + 1, "the offer, and the trades of the fill at most"
        await holds(lambda: both.applied(rule) == calls, "the account goes on asking", 1.5)
        words = up.hub.status.last_error
        assert f"account 1 at binance_{both.market}" in words
        assert "Give the account a key that works" in words
        assert up.engine().status.last_error == words
        assert words in up.alarms()
        with pytest.raises(KeyRefused):
            await up.hub.sweep_now()
    both.lift(rule)
    async with both.node(both.grid(levels=2)) as up:  # the same instance with a key that works
        await both.settled(up)


async def test_a_refused_key_of_one_account_leaves_another_alone(venue_pair: tuple[Bench, Bench]) -> None:
    one, other = venue_pair
    async with one.node(one.grid(levels=1)) as first, other.node(other.grid(levels=1)) as second:
        await one.settled(first)
        await other.settled(second)
        one.fault("bad_key", None, path="*")
        one.gap("-0.7")
        await until(lambda: first.hub.is_refused, "the refusal")
        await other.settled(second)
        assert not second.hub.is_refused
        assert held(second) > 0 or other.resting_names()


async def test_money_that_is_gone_stops_entries_after_three_tries_and_exits_go_on(spot: Bench) -> None:
    impatient = EngineSettings(parked_retry=0.05, refusal_pause=0.05)
    limits = LIMITS._replace(max_rejections=3)
    async with spot.node(spot.grid(levels=3, limits=limits), engine=impatient, hub=QUICK) as up:
        await spot.settled(up)
        balance = spot.venue.get(f"accounts/{spot.account}")["spot"]["USDT"]["free"]
        spot.venue.post(f"accounts/{spot.account}/withdraw", {"market": "spot", "asset": "USDT", "amount": balance})
        tried = attempts(spot)
        spot.cancel_at_venue(up.live()[0])
        spot.venue.post(f"accounts/{spot.account}/withdraw", {"market": "spot", "asset": "USDT", "amount": "100"})
        await until(lambda: "repeated_rejection" in up.engine().status.held_back.values(), "the end of the tries")
        assert attempts(spot) - tried == 3
        assert "-2010" in up.engine().status.last_error
        assert "resume the strategy" in up.engine().status.last_error
        spot.gap("-1.2")
        await until(lambda: any(row["side"] == "SELL" for row in spot.resting()), "the offer of what was bought")
        spot.venue.post(f"accounts/{spot.account}/deposit", {"market": "spot", "asset": "USDT", "amount": "100000"})
        up.manager.tell(1, events.RESUME)
        await until(lambda: "repeated_rejection" not in up.engine().status.held_back.values(), "the entries")
        await spot.settled(up)


async def test_what_the_owner_does_by_hand_is_not_fought(spot: Bench) -> None:
    slow = EngineSettings(parked_retry=0.05, refusal_pause=30.0)
    async with spot.node(spot.grid(levels=2), engine=slow) as up:
        await spot.settled(up)
        for _ in range(2):
            spot.cancel_at_venue(up.live()[0])
            await until(lambda: len(up.live()) == 1 or len(spot.resting_names()) == 2, "the slot's next state")
            await spot.settled(up)
        await until(lambda: PAUSING in up.engine().status.held_back.values(), "the pause")
        await holds(lambda: len(spot.resting_names()) == 1, "the owner's cancel is fought", 1.0)
        assert {order.status for order in up.engine().instance.orders.values()} <= {OPEN, CANCELLED, EXPIRED}


async def test_what_the_owner_sells_by_hand_is_neither_bought_back_nor_sold_again(spot: Bench) -> None:
    """The owner takes a strategy's offer away and sells what it holds: it says so, and leaves the account alone."""
    slow = EngineSettings(parked_retry=0.05, refusal_pause=2.0)
    async with spot.node(spot.grid(levels=1, quantity_per_level="0.2"), engine=slow) as up:
        await spot.settled(up)
        spot.gap("-1.2")
        await until(lambda: any(row["side"] == "SELL" for row in spot.resting()), "the offer of what was bought")
        await spot.settled(up)
        while PAUSING not in up.engine().status.held_back.values():
            spot.cancel_at_venue(up.live()[0])
            await until(lambda: len(spot.resting()) == 1 or not up.live(), "the slot's next state")
            await spot.settled(up)
        free = spot.venue.get(f"accounts/{spot.account}")["spot"]["BTC"]["free"]
        await spot.by_hand("SELL", free, (spot.price() * Decimal("0.97")).quantize(Decimal("0.01")))
        tried = attempts(spot)
        await until(lambda: "-2010" in up.engine().status.last_error, "the venue's word on the next offer")
        stored = await spot.settled(up)
        assert attempts(spot) == tried + 1
        assert not [row for row in spot.resting() if row["client_order_id"].startswith("ar1")]
        assert {fill.side for fill in stored.fills.values()} == {"BUY"}
        assert up.engine().status.state == "running"
        assert held(up) > 0
