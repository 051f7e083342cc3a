"""One symbol's market: its prints as they fall due, its background book, and everything derived from its trades."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from simulator.instruments import Market
from simulator.market.candles import LONG_DAYS, Candles
from simulator.market.course import Course
from simulator.market.files import Gap
from simulator.market.helm import Helm
from simulator.market.intervals import DAY, MINUTE
from simulator.market.ladder import Background, Ladder, SyntheticLadder
from simulator.market.passing import Passing
from simulator.market.plans import Plan
from simulator.market.tickers import TickerStats
from simulator.market.trades import AggregateTrade, TradeLog
from simulator.market.types import Bar, Print, Side, Trade
from simulator.units import ONE

_SAMPLE_MINUTES = 240


class SymbolMarket:
    """A symbol of one market, from `start_ms` on; what the plan holds before it is history.

    Consuming `due` and letting each print be recorded, or calling `skip_to`, lead to the same trades, bars and book.
    """

    def __init__(
        self,
        market: Market,
        symbol: str,
        plan: Plan,
        key: int,
        start_ms: int,
        outages: Sequence[Gap] = (),
        make_ladder: Callable[[Ladder], Ladder] | None = None,
    ) -> None:
        self.market = market
        self.symbol = symbol
        self.outages = tuple(outages)
        self._plan = plan
        self._course = Course(plan)
        self._log = TradeLog(self._course)
        self._candles = Candles(self._course, self._log, self.outages)
        self.helm = Helm(
            self._course.steering, self._begins_ms, self._replan, self._price_in_ticks, self._planned_price
        )
        self.passing = Passing(self._course, self._log, self._catch_up, self._count_skipped)
        synthetic = SyntheticLadder(key, plan.grid.tick, plan.grid.lot, self._typical_print())
        self._synthetic: Ladder = synthetic
        self.liquidity = Background(make_ladder(synthetic) if make_ladder else synthetic, self._catch_up)
        """The background book; the same object for the market's life."""
        self._now = start_ms
        self._settled: Print | None = None
        self._skipped = 0
        self._last: tuple[int, Trade] | None = None
        self._log.pass_to(self._course.count_until(start_ms - 1))
        self._anchor()

    def _typical_print(self) -> int:
        sample = self._course.table(self._plan.first_minute, self._plan.first_minute + _SAMPLE_MINUTES)
        volume = sum(sample.row(place)[5] for place in range(len(sample)))
        return volume // max(int(sample.count.sum()), 1)

    # -- time

    @property
    def has_ended(self) -> bool:
        """Whether the plan holds no further print; not before its last minute, which is quick to tell."""
        end = self._plan.end_minute
        if end is None or self._now < (end - 1) * MINUTE:
            return False
        self._catch_up()
        return self._plan.minute_of(self._log.position) is None

    def due(self, until_ms: int) -> Iterator[Print]:
        """Prints up to and including a moment, in time order, one at a time.

        The caller matches and records one, then asks for the next; asking re-anchors the background at it.
        """
        self._catch_up()
        log, course = self._log, self._course
        while (chunk := course.chunk_of(log.position)) is not None:
            version = course.version
            while course.version == version and (place := log.position - chunk.first_number) < len(chunk.prints):
                p = chunk.prints[place]
                if p.time_ms > until_ms:
                    self._now = max(self._now, until_ms)
                    return
                self._now = max(self._now, p.time_ms)
                self._settled = None
                log.announce(p, chunk.starts_group[place])
                yield p
                log.close_pending()
                if self._settled is not p:
                    self.settle_print(p)
        self._now = max(self._now, until_ms)

    def settle_print(self, p: Print) -> None:
        """The background stands around this print from now on."""
        self._settled = p
        self.liquidity.ladder.anchor(p.price, p.taker, p.time_ms)

    def next_print_ms(self) -> int | None:
        """When the next print falls due; None when there is none."""
        self._catch_up()
        chunk = self._course.chunk_of(self._log.position)
        return None if chunk is None else chunk.times[self._log.position - chunk.first_number]

    def skip_to(self, until_ms: int) -> None:
        """Let everything up to and including a moment happen as planned, at no cost until somebody looks."""
        if until_ms > self._now:
            self._now = until_ms
            self.liquidity.is_stale = True

    def _catch_up(self) -> None:
        if not self.liquidity.is_stale:
            return
        self.liquidity.is_stale = False
        before = self._log.position
        self._log.pass_to(self._course.count_until(self._now))
        if self._log.position > before:
            self._count_skipped(self._log.position - before)
            self._anchor()

    def _count_skipped(self, prints: int) -> None:
        self._skipped += prints

    def prints_skipped(self) -> int:
        """How many prints happened unseen: each of them moved the background."""
        self._catch_up()
        return self._skipped

    def _anchor(self) -> None:
        """Put the background around the last planned print that has happened."""
        p = self._course.print_at(self._log.position - 1)
        if p is None:
            price = self._plan.initial_price * self._plan.grid.tick
            self.liquidity.ladder.anchor(price, "BUY", self._now)
        else:
            self.liquidity.ladder.anchor(p.price, p.taker, p.time_ms)

    # -- trades

    def record(
        self, time_ms: int, price: int, quantity: int, taker: Side, maker_order_id: int = 0, taker_order_id: int = 0
    ) -> Trade:
        """Every trade of the symbol goes through here: it gets its id and counts in klines and tickers.

        A time before the newest trade's is raised to it, so that ids and times grow together.
        """
        self._catch_up()
        self._now = max(self._now, time_ms)
        trade = self._log.record(time_ms, price, quantity, taker, maker_order_id, taker_order_id)
        self._last = (trade.trade_id, trade)
        return trade

    def _last_trade(self) -> Trade | None:
        self._catch_up()
        number = self._log.last_id
        if number and (self._last is None or self._last[0] != number):
            self._last = (number, self._log.slice(number, number)[0][0])
        return self._last[1] if self._last else None

    @property
    def last_price(self) -> int:
        """Price of the newest trade; the data's first price before any."""
        trade = self._last_trade()
        return trade.price if trade else self._plan.initial_price * self._plan.grid.tick

    def recent_trades(self, limit: int) -> list[Trade]:
        """The newest trades, oldest first."""
        self._catch_up()
        return self._log.slice(self._log.last_id - limit + 1, self._log.last_id)[0]

    def trades_from(self, trade_id: int, limit: int) -> list[Trade]:
        """Trades from an id on, oldest first."""
        self._catch_up()
        first = max(trade_id, 1)
        return self._log.slice(first, first + limit - 1)[0]

    def aggregate_trades(
        self, from_id: int | None = None, start_ms: int | None = None, end_ms: int | None = None, limit: int = 500
    ) -> list[AggregateTrade]:
        """Taker orders (numbered from 0) from an id, or within inclusive times; the newest when nothing is given."""
        self._catch_up()
        log = self._log
        end_id = log.last_id if end_ms is None else log.first_id_from(end_ms + 1) - 1
        if end_id < 1:
            return []
        end = log.group_of(end_id)
        if from_id is not None:
            first = from_id
        elif start_ms is not None:
            number = log.first_id_from(start_ms)
            first = log.group_of(number) if number <= log.last_id else end + 1
        else:
            first = max(end - limit + 1, 0)
        return log.aggregates(first, min(limit, end - max(first, 0) + 1)) if first <= end else []

    # -- klines and statistics

    def bars(
        self, interval: str, start_ms: int | None, end_ms: int | None, limit: int, offset_ms: int = 0
    ) -> list[Bar]:
        """Up to `limit` bars, oldest first, the one in progress included.

        With `start_ms`, the first bars that open at or after it (and not after `end_ms`); without it, the last bars
        that open at or before `end_ms` or now. `offset_ms` moves days and hours to another time zone.
        """
        self._catch_up()
        return self._candles.bars(interval, start_ms, end_ms, limit, self._now, offset_ms)

    def make_ready(
        self, interval: str, start_ms: int | None, end_ms: int | None, limit: int, offset_ms: int = 0
    ) -> bool:
        """Compute, some milliseconds long, what `bars` of the same arguments will need of a long past.

        False while more is to be done: a server that calls this until it gives True keeps its other clients waiting
        for moments only.
        """
        self._catch_up()
        return self._candles.make_ready(interval, start_ms, end_ms, limit, self._now, offset_ms)

    def warm(self) -> None:
        """Use a few idle milliseconds to make ready what charts of years will need."""
        if self._now // MINUTE - self._plan.first_minute > LONG_DAYS * DAY // MINUTE:
            self._catch_up()
            self._candles.warm(self._now)

    def current_bar(self, interval: str) -> Bar:
        """The bar in progress; cheap enough to ask at every trade."""
        self._catch_up()
        return self._candles.current(interval, self._now)

    def ticker(self, window_ms: int = DAY, from_minute: bool = False) -> TickerStats:
        """Statistics of the time up to now; `from_minute` widens the window to begin on a whole minute."""
        opened = self._now - window_ms
        return self._stats(opened - opened % MINUTE if from_minute else opened, self._now)

    def trading_day(self, offset_ms: int = 0) -> TickerStats:
        """Statistics of the calendar day so far; the close time is the day's last millisecond."""
        opened = self._now - (self._now + offset_ms) % DAY
        return self._stats(opened, opened + DAY - 1)

    def average_price(self, minutes: int = 5) -> int:
        """Volume-weighted price of the last minutes, rounded down; the last price when nothing traded."""
        self._catch_up()
        row = self._candles.row(self._now - minutes * MINUTE + 1, self._now + 1)
        return row[7] * ONE // row[5] if row[5] else self.last_price

    def _stats(self, open_ms: int, close_ms: int) -> TickerStats:
        self._catch_up()
        before = self._candles.price_before(open_ms)
        row = self._candles.row(open_ms, close_ms + 1)
        last_id = self._log.last_id
        last = self._last_trade()
        price = last.price if last else before
        count, opened, high, low = row[:4] if row[0] else (0, price, price, price)
        return TickerStats(
            open_ms=open_ms,
            close_ms=close_ms,
            open=opened,
            high=high,
            low=low,
            last=price,
            last_quantity=last.quantity if last else 0,
            previous_close=before,
            volume=row[5],
            quote_volume=row[7],
            trades=count,
            first_trade_id=last_id - count + 1 if count else -1,
            last_trade_id=last_id if count else -1,
        )

    def is_outage(self, now_ms: int) -> bool:
        """Whether the venue is down for this symbol at a moment (a gap in its data, or before its first row)."""
        return self._candles.is_outage(now_ms, now_ms + 1)

    # -- steering

    def _begins_ms(self) -> int:
        """The first moment that may still be steered."""
        self._catch_up()
        return self._now + 1

    def _price_in_ticks(self) -> int:
        """The last price, in ticks of the data."""
        return self.last_price // self._plan.grid.tick

    def _planned_price(self) -> int:
        """Unsteered price in ticks of the last planned print."""
        number = self._log.position - 1
        minute = self._plan.minute_of(number) if number >= 0 else None
        if minute is None:
            return self._plan.initial_price
        return int(self._plan.prints(minute, minute + 1).price[number - self._plan.count_before(minute)])

    def _replan(self, change: Callable[[int], None]) -> None:
        """Let `change` act on every print that is still to come."""
        begins_ms = self._begins_ms()
        change(begins_ms)
        self._course.forget_from(begins_ms)
        self.liquidity.ladder = self._synthetic
        self._anchor()
