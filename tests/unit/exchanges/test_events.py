"""Private events: what each says, and that neither order nor repetition of them matters."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base_exchange import BalanceChange, UserEvent
from domain.client_order_id import OrderKey, encode
from domain.fill import Fill
from domain.instrument import Instrument
from domain.order import BUY, CANCELLED, EXPIRED, FILLED, LIMIT, OPEN, Order, OrderReport, book, is_complete, merge
from exchanges._binance.events import translate
from exchanges._binance.history import OrderNames

KEY = OrderKey(1, 2, 3, 4, 5, 0, 0)
NAME = encode(KEY)
INSTRUMENT = Instrument("BTCUSDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(10**6), Decimal(9_000))


def told(event: dict[str, Any], names: OrderNames | None = None) -> list[UserEvent]:
    return list(translate(event, names or OrderNames(), lambda _symbol: INSTRUMENT))


def spot(
    execution: str, status: str, *, cumulative: int = 0, last: int = 0, trade: int = -1, **more: Any
) -> dict[str, Any]:
    return {
        "e": "executionReport", "E": 1000, "s": "BTCUSDT", "c": NAME, "C": "", "S": "BUY", "x": execution, "X": status,
        "i": 77, "l": f"{last / 100_000:.8f}", "z": f"{cumulative / 100_000:.8f}", "L": "57012.34000000",
        "n": "0.00000100", "N": "BTC", "T": 900 + cumulative, "t": trade, "m": True, **more,
    }  # fmt: skip


def test_a_new_order_is_a_report_without_a_fill() -> None:
    assert told(spot("NEW", "NEW")) == [OrderReport(NAME, "77", OPEN, 0, 900)]


def test_a_trade_is_a_fill_and_a_report() -> None:
    fill, report = told(spot("TRADE", "PARTIALLY_FILLED", cumulative=30, last=10, trade=5))
    assert fill == Fill("BTCUSDT", "5", NAME, BUY, 5_701_234, 10, 100, "BTC", True, 930)
    assert report == OrderReport(NAME, "77", OPEN, 30, 930)


def test_a_cancel_carries_the_orders_own_name_in_another_field() -> None:
    [report] = told(spot("CANCELED", "CANCELED", c="cancel-of-somebody", C=NAME))
    assert report == OrderReport(NAME, "77", CANCELLED, 0, 900)


def test_a_fee_that_is_not_charged_is_nothing_of_the_quote() -> None:
    fill = told(spot("TRADE", "FILLED", cumulative=10, last=10, trade=5, n="0", N=None))[0]
    assert isinstance(fill, Fill)
    assert (fill.fee, fill.fee_asset) == (0, "USDT")


@pytest.mark.parametrize(
    ("word", "status"),
    [("EXPIRED", EXPIRED), ("EXPIRED_IN_MATCH", EXPIRED), ("PENDING_CANCEL", OPEN), ("A_WORD_OF_TOMORROW", OPEN)],
)
def test_every_status_has_a_meaning_and_an_unknown_one_keeps_the_slot_locked(word: str, status: int) -> None:
    [report] = told(spot("NEW", word))
    assert isinstance(report, OrderReport)
    assert report.status == status


def test_events_that_do_not_matter_say_nothing() -> None:
    for kind in ("TRADE_LITE", "ACCOUNT_CONFIG_UPDATE", "balanceUpdate", "listStatus", "unheardOf"):
        assert told({"e": kind, "E": 1}) == []


def test_balances_come_in_quanta() -> None:
    event = {"e": "outboundAccountPosition", "E": 7, "B": [{"a": "USDT", "f": "1.00000001", "l": "2"}]}
    [change] = told(event)
    assert isinstance(change, BalanceChange)
    assert (change.asset, change.balance.free, change.balance.locked) == ("USDT", 100_000_001, 200_000_000)


def futures(execution: str, status: str, **more: Any) -> dict[str, Any]:
    row = {"s": "BTCUSDT", "c": NAME, "S": "BUY", "x": execution, "X": status, "i": 77, "l": "0.00010", "z": "0.00010",
           "L": "57012.30", "n": "0.01", "N": "USDT", "T": 900, "t": 5, "m": False, **more}  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": row}


def test_a_position_taken_over_by_the_venue_is_a_fill_too() -> None:
    found = told(futures("CALCULATED", "FILLED", c="autoclose-1"))
    assert [type(event) for event in found] == [Fill, OrderReport]


def test_the_order_that_a_conditional_one_became_keeps_its_name() -> None:
    names = OrderNames()
    algo = {"caid": NAME, "aid": 77, "s": "BTCUSDT", "q": "0.0001", "X": "TRIGGERED", "ai": "901", "aq": "0"}
    [report] = told({"e": "ALGO_UPDATE", "T": 5, "o": algo}, names)
    assert report == OrderReport(NAME, "algo:77", OPEN, 0, 5)
    fill, _ = told(futures("TRADE", "FILLED", i=901, c="made-by-the-venue"), names)
    assert isinstance(fill, Fill)
    assert fill.client_order_id == NAME
    plain, _ = told(futures("TRADE", "FILLED", c="of-another"), names)
    assert isinstance(plain, Fill)
    assert plain.client_order_id == "of-another"


def test_a_finished_conditional_order_is_filled_or_expired_by_what_was_executed() -> None:
    row = {"caid": NAME, "aid": 1, "s": "BTCUSDT", "q": "0.0002", "X": "FINISHED", "ai": "2"}
    for executed, status in (("0.0002", FILLED), ("0.0001", EXPIRED)):
        [report] = told({"e": "ALGO_UPDATE", "T": 5, "o": row | {"aq": executed}})
        assert isinstance(report, OrderReport)
        assert report.status == status


STORY = [
    spot("NEW", "NEW"),
    *(spot("TRADE", "PARTIALLY_FILLED", cumulative=10 * n, last=10, trade=n) for n in range(1, 6)),
    spot("CANCELED", "CANCELED", cumulative=50, c="x", C=NAME),
]


@given(st.integers(0, 10**9))
def test_any_order_and_repetition_of_events_ends_in_the_same_order(seed: int) -> None:
    chance = random.Random(seed)
    events = STORY + chance.choices(STORY, k=5)
    chance.shuffle(events)
    order = Order(KEY, NAME, "BTCUSDT", BUY, LIMIT, 5_701_234, 80)
    booked: set[str] = set()
    for event in (item for row in events for item in told(row)):
        if isinstance(event, Fill) and event.trade_id not in booked:
            booked.add(event.trade_id)
            order = book(order, event.lots)
        elif isinstance(event, OrderReport):
            order = merge(order, event)
    assert (order.status, order.filled, order.booked) == (CANCELLED, 50, 50)
    assert is_complete(order)
