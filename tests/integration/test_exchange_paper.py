"""A paper account: its book outlives the process, and no fill model is kinder than it says."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.base_exchange import EXCHANGES, BaseExchange, PaperSettings, PriceUpdate, VenueSettings
from core.clock import system_clock
from domain.errors import Refused
from domain.order import FILLED, MARKET, OPEN, SELL
from domain.outcome import Accepted, Rejected, Unknown
from exchanges._paper.exchange import PaperExchange
from exchanges._paper.feed import PaperFeed
from exchanges._paper.store import FileStore, MemoryStore
from tests.conftest import ROOT
from tests.exchange_venue import BTC, OPTIONS, machine_ms, opened, order_for, resting, scan, settings_for
from tests.simulator_process import SimulatorProcess, simulator_process

FUNDS = {"USDT": Decimal(100_000), "BTC": Decimal(1)}


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with simulator_process(tmp_path_factory.mktemp("paper"), *OPTIONS) as process:
        yield process


def made(venue: SimulatorProcess, paper: PaperSettings) -> PaperExchange:
    scan()
    exchange = EXCHANGES.get("paper")(settings_for(venue, paper=paper), system_clock())
    assert isinstance(exchange, PaperExchange)
    return exchange


async def facts_of(exchange: BaseExchange) -> list[object]:
    fills = await exchange.fills_since(BTC, "", 0)
    return [await exchange.balances(), await exchange.open_orders(), fills]


CHILD = """
import asyncio, os, signal, sys
from decimal import Decimal
from pathlib import Path
from tests.exchange_venue import BTC, machine_ms, order_for, resting
from tests.integration.test_exchange_paper import FUNDS, made
from tests.simulator_process import SimulatorProcess
from core.base_exchange import PaperSettings
from exchanges._paper.store import FileStore
from domain.order import MARKET
async def main():
    venue = SimulatorProcess(0, sys.argv[1], sys.argv[2], "")
    exchange = made(venue, PaperSettings("binance_spot", FUNDS, FileStore(Path(sys.argv[3]))))
    await exchange.open()
    await exchange.place(order_for(exchange, 0, type=MARKET), machine_ms())
    await exchange.place(await resting(exchange), machine_ms())
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


async def test_the_book_survives_the_death_of_its_process(venue: SimulatorProcess, tmp_path: Path) -> None:
    path = tmp_path / "book" / "paper.jsonl"
    command = [sys.executable, "-c", CHILD, venue.rest, venue.stream, str(path)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    with path.open("ab") as file:
        file.write(b'[["fill","BTCUSDT","9')
    exchange = made(venue, PaperSettings("binance_spot", FUNDS, FileStore(path)))
    await exchange.open()
    [order] = await exchange.open_orders()
    [fill] = await exchange.fills_since(BTC, "", 0)
    instrument = exchange.instrument(BTC)
    balances = await exchange.balances()
    assert balances["BTC"].free == 10**8 + fill.lots * instrument.base_per_lot - fill.fee
    assert balances["USDT"].locked == order.ticks * order.lots * instrument.tick_lot
    spent = fill.ticks * fill.lots * instrument.tick_lot
    assert balances["USDT"].free + balances["USDT"].locked == 100_000 * 10**8 - spent
    before = await facts_of(exchange)
    await exchange.close()
    again = made(venue, PaperSettings("binance_spot", FUNDS, FileStore(path)))
    await again.open()
    assert await facts_of(again) == before
    await again.close()


async def test_a_rewritten_store_holds_the_same_book(venue: SimulatorProcess) -> None:
    store = MemoryStore()
    paper = PaperSettings("binance_spot", FUNDS, store)
    feed = EXCHANGES.get("binance_spot")(settings_for(venue, credentials=None), system_clock())
    exchange = PaperExchange(feed, paper, settings_for(venue), system_clock(), compact_after=3)
    await exchange.open()
    for _ in range(4):
        assert isinstance(await exchange.place(await resting(exchange), machine_ms()), Accepted)
        assert isinstance(await exchange.place(order_for(exchange, 0, type=MARKET), machine_ms()), Accepted)
    before = await facts_of(exchange)
    await exchange.close()
    assert len(await store.load()) <= 3
    again = made(venue, paper)
    await again.open()
    assert await facts_of(again) == before
    await again.close()


async def test_what_the_market_went_through_while_nobody_watched_is_filled_on_return(venue: SimulatorProcess) -> None:
    paper = PaperSettings("binance_spot", FUNDS, MemoryStore())
    exchange = made(venue, paper)
    await exchange.open()
    price = await exchange.last_price(BTC)
    near = order_for(exchange, price.bid - price.bid // 200)
    far = order_for(exchange, price.bid // 2)
    for order in (near, far):
        assert isinstance(await exchange.place(order, machine_ms()), Accepted)
    await exchange.close()
    venue.post("market/gap", {"symbol": BTC, "percent": "-2"})
    venue.post("advance", {"ms": 300_000})
    again = made(venue, paper)
    await again.open()
    reports = [await again.query(order) for order in (near, far)]
    assert [report.status for report in reports if report] == [FILLED, OPEN]
    await again.close()


@pytest.mark.parametrize(
    ("model", "trades", "filled"),
    [
        ("touch", [(0, 1)], 2_000),
        ("through", [(0, 10**9)], 0),
        ("through", [(-1, 1)], 2_000),
        ("queue", [(0, 4_000)], 0),
        ("queue", [(0, 4_000), (0, 1_500)], 500),
        ("queue", [(0, 4_000), (0, 1_500), (0, 10_000)], 2_000),
        ("queue", [(-1, 1)], 2_000),
        ("queue", [(1, 10**9)], 0),
    ],
)
async def test_a_fill_model_fills_exactly_what_it_says(
    venue: SimulatorProcess, model: str, trades: list[tuple[int, int]], filled: int
) -> None:
    exchange = made(venue, PaperSettings("binance_spot", FUNDS, MemoryStore(), fill_model=model))
    await exchange.open()
    await exchange._feed.close()
    exchange._prices[BTC] = PriceUpdate(BTC, 9_000_000, 9_000_000, 9_000_001, 1, 0, 5_000, 1)
    exchange._watched = {BTC}
    order = order_for(exchange, 9_000_000)
    assert isinstance(await exchange.place(order, machine_ms()), Accepted)
    for offset, lots in trades:
        ticks = 9_000_000 + offset
        await exchange.on_price(PriceUpdate(BTC, ticks, ticks, 9_000_001, 2, lots, 1, 1))
    report = await exchange.query(order)
    assert report is not None
    assert report.filled == filled


async def test_orders_beyond_the_balance_doubles_and_old_intents_are_refused(venue: SimulatorProcess) -> None:
    exchange = made(venue, PaperSettings("binance_spot", FUNDS, MemoryStore()))
    await exchange.open()
    price = await exchange.last_price(BTC)
    rich = order_for(exchange, price.bid, lots=200_000)
    assert isinstance(await exchange.place(rich, machine_ms()), Rejected)
    assert isinstance(
        await exchange.place(order_for(exchange, 0, type=MARKET, side=SELL, lots=100_001), machine_ms()), Rejected
    )
    order = await resting(exchange)
    assert isinstance(await exchange.place(order, machine_ms()), Accepted)
    assert isinstance(await exchange.place(order, machine_ms()), Unknown)
    assert (await exchange.balances())["USDT"].locked == order.ticks * order.lots * exchange.instrument(BTC).tick_lot
    await exchange.cancel(order)
    assert (await exchange.balances())["USDT"].locked == 0
    await exchange.close()


def test_a_paper_account_without_settings_or_on_futures_is_refused(venue: SimulatorProcess) -> None:
    scan()
    with pytest.raises(Refused):
        EXCHANGES.get("paper")(VenueSettings(), system_clock())
    with pytest.raises(Refused, match="spot"):
        made(venue, PaperSettings("binance_futures", FUNDS, MemoryStore()))


async def test_accounts_on_one_market_share_its_stream_and_each_is_filled_by_it(venue: SimulatorProcess) -> None:
    async with opened("binance_spot", venue, credentials=None) as market:
        watched: list[set[str]] = []
        real = market.watch_market

        async def counted(prices: set[str], bars: set[tuple[str, str]], deliver: Any) -> None:
            watched.append(prices)
            await real(prices, bars, deliver)

        market.watch_market = counted  # type: ignore[method-assign]
        feed = PaperFeed(market, system_clock().machine, owns=False)
        paper = [PaperSettings("binance_spot", FUNDS, MemoryStore(), "touch", market=feed) for _ in range(20)]
        accounts = [made(venue, one) for one in paper]
        orders = []
        for exchange in accounts:
            await exchange.open()
            price = await exchange.last_price(BTC)
            orders.append(order_for(exchange, price.bid - price.bid // 100))
            assert isinstance(await exchange.place(orders[-1], machine_ms()), Accepted)
        await accounts[0].close()  # one that leaves ends nothing for the others
        venue.post("market/gap", {"symbol": BTC, "percent": "-3"})
        async with asyncio.timeout(120):
            for exchange, order in zip(accounts[1:], orders[1:], strict=True):
                while True:
                    report = await exchange.query(order)
                    assert report is not None
                    if report.status == FILLED:
                        break
                    venue.post("advance", {"ms": 1_000})
                    await asyncio.sleep(0.05)
        assert watched == [{BTC}]
        kept = await accounts[0].query(orders[0])
        assert kept is not None
        assert kept.status == OPEN
        for exchange in accounts[1:]:
            await exchange.close()
        assert (await market.last_price(BTC)).last > 0, "the market belongs to whoever opened it"
