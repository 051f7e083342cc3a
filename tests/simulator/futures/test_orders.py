from __future__ import annotations

from typing import Any

import pytest

from simulator.futures.types import AccountUpdate, OrderUpdate
from simulator.units import ONE, parse_quanta, trim_quanta
from tests.simulator.futures.floor import SYMBOL, Floor, Story, refusal, status


def test_a_market_order_takes_the_book_and_tells_the_story_in_the_venues_order() -> None:
    floor = Floor()
    story = Story(floor)

    order = floor.buy(floor.alice, "1.5")

    assert [(trim_quanta(fill.price), trim_quanta(fill.quantity)) for fill in order.fills] == [
        ("50000.1", "1"),
        ("50000.2", "0.5"),
    ]
    assert story.lines == [
        "NEW NEW 0",
        "account ORDER BOTH=1",
        "TRADE PARTIALLY_FILLED 1",
        "account ORDER BOTH=1.5",
        "TRADE FILLED 1.5",
    ]
    assert floor.is_conserved()


def test_a_market_order_that_runs_out_of_book_expires_with_what_it_got() -> None:
    floor = Floor(levels=1)

    order = floor.buy(floor.alice, "1.5")

    assert (order.status, trim_quanta(order.executed)) == ("EXPIRED", "1")
    assert floor.held(floor.alice) == "1"


def test_a_resting_order_waits_behind_the_background_and_fills_as_prints_eat_the_queue() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "0.4", "50000")

    floor.print("50000", "0.6", "SELL")
    assert status(order) == "NEW"
    floor.print("50000", "0.7", "SELL")

    assert (order.status, trim_quanta(order.executed)) == ("PARTIALLY_FILLED", "0.3")
    assert floor.exchange.book(SYMBOL).has_orders
    assert floor.is_conserved()


def test_a_print_through_an_order_fills_it_whole_at_its_own_price() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "2", "49990")

    floor.print("49980", "0.001", "SELL")

    assert status(order) == "FILLED"
    assert [trim_quanta(fill.price) for fill in order.fills] == ["49990"]
    assert order.fills[0].is_maker
    assert floor.incomes(floor.alice, "COMMISSION") == ["-19.996"]


def test_two_customers_meet_at_the_makers_price() -> None:
    floor = Floor()
    maker = floor.limit(floor.alice, "SELL", "0.5", "50000.1")
    floor.market.liquidity.set_level("SELL", parse_quanta("50000.1"), 0)

    taker = floor.buy(floor.bob, "0.5")

    assert (maker.status, taker.status) == ("FILLED", "FILLED")
    assert (floor.held(floor.alice), floor.held(floor.bob)) == ("-0.5", "0.5")
    trade = floor.market.recorded[-1]
    assert (trade.maker_order_id, trade.taker_order_id) == (maker.order_id, taker.order_id)
    assert floor.is_conserved()


def test_ioc_leaves_no_rest_and_keeps_what_it_got() -> None:
    floor = Floor()

    order = floor.limit(floor.alice, "BUY", "1.5", "50000.1", tif="IOC")

    assert (order.status, trim_quanta(order.executed)) == ("EXPIRED", "1")
    assert not floor.exchange.history.open_orders(floor.alice)


def test_fok_fills_whole_when_the_book_holds_enough() -> None:
    floor = Floor()

    assert floor.limit(floor.alice, "BUY", "2", "50000.2", tif="FOK").status == "FILLED"


def test_a_refused_fok_or_post_only_order_is_in_no_history() -> None:
    floor = Floor()

    assert refusal(lambda: floor.limit(floor.alice, "BUY", "2", "50000.1", tif="FOK"))[0] == -5021
    assert refusal(lambda: floor.limit(floor.alice, "BUY", "1", "50000.1", tif="GTX"))[0] == -5022

    assert floor.exchange.history.all_orders(floor.alice, SYMBOL) == []
    assert not floor.taken(OrderUpdate)


def test_a_post_only_order_that_would_not_take_rests() -> None:
    floor = Floor()

    assert floor.limit(floor.alice, "BUY", "1", "50000", tif="GTX").status == "NEW"


def test_a_good_till_date_order_expires_in_market_time() -> None:
    floor = Floor()
    deadline = floor.clock.now_ms() + 700_000
    order = floor.limit(floor.alice, "BUY", "1", "49000", tif="GTD", good_till_ms=deadline)
    assert floor.exchange.next_timer_ms(floor.clock.now_ms()) == deadline

    floor.wait(699_999)
    assert status(order) == "NEW"
    floor.wait(1)

    assert status(order) == "EXPIRED"
    assert not floor.exchange.book(SYMBOL).has_orders


@pytest.mark.parametrize(
    ("side", "match", "price"),
    [
        ("BUY", "OPPONENT", "50000.1"),
        ("BUY", "OPPONENT_5", "50000.5"),
        ("BUY", "QUEUE", "50000"),
        ("BUY", "QUEUE_10", "49999.1"),
        ("SELL", "OPPONENT", "50000"),
        ("SELL", "QUEUE_5", "50000.5"),
    ],
)
def test_price_match_takes_its_price_from_the_book(side: Any, match: str, price: str) -> None:
    floor = Floor()

    order = floor.place(floor.alice, side, quantity="1", price_match=match)

    assert trim_quanta(order.price) == price


def test_price_match_beyond_the_book_is_refused() -> None:
    floor = Floor()

    assert refusal(lambda: floor.place(floor.alice, "BUY", quantity="1", price_match="OPPONENT_20")) == (
        -5041,
        "No depth matches this BBO order",
    )


@pytest.mark.parametrize(
    ("mode", "maker_status", "taker_status"),
    [
        ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "FILLED"),
        ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
        ("NONE", "FILLED", "FILLED"),
    ],
)
def test_self_trade_prevention_ends_whom_it_says(mode: Any, maker_status: str, taker_status: str) -> None:
    floor = Floor()
    maker = floor.limit(floor.alice, "SELL", "0.5", "50000.1")
    floor.market.liquidity.set_level("SELL", parse_quanta("50000.1"), 0)

    taker = floor.limit(floor.alice, "BUY", "0.5", "50000.5", self_trade_prevention=mode)

    assert (maker.status, taker.status) == (maker_status, taker_status)
    assert floor.is_conserved()


def test_a_cancelled_order_is_off_the_book_and_its_margin_is_free_again() -> None:
    floor = Floor()
    free = floor.available(floor.alice)
    order = floor.limit(floor.alice, "BUY", "1", "49000")
    assert floor.available(floor.alice) == "97550"

    floor.exchange.cancel(floor.alice, SYMBOL, None, order.client_order_id)

    assert (order.status, floor.available(floor.alice)) == ("CANCELED", free)
    assert refusal(lambda: floor.exchange.cancel(floor.alice, SYMBOL, order.order_id, None)) == (
        -2011,
        "Unknown order sent.",
    )


def test_cancel_all_ends_only_the_owners_orders_of_the_symbol() -> None:
    floor = Floor()
    floor.list_symbol("ETHUSDT", "3000")
    gone = floor.limit(floor.alice, "BUY", "1", "49000")
    other = floor.limit(floor.alice, "BUY", "1", "2990", symbol="ETHUSDT")
    foreign = floor.limit(floor.bob, "BUY", "1", "49000")

    assert floor.exchange.cancel_all(floor.alice, SYMBOL) == [gone]

    assert (gone.status, other.status, foreign.status) == ("CANCELED", "NEW", "NEW")


def test_a_client_id_is_free_again_when_its_order_is_over() -> None:
    floor = Floor()
    first = floor.limit(floor.alice, "BUY", "1", "49000", client_order_id="mine")
    assert refusal(lambda: floor.limit(floor.alice, "BUY", "1", "49000", client_order_id="mine")) == (
        -4116,
        "ClientOrderId is duplicated.",
    )

    floor.exchange.cancel(floor.alice, SYMBOL, first.order_id, None)
    second = floor.limit(floor.alice, "BUY", "1", "49000", client_order_id="mine")

    assert floor.exchange.history.order(floor.alice, SYMBOL, None, "mine") is second


def test_a_modified_order_keeps_its_id_and_goes_behind_the_others() -> None:
    floor = Floor()
    first = floor.limit(floor.alice, "BUY", "1", "50000.05"[:-1], client_order_id="first")
    floor.market.liquidity.set_level("BUY", parse_quanta("50000"), 0)
    second = floor.limit(floor.bob, "BUY", "1", "50000")

    number = first.order_id
    floor.exchange.modify(floor.alice, SYMBOL, number, None, "BUY", 2 * ONE, parse_quanta("50000"))

    assert (first.order_id, trim_quanta(first.quantity), first.amends) == (number, "2", 1)
    assert list(floor.exchange.book(SYMBOL).user_orders("BUY")) == [second, first]
    change = floor.exchange.history.amendments(floor.alice, SYMBOL)[0]
    assert (change.quantity_before, change.quantity_after, change.count) == (ONE, 2 * ONE, 1)


def test_a_modified_price_that_crosses_takes_the_book() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "1", "49000")

    floor.exchange.modify(floor.alice, SYMBOL, order.order_id, None, "BUY", ONE, parse_quanta("50000.1"))

    assert status(order) == "FILLED"


def test_a_modified_quantity_below_what_has_traded_cancels_the_order() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "1.5", "50000.1")
    assert status(order) == "PARTIALLY_FILLED"

    floor.exchange.modify(floor.alice, SYMBOL, order.order_id, None, "BUY", ONE, parse_quanta("50000"))

    assert (order.status, trim_quanta(order.executed)) == ("CANCELED", "1")


def test_a_post_only_order_modified_into_the_book_is_cancelled() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "1", "49000", tif="GTX")

    floor.exchange.modify(floor.alice, SYMBOL, order.order_id, None, "BUY", ONE, parse_quanta("50000.1"))

    assert status(order) == "CANCELED"


def test_a_modification_without_margin_leaves_the_order_as_it_was() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "1", "49000")
    before = floor.available(floor.alice)

    huge = parse_quanta("100")
    code, _ = refusal(
        lambda: floor.exchange.modify(floor.alice, SYMBOL, order.order_id, None, "BUY", huge, parse_quanta("49000"))
    )

    assert code == -2019
    assert (order.status, trim_quanta(order.quantity), floor.available(floor.alice)) == ("NEW", "1", before)


def test_the_countdown_cancels_in_protocol_time_unless_wound_up() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "1", "49000")
    floor.exchange.countdown.set(floor.alice, SYMBOL, 1_000, now_ms=5_000)
    floor.exchange.countdown.set(floor.alice, SYMBOL, 1_000, now_ms=5_900)

    floor.exchange.on_protocol_time(6_899)
    assert status(order) == "NEW"
    floor.exchange.on_protocol_time(6_900)

    assert status(order) == "CANCELED"


def test_a_countdown_of_zero_stops_the_clock() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "1", "49000")
    floor.exchange.countdown.set(floor.alice, SYMBOL, 1_000, now_ms=5_000)
    floor.exchange.countdown.set(floor.alice, SYMBOL, 0, now_ms=5_500)

    floor.exchange.on_protocol_time(60_000)

    assert status(order) == "NEW"


def test_a_tested_order_leaves_no_trace() -> None:
    floor = Floor()
    lines = len(floor.tape)

    accepted = floor.exchange.test(floor.alice, floor.request("BUY", quantity="1", price="49000"))

    assert accepted.order_id == 0
    assert (len(floor.tape), floor.events, floor.exchange.history.open_orders(floor.alice)) == (lines, [], [])


def test_history_lists_orders_and_fills_by_id_and_time() -> None:
    floor = Floor()
    first = floor.buy(floor.alice, "0.1")
    floor.wait(1_000)
    second = floor.sell(floor.alice, "0.1")
    history = floor.exchange.history

    assert history.all_orders(floor.alice, SYMBOL, limit=1) == [second]
    assert history.all_orders(floor.alice, SYMBOL, order_id=first.order_id, limit=1) == [first]
    assert history.all_orders(floor.alice, SYMBOL, start_ms=second.time_ms) == [second]
    assert history.trades(floor.alice, SYMBOL, order_id=first.order_id) == first.fills
    assert history.trades(floor.alice, SYMBOL, from_id=second.fills[0].trade_id) == second.fills
    assert refusal(lambda: history.open_order(floor.alice, SYMBOL, first.order_id, None)) == (
        -2013,
        "Order does not exist.",
    )
    assert history.order(floor.alice, SYMBOL, first.order_id, None) is first
    assert refusal(lambda: history.order(floor.bob, SYMBOL, first.order_id, None))[0] == -2013


def test_both_ids_must_mean_the_same_order() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "1", "49000", client_order_id="mine")

    assert refusal(lambda: floor.exchange.cancel(floor.alice, SYMBOL, order.order_id, "other"))[0] == -2011
    floor.exchange.cancel(floor.alice, SYMBOL, order.order_id, "mine")

    assert status(order) == "CANCELED"


def test_a_halted_symbol_matches_nothing_until_it_trades_again() -> None:
    floor = Floor()
    order = floor.limit(floor.alice, "BUY", "1", "49990")
    floor.exchange.set_instrument(floor.instrument().with_status("HALT"))

    floor.print("49900", taker="SELL")
    assert status(order) == "NEW"
    floor.exchange.set_instrument(floor.instrument().with_status("TRADING"))
    floor.print("49900", taker="SELL")

    assert status(order) == "FILLED"


def test_account_updates_tell_wallet_and_cross_wallet_apart() -> None:
    floor = Floor()
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")

    floor.buy(floor.alice, "1")

    update = floor.taken(AccountUpdate)[-1]
    assert update.wallets["USDT"] == (parse_quanta("99974.99995"), 0)
    assert update.cross_wallets["USDT"] == parse_quanta("97474.99495")


def test_a_deposit_is_announced_with_its_change() -> None:
    floor = Floor()

    floor.exchange.deposit(floor.alice, "USDT", 5 * ONE)

    update = floor.taken(AccountUpdate)[-1]
    assert (update.reason, update.wallets["USDT"]) == ("DEPOSIT", (100_005 * ONE, 5 * ONE))
