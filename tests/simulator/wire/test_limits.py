from __future__ import annotations

import pytest

from simulator.errors import VenueError
from simulator.spot.types import ExecutionReport, Fill, SpotOrder
from simulator.wire.endpoint import registry
from simulator.wire.limits import LONGEST_BAN_MS, STRIKES_BEFORE_BAN, Limits
from tests.simulator.wire.fakes import SettableClock

MINUTE = 1_700_000_040_000
IP = "10.0.0.1"


def limits_at(time_ms: int = MINUTE) -> tuple[Limits, SettableClock]:
    clock = SettableClock()
    clock.at = time_ms
    return Limits(clock), clock


def refused(limits: Limits, weight: int = 1) -> VenueError:
    with pytest.raises(VenueError) as caught:
        limits.admit("spot", IP, weight)
    return caught.value


def test_weight_has_room_up_to_the_limit_and_not_beyond() -> None:
    limits, _ = limits_at()
    limits.charge("spot", IP, 5_990)
    limits.admit("spot", IP, 10)
    error = refused(limits, 11)
    assert (error.code, error.status, error.data) == (-1003, 429, {"retry_after": 60})
    assert error.message == (
        "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )


def test_windows_are_fixed_on_the_clock_minute() -> None:
    limits, clock = limits_at(MINUTE + 59_500)
    limits.charge("spot", IP, 6_000)
    assert refused(limits).data == {"retry_after": 1}
    clock.at = MINUTE + 60_000
    limits.admit("spot", IP, 6_000)
    assert limits.used_weight("spot", IP) == 0


def test_markets_and_addresses_count_apart() -> None:
    limits, _ = limits_at()
    limits.charge("spot", IP, 6_000)
    limits.admit("futures", IP, 2_400)
    limits.admit("spot", "10.0.0.2", 1)


def test_going_on_after_429_is_banned_and_each_ban_is_longer() -> None:
    limits, clock = limits_at()
    lengths = []
    for _ in range(8):
        now = clock.now_ms()
        limits.charge("spot", IP, 6_000)
        for _ in range(STRIKES_BEFORE_BAN):
            assert refused(limits).status == 429
        error = refused(limits)
        until = now + int(str(error.data["retry_after"])) * 1000  # type: ignore[index]
        assert error.status == 418
        assert error.message == (
            f"Way too much request weight used; IP banned until {until}. "
            "Please use WebSocket Streams for live updates to avoid bans."
        )
        assert refused(limits, 0).status == 418
        lengths.append(until - now)
        clock.at = until
    assert lengths[:3] == [120_000, 480_000, 1_920_000]
    assert lengths[-1] == LONGEST_BAN_MS


def test_a_ban_can_be_lifted() -> None:
    limits, _ = limits_at()
    limits.ban("spot", IP, 1_000_000)
    assert refused(limits).status == 418
    limits.lift_bans()
    limits.admit("spot", IP, 1)


def test_raw_requests_are_limited_even_when_they_weigh_nothing() -> None:
    limits, _ = limits_at()
    limits.set_limit("spot", "RAW_REQUESTS", "MINUTE", 5, 3)
    for _ in range(3):
        limits.admit("spot", IP, 0)
    assert refused(limits, 0).status == 429


def test_lifted_limits_count_and_refuse_nothing() -> None:
    limits, _ = limits_at()
    limits.lifted = True
    limits.ban("spot", IP, 1_000_000)
    limits.charge("spot", IP, 9_999)
    limits.admit("spot", IP, 1)
    limits.reserve_orders("spot", 1, 1_000)
    assert limits.used_weight("spot", IP) == 9_999


@pytest.mark.parametrize(
    ("market", "most", "text"),
    [
        ("spot", 100, "Too many new orders; current limit is 100 orders per 10 SECOND."),
        ("futures", 300, "Too many new orders; current limit is 300 orders per 10 SECOND."),
    ],
)
def test_unfilled_orders_are_limited_by_account(market: str, most: int, text: str) -> None:
    limits, clock = limits_at(MINUTE + 1_000)
    for _ in range(most):
        limits.reserve_orders(market, 1, 1)  # type: ignore[arg-type]
    limits.reserve_orders(market, 2, 1)  # type: ignore[arg-type]
    with pytest.raises(VenueError) as caught:
        limits.reserve_orders(market, 1, 1)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.status, caught.value.message) == (-1015, 429, text)
    assert caught.value.data == {"retry_after": 9}
    clock.at = MINUTE + 10_000
    limits.reserve_orders(market, 1, 1)  # type: ignore[arg-type]


def report(executed: int, filled: int, is_maker: bool) -> ExecutionReport:
    order = SpotOrder(1, 7, "BTCUSDT", "BUY", "LIMIT", "GTC", 1, 100, 0, "c", 0, executed=executed)
    fill = Fill(1, 1, "BTCUSDT", 1, filled, 1, 0, "BTC", 0, True, is_maker)
    return ExecutionReport(order, "TRADE", 0, 1, fill)


def test_a_first_fill_gives_counts_back_and_later_fills_do_not() -> None:
    limits, _ = limits_at()
    limits.reserve_orders("spot", 7, 8)
    limits.on_event(report(10, 10, is_maker=False))
    assert limits.order_headers("spot", 7) == {"X-MBX-ORDER-COUNT-10S": "7", "X-MBX-ORDER-COUNT-1D": "7"}
    limits.on_event(report(30, 20, is_maker=False))
    limits.on_event(report(5, 5, is_maker=True))
    assert limits.order_report("spot", 7)[0] == {
        "rateLimitType": "ORDERS",
        "interval": "SECOND",
        "intervalNum": 10,
        "limit": 100,
        "count": 2,
    }
    limits.on_event(report(5, 5, is_maker=True))
    assert limits.order_report("spot", 7)[0]["count"] == 0


def test_handshakes_are_limited() -> None:
    limits, _ = limits_at()
    for _ in range(300):
        limits.connect("spot", IP)
    with pytest.raises(VenueError) as caught:
        limits.connect("spot", IP)
    assert caught.value.status == 429


def test_the_published_rules_are_the_venues() -> None:
    limits, _ = limits_at()
    spot = {
        (rule["rateLimitType"], rule["interval"], rule["intervalNum"], rule["limit"]) for rule in limits.rules("spot")
    }
    assert spot == {
        ("REQUEST_WEIGHT", "MINUTE", 1, 6000),
        ("ORDERS", "SECOND", 10, 100),
        ("ORDERS", "DAY", 1, 200000),
        ("RAW_REQUESTS", "MINUTE", 5, 300000),
    }
    assert [rule["limit"] for rule in limits.rules("futures")] == [2400, 300, 1200]


def test_a_quota_that_endpoints_share_is_counted_beside_the_weight() -> None:
    limits, clock = limits_at()
    for _ in range(500):
        limits.admit("futures", IP, 0, "FUNDING")
    limits.admit("futures", IP, 0, "STATISTICS")
    limits.admit("futures", IP, 1)
    with pytest.raises(VenueError) as caught:
        limits.admit("futures", IP, 0, "FUNDING")
    assert (caught.value.code, caught.value.status) == (-1003, 429)
    assert "500 requests per 5 minutes" in caught.value.message
    clock.at = MINUTE + 300_000
    limits.admit("futures", IP, 0, "FUNDING")


def test_quotas_and_connections_are_not_among_the_published_limits() -> None:
    limits, _ = limits_at()
    assert {rule["rateLimitType"] for rule in limits.rules("futures")} == {"REQUEST_WEIGHT", "ORDERS"}


def test_a_batch_counts_its_orders_in_ten_seconds_and_once_in_a_minute() -> None:
    limits, _ = limits_at()
    limits.reserve_orders("futures", 1, 5, 1)
    assert limits.order_headers("futures", 1) == {"X-MBX-ORDER-COUNT-10S": "5", "X-MBX-ORDER-COUNT-1M": "1"}
    limits.give_back_orders("futures", 1, 5, 1)
    assert limits.order_headers("futures", 1) == {"X-MBX-ORDER-COUNT-10S": "0", "X-MBX-ORDER-COUNT-1M": "0"}


def test_the_endpoints_with_a_quota_are_those_of_funding_and_statistics() -> None:
    found = {(item.quota, item.path) for methods in registry().rest.values() for item in methods.values()}
    assert {path for quota, path in found if quota == "FUNDING"} == {"/fapi/v1/fundingRate", "/fapi/v1/fundingInfo"}
    data = {path for _, path in found if path.startswith("/futures/data/")}
    assert {path for quota, path in found if quota == "STATISTICS"} == data
    batches = registry().rest["/fapi/v1/batchOrders"]
    assert [(batches[name].orders, batches[name].orders_longer) for name in ("POST", "PUT")] == [(5, 1)] * 2
