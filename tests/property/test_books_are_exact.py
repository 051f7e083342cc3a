from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain import ledger, order
from domain.client_order_id import BadOrderKey, ForeignOrderId, OrderKey, decode, encode
from domain.ledger import Ledger, Posting, TradeLine, Unbalanced
from domain.order import Order, OrderReport
from domain.position_tracker import Position, trade, unrealised

KEYS = some.builds(
    OrderKey,
    deployment=some.integers(0, 2**16 - 1),
    instance=some.integers(0, 2**40 - 1),
    generation=some.integers(0, 2**16 - 1),
    slot=some.integers(0, 2**16 - 1),
    cycle=some.integers(0, 2**32 - 1),
    leg=some.integers(0, 15),
    attempt=some.integers(0, 2**14 - 1),
)
KEY = OrderKey(1, 1, 0, 3, 5, order.ENTRY, 0)
TRADES = some.lists(some.tuples(some.integers(-50, 50), some.integers(1, 10**6)), max_size=40)


@given(KEYS)
def test_a_client_order_id_reads_back_as_the_key_it_was_made_from(key: OrderKey) -> None:
    text = encode(key)
    assert len(text) == 26
    assert decode(text) == key


@given(KEYS, KEYS)
def test_two_keys_never_share_a_client_order_id(first: OrderKey, second: OrderKey) -> None:
    assert (encode(first) == encode(second)) == (first == second)


@given(some.text(max_size=30))
def test_a_foreign_id_is_told_apart_or_reads_back_to_itself(text: str) -> None:
    try:
        key = decode(text)
    except ForeignOrderId:
        return
    assert encode(key) == text


def test_a_key_part_out_of_range_is_refused_by_name() -> None:
    with pytest.raises(BadOrderKey, match="slot is 70000"):
        encode(KEY._replace(slot=70_000))


@given(TRADES)
def test_realised_less_cost_is_exactly_the_cash_that_moved(trades: list[tuple[int, int]]) -> None:
    position, cash = Position(), 0
    for lots, value in trades:
        position = trade(position, lots, value)
        cash -= (value if lots > 0 else -value) if lots else 0
        assert position.realised - position.cost == cash
        assert (position.lots != 0) or position.cost == 0
        assert position.cost * position.lots >= 0
    assert position.realised + unrealised(position, 12_345) == cash + 12_345


REPORTS = some.lists(
    some.builds(
        OrderReport,
        client_order_id=some.just(encode(KEY)),
        venue_order_id=some.just("77"),
        status=some.sampled_from([order.OPEN, order.CANCELLED, order.EXPIRED, order.FILLED]),
        filled=some.integers(0, 10),
        time_ms=some.integers(0, 10**6),
    ),
    max_size=12,
)


@given(REPORTS, some.randoms(use_true_random=False), some.lists(some.integers(1, 3), max_size=3))
def test_reports_and_fills_in_any_order_and_number_end_in_the_same_order(
    reports: list[OrderReport], chance: object, fills: list[int]
) -> None:
    start = Order(KEY, encode(KEY), "BTCUSDT", order.BUY, order.LIMIT, 100, 10)
    steps: list[OrderReport | int] = [*reports, *fills]
    shuffled = steps + reports
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert _fold(start, steps) == _fold(start, shuffled)


def _fold(start: Order, steps: list[OrderReport | int]) -> Order:
    now = start
    seen = [now]
    for step in steps:
        now = order.book(now, step) if isinstance(step, int) else order.merge(now, step)
        seen.append(now)
    assert all(later.filled >= earlier.filled for earlier, later in pairwise(seen))
    assert all(order.is_terminal(later) for earlier, later in pairwise(seen) if order.is_terminal(earlier))
    return now


def _line(reference: str, base: int, quote: int, fee: int, fee_asset: str) -> TradeLine:
    return TradeLine(reference, 0, ledger.cash(7), "BTC", base, "USDT", quote, fee, fee_asset, ledger.cash(7))


LINES = some.lists(
    some.tuples(
        some.integers(0, 5),
        some.integers(-99, 99),
        some.integers(-99, 99),
        some.integers(-3, 9),
        some.sampled_from(["BTC", "USDT", "BNB"]),
    ),
    max_size=30,
)


@given(LINES)
def test_the_ledger_proves_to_zero_and_books_each_trade_once(lines: list[tuple[int, int, int, int, str]]) -> None:
    books, once = Ledger(), Ledger()
    seen: set[int] = set()
    for number, *rest in lines:
        entry = ledger.trade_entry(_line(str(number), *rest))  # type: ignore[arg-type]
        assert books.post(entry) == (number not in seen)
        if number not in seen:
            once.post(entry)
        seen.add(number)
    assert set(books.proof().values()) <= {0}
    assert books.balances() == once.balances()


def test_postings_that_do_not_balance_are_refused() -> None:
    with pytest.raises(Unbalanced, match="BTC sum to 5 quanta"):
        ledger.entry("trade", "1", 0, [Posting("cash:1", "BTC", 5)])
