"""The grid on bars written by hand once more, with what a run through the API gives: rules, ledger and record.

Beside `benchmarks.by_hand.grid` it asks the risk rules before each order and the venue's sizes behind them, keeps what
is locked, the position at average cost, the results of the day and of every sale, and writes a row for each execution.
It knows one strategy, one way to fill, one kind of fee; it gives the very rows and figures that the kernel gives, so
what both do is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, cast

import numpy

from core.base_strategy import Plan
from domain.money import divmod_exact
from domain.order import ENTRY, EXIT, START
from domain.risk_manager import RiskLimits
from engine.backtest import History, Result, Settings
from engine.backtest.kernel import layout as lay
from engine.backtest.percent import to_ppm
from strategies.grid_strategy import Law

DAY_MS: Final = 86_400_000
PARTS: Final = 1_000_000
LONG_AGO: Final = -(10**15)

# The account: what is found, in quanta, in the order of `Figures`; then what else is kept.
FILLS: Final = 0
QUOTE: Final = 1
BASE: Final = 2
REALISED: Final = 3
FEES: Final = 4
TURNOVER: Final = 5
WINS: Final = 6
LOSSES: Final = 7
GAINED: Final = 8
LOST: Final = 9
HELD_MS: Final = 10
COST: Final = 11
LOCKED: Final = 12
SELLING: Final = 13
HELD_SINCE: Final = 14
DAY_ENDS: Final = 15
DAY_RESULT: Final = 16
DAY_TRADES: Final = 17
LOSSES_IN_A_ROW: Final = 18
LAST_LOSS: Final = 19
REJECTIONS: Final = 20
SENT_AT: Final = 21
ACCOUNT: Final = 22

# Of every level: 1 where it bids, -1 where it offers; its round, what it has paid, the bar it was placed in.
SIDE: Final = 0
CYCLE: Final = 1
PAID: Final = 2
SINCE: Final = 3
LEVEL: Final = 4


class Terms(NamedTuple):
    """The venue and the rules, in ticks, lots and quanta, and what one level trades."""

    first_ms: int
    bar_ms: int
    lots: int
    tick_lot: int
    base_per_lot: int
    min_notional: int
    min_lots: int
    max_lots: int
    maker_ppm: int
    taker_ppm: int
    limits: RiskLimits


class Figures(NamedTuple):
    """What is found, in quanta."""

    fills: int = 0
    quote: int = 0
    base: int = 0
    realised: int = 0
    fees: int = 0
    turnover: int = 0
    wins: int = 0
    losses: int = 0
    gained: int = 0
    lost: int = 0
    held_ms: int = 0


def begin(levels: Any, terms: Terms, last: int, opened: int, account: Any, of_levels: Any, rows: Any) -> int:
    """Buy at the next open what the levels above the price are to sell; the first of these, -1 if that is refused."""
    count, first = len(levels) - 1, 0
    while first < count and levels[first] < last:
        first += 1
    bought, now = (count - first) * terms.lots, terms.first_ms + terms.bar_ms
    value = bought * opened * terms.tick_lot
    fee = -(-value * terms.taker_ppm // PARTS)
    if value > account[QUOTE] or bought > terms.max_lots:
        return -1
    account[QUOTE] -= value + fee
    account[BASE] = left = bought * terms.base_per_lot
    account[COST] = rest = value
    account[FEES], account[TURNOVER], account[FILLS], account[HELD_SINCE] = fee, value, 1, now
    account[DAY_ENDS], account[DAY_RESULT], account[DAY_TRADES] = (now // DAY_MS + 1) * DAY_MS, -fee, 1
    write(rows[0], now, 0, 0, START, 1, opened, bought, fee, 0, 8, 0, account)
    for level in range(count):
        of_levels[level, SIDE] = 1 if level < first else -1
        if level < first:
            account[LOCKED] += terms.lots * levels[level] * terms.tick_lot
        else:
            paid = rest * terms.lots * terms.base_per_lot // left
            of_levels[level, PAID] = paid
            rest, left = rest - paid, left - terms.lots * terms.base_per_lot
            account[SELLING] += terms.lots
    return first


def write(
    row: Any, now: int, slot: int, cycle: int, leg: int, side: int, ticks: int, lots: int, fee: int, maker: int,
    reason: int, earned: int, account: Any,
) -> None:  # fmt: skip
    """An execution's row of the record."""
    row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7] = now, slot, cycle, leg, 0, side, ticks, lots
    row[8], row[9], row[10], row[11], row[12] = fee, 0, maker, reason, earned
    row[13], row[14] = account[QUOTE], account[BASE]


def close(account: Any, each: int, value: int, fee: int, now: int) -> int:
    """Take a sale out of the position at its average cost and count it; gives what it has earned before fees."""
    cost, position = account[COST], account[BASE]
    # As a float first: the product may need more than 64 bits, what is left over does not.
    released = int(float(cost) * float(each) / float(position))
    released += (cost * each - released * position) // position
    earned: int = value - released
    account[BASE] = position - each
    account[COST] = cost - released
    account[REALISED] += earned
    if position == each:
        account[HELD_MS] += now - account[HELD_SINCE]
    if earned - fee < 0:
        account[LOSSES_IN_A_ROW] += 1
        account[LAST_LOSS] = now
        account[LOSSES] += 1
        account[LOST] -= earned - fee
    else:
        account[LOSSES_IN_A_ROW] = 0
        account[WINS] += 1
        account[GAINED] += earned - fee
    return earned


def execute(
    account: Any, terms: Terms, of_level: Any, level: int, is_buy: bool, ticks: int, now: int, rows: Any
) -> None:  # fmt: skip
    """A level's order is executed: money, ledger, record."""
    value, each = terms.lots * ticks * terms.tick_lot, terms.lots * terms.base_per_lot
    fee, earned, cycle = -(-value * terms.maker_ppm // PARTS), 0, of_level[CYCLE]
    if now >= account[DAY_ENDS]:
        account[DAY_ENDS], account[DAY_RESULT], account[DAY_TRADES] = (now // DAY_MS + 1) * DAY_MS, 0, 0
    if is_buy:
        account[LOCKED] -= value
        if account[BASE] == 0:
            account[HELD_SINCE] = now
        account[BASE] += each
        account[COST] += value
        of_level[PAID] = value + fee
        account[QUOTE] -= value + fee
    else:
        account[SELLING] -= terms.lots
        earned = close(account, each, value, fee, now)
        of_level[PAID], of_level[CYCLE] = 0, cycle + 1
        account[QUOTE] += value - fee
    account[FEES] += fee
    account[TURNOVER] += value
    account[DAY_RESULT] += earned - fee
    account[DAY_TRADES] += 1
    side, leg, reason = (1, ENTRY, 1) if is_buy else (-1, EXIT, 2)
    write(
        rows[account[FILLS]], now, level + 1, cycle, leg, side, ticks, terms.lots, fee, 1, reason, earned, account
    )  # fmt: skip
    account[FILLS] += 1


def place(account: Any, terms: Terms, sent: Any, is_buy: bool, wished: int, last: int, now: int) -> bool:
    """Ask the rules and the venue for the order that follows, and lock what it needs; whether it is refused."""
    worth, limits, at = terms.lots * wished * terms.tick_lot, terms.limits, account[SENT_AT]
    worse = wished - last if is_buy else last - wished
    if 0 < limits.max_rejections <= account[REJECTIONS] or (limits.max_messages > 0 and sent[at] > now - 1_000):
        return True
    if worse * PARTS > last * limits.collar_ppm:
        return True
    if is_buy and worth > account[QUOTE] - account[LOCKED]:
        return True
    if not is_buy and terms.lots > account[BASE] // terms.base_per_lot - account[SELLING]:
        return True
    if terms.lots < terms.min_lots or terms.lots > terms.max_lots or worth < terms.min_notional:
        return True
    sent[at] = now
    account[SENT_AT] = at + 1 if at + 1 < len(sent) else 0
    if is_buy:
        account[LOCKED] += worth
    else:
        account[SELLING] += terms.lots
    return False


def walk(
    account: Any, terms: Terms, of_levels: Any, levels: Any, sent: Any, rows: Any, is_fall: bool, level: int, end: int,
    start: int, now: int,
) -> tuple[int, int]:  # fmt: skip
    """A leg of a bar from the nearest level to its end: the first level beyond it, and the last executed, -2 for none.

    -3 tells that a rule or the venue would refuse an order.
    """
    side, last = (1 if is_fall else -1), -2
    while 0 <= level < len(levels) - 1:
        ticks, other = levels[level], levels[level + 1]
        if not is_fall:
            ticks, other = other, ticks
        if (ticks < end) if is_fall else (ticks > end):
            break
        of_level = of_levels[level]
        # What was placed in this bar rests from the next one on.
        if of_level[SIDE] == side and of_level[SINCE] != start:
            if account[FILLS] >= len(rows):
                return level, -3
            execute(account, terms, of_level, level, is_fall, ticks, now, rows)
            if place(account, terms, sent, not is_fall, other, ticks, now):
                return level, -3
            of_level[SIDE], of_level[SINCE], last = -side, start, level
        level -= side
    return level, last


def grid_kept(
    opens: Any, highs: Any, lows: Any, closes: Any, levels: Any, terms: Terms, account: Any, of_levels: Any, sent: Any,
    rows: Any,
) -> float:  # fmt: skip
    """The deepest fall of the equity; `account` has the figures, `rows` the record.

    Below zero, where a rule or the venue would refuse an order: what comes of that is not written here.
    """
    unit, count, third = terms.tick_lot / terms.base_per_lot, len(levels) - 1, terms.bar_ms // 3
    highest, fall = float(account[QUOTE]), 0.0
    sell = begin(levels, terms, closes[0], opens[1], account, of_levels, rows)
    if sell < 0:
        return -1.0
    buy = sell - 1
    buy_at, sell_at = levels[buy] if buy >= 0 else 0, levels[sell + 1] if sell < count else lay.FAR
    cash, worth_of_tick = float(account[QUOTE]), float(account[BASE]) * unit
    for bar in range(1, len(closes)):
        low, high = lows[bar], highs[bar]
        if low <= buy_at or high >= sell_at:
            start, falls_first = terms.first_ms + bar * terms.bar_ms, opens[bar] - low <= high - opens[bar]
            bought = sold = -2
            for leg in range(2):
                now = start + (leg + 1) * third
                if (leg == 0) == falls_first:
                    buy, bought = walk(account, terms, of_levels, levels, sent, rows, True, buy, low, start, now)
                else:
                    sell, sold = walk(account, terms, of_levels, levels, sent, rows, False, sell, high, start, now)
            if bought == -3 or sold == -3:
                return -1.0
            while buy >= 0 and of_levels[buy, SIDE] != 1:
                buy -= 1
            while sell < count and of_levels[sell, SIDE] != -1:
                sell += 1
            buy, sell = max(buy, sold), min(sell, bought if bought >= 0 else count)
            buy_at, sell_at = levels[buy] if buy >= 0 else 0, levels[sell + 1] if sell < count else lay.FAR
            cash, worth_of_tick = float(account[QUOTE]), float(account[BASE]) * unit
        worth = cash + worth_of_tick * closes[bar]
        highest = max(highest, worth)
        fall = max(fall, highest - worth)
    if account[BASE] != 0:
        account[HELD_MS] += terms.first_ms + len(closes) * terms.bar_ms - account[HELD_SINCE]
    return fall


class Kept:
    """That kernel over a history: a call gives how many fills there were, and the equity.

    Its record lies in memory that was touched before.
    """

    def __init__(self, compile_by_hand: Callable[..., Any], history: History, plan: Plan, settings: Settings) -> None:
        from numba.extending import register_jitable

        for helper in (write, begin, close, execute, place, walk):
            # As if it stood where it is called, and without counting who holds an array.
            register_jitable(forceinline=True, _nrt=False)(helper)
        of, law = history.instrument, cast("Law", plan.params)
        smallest, most = (divmod_exact(each, of.lot_size)[0] for each in (of.min_quantity, of.max_quantity))
        worth = divmod_exact(of.min_notional, of.quote_quantum)[0]
        self._terms = Terms(
            int(history.open_ms[0]), history.bar_ms, law.lots[0], of.tick_lot, of.base_per_lot, worth, smallest,
            most, to_ppm("maker_fee", settings.maker_fee), to_ppm("taker_fee", settings.taker_fee), settings.limits,
        )  # fmt: skip
        self._history, self._levels = history, numpy.array(law.prices)
        self._money = divmod_exact(settings.quote, of.quote_quantum)[0]
        self._kernel, self._account = compile_by_hand(grid_kept), numpy.zeros(ACCOUNT, numpy.int64)
        self._rows = numpy.zeros((1 << 16, lay.FILL_WIDTH), numpy.int64)

    def __call__(self) -> tuple[int, float]:
        history, self._account = self._history, numpy.zeros(ACCOUNT, numpy.int64)
        self._account[QUOTE] = self._money
        of_levels = numpy.zeros((len(self._levels) - 1, LEVEL), numpy.int64)
        sent = numpy.full(max(self._terms.limits.max_messages, 1), LONG_AGO)
        self._kernel(
            history.open, history.high, history.low, history.close, self._levels, self._terms, self._account, of_levels,
            sent, self._rows,
        )  # fmt: skip
        of, found = history.instrument, Figures(*self._account[:COST].tolist())
        quanta = found.quote + found.base * int(history.close[-1]) * of.tick_lot // of.base_per_lot
        return found.fills, float(quanta * of.quote_quantum)

    def check(self, result: Result) -> None:
        """End the measurement if a run through the API has found anything else, be it one number of one execution."""
        by_hand, ours = self._account[:COST].tolist(), [getattr(result.figures, name) for name in Figures._fields]
        if by_hand != ours or not numpy.array_equal(self._rows[: by_hand[FILLS]], result.moves):
            raise SystemExit(f"by hand {by_hand}, through the API {ours}: these are not the same work.")
