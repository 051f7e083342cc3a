from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy
import pytest

from domain.errors import Refused
from domain.order import BUY, ENTRY, EXIT, LIMIT, MARKET, POST_ONLY, SELL, STOP, STOP_MARKET
from engine.backtest import Prints, Result, Settings, run
from engine.backtest.futures import Futures
from engine.backtest.history import prints_of
from engine.backtest.kernel import layout as lay
from engine.backtest.kernel.layout import FILL_FIELDS
from engine.backtest.kernel.queue import ahead_after
from engine.backtest.queueing import Queue
from engine.backtest.taped import add_queue, listed_of, tape_of
from tests.histories import BEGIN, flat_then
from tests.law_harness import BTCUSDT
from tests.placing import PLACING, Step, Told

NOBODY = Queue()
#: Also the smallest orders are taken.
SMALL = replace(BTCUSDT, min_notional=Decimal(0))


def trades(*rows: tuple[int, int, int]) -> Prints:
    """Trades of (milliseconds since the beginning, ticks, lots), behind two at 10,000 that start it."""
    told = numpy.array([(0, 10_000, 1), (1, 10_000, 1), *rows], numpy.int64)
    return prints_of(SMALL, BEGIN + told[:, 0], told[:, 1].copy(), told[:, 2].copy())


def replay(steps: list[Step], prints: Prints, queue: Queue | None = NOBODY, **assumed: Any) -> Result:
    settings: dict[str, Any] = {"fee_asset": "quote", "base": Decimal(1), "quote": Decimal(100_000), **assumed}
    settings["fill_model"] = "touch" if queue is None else "queue"
    told = Told(steps=tuple(step._replace(at_ms=BEGIN + step.at_ms) for step in steps))
    return run(PLACING, told, prints, Settings(queue=queue, runtime="interpreted", **settings))


def fills(result: Result, *names: str) -> list[tuple[int, ...]]:
    """Of every execution milliseconds since the beginning, and the fields that are named."""
    rows = result.fills[:, [FILL_FIELDS.index(name) for name in ("time_ms", *names)]].tolist()
    return [(time_ms - BEGIN, *others) for time_ms, *others in rows]


def in_front(queue: Queue, prints: Prints) -> list[int]:
    """Lots in front of an order that comes after each trade."""
    settings, cells = Settings(fill_model="queue", queue=queue), [0] * lay.ORDERS_AT
    tape = tape_of(prints, settings)
    add_queue(cells, settings, 1, tape, SMALL)
    return [ahead_after(cells, listed_of(tape), row) for row in range(len(prints))]


def bid(lots: int, ticks: int = 9_900, slot: int = 0, at_ms: int = 0) -> Step:
    return Step(at_ms, slot, BUY, ticks, lots)


def test_a_trade_executes_no_more_than_its_own_quantity() -> None:
    prints = trades((10, 9_900, 30), (20, 9_950, 500), (30, 9_900, 50), (40, 9_900, 50))
    # 100 lots wanted: 30 of the first, nothing above the limit, 50, and the last 20.
    assert fills(replay([bid(100)], prints), "lots", "ticks") == [
        (10, 30, 9_900), (30, 50, 9_900), (40, 20, 9_900),
    ]  # fmt: skip
    # Touched, it would have been filled whole at once.
    assert fills(replay([bid(100)], prints, None), "lots") == [(10, 100)]


def test_what_stands_in_front_is_used_up_first() -> None:
    prints = trades((10, 9_900, 30), (20, 9_900, 50), (30, 9_900, 50), (40, 9_900, 50))
    queue = Queue(ahead=Decimal("0.00070"))  # 70 lots
    # 30 and 40 of the second go to those in front, 10 to us, then 50, then the last 40.
    assert fills(replay([bid(100)], prints, queue), "lots") == [(20, 10), (30, 50), (40, 40)]


def test_where_it_is_assumed_a_trade_beyond_the_price_executes_all_of_an_order_and_takes_nothing_from_others() -> None:
    # Behind 70, nothing at the price; then one lot below it is enough for the first, and the second waits for its own.
    queue = Queue(ahead=Decimal("0.00070"), whole_beyond=True)
    steps = [bid(100), bid(40, 9_899, slot=1)]
    prints = trades((10, 9_900, 30), (20, 9_899, 71), (30, 9_899, 50), (40, 9_898, 1))
    assert fills(replay(steps, prints, queue), "lots", "ticks") == [
        (20, 100, 9_900), (20, 1, 9_899), (30, 39, 9_899),
    ]  # fmt: skip


def test_for_what_is_traded_in_front_a_share_more_is_cancelled() -> None:
    prints = trades((10, 9_900, 30), (20, 9_900, 50), (30, 9_900, 50))
    queue = Queue(ahead=Decimal("0.00070"), cancelled_percent=Decimal(50))
    # After the first 30 traded and 15 cancelled, 25 are left in front.
    assert fills(replay([bid(100)], prints, queue), "lots") == [(20, 25), (30, 50)]


def test_a_trade_beyond_the_price_has_used_up_the_queue_and_gives_its_own_quantity() -> None:
    queue = Queue(ahead=Decimal("0.00070"))
    prints = trades((10, 9_899, 30), (20, 9_900, 50), (30, 9_800, 500))
    assert fills(replay([bid(100)], prints, queue), "lots", "ticks") == [
        (10, 30, 9_900), (20, 50, 9_900), (30, 20, 9_900),
    ]  # fmt: skip


def test_orders_share_a_trade_by_price_and_then_by_time() -> None:
    steps = [bid(30, 9_900, slot=2), bid(40, 9_900, slot=0, at_ms=5), bid(20, 9_950, slot=1, at_ms=5)]
    result = replay(steps, trades((10, 9_900, 60), (20, 9_900, 60)))
    # The better price gets 20, who came first at 9,900 gets 30, the other what is left: 10, and then 30.
    assert fills(result, "slot", "lots") == [(10, 1, 20), (10, 2, 30), (10, 0, 10), (20, 0, 30)]
    assert result.figures.turnover == (20 * 9_950 + 70 * 9_900) * BTCUSDT.tick_lot


def test_the_queue_may_be_a_share_of_what_was_traded_lately() -> None:
    prints = trades((1_000, 10_000, 401), (1_500, 10_000, 200), (70_000, 10_000, 10))
    queue = Queue(share_percent=Decimal(10), share_ms=60_000, ahead=Decimal("0.000011"))
    # 2 lots are the constant part, rounded up; a tenth of 1, 2, 403, 603 and 10, rounded up.
    assert in_front(queue, prints) == [3, 3, 43, 63, 3]
    # Placed after the trade of 200: 61 in front of it, of which the first 10 go.
    steps = [bid(10, 9_900, at_ms=1_600)]
    queue = Queue(share_percent=Decimal(10))
    later = trades((1_000, 10_000, 401), (1_500, 10_000, 200), (2_000, 9_900, 60), (3_000, 9_900, 5))
    assert fills(replay(steps, later, queue), "lots") == [(3_000, 4)]


def test_a_partly_executed_order_that_is_cancelled_keeps_what_it_has() -> None:
    steps = [bid(100), Step(15, 0, side=0)]
    result = replay(steps, trades((10, 9_900, 30), (20, 9_900, 50)), latency_ms=2)
    assert fills(result, "lots") == [(10, 30)]
    # The cancellation leaves at 15 and arrives at 17; at 25 it would be too late for the second trade.
    assert fills(replay(steps, trades((10, 9_900, 30), (17, 9_900, 50)), latency_ms=2), "lots") == [(10, 30), (17, 50)]


def test_a_request_arrives_between_trades_when_it_is_due() -> None:
    prints = trades((10, 9_900, 30), (15, 9_950, 9), (20, 9_900, 50))
    for latency_ms, expected in ((8, [(10, 30), (20, 50)]), (15, [(20, 50)]), (18, [(20, 50)]), (19, [])):
        # It leaves one millisecond after the first trade, and meets the trades after its arrival. The one of the same
        # millisecond is before it; then the price is at its limit, and post-only is refused.
        assert fills(replay([bid(100)], prints, latency_ms=latency_ms), "lots") == expected


def test_a_request_that_is_due_in_a_millisecond_comes_after_everything_that_happens_in_it() -> None:
    prints = trades((10, 9_900, 50), (10, 9_950, 9), (20, 9_900, 7))
    assert fills(replay([bid(100)], prints, latency_ms=9), "lots") == [(20, 7)]
    assert fills(replay([bid(100)], prints, latency_ms=8), "lots") == [(10, 50), (20, 7)]


def test_what_waits_for_a_price_to_take_is_executed_at_the_first_of_the_trades_of_a_millisecond() -> None:
    prints = trades((10, 10_010, 1), (10, 10_050, 1), (20, 10_090, 1))
    steps = [Step(5, 0, BUY, 0, 7, MARKET)]
    assert fills(replay(steps, prints), "lots", "ticks") == [(10, 7, 10_010)]
    # With a latency it is there before the first of them, or in their millisecond, when all of them have happened.
    assert fills(replay(steps, prints, latency_ms=4), "lots", "ticks") == [(10, 7, 10_010)]
    assert fills(replay(steps, prints, latency_ms=5), "lots", "ticks") == [(10, 7, 10_050)]


def test_what_takes_gets_the_next_trade_whole_and_pays_as_a_taker() -> None:
    steps = [Step(5, 0, BUY, 0, 70, MARKET), Step(5, 1, SELL, 9_990, 40, LIMIT)]
    result = replay(steps, trades((10, 10_010, 1)), slippage_ticks=2)
    assert fills(result, "slot", "ticks", "lots", "maker") == [(10, 0, 10_012, 70, 0), (10, 1, 10_008, 40, 0)]


def test_post_only_is_refused_where_it_would_take_and_rests_elsewhere() -> None:
    steps = [Step(0, 0, BUY, 10_000, 5, POST_ONLY), Step(0, 1, SELL, 10_001, 5, POST_ONLY)]
    result = replay(steps, trades((10, 10_001, 9), (20, 9_990, 9)))
    assert result.figures.refusals == 1
    assert fills(result, "slot", "maker") == [(10, 1, 1)]


def test_a_stop_is_executed_whole_at_the_trade_that_reaches_it() -> None:
    steps = [Step(0, 0, SELL, 9_900, 70, STOP_MARKET, STOP)]
    result = replay(steps, trades((10, 9_901, 5), (20, 9_850, 1)), Queue(ahead=Decimal(1)), slippage_ticks=3)
    assert fills(result, "ticks", "lots", "maker") == [(20, 9_847, 70, 0)]


def test_a_stop_that_is_due_already_is_refused_as_by_the_venue() -> None:
    steps = [
        Step(0, 0, SELL, 10_000, 70, STOP_MARKET, STOP), Step(0, 1, BUY, 9_999, 70, STOP_MARKET, STOP),
        Step(0, 2, SELL, 9_999, 70, STOP_MARKET, STOP), Step(0, 3, BUY, 10_001, 70, STOP_MARKET, STOP),
    ]  # fmt: skip
    for queue in (None, NOBODY):
        result = replay(steps, trades((10, 9_999, 1), (20, 10_001, 1)), queue)
        assert result.figures.refusals == 2
        assert fills(result, "slot", "ticks") == [(10, 2, 9_999), (20, 3, 10_001)]


def test_reduce_only_orders_never_open_the_other_side() -> None:
    steps = [
        Step(5, 0, BUY, 0, 50, MARKET), Step(15, 1, SELL, 10_100, 40, POST_ONLY, EXIT),
        Step(15, 2, SELL, 10_100, 40, POST_ONLY, EXIT),
    ]  # fmt: skip
    prints = trades((10, 10_000, 1), (20, 10_100, 500), (30, 10_100, 500))
    result = replay(steps, prints, base=Decimal(0), futures=Futures(leverage=2, funding_percent=Decimal(0)))
    # Both together would sell 80 of the 50: the second gets the 10 that are left to close, its rest expires.
    assert fills(result, "slot", "lots") == [(10, 0, 50), (20, 1, 40), (20, 2, 10)]
    assert result.figures.position == 0
    # On spot nothing is held back: there it is the strategy's own quantity.
    assert fills(replay(steps, prints), "slot", "lots") == [(10, 0, 50), (20, 1, 40), (20, 2, 40)]


def test_fees_of_parts_are_rounded_each_as_the_venue_does() -> None:
    prints = trades((10, 9_900, 1), (20, 9_900, 1), (30, 9_900, 1))
    result = replay([bid(3)], prints, maker_fee=Decimal("0.0001"))
    # A lot at 99.00 is worth 99,000 quanta: a millionth of it is 0.099, which becomes a quantum each time.
    assert result.figures.fee_quote == 3


def test_what_cannot_be_is_refused_with_what_to_do() -> None:
    one = Told(steps=(bid(1),))
    with pytest.raises(Refused, match="import trades"):
        run(PLACING, one, flat_then(5_950_000, 5_950_000), Settings(fill_model="queue", queue=NOBODY))
    with pytest.raises(Refused, match="say what stands in front"):
        Settings(fill_model="queue")
    with pytest.raises(Refused, match="take queue"):
        Settings(queue=NOBODY)
    with pytest.raises(Refused, match="leave it at path"):
        run(PLACING, one, trades(), Settings(fill_model="queue", queue=NOBODY, bar_model="next_bar"))
    wrongs: tuple[dict[str, Any], ...] = (
        {"ahead": Decimal(-1)},
        {"share_percent": Decimal("NaN")},
        {"cancelled_percent": Decimal(10**6)},
    )
    for wrong in wrongs:
        with pytest.raises(Refused, match="queue"):
            Queue(**wrong)
    with pytest.raises(Refused, match="longer time"):
        Queue(share_ms=0)


def test_nothing_that_was_placed_is_counted_twice() -> None:
    steps = [bid(100), Step(5, 1, SELL, 10_100, 60, LIMIT, ENTRY)]
    result = replay(steps, trades((10, 9_900, 70), (20, 10_100, 25), (30, 10_200, 20), (40, 10_000, 1)))
    figures = result.figures
    assert figures.fills == 3
    assert figures.equity - result.start_equity == figures.realised + figures.unrealised - figures.fees
    assert set(result.ledger.proof().values()) <= {0}
