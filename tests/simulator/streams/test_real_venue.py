"""The streams over the real exchanges and a generated market: what they tell adds up to what the venue knows."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from simulator.config import SimulatorConfig, Speed, parse_account
from simulator.errors import VenueError
from simulator.futures import types as futures
from simulator.instruments import Market
from simulator.market.types import Side
from simulator.spot import types as spot
from simulator.streams.names import parse_stream
from simulator.units import parse_quanta
from simulator.venue import Venue

SYMBOL = "BTCUSDT"


class _Recorder:
    def __init__(self) -> None:
        self.events: list[Any] = []

    def receive(self, message: Any) -> None:
        self.events.append(message.payload)


@pytest.fixture
def venue() -> Venue:
    return Venue(
        SimulatorConfig(
            market="generated:7",
            speed=Speed(Fraction(0)),
            symbols=(SYMBOL,),
            accounts=(parse_account("key:secret:USDT=1000000000,BTC=10000"),),
        )
    )


def _listen(venue: Venue, market: Market, name: str) -> _Recorder:
    recorder, key = _Recorder(), parse_stream(market, name)
    assert key is not None
    assert venue.hub.add_listener(key, recorder) is not None
    return recorder


def _sides(depth: tuple[list[tuple[int, int]], list[tuple[int, int]]]) -> tuple[dict[int, int], dict[int, int]]:
    return dict(depth[0]), dict(depth[1])


def _apply(levels: dict[int, int], changes: list[list[str]]) -> None:
    for price, quantity in changes:
        if parse_quanta(quantity):
            levels[parse_quanta(price)] = parse_quanta(quantity)
        else:
            levels.pop(parse_quanta(price), None)


def _trade_at_random(venue: Venue, market: Market, chance: random.Random, placed: list[int]) -> None:
    """Place an order near the price, take some, or cancel one."""
    instrument = venue.exchange(market).instrument(SYMBOL)
    tick = instrument.filters.tick
    price = venue.exchange(market).market(SYMBOL).last_price // tick * tick + chance.randint(-6, 6) * tick
    quantity = chance.randint(1, 4000) * instrument.filters.lot
    side: Side = "BUY" if chance.random() < 0.5 else "SELL"
    try:
        if placed and chance.random() < 0.4:
            number = placed.pop(chance.randrange(len(placed)))
            if market == "spot":
                venue.spot.cancel(1, SYMBOL, number, None)
            else:
                venue.futures.cancel(1, SYMBOL, number, None)
        elif market == "spot":
            order = venue.spot.place(1, spot.NewOrder(SYMBOL, side, "LIMIT", "GTC", quantity, price=price))
            placed.append(order.order_id)
        else:
            new = futures.NewOrder(SYMBOL, side, "LIMIT", time_in_force="GTC", quantity=quantity, price=price)
            placed.append(venue.futures.place(1, new).order_id)
    except VenueError:
        pass  # too small, too many, already filled: the venue's affair


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("market", "name"), [("spot", "btcusdt@depth@100ms"), ("futures", "btcusdt@depth@500ms")])
def test_any_snapshot_with_the_events_after_it_is_the_book(venue: Venue, market: Market, name: str, seed: int) -> None:
    chance, placed = random.Random(seed), list[int]()
    recorder = _listen(venue, market, name)
    book = venue.exchange(market).book(SYMBOL)
    snapshots = []
    for _ in range(120):
        _trade_at_random(venue, market, chance, placed)
        if chance.random() < 0.15:
            snapshots.append((book.update_id, *_sides(book.depth(5000))))
        if chance.random() < 0.4:
            venue.advance_to(venue.clock.now_ms() + chance.choice((40, 100, 1500)))
    venue.advance_to(venue.clock.now_ms() + 1000)
    assert len(recorder.events) > 10
    final = _sides(book.depth(5000))
    for last_id, bids, asks in snapshots:
        later = [event for event in recorder.events if event["u"] > last_id]
        assert not later or later[0]["U"] <= last_id + 1
        for event in later:
            _apply(bids, event["b"])
            _apply(asks, event["a"])
        assert (bids, asks) == final


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_streamed_trades_aggregates_and_bars_are_those_the_venue_answers_with(venue: Venue, market: Market) -> None:
    chance, placed = random.Random(5), list[int]()
    trades = _listen(venue, market, "btcusdt@trade")
    aggregates = _listen(venue, market, "btcusdt@aggTrade")
    bars = _listen(venue, market, "btcusdt@kline_1m")
    for _ in range(150):
        _trade_at_random(venue, market, chance, placed)
        venue.advance_to(venue.clock.now_ms() + 2000)
    told = venue.exchange(market).market(SYMBOL)
    first = trades.events[0]["t"]
    known = told.trades_from(first, 5000)
    assert [event["t"] for event in trades.events] == [trade.trade_id for trade in known]
    assert [parse_quanta(event["q"]) for event in trades.events] == [trade.quantity for trade in known]

    found = told.aggregate_trades(aggregates.events[0]["a"], None, None, 1000)
    shown = [(event["a"], parse_quanta(event["q"]), event["f"], event["l"]) for event in aggregates.events]
    assert shown == [(item.aggregate_id, item.quantity, item.first_trade_id, item.last_trade_id) for item in found]

    closed = [event["k"] for event in bars.events if event["k"]["x"]]
    assert len(closed) == 5
    for shown_bar in closed:
        (bar,) = told.bars("1m", shown_bar["t"], shown_bar["t"], 1)
        assert parse_quanta(shown_bar["v"]) == bar.volume
        assert parse_quanta(shown_bar["c"]) == bar.close
        assert (shown_bar["n"], shown_bar["L"]) == (bar.trades, bar.last_trade_id)


def test_a_symbol_is_only_followed_closely_while_somebody_listens(venue: Venue) -> None:
    recorder = _listen(venue, "spot", "btcusdt@bookTicker")
    venue.advance_to(venue.clock.now_ms() + 60_000)
    heard = len(recorder.events)
    assert heard > 5
    (feed,) = venue.hub._at["spot", SYMBOL]
    venue.hub.remove_listener(feed, recorder)
    venue.advance_to(venue.clock.now_ms() + 60_000)
    assert len(recorder.events) == heard
    assert not venue.hub.watches("spot", SYMBOL)
