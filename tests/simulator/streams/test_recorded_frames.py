"""Events beside the venue's own: frames recorded in August 2024, and the fields its stream description requires."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from tests.simulator.streams.fakes import Harness
from tests.simulator.streams.test_market_streams import happen

pytestmark = pytest.mark.recorded

_REQUIRED = {
    "spot": {
        "btcusdt@trade": "tradeEvent",
        "btcusdt@aggTrade": "aggregateTradeEvent",
        "btcusdt@kline_1m": "klineEvent",
        "btcusdt@miniTicker": "miniTickerEvent",
        "btcusdt@ticker": "tickerEvent",
        "btcusdt@ticker_1h": "rollingWindowTickerEvent",
        "btcusdt@avgPrice": "averagePriceEvent",
        "btcusdt@bookTicker": "bookTickerEvent",
        "btcusdt@depth5": "partialDepthEvent",
        "btcusdt@depth": "diffDepthEvent",
    },
    "umfutures": {
        "btcusdt@aggTrade": "aggregateTradeEvent",
        "btcusdt@markPrice@1s": "markPriceEvent",
        "btcusdt@kline_1m": "klineEvent",
        "btcusdt_perpetual@continuousKline_1m": "continuousKlineEvent",
        "btcusdt@miniTicker": "miniTickerEvent",
        "btcusdt@ticker": "tickerEvent",
        "btcusdt@bookTicker": "bookTickerEvent",
        "btcusdt@depth5@100ms": "partialDepthEvent",
        "btcusdt@depth@100ms": "diffDepthEvent",
        "btcusd@assetIndex": "assetIndexEvent",
    },
}
_ENDED = {"btcusdt@trade": {"a", "b"}}
"""Fields the description still requires and recorded frames no longer have: the order ids of a trade."""
_PYTHON = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}
_PUBLIC = ("bookTicker", "depth")


def _path(market: str, stream: str) -> str:
    if market == "spot":
        return f"/ws/{stream}"
    return f"/{'public' if any(word in stream for word in _PUBLIC) else 'market'}/ws/{stream}"


def _schemas(data: Path, market: str) -> dict[str, Any]:
    text = gzip.decompress((data / "wire-spec" / f"openxapi-asyncapi-{market}-streams.yaml.gz").read_bytes())
    schemas: dict[str, Any] = yaml.safe_load(text)["components"]["schemas"]
    return schemas


@pytest.mark.parametrize(
    ("market", "stream"), [(market, stream) for market, streams in _REQUIRED.items() for stream in streams]
)
async def test_an_event_has_every_field_the_description_requires(
    harness: Harness, recorded_data: Path, market: str, stream: str
) -> None:
    schema = _schemas(recorded_data, market)[_REQUIRED[market][stream]]
    client = await harness.connect(_path(market, stream))
    await harness.opened()
    happen(harness.venue)
    event = await client.receive()
    required = set(schema.get("required", schema["properties"]))
    assert required - _ENDED.get(stream, set()) <= set(event)
    for name in set(event) & set(schema["properties"]):
        if wanted := schema["properties"][name].get("type"):
            assert isinstance(event[name], _PYTHON[wanted]), name


@pytest.mark.parametrize(
    ("file", "path"), [("spot_btcusdt_20240808.gz", "/ws/"), ("usdm_ethusdt_20240808.gz", "/public/ws/")]
)
async def test_an_event_has_every_field_of_a_recorded_frame(
    harness: Harness, recorded_data: Path, file: str, path: str
) -> None:
    recorded: dict[str, dict[str, Any]] = {}
    with gzip.open(recorded_data / "ws-raw" / file) as lines:
        for line in lines:
            frame = orjson.loads(line.split(b" ", 1)[1])
            if "stream" in frame:
                recorded.setdefault(frame["stream"], frame["data"])
            if len(recorded) == 3:
                break
    clients = {stream: await harness.connect(path + stream) for stream in recorded}
    await harness.opened(3)
    happen(harness.venue, "ETHUSDT" if "eth" in file else "BTCUSDT")
    for stream, client in clients.items():
        event = await client.receive()
        same = {name: type(event[name]) for name in recorded[stream]}
        assert same == {name: type(value) for name, value in recorded[stream].items()}
        decimals = {
            len(text.split(".")[1])
            for text in (recorded[stream].get("p"), recorded[stream].get("b"))
            if isinstance(text, str)
        }
        assert decimals == {
            len(text.split(".")[1]) for text in (event.get("p"), event.get("b")) if isinstance(text, str)
        }
