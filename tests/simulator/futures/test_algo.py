from __future__ import annotations

from typing import Any

import pytest

from simulator.futures.types import AlgoUpdate
from simulator.units import parse_quanta, trim_quanta
from tests.simulator.futures.floor import SYMBOL, Floor, Story, status


def test_a_stop_triggers_becomes_an_order_and_finishes() -> None:
    floor = Floor()
    story = Story(floor)
    algo = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="50100")

    floor.print("50099.9")
    assert status(algo) == "NEW"
    floor.print("50100")

    assert story.lines == [
        "algo NEW",
        "algo TRIGGERING",
        "NEW NEW 0",
        "algo TRIGGERED",
        "account ORDER BOTH=0.1",
        "TRADE FILLED 0.1",
        "algo FINISHED",
    ]
    assert algo.order is not None
    assert (algo.order.type, algo.order.original_type, algo.order.algo_id) == ("MARKET", "STOP_MARKET", algo.algo_id)
    assert floor.exchange.algo.open_orders(floor.alice) == []


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "before", "at"),
    [
        ("BUY", "STOP_MARKET", "50100", "50099.9", "50100"),
        ("SELL", "STOP_MARKET", "49900", "49900.1", "49900"),
        ("BUY", "TAKE_PROFIT_MARKET", "49900", "49900.1", "49900"),
        ("SELL", "TAKE_PROFIT_MARKET", "50100", "50099.9", "50100"),
    ],
)
def test_each_kind_triggers_on_its_side(side: Any, kind: Any, trigger: str, before: str, at: str) -> None:
    floor = Floor()
    algo = floor.algo(floor.alice, side, kind, quantity="0.1", trigger_price=trigger)

    floor.print(before)
    assert status(algo) == "NEW"
    floor.print(at)

    assert status(algo) == "FINISHED"


def test_a_stop_limit_rests_at_its_price_and_finishes_when_that_order_ends() -> None:
    floor = Floor()
    algo = floor.algo(floor.alice, "BUY", "STOP", quantity="0.1", trigger_price="50100", price="50000", tif="GTC")

    floor.print("50100")
    assert status(algo) == "TRIGGERED"
    assert algo.order is not None
    assert floor.exchange.history.open_orders(floor.alice) == [algo.order]
    floor.exchange.cancel_all(floor.alice, SYMBOL)

    assert status(algo) == "FINISHED"


def test_a_close_position_stop_closes_whatever_is_held_then() -> None:
    floor = Floor()
    floor.buy(floor.alice, "0.3")
    algo = floor.algo(floor.alice, "SELL", "STOP_MARKET", trigger_price="49900", close_position=True)
    floor.buy(floor.alice, "0.4")

    floor.print("49900")

    assert (status(algo), floor.held(floor.alice)) == ("FINISHED", "0")
    assert algo.order is not None
    assert algo.order.close_position
    assert algo.order.reduce_only


def test_a_close_position_stop_without_a_position_is_rejected() -> None:
    floor = Floor()
    algo = floor.algo(floor.alice, "SELL", "STOP_MARKET", trigger_price="49900", close_position=True)

    floor.print("49900")

    assert (status(algo), algo.reject_reason) == ("REJECTED", "ReduceOnly Order is rejected.")


def test_a_triggered_order_without_margin_is_rejected() -> None:
    floor = Floor()
    algo = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="100", trigger_price="50100")

    floor.print("50100")

    assert (status(algo), algo.reject_reason) == ("REJECTED", "Margin is insufficient.")


def test_a_mark_price_stop_ignores_customers_own_trades() -> None:
    floor = Floor()
    on_mark = floor.algo(
        floor.alice, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="50000.3", working_type="MARK_PRICE"
    )
    on_contract = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="50000.3")

    floor.buy(floor.bob, "2.5")

    assert (status(on_mark), status(on_contract)) == ("NEW", "FINISHED")


def test_a_trailing_stop_follows_the_best_price_and_triggers_on_the_callback() -> None:
    floor = Floor()
    floor.buy(floor.alice, "0.1")
    algo = floor.algo(
        floor.alice, "SELL", "TRAILING_STOP_MARKET", quantity="0.1", callback_rate="1", activate_price="50500"
    )

    floor.print("49000")
    assert algo.extreme_price == 0
    floor.print("51000")
    floor.print("50491")
    assert (status(algo), trim_quanta(algo.extreme_price)) == ("NEW", "51000")
    floor.print("50490")

    assert (status(algo), floor.held(floor.alice)) == ("FINISHED", "0")


def test_a_trailing_stop_without_activation_price_starts_at_once() -> None:
    floor = Floor()
    algo = floor.algo(floor.alice, "BUY", "TRAILING_STOP_MARKET", quantity="0.1", callback_rate="1")

    floor.print("49000")
    floor.print("49489.9")
    assert status(algo) == "NEW"
    floor.print("49490")

    assert status(algo) == "FINISHED"


def test_cancelled_ones_never_trigger() -> None:
    floor = Floor()
    algo = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="50100", client_order_id="mine")

    floor.exchange.algo.cancel(floor.alice, None, "mine")
    floor.print("50200")

    assert status(algo) == "CANCELED"
    assert [event.algo.algo_id for event in floor.taken(AlgoUpdate)] == [algo.algo_id] * 2


def test_cancel_all_ends_those_of_one_symbol() -> None:
    floor = Floor()
    floor.list_symbol("ETHUSDT", "3000")
    one = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="50100")
    other = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="3100", symbol="ETHUSDT")

    assert floor.exchange.algo.cancel_all(floor.alice, SYMBOL) == [one]

    assert floor.exchange.algo.open_orders(floor.alice) == [other]
    assert floor.exchange.algo.all_orders(floor.alice, SYMBOL) == [one]


def test_a_good_till_date_expires_in_market_time() -> None:
    floor = Floor()
    deadline = floor.clock.now_ms() + 700_000
    algo = floor.algo(
        floor.alice,
        "BUY",
        "STOP",
        quantity="0.1",
        trigger_price="50100",
        price="50100",
        tif="GTD",
        good_till_ms=deadline,
    )

    floor.wait(700_000)

    assert status(algo) == "EXPIRED"


def test_one_trigger_may_set_off_the_next() -> None:
    floor = Floor(size="0.1")
    first = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="0.4", trigger_price="50010")
    second = floor.algo(floor.bob, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="50010.3")

    floor.print("50010")

    assert (status(first), status(second)) == ("FINISHED", "FINISHED")


def test_the_triggered_order_can_be_found_by_the_algos_client_id() -> None:
    floor = Floor()
    algo = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="50100", client_order_id="mine")

    floor.print("50100")

    assert floor.exchange.history.order(floor.alice, SYMBOL, None, "mine") is algo.order
    assert floor.exchange.algo.order(floor.alice, None, "mine") is algo


def test_price_protection_expires_a_trigger_far_from_the_mark_price() -> None:
    floor = Floor()
    floor.market.liquidity.anchor_at(parse_quanta("52400"))
    algo = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="0.1", trigger_price="52000", price_protect=True)
    floor.filters(percent_up=2 * 10**8)
    floor.market.liquidity.anchor_at(parse_quanta("53000"))

    floor.buy(floor.bob, "0.1")

    assert status(algo) == "EXPIRED"
