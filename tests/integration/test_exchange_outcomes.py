"""Every row of the outcome table, on both markets: what the venue did, and what the adapter may claim of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from core.base_exchange import KEY_REFUSED, BaseExchange, KeyRefused
from domain.errors import Transient
from domain.order import CANCELLED, OPEN, REJECTED, SELL, STOP_MARKET, Order
from domain.outcome import Accepted, Outcome, Rejected, Unknown
from tests.exchange_venue import BOTH, OPTIONS, machine_ms, opened, resting, until
from tests.services import free_port
from tests.simulator_process import SimulatorProcess, simulator_process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with simulator_process(tmp_path_factory.mktemp("outcomes"), *OPTIONS) as process:
        yield process


@pytest.fixture
def venue(running: SimulatorProcess) -> Iterator[SimulatorProcess]:
    yield running
    running.delete("faults")


def placing(**fault: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "*/order", "times": 1, **fault}


# Fault, whether the order exists afterwards, the outcome that may be claimed.
EXECUTED = [
    ({"kind": "reply_lost", "args": {"how": "reset"}}, Unknown),
    ({"kind": "reply_lost", "args": {"how": "fin"}}, Unknown),
    ({"kind": "reply_cut", "args": {"how": "length"}}, Unknown),
    ({"kind": "reply_cut", "args": {"how": "chunked"}}, Unknown),
    ({"kind": "reply_empty"}, Unknown),
    ({"kind": "reply_html"}, Unknown),
    ({"kind": "reply_html", "args": {"status": 502}}, Unknown),
    ({"kind": "reply_empty", "args": {"status": 500}}, Unknown),
    ({"kind": "reply_other"}, Unknown),
    ({"kind": "reply_other", "args": {"body": {"symbol": "ETHUSDT", "orderId": 5, "clientOrderId": "else"}}}, Unknown),
    ({"kind": "reply_other", "args": {"body": []}}, Unknown),
    *(
        ({"kind": "reply_status", "args": {"status": status, "code": code, "msg": text}}, Unknown)
        for status, code, text in [
            (503, -1000, "Unknown error, please check your request or try again later."),
            (503, -1008, "Server is currently overloaded with other requests."),
            (500, -1001, "Internal error; unable to process your request. Please try again."),
            (500, -1006, "An unexpected response was received from the message bus."),
            (400, -1006, "An unexpected response was received from the message bus."),
            (200, -1006, "An unexpected response was received from the message bus."),
            (408, -1007, "Timeout waiting for response from backend server."),
            (400, -1007, "Timeout waiting for response from backend server."),
            (200, -1007, "Timeout waiting for response from backend server."),
            (500, -9999, "A code of tomorrow."),
            (400, -9999, "A code of tomorrow."),
        ]
    ),
]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(("fault", "claim"), EXECUTED, ids=lambda value: str(value)[:60])
async def test_an_order_that_may_exist_is_never_called_rejected(
    venue: SimulatorProcess, name: str, fault: dict[str, Any], claim: type[Outcome]
) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        venue.post("faults", placing(**fault))
        outcome = await exchange.place(order, machine_ms())
        assert isinstance(outcome, claim)
        report = await exchange.query(order)
        assert report is not None
        assert report.status == OPEN
        assert await sends(venue, exchange, order) == 1
        assert isinstance(await exchange.cancel(order), Accepted)


@contextmanager
def impatient(exchange: BaseExchange) -> Iterator[None]:
    """Answers are waited for half a second, by this one request: any other may take its time on a busy machine."""
    door = exchange._rest.door  # type: ignore[attr-defined]
    usual, door._limits = door._limits, aiohttp.ClientTimeout(total=0.5)
    yield
    door._limits = usual


async def has_met(venue: SimulatorProcess, rule: int) -> bool:
    """Whether a request has run into the fault."""
    return any(one["id"] == rule and one["applied"] for one in venue.get("faults"))


async def sends(venue: SimulatorProcess, exchange: BaseExchange, order: Order) -> int:
    """How many orders of this name the venue has ever made."""
    rows = [row for row in venue.tape("order") if row.get("client") == order.client_order_id]
    return len({row["order"] for row in rows})


NOT_EXECUTED = [
    ({"kind": "rate_limit", "args": {"retry_after": 1}}, "-1003"),
    ({"kind": "order_limit"}, "-1015"),
    ({"kind": "bad_key", "args": {"code": -2015}}, KEY_REFUSED),
    ({"kind": "bad_key", "args": {"code": -2014}}, KEY_REFUSED),
    ({"kind": "bad_key", "args": {"code": -1002}}, KEY_REFUSED),
    ({"kind": "proxy_page", "args": {"status": 403}}, "HTTP 403"),
    ({"kind": "proxy_page", "args": {"status": 404}}, "HTTP 404"),
    ({"kind": "proxy_page", "args": {"status": 400}}, "HTTP 400"),
    ({"kind": "reply_status", "args": {"status": 400, "code": -2010, "msg": "Account has insufficient balance for "
      "requested action.", "executed": False}}, "-2010"),
    ({"kind": "reply_status", "args": {"status": 400, "code": -1013, "msg": "Filter failure: NOTIONAL",
      "executed": False}}, "-1013"),
]  # fmt: skip


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(("fault", "words"), NOT_EXECUTED, ids=lambda value: str(value)[:60])
async def test_the_venues_own_refusal_is_a_rejection_with_its_reason(
    venue: SimulatorProcess, name: str, fault: dict[str, Any], words: str
) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        venue.post("faults", placing(**fault))
        outcome = await exchange.place(order, machine_ms())
        assert isinstance(outcome, Rejected)
        assert words in outcome.reason
        assert await sends(venue, exchange, order) == 0


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("reply", [None, {"kind": "reply_status", "status": 503}], ids=["hangs", "503"])
async def test_a_swallowed_order_is_unknown_and_the_venue_knows_of_none(
    venue: SimulatorProcess, name: str, reply: dict[str, Any] | None
) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        venue.post("faults", placing(kind="swallow", args={"reply": reply} if reply else {}))
        with impatient(exchange):
            assert isinstance(await exchange.place(order, machine_ms()), Unknown)
        assert await exchange.query(order) is None


@pytest.mark.parametrize("name", BOTH)
async def test_an_order_executed_after_we_gave_up_is_unknown_until_it_shows(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        rule = venue.post("faults", placing(kind="late", args={"hold": True}))
        with impatient(exchange):
            assert isinstance(await exchange.place(order, machine_ms()), Unknown)
        assert await exchange.query(order) is None
        venue.post(f"faults/{rule['id']}/release")
        report = await until(lambda: exchange.query(order), "the late order to appear")
        assert report is not None
        assert report.status == OPEN


@pytest.mark.parametrize("name", BOTH)
async def test_a_cancelled_wait_lets_the_request_finish_at_the_venue(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        rule = venue.post("faults", placing(kind="delay", args={"after_ms": 2_000}))
        placed = asyncio.create_task(exchange.place(order, machine_ms()))
        await until(lambda: has_met(venue, rule["id"]), "the request at the venue")
        placed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await placed
        report = await until(lambda: exchange.query(order), "the order")
        assert report is not None
        assert await sends(venue, exchange, order) == 1


@pytest.mark.parametrize("name", BOTH)
async def test_a_refused_connection_is_proof_that_nothing_was_sent(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        nowhere = f"http://127.0.0.1:{free_port()}"
        client = exchange._rest.door.client  # type: ignore[attr-defined]
        client.urls["api"] = dict.fromkeys(client.urls["api"], nowhere)
        outcome = await exchange.place(order, machine_ms())
        assert isinstance(outcome, Rejected)
        assert outcome.reason.startswith("nothing was sent")


@pytest.mark.parametrize("name", BOTH)
async def test_a_connection_reset_before_the_request_is_read_still_counts_as_unknown(
    venue: SimulatorProcess, name: str
) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        venue.post("faults", placing(kind="refuse_connection"))
        assert isinstance(await exchange.place(order, machine_ms()), Unknown)


@pytest.mark.parametrize("name", BOTH)
async def test_a_second_send_of_a_living_order_says_that_the_first_one_lives(
    venue: SimulatorProcess, name: str
) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        assert isinstance(await exchange.place(order, machine_ms()), Accepted)
        again = await exchange.place(order, machine_ms())
        assert isinstance(again, Unknown)
        assert "an earlier send of this order lives" in again.cause


@pytest.mark.parametrize("name", BOTH)
async def test_a_frozen_intent_is_refused_by_the_venues_clock(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue, receive_window_ms=1_200) as exchange:
        order = await resting(exchange)
        outcome = await exchange.place(order, machine_ms() - 2_000)
        assert isinstance(outcome, Rejected)
        assert "-1021" in outcome.reason
        assert await sends(venue, exchange, order) == 0


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("step_ms", [-7_000, 2_500, 3_600_000])
async def test_after_one_clock_refusal_the_offset_is_known_again(
    venue: SimulatorProcess, name: str, step_ms: int
) -> None:
    async with opened(name, venue, receive_window_ms=2_000) as exchange:
        venue.post("faults", {"kind": "clock_step", "args": {"step_ms": step_ms}})
        first = await exchange.place(await resting(exchange), machine_ms())
        assert isinstance(first, Rejected)
        assert abs(exchange.clock_offset_ms() - step_ms) < 500
        assert isinstance(await exchange.place(await resting(exchange), machine_ms()), Accepted)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    "fault",
    [{"kind": "reply_lost"}, {"kind": "reply_status", "args": {"status": 503}}, {"kind": "reply_html"}],
    ids=str,
)
async def test_a_cancel_without_an_answer_is_unknown_and_is_sent_once(
    venue: SimulatorProcess, name: str, fault: dict[str, Any]
) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        await exchange.place(order, machine_ms())
        before = len(venue.tape("request"))
        venue.post("faults", {"method": "DELETE", "path": "*/order", "times": 1, **fault})
        assert isinstance(await exchange.cancel(order), Unknown)
        deletes = [row for row in venue.tape("request")[before:] if row.get("method") == "DELETE"]
        assert len(deletes) == 1
        report = await exchange.query(order)
        assert report is not None
        assert report.status == CANCELLED


@pytest.mark.parametrize("name", BOTH)
async def test_cancelling_what_is_not_open_is_refused(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue) as exchange:
        outcome = await exchange.cancel(await resting(exchange))
        assert isinstance(outcome, Rejected)
        assert "-2011" in outcome.reason


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "reply_lost"}, Transient),
        ({"kind": "reply_html"}, Transient),
        (
            {"kind": "reply_other", "args": {"body": {"symbol": "ETHUSDT", "orderId": 3, "clientOrderId": "x"}}},
            Transient,
        ),
        ({"kind": "rate_limit", "args": {"retry_after": 1}}, Transient),
        ({"kind": "bad_key"}, KeyRefused),
    ],
    ids=str,
)
async def test_a_query_that_cannot_be_answered_raises_what_to_do_next(
    venue: SimulatorProcess, name: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        await exchange.place(order, machine_ms())
        venue.post("faults", {"method": "GET", "path": "*/order", "times": 1, **fault})
        with pytest.raises(error) as raised:
            await exchange.query(order)
        assert "signature" not in str(raised.value)
        assert "http" not in str(raised.value).replace("HTTP", "")


@pytest.mark.parametrize("name", BOTH)
async def test_an_archived_order_ended_without_any_execution(venue: SimulatorProcess, name: str) -> None:
    async with opened(name, venue) as exchange:
        order = await resting(exchange)
        await exchange.place(order, machine_ms())
        venue.post("faults", {"kind": "pruned", "args": {"code": -2026}, "times": 1})
        report = await exchange.query(order)
        assert report is not None
        assert (report.status, report.filled) == (CANCELLED, 0)


async def test_a_batch_with_an_item_missing_from_the_answer_leaves_that_one_unknown(venue: SimulatorProcess) -> None:
    async with opened("binance_futures", venue) as exchange:
        orders = [await resting(exchange) for _ in range(5)]
        orders[3] = orders[3]._replace(ticks=orders[3].ticks * 3)
        venue.post("faults", {"kind": "batch_missing", "args": {"index": 1}, "path": "*/batchOrders", "times": 1})
        outcomes = await exchange.place_batch(orders, machine_ms())
        assert [type(outcome) for outcome in outcomes] == [Accepted, Unknown, Accepted, Unknown, Accepted]
        assert await exchange.query(orders[1]) is not None
        assert await exchange.query(orders[3]) is None


async def test_a_batch_tells_each_orders_own_outcome(venue: SimulatorProcess) -> None:
    async with opened("binance_futures", venue) as exchange:
        orders = [await resting(exchange) for _ in range(7)]
        orders[2] = orders[2]._replace(ticks=orders[2].ticks * 3)
        outcomes = await exchange.place_batch(orders, machine_ms())
        assert [type(outcome) for outcome in outcomes] == [Accepted] * 2 + [Rejected] + [Accepted] * 4


async def test_a_batch_without_an_answer_is_unknown_as_a_whole(venue: SimulatorProcess) -> None:
    async with opened("binance_futures", venue) as exchange:
        orders = [await resting(exchange) for _ in range(3)]
        venue.post("faults", {"kind": "reply_lost", "path": "*/batchOrders", "times": 1})
        outcomes = await exchange.place_batch(orders, machine_ms())
        assert all(isinstance(outcome, Unknown) for outcome in outcomes)
        reports = [await exchange.query(order) for order in orders]
        assert all(report is not None and report.status != REJECTED for report in reports)


async def test_a_stop_that_waits_is_found_on_the_service_it_lives_on(venue: SimulatorProcess) -> None:
    async with opened("binance_futures", venue) as exchange:
        order = (await resting(exchange))._replace(type=STOP_MARKET, side=SELL)
        assert isinstance(await exchange.place(order, machine_ms()), Accepted)
        report = await exchange.query(order)
        assert report is not None
        assert report.status == OPEN
        assert order.client_order_id in {row.client_order_id for row in await exchange.open_orders("BTCUSDT")}
        assert isinstance(await exchange.cancel(order), Accepted)
