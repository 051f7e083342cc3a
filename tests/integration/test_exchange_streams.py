"""Private and public streams of the adapters under the faults that connections have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from core.base_exchange import Bar, BaseExchange, KeyRefused, MarketEvent, PriceUpdate, StreamGap, UserEvent
from core.base_stream import PausesEvents
from domain.errors import Transient
from domain.fill import Fill
from domain.order import CANCELLED, FILLED, MARKET, OPEN, SELL, STOP_MARKET, OrderReport
from domain.outcome import Accepted
from tests.exchange_venue import BOTH, BTC, DEADLINE_SECONDS, OPTIONS, listening, machine_ms, opened, resting
from tests.simulator_process import SimulatorProcess, simulator_process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with simulator_process(tmp_path_factory.mktemp("streams"), *OPTIONS) as process:
        yield process


@pytest.fixture
def venue(running: SimulatorProcess) -> Iterator[SimulatorProcess]:
    yield running
    running.delete("faults")


@pytest.fixture
def own_venue(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """One for a test alone: a connection that is half open stays there, and takes the next fault upon it."""
    with simulator_process(tmp_path, *OPTIONS) as process:
        yield process


def is_gap(event: UserEvent) -> bool:
    return isinstance(event, StreamGap)


def tells(client_order_id: str, status: int) -> Callable[[UserEvent], bool]:
    def wanted(event: UserEvent) -> bool:
        return isinstance(event, OrderReport) and (event.client_order_id, event.status) == (client_order_id, status)

    return wanted


def a_fill_of(client_order_id: str) -> Callable[[UserEvent], bool]:
    return lambda event: isinstance(event, Fill) and event.client_order_id == client_order_id


@pytest.mark.parametrize("name", BOTH)
async def test_a_stream_begins_with_a_gap_and_then_tells_of_orders_and_fills(
    venue: SimulatorProcess, name: str
) -> None:
    async with opened(name, venue) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        order = await resting(exchange)
        await exchange.place(order, machine_ms())
        await heard.wait_for(tells(order.client_order_id, OPEN))
        await exchange.cancel(order)
        await heard.wait_for(tells(order.client_order_id, CANCELLED))
        taker = (await resting(exchange))._replace(type=MARKET, ticks=0)
        await exchange.place(taker, machine_ms())
        await heard.wait_for(tells(taker.client_order_id, FILLED))
        told = {event.trade_id: event for event in heard.events if isinstance(event, Fill)}
        asked = [fill for fill in await exchange.fills_since(BTC, "", 0) if fill.client_order_id in str(told)]
        assert [told[fill.trade_id] for fill in asked] == asked
        assert sum(fill.lots for fill in asked) == taker.lots
        assert sum(isinstance(event, Fill) for event in heard.events) == len(told)


@pytest.mark.parametrize("name", BOTH)
async def test_events_that_are_left_unread_for_a_moment_are_told_then_and_none_is_lost(
    venue: SimulatorProcess, name: str
) -> None:
    async with opened(name, venue) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        assert isinstance(exchange, PausesEvents)
        exchange.pause_events()
        orders = [(await resting(exchange))._replace(type=MARKET, ticks=0) for _ in range(3)]
        for order in orders:
            assert isinstance(await exchange.place(order, machine_ms()), Accepted)
        names = [order.client_order_id for order in orders]
        asked = [fill for fill in await exchange.fills_since(BTC, "", 0) if fill.client_order_id in names]
        assert asked
        assert not [event for event in heard.events if isinstance(event, OrderReport | Fill)]
        exchange.resume_events()
        await heard.wait_for(tells(names[-1], FILLED))
        assert [event for event in heard.events if isinstance(event, Fill)] == asked
        told = [event for event in heard.events if isinstance(event, OrderReport)]
        assert [event.client_order_id for event in told if event.status == FILLED] == names
        assert sum(map(is_gap, heard.events)) == 1


@pytest.mark.parametrize("name", BOTH)
async def test_a_connection_that_breaks_while_it_is_left_unread_is_followed_by_another(
    own_venue: SimulatorProcess, name: str
) -> None:
    async with opened(name, own_venue) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        assert isinstance(exchange, PausesEvents)
        exchange.pause_events()
        own_venue.post("faults", {"kind": "disconnect"})
        exchange.resume_events()
        await heard.wait_for(is_gap, after=1)
        order = await resting(exchange)
        await exchange.place(order, machine_ms())
        await heard.wait_for(tells(order.client_order_id, OPEN))


BREAKS: list[dict[str, Any]] = [
    {"kind": "disconnect"},
    {"kind": "disconnect", "args": {"code": 1012}},
    {"kind": "server_shutdown", "args": {"close_ms": 200}},
    {"kind": "listen_key_expire"},
]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("fault", BREAKS, ids=str)
async def test_every_break_is_told_as_a_gap_and_events_go_on(
    venue: SimulatorProcess, name: str, fault: dict[str, Any]
) -> None:
    async with opened(name, venue) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        before = len(heard.events)
        venue.post("faults", fault)
        gap = await heard.wait_for(is_gap, after=before)
        assert isinstance(gap, StreamGap)
        assert 0 < machine_ms() - gap.since_ms < 30_000
        venue.delete("faults")
        while True:
            told = len(heard.events)
            order = await resting(exchange)
            await exchange.place(order, machine_ms())
            # A connection that was made under the fault may end only now.
            found = await heard.wait_for(
                lambda event: is_gap(event) or tells(order.client_order_id, OPEN)(event),  # noqa: B023
                after=told,
            )
            if not is_gap(found):
                return


@pytest.mark.parametrize("name", BOTH)
async def test_a_fill_lost_on_the_stream_is_found_behind_the_gap(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue, report_seconds=0.3) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        venue.post("faults", {"kind": "stall"})
        taker = (await resting(exchange))._replace(type=MARKET, ticks=0)
        assert isinstance(await exchange.place(taker, machine_ms()), Accepted)
        gap = await heard.wait_for(is_gap, after=1)
        assert isinstance(gap, StreamGap)
        assert "does not tell of it" in gap.reason
        assert not any(isinstance(event, Fill) for event in heard.events)
        found = [
            fill for fill in await exchange.fills_since(BTC, "", 0) if fill.client_order_id == taker.client_order_id
        ]
        assert sum(fill.lots for fill in found) == taker.lots


@pytest.mark.parametrize("name", BOTH)
async def test_a_connection_on_which_nothing_is_answered_is_given_up(own_venue: SimulatorProcess, name: str) -> None:
    async with opened(name, own_venue, silence_seconds=0.5) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        own_venue.post("faults", {"kind": "half_open"})
        gap = await heard.wait_for(lambda event: isinstance(event, StreamGap) and "silent" in event.reason)
        assert isinstance(gap, StreamGap)


async def test_a_quiet_stream_that_answers_pings_stays_while_orders_rest(venue: SimulatorProcess) -> None:
    """On both markets at once, for they wait alike."""
    seconds = 10.0
    async with AsyncExitStack() as stack:
        quiet = []
        for name in BOTH:
            exchange = await stack.enter_async_context(opened(name, venue, silence_seconds=seconds))
            heard = await stack.enter_async_context(listening(exchange))
            await heard.wait_for(is_gap)
            order = await resting(exchange)
            await exchange.place(order, machine_ms())
            await heard.wait_for(tells(order.client_order_id, OPEN))
            quiet.append((exchange, heard, order))
        venue.post("faults", {"kind": "stall"})
        told = [len(heard.events) for _, heard, _ in quiet]
        await asyncio.sleep(1.2 * seconds)  # that nothing happens cannot be waited for
        assert [heard.events[before:] for (_, heard, _), before in zip(quiet, told, strict=True)] == [[], []]
        for exchange, _, order in quiet:
            await exchange.cancel(order)
        for (_, heard, _), before in zip(quiet, told, strict=True):
            gap = await heard.wait_for(is_gap, after=before)
            assert isinstance(gap, StreamGap)
            assert "does not tell of it" in gap.reason


@pytest.mark.parametrize("name", BOTH)
async def test_the_answer_to_a_cancel_tells_the_end_of_the_order(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        order = await resting(exchange)
        await exchange.place(order, machine_ms())
        done = await exchange.cancel(order)
        told = await heard.wait_for(tells(order.client_order_id, CANCELLED))
        assert isinstance(done, Accepted)
        assert done.end == told


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "duplicate", "args": {"copies": 3}},
        {"kind": "reorder", "args": {"behind": 2, "hold_ms": 200}, "times": 2},
        {"kind": "delay_frame", "args": {"delay_ms": 200}},
        {"kind": "unknown_event"},
        {"kind": "huge_frame", "args": {"bytes": 6_000_000}, "times": 1},
    ],
    ids=lambda fault: fault["kind"],
)
async def test_repeated_late_and_strange_events_lose_nothing(
    venue: SimulatorProcess, name: str, fault: dict[str, Any]
) -> None:
    async with opened(name, venue) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        venue.post("faults", fault)
        order = (await resting(exchange))._replace(type=MARKET, ticks=0)
        await exchange.place(order, machine_ms())
        await heard.wait_for(tells(order.client_order_id, FILLED))
        await heard.wait_for(a_fill_of(order.client_order_id))
        fills = {event.trade_id: event.lots for event in heard.events if isinstance(event, Fill)}
        assert sum(fills.values()) == order.lots


@pytest.mark.parametrize("name", BOTH)
async def test_an_event_that_cannot_be_read_counts_as_a_gap(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        venue.post("faults", {"kind": "malformed_frame", "times": 1})
        order = await resting(exchange)
        await exchange.place(order, machine_ms())
        gap = await heard.wait_for(is_gap, after=1)
        assert isinstance(gap, StreamGap)
        assert "could not be read" in gap.reason
        await exchange.cancel(order)
        await heard.wait_for(tells(order.client_order_id, CANCELLED))


async def test_a_revoked_key_ends_the_private_stream_with_a_refusal(venue: SimulatorProcess) -> None:
    async with opened("binance_spot", venue) as exchange:
        venue.post("faults", {"kind": "bad_key"})
        with pytest.raises(KeyRefused):
            await asyncio.wait_for(anext(exchange.user_events()), DEADLINE_SECONDS)


async def test_a_stop_that_triggers_keeps_its_name(venue: SimulatorProcess) -> None:
    async with opened("binance_futures", venue) as exchange, listening(exchange) as heard:
        await heard.wait_for(is_gap)
        price = await exchange.last_price(BTC)
        stop = (await resting(exchange))._replace(type=STOP_MARKET, side=SELL, ticks=price.bid - price.bid // 200)
        await exchange.place(stop, machine_ms())
        venue.post("market/gap", {"symbol": BTC, "percent": "-2"})
        venue.post("advance", {"ms": 60_000})
        fill = await heard.wait_for(a_fill_of(stop.client_order_id))
        assert isinstance(fill, Fill)
        assert fill.lots == stop.lots
        report = await exchange.query(stop)
        assert report is not None
        assert report.filled == stop.lots


async def watched(exchange: BaseExchange, venue: SimulatorProcess) -> list[MarketEvent]:
    seen: list[MarketEvent] = []
    begun = asyncio.Event()

    def deliver(event: MarketEvent) -> None:
        seen.append(event)
        begun.set()

    task = asyncio.create_task(exchange.watch_market({BTC}, {(BTC, "1m")}, deliver))
    async with asyncio.timeout(DEADLINE_SECONDS):
        await begun.wait()
        while sum(isinstance(event, Bar) for event in seen) < 2:
            await asyncio.to_thread(venue.post, "advance", {"ms": 60_000})
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return seen


@pytest.mark.parametrize("name", BOTH)
async def test_bars_of_the_stream_are_the_bars_of_rest(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue) as exchange:
        seen = await watched(exchange, venue)
        bars = [event for event in seen if isinstance(event, Bar)]
        prices = [event for event in seen if isinstance(event, PriceUpdate)]
        venue.post("advance", {"ms": 30_000})
        assert await exchange.bars(BTC, "1m", bars[0].open_ms, len(bars)) == bars
        assert len({price.last for price in prices}) > 10
        assert all(price.bid <= price.ask for price in prices)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("fault", [{"kind": "disconnect"}, {"kind": "stall"}], ids=lambda fault: fault["kind"])
async def test_a_public_stream_that_breaks_or_falls_silent_raises(
    venue: SimulatorProcess, name: str, fault: dict[str, Any]
) -> None:
    async with opened(name, venue, silence_seconds=0.5) as exchange:
        venue.post("faults", fault)
        with pytest.raises(Transient):
            async with asyncio.timeout(DEADLINE_SECONDS):
                await exchange.watch_market({BTC}, set(), lambda _event: None)
