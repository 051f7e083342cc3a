from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy
import pytest

from core.base_strategy import Plan, StrategyKind, StrategyParams
from domain import events, ledger, slots
from domain.errors import Refused
from domain.events import Event, View
from domain.grid import note, put_wish
from domain.indicators import Memory
from domain.instrument import Instrument
from domain.order import BUY, ENTRY, EXIT, LIMIT, MARKET, POST_ONLY, SELL, STOP, STOP_MARKET
from engine.backtest import Prints, Result, Settings, run
from engine.backtest.depth import Book, Depth
from engine.backtest.futures import FundingRate, Futures
from engine.backtest.history import BadHistory, prints_of
from engine.backtest.kernel.layout import FILL_FIELDS, ORDER_FIELDS
from engine.backtest.queueing import Queue
from engine.backtest.result import INSTANCE
from engine.backtest.taped import taped
from tests.histories import BEGIN
from tests.placing import PLACING, Step, Told
from tests.unit.engine.backtest.test_queue_by_hand import SMALL, bid, fills, replay

#: 100 lots at each of three prices on either side of 10,000.
BOOK = [(side, 10_000 - side * far, 100) for side in (BUY, SELL) for far in (10, 20, 30)]
Changes = list[tuple[int, int, int]]
SHARED, AHEAD = Queue(cancellations="shared"), Queue(cancellations="ahead")


def market(*rows: tuple[int, int, int, int] | tuple[int, Changes], book: Changes = BOOK) -> Prints:
    """Trades (milliseconds, ticks, lots, who took) and states (milliseconds, (side, ticks, lots)...) as they came.

    Two trades at 10,000 start it, when the book is known.
    """
    states: list[tuple[int, Changes]] = [(-1, book)]
    trades = [(0, 10_000, 1, BUY, 0), (1, 10_000, 1, BUY, 0)]
    for row in rows:
        if len(row) == 4:
            trades.append((*row, len(states) - 1))
        else:
            states.append(row)
    changes = numpy.array([(n, *change) for n, (_, told) in enumerate(states) for change in told], numpy.int64)
    times = BEGIN + numpy.array([time_ms for time_ms, _ in states], numpy.int64)
    table = numpy.array(trades, numpy.int64)
    states_of, sides, ticks, lots = (changes[:, place].copy() for place in range(4))
    recorded = Book(times, states_of, sides, ticks, lots)
    depth = Depth(table[:, 3].copy(), table[:, 4].copy(), recorded)
    return prints_of(SMALL, BEGIN + table[:, 0], table[:, 1].copy(), table[:, 2].copy(), depth)


def test_what_the_book_shows_when_an_order_comes_stands_in_front_of_it() -> None:
    depth = market((5, [(BUY, 9_990, 70)]), (10, 9_990, 50, SELL), (20, 9_990, 50, SELL), (30, 9_990, 50, SELL))
    # It comes while 100 stand there; when 70 do, thirty have gone, and they were behind it as far as they can.
    assert fills(replay([bid(60, 9_990)], depth), "lots", "maker") == [(20, 30, 1), (30, 30, 1)]
    # With a latency of 6 ms, 70 stand there when it arrives, and the same is left for it.
    assert fills(replay([bid(60, 9_990)], depth, latency_ms=6), "lots") == [(20, 30), (30, 30)]
    # At a price where nobody stands it is the first; a buyer who takes there does not meet it.
    bare = market((10, 9_995, 50, BUY), (20, 9_995, 40, SELL))
    assert fills(replay([bid(60, 9_995)], bare), "lots") == [(20, 40)]


def test_who_cancels_moves_an_order_forward_or_not() -> None:
    # 100 stand in front; 60 come behind; 40 of them are traded; then 80 are left of the 120: 40 have been cancelled.
    depth = market(
        (5, [(BUY, 9_990, 160)]), (10, 9_990, 40, SELL), (15, [(BUY, 9_990, 80)]), (20, 9_990, 70, SELL),
        (30, 9_990, 70, SELL),
    )  # fmt: skip
    # Behind: 60 in front of it stay, so 10 of the second trade and all of the third are for it.
    assert fills(replay([bid(100, 9_990)], depth), "lots") == [(20, 10), (30, 70)]
    # In equal parts of the 160 that the book has shown: 40 * 60 / 160 = 15 of the 60 go, and 45 are left.
    assert fills(replay([bid(100, 9_990)], depth, SHARED), "lots") == [(20, 25), (30, 70)]
    # In front of it: 20 are left.
    assert fills(replay([bid(100, 9_990)], depth, AHEAD), "lots") == [(20, 50), (30, 50)]


def test_what_was_traded_is_not_cancelled_once_more() -> None:
    # 100 in front: 30 are traded, and then 70 are shown: nobody has cancelled.
    depth = market((10, 9_990, 30, SELL), (15, [(BUY, 9_990, 70)]), (20, 9_990, 80, SELL))
    for queue in (Queue(), SHARED, AHEAD):
        assert fills(replay([bid(100, 9_990)], depth, queue), "lots") == [(20, 10)]


def test_no_more_stands_in_front_than_the_book_shows() -> None:
    # All but 20 have gone without a trade: whoever cancels, no more than 20 can be in front.
    depth = market((5, [(BUY, 9_990, 20)]), (6, [(BUY, 9_990, 500)]), (20, 9_990, 30, SELL))
    for queue in (Queue(), SHARED, AHEAD):
        assert fills(replay([bid(100, 9_990)], depth, queue), "lots") in ([(20, 10)], [(20, 30)])
    assert fills(replay([bid(100, 9_990)], depth), "lots") == [(20, 10)]
    assert fills(replay([bid(100, 9_990)], depth, AHEAD), "lots") == [(20, 10)]


def test_an_order_that_crosses_takes_level_by_level_and_its_rest_rests() -> None:
    # 100 at 10,010, 100 at 10,020 and 60 of 100 at 10,030; the limit lets no more.
    steps = [Step(5, 0, BUY, 10_030, 260, LIMIT)]
    result = replay(steps, market((10, 10_040, 5, BUY)), taker_fee=Decimal("0.1"))
    assert fills(result, "ticks", "lots", "maker") == [(5, 10_010, 100, 0), (5, 10_020, 100, 0), (5, 10_030, 60, 0)]
    value = (100 * 10_010 + 100 * 10_020 + 60 * 10_030) * SMALL.tick_lot
    assert result.figures.turnover == value
    # A thousandth of each part, rounded up: whole quanta here.
    assert result.figures.fee_quote == value // 1000
    # 260 up to 10,020: 200 are taken, and 60 rest there until a seller takes them.
    resting = market((10, 10_020, 25, SELL), (20, 10_010, 100, SELL))
    found = fills(replay([Step(5, 0, BUY, 10_020, 260, LIMIT)], resting), "ticks", "lots", "maker")
    assert found == [(5, 10_010, 100, 0), (5, 10_020, 100, 0), (10, 10_020, 25, 1), (20, 10_020, 35, 1)]


def test_a_market_order_sells_into_the_bids_and_what_the_book_lacks_expires() -> None:
    result = replay([Step(5, 0, SELL, 0, 350, MARKET)], market((10, 9_990, 5, BUY)))
    assert fills(result, "ticks", "lots", "maker") == [(5, 9_990, 100, 0), (5, 9_980, 100, 0), (5, 9_970, 100, 0)]
    assert result.figures.fills == 3
    # Its other 50 are no longer wished for: everything is free again for the next.
    more = replay([Step(5, 0, SELL, 0, 350, MARKET), Step(7, 1, SELL, 0, 350, MARKET)], market((10, 9_990, 5, BUY)))
    assert more.figures.position == -600 * SMALL.base_per_lot


def test_what_takes_with_latency_takes_from_the_book_of_its_arrival() -> None:
    depth = market((8, [(SELL, 10_010, 0), (SELL, 10_015, 7)]), (12, [(SELL, 10_015, 0)]), (20, 10_015, 5, BUY))
    for latency_ms, expected in ((0, [(5, 10_010, 9)]), (3, [(8, 10_015, 7), (8, 10_020, 2)]), (9, [(14, 10_020, 9)])):
        assert fills(replay([Step(5, 0, BUY, 0, 9, MARKET)], depth, latency_ms=latency_ms), "ticks", "lots") == expected


def test_a_stop_takes_from_the_book_when_a_trade_reaches_it() -> None:
    steps = [Step(0, 0, SELL, 9_990, 130, STOP_MARKET, STOP)]
    depth = market((10, [(SELL, 9_995, 4)]), (20, 9_990, 1, SELL), book=BOOK)
    assert fills(replay(steps, depth), "ticks", "lots", "maker") == [(20, 9_990, 100, 0), (20, 9_980, 30, 0)]


def test_post_only_is_refused_where_it_would_meet_the_book_and_not_by_the_last_price() -> None:
    steps = [
        Step(5, 0, BUY, 10_010, 5, POST_ONLY), Step(5, 1, BUY, 10_009, 5, POST_ONLY), Step(5, 2, SELL, 9_991, 5),
        Step(5, 3, SELL, 9_990, 5),
    ]  # fmt: skip
    result = replay(steps, market((10, 10_005, 1, BUY), (20, 9_991, 1, BUY)))
    assert result.figures.refusals == 2
    # The trades in between: a buyer's meets the offer that stands beyond, none the bid.
    assert fills(result, "slot", "ticks", "lots") == [(10, 2, 9_991, 1), (20, 2, 9_991, 1)]


def test_what_comes_to_the_other_side_at_an_order_s_price_meets_it() -> None:
    # Alone at 10,005. 30 are offered at 10,005: they are ours. 20 more, and 7 at 10,002: they too, at our price.
    states = [(10, [(SELL, 10_005, 30)]), (15, [(SELL, 10_005, 50)]), (18, [(SELL, 10_005, 10), (SELL, 10_002, 7)])]
    depth = market(*states, (30, 9_990, 1, SELL))
    found = fills(replay([Step(5, 0, BUY, 10_005, 100)], depth), "ticks", "lots", "maker")
    assert found == [(10, 10_005, 30, 1), (15, 10_005, 20, 1), (18, 10_005, 7, 1), (30, 10_005, 1, 1)]
    # With `whole_beyond` the first of them executes all of it: the market has met it there.
    assert fills(replay([Step(5, 0, BUY, 10_005, 100)], depth, Queue(whole_beyond=True)), "lots") == [(10, 100)]


def test_the_book_wakes_nobody_and_moves_no_price() -> None:
    depth = market((10, [(BUY, 10_005, 30)]), (11, [(BUY, 10_005, 0)]), (30, 10_000, 1, SELL))
    # A stop at 10,005 waits for a trade there.
    assert fills(replay([Step(5, 0, BUY, 10_005, 5, STOP_MARKET, STOP)], depth)) == []


def test_a_level_is_told_of_by_each_trade_beyond_it_and_not_by_what_comes_to_the_book_after_it() -> None:
    def wish(law: Any, state: list[int], memory: Memory, view: View, event: Event, out: list[int]) -> int:
        """Another order for every time that the level is told of."""
        state[slots.WAKE_ABOVE] = 10_000
        if event.kind != events.PRICE:
            return 0
        state[slots.OWN] += 1
        put_wish(state, state[slots.OWN], ENTRY, BUY, POST_ONLY, 9_000, 1)
        return note(out, 0, state[slots.OWN], 1)

    def plan(params: StrategyParams, instrument: Instrument, last_ticks: int) -> Plan:
        return Plan(params=(), slots=9)

    kind = StrategyKind(
        name="asking", title="Asking", summary="Orders.", params=StrategyParams, prepare=plan, decide=wish
    )
    depth = market((10, [(SELL, 10_005, 30)]), (20, 10_003, 1, BUY), (30, [(BUY, 9_995, 3)]), (40, 10_002, 1, SELL))
    assumed = Settings(fill_model="queue", queue=Queue(), runtime="interpreted", log_orders=True)
    orders = run(kind, StrategyParams(), depth, assumed).orders
    assert (orders[:, ORDER_FIELDS.index("time_ms")] - BEGIN).tolist() == [1, 20, 40]


def test_a_position_that_is_opened_between_trades_pays_the_fundings_after_it_and_not_those_before() -> None:
    rates = tuple(FundingRate(BEGIN + at, Decimal("0.01")) for at in (5, 15))
    futures = Futures(funding_percent=Decimal(0), funding_rates=rates)
    steps = [Step(8, 0, BUY, 0, 9, MARKET), Step(20, 1, SELL, 0, 9, MARKET, EXIT)]
    result = replay(steps, market((30, 10_000, 1, BUY)), base=Decimal(0), futures=futures)
    assert fills(result, "side") == [(8, BUY), (20, SELL)]
    assert (result.fundings[:, FILL_FIELDS.index("time_ms")] - BEGIN).tolist() == [15]


def test_bars_made_of_recorded_depth_are_walked_with_its_book() -> None:
    depth = market(
        (999, [(BUY, 9_990, 0), (BUY, 9_991, 9)]), (1_000, 9_991, 5, SELL), (2_000, 9_991, 9, SELL),
        (2_500, 9_991, 7, SELL), (3_000, 9_990, 9, SELL),
    )  # fmt: skip
    told = Told(steps=(Step(BEGIN + 1_500, 0, BUY, 9_991, 50),))
    settings = Settings(fill_model="queue", queue=Queue(), runtime="interpreted", quote=Decimal(100_000))
    # 9 stand in front of it, the trade of 9 uses them up, and the next one is for it. The last bar is not whole.
    assert fills(run(PLACING, told, taped(depth, 1_000), settings), "lots") == [(2_500, 7)]


def test_the_books_balance_and_equity_changes_by_what_was_earned() -> None:
    steps = [
        Step(2, 0, BUY, 0, 150, MARKET), Step(3, 1, SELL, 10_011, 80, LIMIT, ENTRY), bid(40, 9_990, slot=2, at_ms=4),
        Step(25, 3, SELL, 0, 90, MARKET),
    ]  # fmt: skip
    depth = market((10, 10_011, 33, BUY), (15, [(BUY, 9_990, 5)]), (20, 9_990, 25, SELL), (30, 10_000, 1, BUY))
    result = replay(steps, depth, taker_fee=Decimal("0.07"), maker_fee=Decimal("0.02"), fee_asset="received")
    assert len(fills(result)) == 6
    figures, books = result.figures, result.ledger
    assert figures.realised + figures.unrealised - figures.fees == figures.equity - result.start_equity
    assert books.balance(ledger.cash(INSTANCE), "USDT") == figures.quote
    assert set(books.proof().values()) <= {0}


def test_what_is_known_need_not_be_assumed_and_what_cannot_be_is_refused() -> None:
    def told(queue: Queue | None, **assumed: Any) -> Result:
        return replay([bid(1)], market((10, 9_990, 5, SELL)), queue, **assumed)

    with pytest.raises(Refused, match="here it was recorded"):
        told(Queue(ahead=Decimal(1)))
    with pytest.raises(Refused, match="the recorded book tells what a taker pays"):
        told(Queue(), slippage_ticks=1)
    two = numpy.array([1, 2], numpy.int64)
    with pytest.raises(Refused, match="ares data import --depth"):
        run(PLACING, Told(steps=(bid(1),)), prints_of(SMALL, two, two, two),
            Settings(fill_model="queue", queue=SHARED))  # fmt: skip
    with pytest.raises(Refused, match="choose from behind, shared, ahead"):
        Queue(cancellations="nobody")  # type: ignore[arg-type]
    assert told(None).warnings == ("the recorded book was not looked at: fill_model touch is of trades alone",)
    one, three = numpy.ones(3, numpy.int64), numpy.arange(3, dtype=numpy.int64)
    for states, words in ((numpy.array([0, 0, 2]), "one after the other"), (three, "is absurd")):
        with pytest.raises(BadHistory, match=words):
            Book(three, states, one, one, -one)
