from __future__ import annotations

import pytest

from simulator.spot.types import ExecutionReport, SelfTradePrevention, SpotOrder
from simulator.units import parse_quanta, trim_quanta
from tests.simulator.spot.floor import Floor


@pytest.fixture
def floor() -> Floor:
    """No background: the customers' orders are alone."""
    return Floor(levels=0)


def meet(
    floor: Floor, mode: SelfTradePrevention | None, maker: str = "1", taker: str = "3"
) -> tuple[SpotOrder, SpotOrder]:
    """Alice bids, then sells into her own bid; gives (maker, taker)."""
    first = floor.place(floor.alice, "BUY", quantity=maker, price="90")
    second = floor.place(floor.alice, "SELL", quantity=taker, price="90", self_trade_prevention=mode)
    return first, second


def statuses(orders: tuple[SpotOrder, SpotOrder]) -> tuple[str, str]:
    return orders[0].status, orders[1].status


def prevented(orders: tuple[SpotOrder, SpotOrder]) -> tuple[str, str]:
    return trim_quanta(orders[0].prevented_quantity), trim_quanta(orders[1].prevented_quantity)


def test_mode_none_lets_an_account_trade_with_itself(floor: Floor) -> None:
    orders = meet(floor, "NONE")
    assert statuses(orders) == ("FILLED", "PARTIALLY_FILLED")
    assert floor.exchange.prevented_matches(floor.alice, "BTCUSDT") == []
    assert len(floor.exchange.trades(floor.alice, "BTCUSDT")) == 2


def test_expire_maker_ends_the_resting_order_and_is_the_default(floor: Floor) -> None:
    orders = meet(floor, None)
    assert orders[1].self_trade_prevention == "EXPIRE_MAKER"
    assert statuses(orders) == ("EXPIRED_IN_MATCH", "NEW")
    assert prevented(orders) == ("1", "0")
    assert floor.balance(floor.alice, "USDT") == ("100000", "0")


def test_expire_taker_ends_the_new_order_and_spares_the_resting_one(floor: Floor) -> None:
    orders = meet(floor, "EXPIRE_TAKER")
    assert statuses(orders) == ("NEW", "EXPIRED_IN_MATCH")
    assert prevented(orders) == ("0", "3")
    assert floor.balance(floor.alice, "BTC") == ("100", "0")


def test_expire_both_ends_both(floor: Floor) -> None:
    orders = meet(floor, "EXPIRE_BOTH")
    assert statuses(orders) == ("EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH")
    assert prevented(orders) == ("1", "3")


@pytest.mark.parametrize("mode", ["DECREMENT", "TRANSFER"])
def test_decrement_ends_the_smaller_order_and_shrinks_the_larger(floor: Floor, mode: SelfTradePrevention) -> None:
    orders = meet(floor, mode, maker="6", taker="2")
    assert statuses(orders) == ("NEW", "EXPIRED_IN_MATCH")
    assert prevented(orders) == ("2", "2")
    assert floor.balance(floor.alice, "USDT") == ("99640", "360")
    assert floor.exchange.book("BTCUSDT").best("BUY") == (parse_quanta("90"), parse_quanta("4"))


def test_decrement_of_equal_orders_ends_both(floor: Floor) -> None:
    assert statuses(meet(floor, "DECREMENT", maker="2", taker="2")) == ("EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH")


def test_the_takers_mode_decides(floor: Floor) -> None:
    maker = floor.place(floor.alice, "BUY", quantity="1", price="90", self_trade_prevention="EXPIRE_MAKER")
    taker = floor.place(floor.alice, "SELL", quantity="1", price="90", self_trade_prevention="EXPIRE_TAKER")
    assert (maker.status, taker.status) == ("NEW", "EXPIRED_IN_MATCH")


def test_orders_of_others_trade_in_their_turn(floor: Floor) -> None:
    floor.place(floor.bob, "BUY", quantity="1", price="91")
    own = floor.place(floor.alice, "BUY", quantity="1", price="90.5")
    floor.place(floor.bob, "BUY", quantity="1", price="90")
    taker = floor.place(floor.alice, "SELL", quantity="2", price="90")
    assert floor.fills(taker) == [("91", "1"), ("90", "1")]
    assert (own.status, taker.status) == ("EXPIRED_IN_MATCH", "FILLED")


def test_a_market_order_whose_makers_all_expire_is_expired_for_want_of_a_book(floor: Floor) -> None:
    maker = floor.place(floor.alice, "BUY", quantity="1", price="90")
    taker = floor.place(floor.alice, "SELL", "MARKET", quantity="1")
    assert (maker.status, taker.status) == ("EXPIRED_IN_MATCH", "EXPIRED")


def test_a_fok_order_does_not_count_what_it_may_not_trade_with(floor: Floor) -> None:
    floor.place(floor.alice, "BUY", quantity="1", price="91")
    floor.place(floor.bob, "BUY", quantity="1", price="91")
    killed = floor.place(floor.alice, "SELL", tif="FOK", quantity="2", price="90")
    assert (killed.status, killed.executed) == ("EXPIRED", 0)


def test_each_prevented_match_is_kept_and_found_by_id_and_order(floor: Floor) -> None:
    makers = [floor.place(floor.alice, "BUY", quantity="1", price=price) for price in ("91", "90")]
    taker = floor.place(floor.alice, "SELL", quantity="3", price="90")
    first, second = floor.exchange.prevented_matches(floor.alice, "BTCUSDT", order_id=taker.order_id)
    assert (first.prevented_match_id, second.prevented_match_id) == (0, 1)
    assert (first.maker_order_id, trim_quanta(first.price), trim_quanta(first.maker_prevented)) == (
        makers[0].order_id,
        "91",
        "1",
    )
    assert first.taker_prevented == 0
    assert taker.prevented_matches == [first, second]
    assert floor.exchange.prevented_matches(floor.alice, "BTCUSDT", prevented_match_id=1) == [second]
    assert floor.exchange.prevented_matches(floor.alice, "BTCUSDT", from_id=1) == [second]


def test_the_reports_tell_of_the_prevention(floor: Floor) -> None:
    meet(floor, "EXPIRE_BOTH")
    told = [report for report in floor.taken(ExecutionReport) if report.execution == "TRADE_PREVENTION"]
    assert [(report.order.order_id, trim_quanta(report.last_prevented)) for report in told] == [(1, "1"), (2, "3")]
    assert all(report.prevented_match is not None for report in told)
