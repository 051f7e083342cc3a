from __future__ import annotations

import pytest

from simulator.streams.names import StreamKey, find_stream, parse_stream


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("btcusdt@trade", ("trade", "BTCUSDT", "", 0)),
        ("btcusdt@kline_1s", ("kline", "BTCUSDT", "1s", 1000)),
        ("btcusdt@kline_1M", ("kline", "BTCUSDT", "1M", 2000)),
        ("btcusdt@ticker", ("ticker", "BTCUSDT", "", 1000)),
        ("btcusdt@ticker_4h", ("windowTicker", "BTCUSDT", "4h", 1000)),
        ("!ticker_1d@arr", ("windowTicker", "", "1d", 1000)),
        ("!miniTicker@arr", ("miniTicker", "", "", 1000)),
        ("btcusdt@depth", ("depth", "BTCUSDT", "", 1000)),
        ("btcusdt@depth@100ms", ("depth", "BTCUSDT", "", 100)),
        ("btcusdt@depth20@100ms", ("partialDepth", "BTCUSDT", "20", 100)),
        ("btcusdt@avgPrice", ("avgPrice", "BTCUSDT", "", 1000)),
    ],
)
def test_a_spot_stream_name_says_symbol_kind_and_beat(name: str, expected: tuple[str, str, str, int]) -> None:
    key = parse_stream("spot", name)
    assert key is not None
    assert (key.kind, key.symbol, key.argument, key.speed_ms) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("btcusdt@markPrice", ("markPrice", "BTCUSDT", "", 3000)),
        ("btcusdt@markPrice@1s", ("markPrice", "BTCUSDT", "", 1000)),
        ("!markPrice@arr@1s", ("markPrice", "", "", 1000)),
        ("btcusdt_perpetual@continuousKline_5m", ("continuousKline", "BTCUSDT", "5m", 250)),
        ("BTCUSDT_PERPETUAL@continuousKline_5m", ("continuousKline", "BTCUSDT", "5m", 250)),
        ("btcusdt@depth@0ms", ("depth", "BTCUSDT", "", 0)),
        ("btcusdt@depth@500ms", ("depth", "BTCUSDT", "", 500)),
        ("btcusdt@depth", ("depth", "BTCUSDT", "", 250)),
        ("btcusdt@depth5@500ms", ("partialDepth", "BTCUSDT", "5", 500)),
        ("btcusdt@rpiDepth@500ms", ("depth", "BTCUSDT", "", 500)),
        ("!bookTicker", ("bookTicker", "", "", 5000)),
        ("!forceOrder@arr", ("forceOrder", "", "", 1000)),
        ("!ticker@arr", ("ticker", "", "", 1000)),
    ],
)
def test_a_futures_stream_name_says_symbol_kind_and_beat(name: str, expected: tuple[str, str, str, int]) -> None:
    key = parse_stream("futures", name)
    assert key is not None
    assert (key.kind, key.symbol, key.argument, key.speed_ms) == expected


@pytest.mark.parametrize("name", ["BTCUSDT@trade", "btcusdt@Trade", "btcusdt@kline_7m", "btcusdt@depth7", "0", "", "@"])
def test_a_name_the_venue_does_not_know_is_no_stream(name: str) -> None:
    assert parse_stream("spot", name) is None


def test_the_array_of_all_spot_tickers_has_ended() -> None:
    assert parse_stream("spot", "!ticker@arr") is None
    assert find_stream("spot", None, True, "!ticker@arr") is None


def test_a_kline_of_the_eighth_time_zone_is_shifted() -> None:
    key = parse_stream("spot", "btcusdt@kline_1d@+08:00")
    assert key is not None
    assert key.zone_ms == 8 * 3_600_000


def _found(route: str | None, is_bare: bool, name: str) -> StreamKey | None:
    return find_stream("spot" if is_bare else "futures", route, is_bare, name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("route", "name"), [("public", "btcusdt@depth"), ("public", "btcusdt@bookTicker"), ("market", "btcusdt@markPrice")]
)
def test_a_futures_stream_is_served_on_its_own_route_only(route: str, name: str) -> None:
    assert _found(route, False, name) is not None
    for other in {"public", "market", "private"} - {route}:
        assert _found(other, False, name) is None


def test_the_old_futures_root_delivers_only_what_is_public() -> None:
    assert _found(None, False, "btcusdt@depth@100ms") is not None
    assert _found(None, False, "btcusdt@aggTrade") is None


def test_on_the_bare_root_a_name_both_markets_know_is_spots() -> None:
    key = _found(None, True, "btcusdt@depth@100ms")
    assert key is not None
    assert key.market == "spot"


def test_on_the_bare_root_a_name_only_futures_knows_follows_the_rule_of_its_old_root() -> None:
    public = _found(None, True, "btcusdt@depth@500ms")
    assert public is not None
    assert public.market == "futures"
    assert _found(None, True, "btcusdt@markPrice") is None
