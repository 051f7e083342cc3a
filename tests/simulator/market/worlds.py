"""Small markets for tests, and the slow and simple arithmetic that the quick one is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import strategies as st

from simulator.instruments import Market
from simulator.market.expansion import Columns, Grid, Prints
from simulator.market.files import Gap
from simulator.market.intervals import MINUTE, bar_open, next_open
from simulator.market.plans import BarPlan
from simulator.market.symbol_market import SymbolMarket
from simulator.market.types import Bar, Print, Side, Trade

TICK, LOT = 10_000_000, 100_000
GRID = Grid(TICK, LOT)
START = 1_746_372_780_000
Row = tuple[int, int, int, int, int]


def columns(rows: Sequence[Row]) -> Columns:
    """Rows of (open, high, low, close, volume) in ticks and lots."""
    values = np.array(rows, np.int64).reshape(-1, 5)
    return Columns(values[:, 0], values[:, 1], values[:, 2], values[:, 3], values[:, 4])


@st.composite
def bars(draw: st.DrawFn, thin: bool = True) -> Row:
    """A possible bar; a thin one may have any volume that can visit its prices, zero included."""
    low = draw(st.integers(1, 2_000_000))
    high = low + draw(st.one_of(st.integers(0, 5), st.integers(0, 100_000)))
    opened, close = draw(st.integers(low, high)), draw(st.integers(low, high))
    if thin and draw(st.integers(0, 5)) == 0:
        return close, close, close, close, draw(st.integers(0, 3))
    least = 4 if thin else 200
    return opened, high, low, close, draw(st.one_of(st.integers(least, max(60, least)), st.integers(least, 10**9)))


def market_of(
    rows: Sequence[Row],
    minutes: int = 1,
    prints: int = 7,
    start_ms: int = START,
    outages: Sequence[Gap] = (),
    kind: Market = "spot",
) -> SymbolMarket:
    """A market whose data begins at START."""
    plan = BarPlan(99, GRID, START // MINUTE, columns(rows), minutes, prints)
    return SymbolMarket(kind, "BTCUSDT", plan, 99, start_ms, outages)


def play(market: SymbolMarket, until_ms: int) -> list[Trade]:
    """Let every print happen one by one, as an exchange without customers does."""
    trades = []
    for p in market.due(until_ms):
        trades.append(market.record(p.time_ms, p.price, p.quantity, p.taker))
        market.settle_print(p)
    return trades


def all_trades(market: SymbolMarket) -> list[Trade]:
    return market.trades_from(1, 10**9)


def as_print(trade: Trade) -> Print:
    return Print(trade.time_ms, trade.price, trade.quantity, trade.taker)


def bar_from(trades: Sequence[Trade], open_ms: int, close_ms: int, before: int) -> Bar:
    """The kline that trades make, computed the plain way."""
    if not trades:
        return Bar(open_ms, close_ms, before, before, before, before, 0, 0, 0, 0, 0)
    prices = [trade.price for trade in trades]
    bought = [trade for trade in trades if trade.taker == "BUY"]
    return Bar(
        open_ms,
        close_ms,
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum(trade.quantity for trade in trades),
        sum(trade.quote for trade in trades),
        len(trades),
        sum(trade.quantity for trade in bought),
        sum(trade.quote for trade in bought),
        trades[0].trade_id,
        trades[-1].trade_id,
    )


def bars_from(trades: Iterable[Trade], interval: str, first_ms: int, now_ms: int, price: int) -> list[Bar]:
    """Every kline of an interval from the one that holds `first_ms` to the one in progress."""
    trades = list(trades)
    result = []
    opened = bar_open(interval, first_ms)
    while opened <= now_ms:
        following = next_open(interval, opened)
        inside = [trade for trade in trades if opened <= trade.time_ms < following]
        result.append(bar_from(inside, opened, following - 1, price))
        price = result[-1].close
        opened = following
    return result


def minute_pieces(prints: Prints) -> list[slice]:
    ends = np.cumsum(prints.counts).tolist()
    return [slice(end - count, end) for end, count in zip(ends, prints.counts.tolist(), strict=True)]


def opposite(side: Side) -> Side:
    return "SELL" if side == "BUY" else "BUY"
