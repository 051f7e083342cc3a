"""A strategy that is woken by every row of the tape, and does nothing then, has none of them passed over.

So whoever sleeps has to end with the same orders, executions, fundings and figures as whoever watches.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy
from hypothesis import example, given, reject, settings
from hypothesis import strategies as some

from core.base_strategy import Plan, StrategyKind
from domain import events, slots
from domain.events import Event, View
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.order import BUY, ENTRY, EXIT, LIMIT, MARKET, POST_ONLY, SELL, STOP_MARKET
from domain.risk_manager import RiskLimits
from engine.backtest import History, Prints, Settings, run
from engine.backtest.futures import FundingRate, Futures
from engine.backtest.history import BadHistory, prints_of
from engine.backtest.kernel.layout import BLOCK, FAR
from engine.backtest.queueing import CANCELLATIONS, Queue
from engine.backtest.taped import taped
from tests.histories import BEGIN, chance_depth, chance_trades
from tests.placing import Step, Told, decide, prepare
from tests.unit.engine.backtest.test_queue_by_hand import SMALL

QUEUES = some.builds(
    Queue,
    ahead=some.sampled_from([Decimal(0), Decimal("0.02"), Decimal("0.7")]),
    share_percent=some.sampled_from([Decimal(0), Decimal("12.5"), Decimal(300)]),
    share_ms=some.sampled_from([1, 700, 20_000]),
    cancelled_percent=some.sampled_from([Decimal(0), Decimal(30)]),
    whole_beyond=some.booleans(),
)
IN_A_BOOK = some.builds(Queue, cancellations=some.sampled_from(sorted(CANCELLATIONS)), whole_beyond=some.booleans())
#: Funded every few seconds.
OFTEN = Futures(
    leverage=5, funding_percent=Decimal(0),
    funding_rates=tuple(FundingRate(BEGIN + 4_003 * number, Decimal("0.05")) for number in range(1, 400)),
)  # fmt: skip
ASSUMED = some.fixed_dictionaries({
    "quote": some.sampled_from([Decimal(1_000), Decimal(10**6)]),
    "latency_ms": some.sampled_from([0, 1, 2, 900, 30_000]),
    "limits": some.sampled_from([RiskLimits(), RiskLimits(max_messages=2), RiskLimits(max_open_orders=2)]),
    "futures": some.sampled_from([None, None, OFTEN, Futures(leverage=60)]),
})  # fmt: skip
#: When, in parts of the history; slot, side (0 cancels), how far from the price, how much, which type and leg.
WISHES = some.lists(
    some.tuples(
        some.floats(0, 1), some.integers(0, 5), some.sampled_from([BUY, SELL, BUY, SELL, 0]),
        some.sampled_from([-40, -8, -2, -1, 0, 1, 2, 3, 8, 40]), some.sampled_from([7, 900, 60_000]),
        some.sampled_from([POST_ONLY, POST_ONLY, LIMIT, MARKET, STOP_MARKET]), some.sampled_from([ENTRY, ENTRY, EXIT]),
    ),
    min_size=1, max_size=24,
)  # fmt: skip


def watch(law: Any, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
    """Do as one is told, and be woken at every price."""
    count = decide(law, state, memory, view, event, out) if event.kind not in (events.PRICE, events.BAR) else 0
    state[slots.WAKE_ABOVE], state[slots.WAKE_BELOW] = 1, FAR - 1
    return count


@cache
def placing(watches: bool, wants_bars: bool) -> StrategyKind:
    """Who does as told, awake or asleep, with its bars or without."""

    def plan(params: Told, instrument: Instrument, last_ticks: int) -> Plan:
        return replace(prepare(params, instrument, last_ticks), wants_bars=wants_bars)

    return StrategyKind(
        name="placing", title="Placing", summary="Sends what it is told.", params=Told, prepare=plan,
        decide=watch if watches else decide,
    )  # fmt: skip


def on_steps(trades: Prints) -> Prints:
    """The same at prices 400 ticks apart, where orders stand."""
    return prints_of(trades.instrument, trades.open_ms, trades.close // 400 * 400, trades.volume)


def told(trades: Prints, wishes: list[tuple[Any, ...]]) -> Told:
    """The steps; each is told with the price of the trade before it."""
    begin, length, steps = int(trades.open_ms[0]), int(trades.open_ms[-1] - trades.open_ms[0]), []
    for part, slot, side, far, lots, kind, leg in sorted(wishes, key=lambda wish: wish[0]):
        at_ms = begin + int(part * length)
        last = int(trades.close[max(int(trades.open_ms.searchsorted(at_ms)) - 1, 0)])
        ticks = 0 if kind == MARKET else max(last // 400 + far, 1) * 400
        steps.append(Step(at_ms, slot, side, ticks, lots, kind, leg))
    return Told(steps=tuple(steps))


def check(history: History, params: Told, wants_bars: bool, assumed: dict[str, Any]) -> None:
    """Who sleeps and who watches have done the same."""
    terms = Settings(**assumed, runtime="interpreted", log_orders=True)
    asleep, awake = (run(placing(watches, wants_bars), params, history, terms) for watches in (False, True))
    assert asleep.moves.tolist() == awake.moves.tolist()
    assert asleep.orders.tolist() == awake.orders.tolist()
    assert asleep.figures == awake.figures


@settings(max_examples=150, deadline=None)
@given(
    seed=some.integers(0, 10_000), count=some.integers(3, 400), has_book=some.booleans(),
    bar_ms=some.sampled_from([0, 0, 1_000, 10_000, 60_000]), wants_bars=some.booleans(), wishes=WISHES,
    assumed=ASSUMED, data=some.data(),
)  # fmt: skip
def test_rows_that_are_passed_over_would_have_done_nothing(
    seed: int, count: int, has_book: bool, bar_ms: int, wants_bars: bool, wishes: list[tuple[Any, ...]],
    assumed: dict[str, Any], data: some.DataObject,
) -> None:  # fmt: skip
    trades = chance_depth(seed, count) if has_book else on_steps(chance_trades(seed, count, swing=1_200))
    queue = data.draw(IN_A_BOOK if has_book else QUEUES)
    if assumed["futures"] is None:
        assumed = {**assumed, "base": Decimal(2)}
    try:
        history = taped(trades, bar_ms) if bar_ms else trades
    except BadHistory:
        reject()  # too few trades for two whole bars
    assumed = {**assumed, "fill_model": "queue", "queue": queue}
    check(history, told(trades, wishes), wants_bars and bar_ms > 0, assumed)


@settings(max_examples=60, deadline=None)
@given(
    quiet=some.lists(some.integers(0, 5 * BLOCK), min_size=1, max_size=5), far=some.integers(-2, 2),
    lots=some.sampled_from([1, 50, 900]), latency_ms=some.sampled_from([0, 1, 5, 40]), queue=QUEUES,
    removed_after=some.integers(1, 12 * BLOCK), step=some.integers(0, 3), side=some.sampled_from([BUY, SELL]),
)  # fmt: skip
@example(
    quiet=[BLOCK - 3, 2 * BLOCK], far=0, lots=900, latency_ms=5, queue=Queue(), removed_after=4 * BLOCK, step=1,
    side=BUY,
)  # fmt: skip
@example(
    quiet=[3 * BLOCK], far=1, lots=900, latency_ms=5, queue=Queue(share_percent=Decimal(300)),
    removed_after=2 * BLOCK, step=1, side=BUY,
)  # fmt: skip
def test_a_trade_amid_quiet_blocks_is_met_and_a_request_arrives_between_them(
    quiet: list[int], far: int, lots: int, latency_ms: int, queue: Queue, removed_after: int, step: int, side: int
) -> None:  # fmt: skip
    # Quiet trades a hundred ticks from an order, now and then one at its price or next to it.
    rows = [(0, 10_000, 1), (1, 10_000, 1)]
    for length in quiet:
        begin = rows[-1][0]
        rows += [(begin + step * place, 10_000 + side * (place % 3), 20) for place in range(1, length + 1)]
        rows.append((rows[-1][0] + 1, 10_000 - side * (100 - far), lots))
    steps = (
        Step(BEGIN + 1, 0, side, 10_000 - side * 100, 600), Step(BEGIN + 3, 1, side, 10_000 - side * 101, 40),
        Step(BEGIN + removed_after, 0, side, 10_000 - side * 99, 70), Step(BEGIN + removed_after + 9, 1, side=0),
    )  # fmt: skip
    times, ticks, quantities = (numpy.array(column, numpy.int64) for column in zip(*rows, strict=True))
    history = prints_of(SMALL, BEGIN + times, ticks, quantities)
    money = {"quote": Decimal(10**6), "base": Decimal(2)}
    check(history, Told(steps=steps), False, {"fill_model": "queue", "queue": queue, "latency_ms": latency_ms, **money})
