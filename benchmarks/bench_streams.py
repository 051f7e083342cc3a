"""Public stream messages a second on one core, from the bytes of a frame to a price or a book: ours and ccxt.pro's.

    python -m benchmarks.bench_streams [--seconds 2]

Both get the same frames in the same run, without a socket: 50,000 trades on a walk of prices, and depth changes of 20
levels (10 on each side). Ours decodes and hands over (and, in a second line, makes the price in ticks that the platform
works with); ccxt.pro decodes with orjson, as it does where orjson is installed, and runs its own handlers up to the
future it would resolve. CPU time of this process is counted, so that other work on the machine counts less.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import ccxt.pro
import orjson

from core.base_exchange import MarketEvent
from domain.instrument import Instrument
from exchanges._binance.book import Book
from exchanges._binance.hot import BookTicker, DepthChange, Router, Trade
from exchanges._binance.market_stream import Price

SYMBOL = "BTCUSDT"
CHUNK = 1_000
Feed = Callable[[bytes], None]


def trades(count: int) -> list[bytes]:
    chance, cents = random.Random(1), 5_701_234
    frames = []
    for number in range(count):
        cents += chance.randrange(-30, 31)
        data = {"e": "trade", "E": 1_723_095_000_000 + number, "s": SYMBOL, "t": 3_700_000_000 + number,
                "p": f"{cents / 100:.8f}", "q": f"{chance.randrange(1, 90_000) / 100_000:.8f}",
                "T": 1_723_095_000_000 + number, "m": bool(number % 2), "M": True}  # fmt: skip
        frames.append(orjson.dumps({"stream": "btcusdt@trade", "data": data}))
    return frames


def depths(count: int) -> list[bytes]:
    chance, cents = random.Random(2), 5_701_234
    frames = []
    for number in range(count):
        cents += chance.randrange(-30, 31)
        bids, asks = ([_level(cents, sign * chance.randrange(1, 300), chance) for _ in range(10)] for sign in (-1, 1))
        data = {"e": "depthUpdate", "E": 1_723_095_000_000 + number, "s": SYMBOL, "U": number + 1, "u": number + 1,
                "b": bids, "a": asks}  # fmt: skip
        frames.append(orjson.dumps({"stream": "btcusdt@depth", "data": data}))
    return frames


def _level(cents: int, offset: int, chance: random.Random) -> list[str]:
    quantity = 0 if chance.random() < 0.2 else chance.randrange(1, 90_000)
    return [f"{(cents + offset) / 100:.8f}", f"{quantity / 100_000:.8f}"]


def ours_dispatch() -> Feed:
    router, seen = Router(), deque[Any](maxlen=1)
    router.add("btcusdt@trade", Trade, seen.append)
    return router.feed


def ours_price() -> Feed:
    instrument = Instrument(SYMBOL, "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(10**6), Decimal(9_000))
    router, told = Router(), deque[MarketEvent](maxlen=1)
    router.add("btcusdt@trade", Trade, Price(instrument, told.append).on_trade)
    router.add("btcusdt@bookTicker", BookTicker, lambda _ticker: None)
    return router.feed


def ours_book() -> Feed:
    # The frames go round, so their numbers do too: each round starts from an empty book.
    router, state = Router(), SimpleNamespace(book=Book(chained=False))

    def handle(change: DepthChange) -> None:
        if change.U == 1:
            state.book = Book(chained=False)
            state.book.load(0, [], [])
        state.book.apply(change)

    router.add("btcusdt@depth", DepthChange, handle)
    return router.feed


def peer(*, book: bool) -> Feed:
    exchange = ccxt.pro.binance({"options": {"tradesLimit": 1000}})
    market = exchange.safe_market_structure(
        {"id": SYMBOL, "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "type": "spot", "spot": True,
         "precision": {"price": 0.01, "amount": 0.00001}}
    )  # fmt: skip
    exchange.set_markets([market])
    client = SimpleNamespace(
        url="wss://stream.binance.com:9443/stream", subscriptions={}, futures={}, resolve=lambda *_: None
    )

    def feed(frame: bytes) -> None:
        message = orjson.loads(frame)
        if book and message["data"]["U"] == 1:
            exchange.orderbooks["BTC/USDT"] = exchange.order_book({"nonce": 0})
        exchange.handle_message(client, message)

    return feed


def rate(feed: Feed, frames: Sequence[bytes], seconds: float) -> tuple[int, float]:
    """Feed the frames round and round for so much CPU time; gives how many, and how many a second."""
    chunks = itertools.cycle([frames[i : i + CHUNK] for i in range(0, len(frames), CHUNK)])
    done, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        for frame in next(chunks):
            feed(frame)
        done += CHUNK
    return done, done / spent


def measure(name: str, feed: Feed, frames: Sequence[bytes], seconds: float) -> float:
    """Measure, and print one line of the table."""
    done, found = rate(feed, frames, seconds)
    print(f"{name:<52}{done:>12,}{found:>14,.0f}{1e6 / found:>10.2f}")
    return found


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="CPU time for each line of the table")
    seconds = parser.parse_args().seconds
    prints, changes = trades(50_000), depths(20_000)
    print(f"{'what':<52}{'messages':>12}{'per second':>14}{'us each':>10}")
    fast = measure("trade: decode and dispatch", ours_dispatch(), prints, seconds)
    measure("trade: decode, dispatch, price in ticks", ours_price(), prints, seconds)
    slow = measure("trade: ccxt.pro handlers", peer(book=False), prints, seconds)
    book = measure("20 levels: decode, check the sequence, keep the book", ours_book(), changes, seconds)
    slow_book = measure("20 levels: ccxt.pro handlers", peer(book=True), changes, seconds)
    print(f"ours to ccxt.pro: trades {fast / slow:.1f} times, books {book / slow_book:.1f} times")


if __name__ == "__main__":
    asyncio.run(main())
