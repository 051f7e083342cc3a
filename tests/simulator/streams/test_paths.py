from __future__ import annotations

import pytest

from simulator.streams.paths import entrance


@pytest.mark.parametrize("path", ["/", "/wss", "/api/v3/order", "/ws-api", "/ws-api/v1", "/public", "/pm/ws/abc"])
def test_other_paths_serve_no_websocket(path: str) -> None:
    assert entrance(path, {}) is None


@pytest.mark.parametrize(
    ("path", "market"), [("/ws-api/v3", "spot"), ("/ws-fapi/v1", "futures"), ("//ws-fapi/v1/", "futures")]
)
def test_the_websocket_api_has_one_path_per_market(path: str, market: str) -> None:
    door = entrance(path, {})
    assert door is not None
    assert (door.market, door.is_api) == (market, True)


def test_a_bare_path_is_spot_unless_the_host_is_that_of_futures() -> None:
    spot, futures = entrance("/ws", {}, "127.0.0.1:9000"), entrance("/ws", {}, "fstream.binance.com")
    assert spot is not None
    assert futures is not None
    assert (spot.market, spot.is_bare) == ("spot", True)
    assert (futures.market, futures.is_bare, futures.route) == ("futures", False, None)


@pytest.mark.parametrize("prefix", ["", "/fstream"])
@pytest.mark.parametrize("route", ["public", "market", "private"])
def test_the_routed_roots_are_futures_in_raw_and_combined_form(prefix: str, route: str) -> None:
    raw, combined = entrance(f"{prefix}/{route}/ws", {}), entrance(f"{prefix}/{route}/stream", {})
    assert raw is not None
    assert combined is not None
    assert (raw.market, raw.route, raw.is_combined) == ("futures", route, False)
    assert (combined.market, combined.route, combined.is_combined) == ("futures", route, True)


def test_stream_names_come_from_the_path_and_from_the_query() -> None:
    raw = entrance("/ws/btcusdt@trade/%21miniTicker@arr", {})
    combined = entrance("/stream", {"streams": "btcusdt@trade/ethusdt@kline_1d@ 08:00"})
    assert raw is not None
    assert combined is not None
    assert raw.streams == ("btcusdt@trade", "!miniTicker@arr")
    assert combined.streams == ("btcusdt@trade", "ethusdt@kline_1d@+08:00")


def test_a_listen_key_and_the_events_wanted_come_from_the_query() -> None:
    door = entrance("/private/ws", {"listenKey": "abc", "events": "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE"})
    assert door is not None
    assert door.streams == ("abc",)
    assert door.events == {"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"}


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond"])
def test_times_may_be_wanted_in_microseconds(unit: str) -> None:
    door = entrance("/ws", {"timeUnit": unit})
    assert door is not None
    assert door.in_microseconds


@pytest.mark.parametrize(
    ("path", "is_combined", "streams"),
    [("/stream/ws/0", False, ("0",)), ("/stream/stream", True, ()), ("/stream", True, ()), ("/stream/0", True, ("0",))],
)
def test_the_first_part_may_name_the_spot_host(path: str, is_combined: bool, streams: tuple[str, ...]) -> None:
    door = entrance(path, {})
    assert door is not None
    assert (door.market, door.is_bare, door.is_combined, door.streams) == ("spot", True, is_combined, streams)
