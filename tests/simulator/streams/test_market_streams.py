from __future__ import annotations

from typing import Any

import orjson
import pytest
import websockets

from simulator.events import InstrumentChanged
from simulator.futures.types import FuturesOrder, Liquidation
from simulator.units import ONE
from tests.simulator.streams.fakes import START_MS, FakeVenue, Harness, running

SPOT = "/ws/"
PUBLIC = "/public/ws/"
MARKET = "/market/ws/"
_SHAPES: dict[str, tuple[str, dict[str, type]]] = {
    "trade": (
        SPOT + "btcusdt@trade",
        {"e": str, "E": int, "T": int, "s": str, "t": int, "p": str, "q": str, "m": bool, "M": bool},
    ),
    "aggTrade": (
        SPOT + "btcusdt@aggTrade",
        {
            "e": str,
            "E": int,
            "s": str,
            "a": int,
            "p": str,
            "q": str,
            "f": int,
            "l": int,
            "T": int,
            "m": bool,
            "M": bool,
        },
    ),
    "kline": (SPOT + "btcusdt@kline_1m", {"e": str, "E": int, "s": str, "k": dict}),
    "24hrMiniTicker": (
        SPOT + "btcusdt@miniTicker",
        {"e": str, "E": int, "s": str, "c": str, "o": str, "h": str, "l": str, "v": str, "q": str},
    ),
    "24hrTicker": (
        SPOT + "btcusdt@ticker",
        dict.fromkeys("sepPwxcQbBaAohlvq", str) | dict.fromkeys("EOCFLn", int),
    ),
    "4hTicker": (
        SPOT + "btcusdt@ticker_4h",
        dict.fromkeys("sepPwcohlvq", str) | dict.fromkeys("EOCFLn", int),
    ),
    "avgPrice": (SPOT + "btcusdt@avgPrice", {"e": str, "E": int, "s": str, "i": str, "w": str, "T": int}),
    "referencePrice": (SPOT + "btcusdt@referencePrice", {"e": str, "s": str, "r": str, "t": int}),
    "bookTicker without type": (
        SPOT + "btcusdt@bookTicker",
        {"u": int, "s": str, "b": str, "B": str, "a": str, "A": str},
    ),
    "partial depth without type": (SPOT + "btcusdt@depth5", {"lastUpdateId": int, "bids": list, "asks": list}),
    "depthUpdate": (
        SPOT + "btcusdt@depth@100ms",
        {"e": str, "E": int, "s": str, "U": int, "u": int, "b": list, "a": list},
    ),
    "trade of futures": (
        PUBLIC + "btcusdt@trade",
        {"e": str, "E": int, "T": int, "s": str, "t": int, "p": str, "q": str, "X": str, "m": bool, "st": int},
    ),
    "aggTrade of futures": (
        MARKET + "btcusdt@aggTrade",
        dict.fromkeys(("e", "s", "p", "q", "nq"), str)
        | dict.fromkeys(("E", "a", "f", "l", "T", "st"), int)
        | {"m": bool},
    ),
    "kline of futures": (MARKET + "btcusdt@kline_1m", {"e": str, "E": int, "s": str, "k": dict}),
    "continuous_kline": (
        MARKET + "btcusdt_perpetual@continuousKline_1m",
        {"e": str, "E": int, "ps": str, "ct": str, "k": dict},
    ),
    "24hrMiniTicker of futures": (
        MARKET + "btcusdt@miniTicker",
        dict.fromkeys(("e", "s", "c", "o", "h", "l", "v", "q", "ps"), str) | {"E": int, "st": int},
    ),
    "24hrTicker of futures": (
        MARKET + "btcusdt@ticker",
        dict.fromkeys(("e", "s", "p", "P", "w", "c", "Q", "o", "h", "l", "v", "q", "ps"), str)
        | dict.fromkeys(("E", "O", "C", "F", "L", "n", "st"), int),
    ),
    "bookTicker": (
        PUBLIC + "btcusdt@bookTicker",
        dict.fromkeys(("e", "s", "b", "B", "a", "A", "ps"), str) | dict.fromkeys(("u", "T", "E", "st"), int),
    ),
    "depthUpdate of futures": (
        PUBLIC + "btcusdt@depth@100ms",
        {"e": str, "s": str, "ps": str, "b": list, "a": list} | dict.fromkeys(("E", "T", "U", "u", "pu", "st"), int),
    ),
    "depthUpdate with levels": (
        PUBLIC + "btcusdt@depth5@100ms",
        {"e": str, "s": str, "ps": str, "b": list, "a": list} | dict.fromkeys(("E", "T", "U", "u", "pu", "st"), int),
    ),
    "markPriceUpdate": (
        MARKET + "btcusdt@markPrice@1s",
        dict.fromkeys(("e", "s", "p", "ap", "P", "i", "r"), str) | {"E": int, "T": int, "st": int},
    ),
    "assetIndexUpdate": (
        MARKET + "btcusd@assetIndex",
        dict.fromkeys(("e", "s", "i", "b", "a", "B", "A", "q", "g", "Q", "G"), str) | {"E": int},
    ),
}


def happen(venue: FakeVenue, symbol: str = "BTCUSDT") -> None:
    """A bit of everything, on both markets."""
    for market in ("spot", "futures"):
        venue.set_level(market, "BUY", 61_799, ONE, symbol)
        venue.set_level(market, "SELL", 61_801, 2 * ONE, symbol)
        venue.trade(market, 61_801, ONE // 4, symbol=symbol)
    venue.advance(4000)


@pytest.mark.parametrize("case", _SHAPES)
async def test_a_streams_event_has_the_venues_fields_with_their_types(harness: Harness, case: str) -> None:
    path, shape = _SHAPES[case]
    client = await harness.connect(path)
    await harness.opened()
    happen(harness.venue)
    event = await client.receive()
    assert {name: type(value) for name, value in event.items()} == shape
    if "e" in shape:
        assert event["e"] == case.split()[0]


async def test_a_kline_says_closed_on_its_last_frame_only(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@kline_1m")
    await harness.opened()
    harness.venue.trade("spot", 61_800)
    harness.venue.advance(2000)
    harness.venue.trade("spot", 61_900)
    harness.venue.advance(60_000)
    frames = [(await client.receive())["k"] for _ in range(4)]
    assert [(frame["t"] - START_MS, frame["x"], frame["n"]) for frame in frames] == [
        (0, False, 1),
        (0, False, 2),
        (0, True, 2),
        (60_000, False, 0),
    ]
    assert frames[2]["h"] == "61900.00000000"
    assert frames[2]["T"] == START_MS + 59_999


async def test_a_bar_without_trades_exists_with_the_previous_close(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@kline_1m")
    await harness.opened()
    harness.venue.trade("spot", 61_850)
    harness.venue.advance(120_000)
    closed = [frame["k"] for frame in [await client.receive() for _ in range(5)] if frame["k"]["x"]]
    assert [bar["n"] for bar in closed] == [1, 0]
    empty = closed[1]
    assert {empty[name] for name in "ohlc"} == {"61850.00000000"}
    assert (empty["v"], empty["q"], empty["f"], empty["L"]) == ("0.00000000", "0.00000000", -1, -1)


async def test_a_daily_kline_of_the_eighth_time_zone_opens_at_its_midnight(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@kline_1d@+08:00")
    await harness.opened()
    harness.venue.advance(2000)
    assert (await client.receive())["k"]["t"] == 1_746_288_000_000  # 2025-05-03 16:00 UTC


async def test_trades_of_one_taker_at_one_price_are_one_aggregate(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@aggTrade")
    await harness.opened()
    for quantity in (1, 2, 4):
        harness.venue.trade("spot", 61_800, quantity * ONE)
    harness.venue.trade("spot", 61_801, ONE)
    first, second = await client.receive(), await client.receive()
    assert (first["a"], first["f"], first["l"], first["q"]) == (0, 1, 3, "7.00000000")
    assert (second["a"], second["f"], second["l"], second["p"]) == (1, 4, 4, "61801.00000000")


async def test_an_array_of_tickers_holds_only_symbols_that_traded(harness: Harness) -> None:
    client = await harness.connect("/ws/!miniTicker@arr")
    await harness.opened()
    harness.venue.advance(1000)
    assert [item["s"] for item in await client.receive()] == ["BTCUSDT", "ETHUSDT"]
    harness.venue.trade("spot", 61_800, symbol="ETHUSDT")
    harness.venue.advance(5000)
    assert [item["s"] for item in await client.receive()] == ["ETHUSDT"]
    assert await client.silent()


async def test_all_mark_prices_come_in_one_array(harness: Harness) -> None:
    client = await harness.connect("/market/stream?streams=!markPrice@arr@1s")
    await harness.opened()
    harness.venue.advance(1000)
    wrapped = await client.receive()
    assert wrapped["stream"] == "!markPrice@arr@1s"
    assert [item["s"] for item in wrapped["data"]] == ["BTCUSDT", "ETHUSDT"]
    assert wrapped["data"][0]["r"] == "0.00010000"


async def test_a_best_price_is_told_once_when_only_deeper_levels_change(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@bookTicker")
    await harness.opened()
    harness.venue.set_level("spot", "BUY", 61_799, ONE)
    harness.venue.set_level("spot", "BUY", 61_700, ONE)
    harness.venue.set_level("spot", "SELL", 61_801, ONE)
    assert (await client.receive())["b"] == "61799.00000000"
    second = await client.receive()
    assert (second["u"], second["a"], second["A"]) == (103, "61801.00000000", "1.00000000")


async def test_a_liquidation_is_public(harness: Harness) -> None:
    client = await harness.connect("/market/ws/!forceOrder@arr")
    await harness.opened()
    order = FuturesOrder(
        7, 1, "BTCUSDT", "SELL", "BOTH", "LIQUIDATION", "LIQUIDATION", "IOC", 61_000 * ONE, ONE, "autoclose-7", START_MS
    )
    order.executed, order.executed_quote, order.status = ONE, 61_100 * ONE, "FILLED"
    harness.venue.bus.publish(Liquidation(order, START_MS))
    harness.venue.advance(1000)
    event = await client.receive()
    assert event["e"] == "forceOrder"
    assert event["o"] == {
        "s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "1.000", "p": "61000.00", "ap": "61100.00",
        "X": "FILLED", "l": "1.000", "z": "1.000", "T": START_MS,
    }  # fmt: skip


async def test_a_change_of_a_contracts_status_is_public(harness: Harness) -> None:
    client = await harness.connect("/market/ws/!contractInfo")
    await harness.opened()
    changed = harness.venue.futures.instrument("BTCUSDT").with_status("SETTLING")
    harness.venue.bus.publish(InstrumentChanged(changed))
    event = await client.receive()
    assert (event["e"], event["s"], event["cs"], event["ct"]) == ("contractInfo", "BTCUSDT", "SETTLING", "PERPETUAL")


@pytest.mark.parametrize(
    ("path", "is_heard"),
    [
        ("/public/ws/btcusdt@depth@100ms", True),
        ("/market/ws/btcusdt@depth@100ms", False),
        ("/private/ws/btcusdt@depth@100ms", False),
        ("/fstream/ws/btcusdt@depth@100ms", True),
        ("/fstream/ws/btcusdt@markPrice@1s", False),
        ("/market/ws/btcusdt@markPrice@1s", True),
        ("/public/ws/btcusdt@markPrice@1s", False),
    ],
)
async def test_a_stream_on_the_wrong_route_is_accepted_and_silent(harness: Harness, path: str, is_heard: bool) -> None:
    client = await harness.connect(path)
    await harness.opened()
    happen(harness.venue)
    first = await client.ask({"method": "LIST_SUBSCRIPTIONS", "id": 5})
    assert ("e" in first) == is_heard
    if not is_heard:
        assert first == {"result": [path.rsplit("/", 1)[1]], "id": 5}


async def test_spot_and_futures_of_one_symbol_are_told_apart(harness: Harness) -> None:
    spot = await harness.connect("/ws/btcusdt@trade")
    futures = await harness.connect("/public/ws/btcusdt@trade")
    by_host = await harness.connect("/ws/btcusdt@trade", Host="fstream.binance.com")
    await harness.opened(3)
    harness.venue.trade("futures", 61_000)
    harness.venue.trade("spot", 62_000)
    assert (await spot.receive())["p"] == "62000.00000000"
    assert (await futures.receive())["p"] == "61000.00"
    assert (await by_host.receive())["p"] == "61000.00"


async def test_times_come_in_microseconds_when_asked_for(harness: Harness) -> None:
    client = await harness.connect("/stream?streams=btcusdt@trade&timeUnit=MICROSECOND")
    await harness.opened()
    harness.venue.trade("spot", 61_800)
    assert (await client.receive())["data"]["T"] == START_MS * 1000


async def test_nothing_is_due_and_no_symbol_is_watched_when_nobody_listens(harness: Harness) -> None:
    hub = harness.venue.hub
    assert hub.next_due(START_MS) is None
    assert not hub.watches("spot", "BTCUSDT")
    client = await harness.connect("/ws/btcusdt@kline_1m")
    await harness.opened()
    assert hub.watches("spot", "BTCUSDT")
    assert not hub.watches("spot", "ETHUSDT")
    assert not hub.watches("futures", "BTCUSDT")
    assert hub.next_due(START_MS) == START_MS + 2000
    await client.ask({"method": "UNSUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1})
    assert hub.next_due(START_MS) is None
    assert not hub.watches("spot", "BTCUSDT")


async def test_a_stream_of_all_symbols_watches_every_one(harness: Harness) -> None:
    await harness.connect("/market/ws/!ticker@arr")
    await harness.opened()
    assert harness.venue.hub.watches("futures", "ETHUSDT")


async def test_a_client_that_leaves_is_forgotten(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@kline_1m")
    await harness.opened()
    await client.socket.close()
    async with websockets.connect(harness.url + "/ws/btcusdt@trade") as other:
        harness.venue.trade("spot", 61_800)
        assert orjson.loads(await other.recv())["e"] == "trade"
    assert not any(harness.venue.hub.watches("spot", name) for name in ("ETHUSDT",))


async def test_the_hub_is_quiet_once_everything_has_been_taken(harness: Harness) -> None:
    client = await harness.connect("/ws/btcusdt@trade")
    await harness.opened()
    assert harness.venue.hub.quiet()
    harness.venue.trade("spot", 61_800)
    assert not harness.venue.hub.quiet()
    await client.receive()
    assert harness.venue.hub.quiet()


async def _collect(names: str) -> list[Any]:
    async with running(FakeVenue()) as harness:
        client = await harness.connect(f"/stream?streams={names}")
        await harness.opened()
        happen(harness.venue)
        harness.venue.advance(56_000)
        await client.socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        frames = []
        while "id" not in (frame := await client.receive()):
            frames.append(frame)
        return frames


async def test_the_same_happenings_give_the_same_frames() -> None:
    names = "btcusdt@trade/btcusdt@aggTrade/btcusdt@kline_1m/btcusdt@depth@100ms/!miniTicker@arr/btcusdt@bookTicker"
    first = await _collect(names)
    assert len(first) > 6
    assert first == await _collect(names)
