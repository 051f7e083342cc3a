"""F-WS: streams that stall, lie, break and repeat themselves, and books that are right all the same."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.order import CANCELLED
from exchanges._binance import private_sockets
from tests.acceptance.faults.bench import HUB, LIMITS, MARKET, Bench, Node, holds, until

ORDERS = "{executionReport,ORDER_TRADE_UPDATE}"
#: A market that is looked after closely, and asked again soon after it has failed again and again.
ALERT = replace(MARKET, silence_ms=500, audit_ms=300, poll_ms=300, steady_ms=500, breaker_ms=200)
PRICES = "btcusdt@{trade,bookTicker,aggTrade}"


def market_fault(bench: Bench, kind: str, **rule: Any) -> int:
    """A fault of the public streams, which belong to no account."""
    found: int = bench.venue.post("faults", {"kind": kind, "market": bench.market, **rule})["id"]
    return found


def sees(up: Node, price: Decimal) -> bool:
    instrument = up.engine().instance.instrument
    off = abs(instrument.from_ticks(up.engine().books.last_ticks) - price)
    return off < price / 500


async def trade_a_while(bench: Bench, up: Node) -> None:
    """Bids fill on the way down, offers on the way up."""
    for percent in ("-1.3", "1.9", "-1.7"):
        bench.gap(percent)
        await asyncio.sleep(0.3)  # frames are held back on the way: there is nothing to wait for


async def test_a_private_stream_that_stalls_is_replaced_and_what_it_missed_is_booked(either: Bench) -> None:
    """It answers pings: what gives it away is what sweeps find and it has not told."""
    often = replace(HUB, sweep_interval=1.0)
    async with either.node(either.grid(levels=3), hub=often, report_seconds=1.0) as up:
        await either.settled(up)
        stall = either.fault("stall", None, stream="*")
        gaps = up.hub.status.gaps
        either.gap("-1.2")
        await until(lambda: up.hub.status.gaps > gaps, "another connection")
        either.lift(stall)
        stored = await either.settled(up)
        assert len(stored.fills) >= 2


async def test_a_price_stream_that_stalls_or_freezes_is_found_out_by_asking(either: Bench) -> None:
    for kind in ("stall", "freeze"):
        async with either.node(either.grid(levels=1, step_percent="30"), market=ALERT) as up:
            rule = market_fault(either, kind, stream=PRICES)
            either.gap("-4" if kind == "stall" else "4")
            target = either.price()
            await until(lambda: sees(up, target), "the true price")  # noqa: B023 - awaited within the turn
            either.lift(rule)
            await either.settled(up)


async def test_no_order_starts_from_a_price_that_is_too_old(spot: Bench) -> None:
    limits = LIMITS._replace(max_price_age_ms=1_000)
    async with spot.node(spot.grid(levels=2, limits=limits), market=ALERT) as up:
        await spot.settled(up)
        broken = market_fault(spot, "proxy_page", method="GET", path="*/ticker/*", args={"status": 502})
        frozen = market_fault(spot, "stall", stream=PRICES)
        await asyncio.sleep(1.5)
        orders = len(spot.requests("POST", "order"))
        spot.cancel_at_venue(up.live()[0])
        await until(lambda: "stale_price" in up.engine().status.held_back.values(), "the guard")
        await holds(lambda: len(spot.requests("POST", "order")) == orders, "an old price is acted on", 0.5)
        spot.lift(broken)
        spot.lift(frozen)
        spot.pass_time(2_000)
        await until(lambda: len(spot.resting_names()) == 2, "the order, once the price is known again")
        await spot.settled(up)


async def test_a_half_open_connection_is_noticed_and_nothing_is_lost(either: Bench) -> None:
    async with either.node(either.grid(levels=3), silence_seconds=1.0) as up:
        await either.settled(up)
        gaps = up.hub.status.gaps
        either.fault("half_open")
        either.gap("-1.2")
        await until(lambda: up.hub.status.gaps > gaps, "another connection")
        stored = await either.settled(up)
        assert len(stored.fills) >= 2


ENDS: list[tuple[str, dict[str, Any]]] = [
    ("disconnect", {"code": 1006}),
    ("disconnect", {"code": 1012}),
    ("server_shutdown", {"close_ms": 200}),
    ("listen_key_expire", {}),
]


@pytest.mark.parametrize(("kind", "args"), ENDS, ids=str)
async def test_a_connection_that_ends_loses_and_doubles_no_fill(either: Bench, kind: str, args: dict[str, Any]) -> None:
    async with either.node(either.grid(levels=4)) as up:
        await either.settled(up)
        gaps = up.hub.status.gaps
        either.fault(kind, args=args)
        either.gap("-1.2")
        await until(lambda: up.hub.status.gaps > gaps, "another connection")
        either.gap("1.8")
        stored = await either.settled(up)
        assert len(stored.fills) >= 3


async def test_events_lost_around_a_reconnect_are_read_from_the_trades(either: Bench) -> None:
    async with either.node(either.grid(levels=6, step_percent="0.3")) as up:
        await either.settled(up)
        either.fault("drop", 60, stream="*")
        either.gap("-2")
        gaps = up.hub.status.gaps
        either.fault("disconnect")
        await until(lambda: up.hub.status.gaps > gaps, "another connection")
        stored = await either.settled(up)
        assert len(stored.fills) >= 5


async def test_events_doubled_reordered_and_replayed_end_in_the_same_books(either: Bench) -> None:
    async with either.node(either.grid(levels=6, step_percent="0.3")) as up:
        await either.settled(up)
        either.fault("duplicate", None, stream=ORDERS, args={"copies": 3})
        either.fault("reorder", None, stream=ORDERS, args={"behind": 2, "hold_ms": 150})
        await trade_a_while(either, up)
        either.fault("replay_last", args={"count": 200})
        either.gap("0.5")
        stored = await either.settled(up)
        assert len(stored.fills) >= 4


async def test_a_futures_listen_key_that_dies_is_replaced_while_keeping_it_alive_fails(
    futures: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_sockets, "_RENEWAL_SECONDS", 0.3)
    monkeypatch.setattr(private_sockets, "_RETRY_SECONDS", 0.2)
    async with futures.node(futures.grid(levels=3)) as up:
        await futures.settled(up)
        gaps = up.hub.status.gaps
        hang = futures.fault("reply_status", 2, method="PUT", path="*/listenKey", args={"status": 503})
        await until(lambda: futures.applied(hang) == 2, "renewals that fail")
        await futures.settled(up)
        dead = {"status": 400, "code": -1125, "msg": "This listenKey does not exist.", "executed": False}
        futures.fault("reply_status", 1, method="PUT", path="*/listenKey", args=dead)
        await until(lambda: up.hub.status.gaps > gaps, "another key and connection")
        futures.gap("-1.2")
        stored = await futures.settled(up)
        assert len(stored.fills) >= 2


async def test_spot_never_asks_for_a_listen_key(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=1)) as up:
        await spot.settled(up)
        paths = {line["path"] for line in spot.read_tape() if line["kind"] == "request"}
        assert "userDataStream.subscribe.signature" in paths
        assert not any("listenKey" in path or path.endswith("userDataStream") for path in paths)


async def test_a_fill_that_is_told_before_its_order_counts_once(either: Bench) -> None:
    price = either.price().quantize(Decimal(1))
    spec = either.grid(levels=1, lower_price=price + 100, upper_price=price + 200, split_at_start=True)
    either.fault("reorder", 3, stream=ORDERS, args={"behind": 1, "hold_ms": 400})
    async with either.node(spec) as up:
        stored = await either.settled(up)
        assert len({fill.client for fill in stored.fills.values()}) == 1


async def test_a_cancel_told_under_the_cancels_own_name_ends_the_right_order(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=2)) as up:
        await spot.settled(up)
        names = spot.resting_names()
        for name in names:
            spot.cancel_at_venue(next(order for order in up.live() if order.client_order_id == name))
        await until(lambda: len(spot.resting_names() - names) == 2, "the next orders")
        stored = await spot.settled(up)
        assert {stored.intents[name].status for name in names} == {CANCELLED}
        assert not spot.requests("GET", "order")


BAD_FILL = {"e": "executionReport", "E": 1, "s": "BTCUSDT", "S": "BUY", "x": "TRADE", "X": "PARTIALLY_FILLED", "i": 7,
            "t": 990_001, "T": 1_900_000_000_000, "m": True, "n": "0", "N": "USDT", "C": ""}  # fmt: skip
NONSENSE: list[tuple[str, dict[str, Any]]] = [
    ("malformed_frame", {}),
    ("malformed_frame", {"text": "\x00\xff"}),
    ("huge_frame", {"bytes": 5_000_000}),
    ("unknown_event", {"event": {"e": "somethingOfTomorrow", "data": [1, 2, 3]}}),
    ("unknown_event", {"event": {**BAD_FILL, "L": "NaN", "l": "0.001", "z": "0.001"}}),
    ("unknown_event", {"event": {**BAD_FILL, "L": "50000", "l": "-0.001", "z": "-0.001"}}),
    ("unknown_event", {"event": {**BAD_FILL, "L": "-50000", "l": "0.001", "z": "0.001"}}),
    ("unknown_event", {"event": {**BAD_FILL, "L": "50000", "l": "1e400", "z": "1e400"}}),
    ("unknown_event", {"event": {"e": "executionReport"}}),
    ("unknown_event", {"event": [1, 2, 3]}),
]


@pytest.mark.parametrize(("kind", "args"), NONSENSE, ids=lambda value: str(value)[:70])
async def test_nonsense_on_the_private_stream_reaches_no_strategy_and_costs_no_news(
    spot: Bench, kind: str, args: dict[str, Any]
) -> None:
    async with spot.node(spot.grid(levels=3)) as up:
        await spot.settled(up)
        given = dict(args)
        if isinstance(given.get("event"), dict) and "s" in given["event"]:
            given["event"] = {**given["event"], "c": up.live()[0].client_order_id}
        spot.fault(kind, 2, stream="executionReport", args=given)
        spot.gap("-1.2")
        stored = await spot.settled(up)
        assert len(stored.fills) >= 2
        assert up.engine().status.state == "running"


async def test_nonsense_on_the_price_stream_moves_nothing(spot: Bench) -> None:
    async with spot.node(spot.grid(levels=1, step_percent="30"), market=ALERT) as up:
        before = up.engine().books.last_ticks
        bad = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": 5, "p": "-1.00", "q": "NaN", "T": 1, "m": True, "M": True}
        for event in (bad, {**bad, "p": "0.00000000"}, {**bad, "p": "1e400"}, [1], {"e": "trade"}):
            market_fault(spot, "unknown_event", stream=PRICES, times=1, args={"event": event})
        market_fault(spot, "malformed_frame", stream=PRICES, times=1)
        spot.pass_time(3_000)
        spot.gap("1")
        target = spot.price()
        await until(lambda: sees(up, target), "the price after the nonsense")
        assert before > 0
        await spot.settled(up)


async def test_a_handler_that_fails_on_one_message_does_not_end_the_stream(
    spot: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with spot.node(spot.grid(levels=3)) as up:
        await spot.settled(up)
        route = up.hub.syncer.route_fill
        failures = [RuntimeError("a handler that nobody foresaw")]

        def fails_once(*arguments: Any) -> bool:
            if failures:
                raise failures.pop()
            return route(*arguments)

        monkeypatch.setattr(up.hub.syncer, "route_fill", fails_once)
        spot.gap("-1.2")
        stored = await spot.settled(up)
        assert not failures
        assert len(stored.fills) >= 2


async def test_connects_that_are_refused_again_and_again_are_spread_out(either: Bench) -> None:
    async with either.node(either.grid(levels=2)) as up:
        await either.settled(up)
        path = "/ws-api/v3" if either.market == "spot" else "/private/*"
        refused = market_fault(either, "refuse_ws", path=path, times=4)
        gaps, began = up.hub.status.gaps, time.monotonic()
        either.fault("disconnect")
        either.gap("-0.7")
        await until(lambda: up.hub.status.gaps > gaps, "the connection after the refusals")
        assert either.applied(refused) == 4
        assert time.monotonic() - began > 0.05
        await either.settled(up)


async def test_a_process_that_is_stuck_for_a_while_reads_everything_afterwards(either: Bench) -> None:
    async with either.node(either.grid(levels=8, step_percent="0.2")) as up:
        await either.settled(up)
        either.fault("duplicate", None, stream="*", args={"copies": 50})
        for percent in ("-1.5", "1.8", "-1.7", "1.6"):
            either.gap(percent)  # nobody reads meanwhile
        time.sleep(1.5)  # noqa: ASYNC251 - the whole process is stuck
        stored = await either.settled(up)
        assert len(stored.fills) >= 6


async def test_two_connections_that_tell_of_one_account_count_each_trade_once(either: Bench) -> None:
    async with either.node(either.grid(levels=4)) as up:
        await either.settled(up)

        async def listen_too() -> None:
            async for event in up.exchange.user_events():
                up.hub._take(event)

        second = asyncio.create_task(listen_too())
        gaps = up.hub.status.gaps
        await until(lambda: up.hub.status.gaps > gaps, "the second connection")
        await trade_a_while(either, up)
        stored = await either.settled(up)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert len(stored.fills) >= 4


WRONG = {"symbol": "BTCUSDT", "orderId": 1, "status": "FILLED", "side": "BUY", "type": "LIMIT", "origQty": "1"}


@pytest.mark.parametrize(
    "body",
    [
        {**WRONG, "executedQty": "NaN", "price": "1"}, {**WRONG, "executedQty": "1e400", "price": "1"},
        {**WRONG, "executedQty": "-0.5", "price": "1"}, {**WRONG, "executedQty": 0.1, "price": 1e300},
        {**WRONG, "executedQty": None}, [1, "-0"], {"status": "FILLED"},
    ],
    ids=lambda body: str(body)[-40:],
)  # fmt: skip
async def test_nonsense_in_the_answer_to_a_question_is_asked_again(spot: Bench, body: object) -> None:
    spot.fault("drop", None, stream="executionReport")
    spot.placing("reply_lost")
    asked = spot.fault("reply_other", method="GET", path="*/order", args={"body": body})
    async with spot.node(spot.grid(levels=1)) as up:
        stored = await spot.settled(up)
        (name,) = spot.resting_names()
        assert spot.applied(asked) == 1
        assert list(stored.intents) == [name]
        assert stored.intents[name].filled == 0
        assert up.engine().status.state == "running"
