"""Limits, bans and clocks gone wrong, as a plain client meets them."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.simulator.fault_matrix.customer import Customer, customer, until
from tests.simulator_process import SimulatorProcess

HOUR_MS = 3_600_000


async def test_too_many_requests_are_told_to_wait(either: Customer) -> None:
    either.fault("rate_limit", args={"retry_after": 35})
    answer = await either.send("GET", "openOrders", symbol="BTCUSDT")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, -1003, "35")
    assert (await either.send("GET", "openOrders", symbol="BTCUSDT")).status == 200


@pytest.mark.parametrize("seconds", [120, 3 * 86_400])
async def test_an_address_is_banned(either: Customer, seconds: int) -> None:
    either.fault("ban", args={"retry_after": seconds})
    try:
        for _ in range(2):  # the rule applies once, the ban lasts
            answer = await either.send("GET", "openOrders", symbol="BTCUSDT")
            assert (answer.status, answer.code) == (418, -1003)
            assert seconds - 30 <= int(answer.headers["Retry-After"]) <= seconds
        assert "IP banned until" in answer.body["msg"]
    finally:
        either.venue.delete("bans")
    assert (await either.send("GET", "openOrders", symbol="BTCUSDT")).status == 200


async def test_the_used_weight_jumps_as_if_another_program_ran(either: Customer) -> None:
    either.fault("weight_jump", args={"used": 5900})
    used = [(await either.send("GET", "openOrders", symbol="BTCUSDT")).headers["X-MBX-USED-WEIGHT-1M"] for _ in "ab"]
    assert used[0] == "5900"
    assert int(used[1]) < 5900


async def test_the_count_of_orders_is_used_up(either: Customer) -> None:
    either.fault("order_limit", method="POST", path="*/order")
    refused = await either.place()
    assert (refused.status, refused.code) == (429, -1015)
    assert either.orders() == []
    assert (await either.place()).status == 200


async def test_one_accounts_order_limit_is_not_anothers(venue: SimulatorProcess, spot: Customer) -> None:
    limit = {"market": "spot", "kind": "ORDERS", "interval": "SECOND", "number": 10}
    venue.post("limits", {**limit, "limit": 2})
    try:
        codes = {(await spot.place(f"order-{number}")).code for number in range(6)}
        assert codes == {None, -1015}
        async with customer(venue, "spot") as other:
            assert (await other.place()).status == 200
    finally:
        venue.post("limits", {**limit, "limit": 100})


async def test_the_venue_changes_its_limits_while_it_runs(either: Customer) -> None:
    ordinary = {"spot": 6000, "futures": 2400}[either.market]
    limit = {"market": either.market, "kind": "REQUEST_WEIGHT", "interval": "MINUTE", "number": 1}
    either.venue.post("limits", {**limit, "limit": 1234})
    try:
        shown = (await either.send("GET", "exchangeInfo", timestamp=None)).body["rateLimits"]
    finally:
        either.venue.post("limits", {**limit, "limit": ordinary})
    assert [item["limit"] for item in shown if item["rateLimitType"] == "REQUEST_WEIGHT"] == [1234]


@pytest.mark.parametrize("step_ms", [2_000, -7_000, HOUR_MS, -HOUR_MS])
async def test_the_venues_clock_is_off(either: Customer, step_ms: int) -> None:
    rule = either.venue.post("faults", {"kind": "clock_step", "args": {"step_ms": step_ms}})["id"]
    told = (await either.send("GET", "time")).body["serverTime"]
    assert abs(told - step_ms - time.time_ns() // 1_000_000) < 1_900
    answer = await either.place(recvWindow=1900)
    assert answer.code == -1021
    assert (await either.place(recvWindow=1900, timestamp=time.time_ns() // 1_000_000 + step_ms)).status == 200
    either.lift(rule)


@pytest.mark.parametrize(("age_ms", "text"), [(5_500, "outside of the recvWindow"), (-1_500, "ahead of the server")])
async def test_a_request_signed_at_another_time_is_refused(either: Customer, age_ms: int, text: str) -> None:
    answer = await either.place(timestamp=time.time_ns() // 1_000_000 - age_ms)
    assert answer.code == -1021
    assert text in answer.body["msg"]
    assert either.orders() == []


@pytest.mark.parametrize("bypass", [False, True])
async def test_a_request_grows_old_inside_the_venue(either: Customer, bypass: bool) -> None:
    """A signed request held back past its window is refused, unless the fault says otherwise; the tape says which."""
    rule = either.fault("late", args={"hold": True, "bypass_recv_window": bypass}, method="POST", path="*/order")
    request = asyncio.create_task(either.place(recvWindow=60_000))
    await until(lambda: any(item["applied"] for item in either.venue.get("faults")))
    clock = either.venue.post("faults", {"kind": "clock_step", "args": {"step_ms": 61_000}})["id"]
    either.venue.post(f"faults/{rule}/release")
    answer = await request
    either.lift(clock)
    assert answer.code == (None if bypass else -1021)
    assert either.orders() == (["mine"] if bypass else [])
    notes = [line for line in either.venue.tape("fault") if line["rule"] == rule]
    assert [note["bypasses_window"] for note in notes] == [bypass]
