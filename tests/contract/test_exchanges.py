"""What every venue of the registry must do, run against the simulated exchange by those that can reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.base_exchange import (
    EXCHANGES,
    Balance,
    BalanceChange,
    BaseExchange,
    Credentials,
    PaperSettings,
    PriceUpdate,
    StreamGap,
    VenueSettings,
)
from core.clock import system_clock
from domain.errors import AresError, Refused
from domain.fill import Fill
from domain.order import BUY, CANCELLED, FILLED, LIMIT, MARKET, OPEN, POST_ONLY, SELL, OrderReport
from domain.outcome import Accepted, Rejected, Unknown
from exchanges._binance.exchange import BinanceExchange
from exchanges._paper.exchange import PaperExchange
from exchanges._paper.store import FileStore
from tests.exchange_venue import (
    BTC,
    OPTIONS,
    Listener,
    listening,
    machine_ms,
    order_for,
    resting,
    scan,
    settings_for,
    until,
)
from tests.simulator_process import SimulatorProcess, simulator_process

scan()
PAPER = PaperSettings("binance_spot", {}, FileStore(Path("/nowhere")))
UNREACHABLE = VenueSettings(
    Credentials(SecretStr("key"), SecretStr("secret"), SecretStr("word")),
    rest_url="http://127.0.0.1:9", stream_url="ws://127.0.0.1:9", timeout_seconds=2.0, paper=PAPER,
)  # fmt: skip


def made(name: str) -> BaseExchange:
    """A venue of the registry that nobody has connected, and nothing answers."""
    return EXCHANGES.get(name)(UNREACHABLE, system_clock())


#: Venues that speak a wire which the simulated exchange understands, whatever they are called.
REACHABLE = [name for name in EXCHANGES if isinstance(made(name), BinanceExchange | PaperExchange)]
every = pytest.mark.parametrize("name", list(EXCHANGES))


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with simulator_process(tmp_path_factory.mktemp("contract"), *OPTIONS) as process:
        yield process


@pytest.fixture(params=REACHABLE)
async def exchange(
    request: pytest.FixtureRequest, venue: SimulatorProcess, tmp_path: Path
) -> AsyncIterator[BaseExchange]:
    funds = {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}
    paper = PaperSettings("binance_spot", funds, FileStore(tmp_path / "paper.jsonl"))
    settings = settings_for(venue, paper=paper if request.param == "paper" else None)
    opened = EXCHANGES.get(request.param)(settings, system_clock())
    await opened.open()
    yield opened
    await opened.close()


@every
def test_it_is_made_without_touching_the_network_and_says_what_it_can(name: str) -> None:
    exchange = made(name)
    can = exchange.capabilities
    assert exchange.name == name
    assert can.market in {"spot", "futures"}
    assert can.batch_orders >= 1
    assert can.has_time_window or can.takeover_wait_seconds > 0, "nothing stops a request of the past owner"
    assert can.market == "futures" or not can.can_short


@every
async def test_a_venue_that_does_not_answer_is_told_as_such_and_nothing_is_left_open(name: str) -> None:
    exchange = made(name)
    with pytest.raises(AresError):
        await exchange.open()
    await exchange.close()


@every
async def test_what_cannot_be_sent_is_rejected_and_never_raises(name: str) -> None:
    order = order_for(made(name), 6_000_000)
    exchange = made(name)
    assert isinstance(await exchange.place(order, machine_ms()), Rejected)
    assert [type(outcome) for outcome in await exchange.place_batch([order, order], machine_ms())] == [Rejected] * 2
    assert isinstance(await exchange.cancel(order), Rejected | Unknown)


async def test_an_order_is_placed_found_listed_and_cancelled(exchange: BaseExchange) -> None:
    order = await resting(exchange)
    placed = await exchange.place(order, machine_ms())
    assert isinstance(placed, Accepted)
    found = await exchange.query(order)
    assert found is not None
    assert (found.client_order_id, found.status, found.filled) == (order.client_order_id, OPEN, 0)
    assert found.venue_order_id == placed.venue_order_id
    [listed] = [row for row in await exchange.open_orders(BTC) if row.client_order_id == order.client_order_id]
    assert (listed.side, listed.ticks, listed.lots, listed.filled) == (BUY, order.ticks, order.lots, 0)
    assert order.client_order_id in {row.client_order_id for row in await exchange.open_orders()}
    assert isinstance(await exchange.cancel(order), Accepted)
    ended = await exchange.query(order)
    assert ended is not None
    assert ended.status == CANCELLED
    assert order.client_order_id not in {row.client_order_id for row in await exchange.open_orders(BTC)}
    assert isinstance(await exchange.cancel(order), Rejected)


async def test_a_taker_is_filled_and_its_fills_explain_the_balances(exchange: BaseExchange) -> None:
    before = await exchange.balances()
    order = order_for(exchange, 0, type=MARKET)
    assert isinstance(await exchange.place(order, machine_ms()), Accepted)
    report = await exchange.query(order)
    assert report is not None
    assert (report.status, report.filled) == (FILLED, order.lots)
    fills = [fill for fill in await exchange.fills_since(BTC, "", 0) if fill.client_order_id == order.client_order_id]
    assert sum(fill.lots for fill in fills) == order.lots
    assert not any(fill.is_maker for fill in fills)
    after = await exchange.balances()
    if exchange.capabilities.market == "spot":
        instrument = exchange.instrument(BTC)
        spent = sum(fill.ticks * fill.lots for fill in fills) * instrument.tick_lot
        gained = order.lots * instrument.base_per_lot - sum(fill.fee for fill in fills)
        assert {fill.fee_asset for fill in fills} == {"BTC"}
        assert total(after["USDT"]) - total(before["USDT"]) == -spent
        assert total(after["BTC"]) - total(before["BTC"]) == gained
    else:
        [position] = await exchange.positions()
        assert position.lots >= order.lots
        assert total(before["USDT"]) - total(after["USDT"]) == sum(fill.fee for fill in fills)
        closing = order_for(exchange, 0, type=MARKET, side=SELL, lots=position.lots, reduce_only=True)
        assert isinstance(await exchange.place(closing, machine_ms()), Accepted)
        assert await exchange.positions() == []


def total(balance: Balance) -> int:
    return balance.free + balance.locked


async def test_fills_are_paged_from_a_trade_id_without_repetition(exchange: BaseExchange) -> None:
    for _ in range(2):
        assert isinstance(await exchange.place(order_for(exchange, 0, type=MARKET), machine_ms()), Accepted)
    fills = await exchange.fills_since(BTC, "", 0)
    assert [fill.trade_id for fill in fills] == sorted({fill.trade_id for fill in fills}, key=int)
    assert await exchange.fills_since(BTC, fills[-2].trade_id, 0) == fills[-1:]
    assert await exchange.fills_since(BTC, fills[-1].trade_id, 0) == []


async def test_a_post_only_order_that_would_take_ends_without_a_fill(exchange: BaseExchange) -> None:
    price = await exchange.last_price(BTC)
    order = order_for(exchange, price.ask + 100, type=POST_ONLY)
    outcome = await exchange.place(order, machine_ms())
    assert isinstance(outcome, Rejected) or (await exchange.query(order)) is not None
    assert not [f for f in await exchange.fills_since(BTC, "", 0) if f.client_order_id == order.client_order_id]
    assert order.client_order_id not in {row.client_order_id for row in await exchange.open_orders(BTC)}


async def test_a_limit_order_over_the_spread_is_filled_at_once(exchange: BaseExchange) -> None:
    price = await exchange.last_price(BTC)
    order = order_for(exchange, price.ask + 100, type=LIMIT)
    assert isinstance(await exchange.place(order, machine_ms()), Accepted)
    report = await exchange.query(order)
    assert report is not None
    assert report.status == FILLED


async def test_an_order_the_venue_cannot_take_is_rejected_with_a_reason(exchange: BaseExchange) -> None:
    price = await exchange.last_price(BTC)
    for wrong in (
        order_for(exchange, price.bid, lots=1),
        order_for(exchange, price.bid, lots=0),
        order_for(exchange, price.bid, symbol="NOSUCH"),
        order_for(exchange, price.bid // 2, lots=10**9),
    ):
        outcome = await exchange.place(wrong, machine_ms())
        assert isinstance(outcome, Rejected)
        assert outcome.reason


async def test_an_intent_older_than_the_window_is_rejected(exchange: BaseExchange) -> None:
    outcome = await exchange.place(await resting(exchange), machine_ms() - 10_000)
    assert isinstance(outcome, Rejected)


async def test_a_batch_gives_one_outcome_for_each_order(exchange: BaseExchange) -> None:
    orders = [await resting(exchange) for _ in range(3)]
    orders[1] = orders[1]._replace(lots=0)
    outcomes = await exchange.place_batch(orders, machine_ms())
    assert [type(outcome) for outcome in outcomes] == [Accepted, Rejected, Accepted]
    for order in (orders[0], orders[2]):
        assert isinstance(await exchange.cancel(order), Accepted)


async def test_the_private_stream_tells_what_rest_tells(exchange: BaseExchange) -> None:
    async with listening(exchange) as heard:
        await heard.wait_for(lambda event: isinstance(event, StreamGap))
        order = order_for(exchange, 0, type=MARKET)
        await exchange.place(order, machine_ms())
        await heard.wait_for(lambda event: _ended(event, order.client_order_id))
        await heard.wait_for(lambda event: isinstance(event, Fill))
        told = _fills(heard, order.client_order_id)
        asked = await exchange.fills_since(BTC, "", 0)
        assert told == [fill for fill in asked if fill.client_order_id == order.client_order_id]
        await heard.wait_for(lambda event: isinstance(event, BalanceChange))


def _ended(event: object, name: str) -> bool:
    return isinstance(event, OrderReport) and (event.client_order_id, event.status) == (name, FILLED)


def _fills(heard: Listener, name: str) -> list[Fill]:
    return [event for event in heard.events if isinstance(event, Fill) and event.client_order_id == name]


async def test_a_resting_order_is_filled_when_the_market_comes_to_it(
    exchange: BaseExchange, venue: SimulatorProcess
) -> None:
    async with listening(exchange) as heard:
        await heard.wait_for(lambda event: isinstance(event, StreamGap))
        price = await exchange.last_price(BTC)
        order = order_for(exchange, price.bid - price.bid // 200)
        assert isinstance(await exchange.place(order, machine_ms()), Accepted)
        venue.post("market/gap", {"symbol": BTC, "percent": "-2"})

        async def ended() -> bool:
            venue.post("advance", {"ms": 10_000})
            return any(_ended(event, order.client_order_id) for event in heard.events)

        await until(ended, "the resting order to fill")
        fills = _fills(heard, order.client_order_id)
        assert sum(fill.lots for fill in fills) == order.lots
        assert all(fill.is_maker and fill.ticks <= order.ticks for fill in fills)


async def test_prices_and_bars_come_as_whole_ticks_and_lots(exchange: BaseExchange) -> None:
    price = await exchange.last_price(BTC)
    assert isinstance(price, PriceUpdate)
    assert 0 < price.bid <= price.ask
    bars = await exchange.bars(BTC, "1m", price.time_ms - 600_000, 5)
    assert len(bars) == 5
    assert [bar.open_ms - bars[0].open_ms for bar in bars] == [60_000 * i for i in range(5)]
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)


async def test_an_unknown_symbol_is_refused_with_the_nearest_name(exchange: BaseExchange) -> None:
    with pytest.raises(Refused, match="BTCUSDT"):
        exchange.instrument("BTCUSD")
    assert exchange.max_open_orders(BTC) == 200
