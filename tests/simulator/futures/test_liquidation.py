from __future__ import annotations

import pytest

from simulator.futures.types import Liquidation, OrderUpdate
from simulator.units import ONE, trim_quanta
from tests.simulator.futures.floor import SYMBOL, Floor, Story, status


def leveraged(margin: str = "3000") -> tuple[Floor, int]:
    """A customer with little money who is long 1 BTC at 20x."""
    floor = Floor()
    poor = floor.open_account("poor", margin)
    floor.buy(poor, "1")
    return floor, poor


def insurance(floor: Floor) -> int:
    return floor.exchange.wallets.place("insurance", "USDT")


def test_a_cross_position_is_closed_when_margin_falls_to_maintenance() -> None:
    floor, poor = leveraged()
    edge = floor.position(poor).liquidation_price // (ONE // 10) * (ONE // 10)

    floor.print(trim_quanta(edge + ONE // 10))
    assert floor.held(poor) == "1"
    floor.print(trim_quanta(edge))

    assert floor.held(poor) == "0"
    order = floor.exchange.history.force_orders(poor)[0]
    assert (status(order), order.original_type, order.time_in_force) == ("FILLED", "LIQUIDATION", "IOC")
    assert order.client_order_id.startswith("autoclose-")
    assert floor.is_conserved()


def test_the_story_of_a_liquidation() -> None:
    floor, poor = leveraged()
    floor.limit(poor, "BUY", "0.003", "48000")
    stop = floor.algo(poor, "SELL", "STOP_MARKET", quantity="0.1", trigger_price="47000")
    story = Story(floor)

    floor.print("47213.9")

    assert story.lines[:2] == ["account ORDER BOTH=1.003", "TRADE FILLED 0.003"]
    assert story.lines[2:] == [
        "algo EXPIRED",
        "NEW NEW 0",
        "account ORDER BOTH=0.003",
        "CALCULATED PARTIALLY_FILLED 1",
        "account ORDER BOTH=0",
        "CALCULATED FILLED 1.003",
        "account INSURANCE_CLEAR",
        "forceOrder",
    ]
    assert status(stop) == "EXPIRED"
    assert floor.taken(Liquidation)[0].order.account_id == poor


def test_open_orders_are_cancelled_first() -> None:
    floor, poor = leveraged()
    order = floor.limit(poor, "SELL", "0.5", "51000")

    floor.print("47200")

    assert status(order) == "CANCELED"


def test_the_liquidation_fee_goes_to_the_insurance_fund() -> None:
    floor, poor = leveraged()

    floor.print("47213.9")

    fees = [line.amount for line in floor.exchange.wallets.income(poor, income_type="INSURANCE_CLEAR")]
    assert insurance(floor) == -sum(fees) > 0
    assert floor.exchange.wallets.balance(poor, "USDT") >= 0
    executions = [event.execution for event in floor.taken(OrderUpdate) if event.order.account_id == poor]
    assert executions[-1] == "CALCULATED"


def test_the_insurance_fund_pays_what_a_gap_leaves_open() -> None:
    floor, poor = leveraged()

    floor.print("40000")

    assert floor.wallet(poor) == "0"
    assert insurance(floor) < 0
    assert floor.is_conserved()


def test_an_isolated_position_falls_alone() -> None:
    floor = Floor()
    floor.list_symbol("ETHUSDT", "3000")
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    floor.buy(floor.alice, "1")
    floor.buy(floor.alice, "1", symbol="ETHUSDT")
    cross = floor.exchange.wallets.cross(floor.alice, "USDT")

    floor.print("45000")

    assert floor.held(floor.alice) == "0"
    assert trim_quanta(floor.position(floor.alice, symbol="ETHUSDT").quantity) == "1"
    assert floor.exchange.wallets.cross(floor.alice, "USDT") == cross
    assert insurance(floor) < 0
    assert floor.is_conserved()


def test_an_isolated_liquidation_gives_back_what_is_left() -> None:
    floor = Floor()
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    floor.buy(floor.alice, "1")
    edge = floor.position(floor.alice).liquidation_price // (ONE // 10) * (ONE // 10)

    floor.print(trim_quanta(edge))

    assert floor.held(floor.alice) == "0"
    assert floor.position(floor.alice).isolated_wallet == 0
    assert floor.cross(floor.alice) == floor.wallet(floor.alice)
    assert insurance(floor) > 0
    assert floor.is_conserved()


def test_a_short_is_liquidated_upward() -> None:
    floor = Floor()
    poor = floor.open_account("poor", "3000")
    floor.sell(poor, "1")
    edge = floor.position(poor).liquidation_price
    assert edge > 50_000 * ONE

    floor.print(trim_quanta(edge // (ONE // 10) * (ONE // 10)))
    assert floor.held(poor) == "-1"
    floor.print(trim_quanta((edge // (ONE // 10) + 1) * (ONE // 10)))

    assert floor.held(poor) == "0"


def test_cross_positions_are_closed_one_by_one_until_the_rest_is_safe() -> None:
    floor = Floor()
    floor.list_symbol("ETHUSDT", "3000")
    poor = floor.open_account("poor", "3000")
    floor.buy(poor, "0.8")
    floor.buy(poor, "0.1", symbol="ETHUSDT")

    floor.print("46400")

    assert floor.held(poor) == "0"
    assert trim_quanta(floor.position(poor, symbol="ETHUSDT").quantity) == "0.1"


def test_a_position_larger_than_the_book_is_taken_over_at_mark() -> None:
    floor = Floor(levels=3)
    poor = floor.open_account("poor", "7500")
    floor.buy(poor, "2.5")
    floor.market.liquidity.levels = 1

    floor.print("47000")

    assert floor.held(poor) == "0"
    order = floor.exchange.history.force_orders(poor)[0]
    assert [trim_quanta(fill.quantity) for fill in order.fills] == ["1", "1.5"]
    assert floor.is_conserved()


def test_a_margin_call_comes_once_before_the_end() -> None:
    floor, poor = leveraged()
    story = Story(floor)

    floor.print("47250")
    assert story.lines == ["margin call"]
    floor.print("47249")

    assert story.lines == ["margin call"]
    assert floor.held(poor) == "1"


def test_other_customers_orders_take_part_in_a_liquidation() -> None:
    floor, poor = leveraged()
    floor.market.liquidity.levels = 0
    helper = floor.limit(floor.alice, "BUY", "1", "47500")

    floor.print("47500", taker="BUY")
    floor.print("47213.9", "0.4", taker="BUY")

    assert (status(helper), floor.held(floor.alice), floor.held(poor)) == ("FILLED", "1", "0")


@pytest.mark.parametrize("kind", ["ADL", "OTHER"])
def test_force_orders_of_other_kinds_are_none(kind: str) -> None:
    floor, poor = leveraged()
    floor.print("40000")

    assert floor.exchange.history.force_orders(poor, kind=kind) == []
    assert len(floor.exchange.history.force_orders(poor, SYMBOL, "LIQUIDATION")) == 1


def test_a_taker_who_closes_beyond_bankruptcy_is_cleared_too() -> None:
    floor, poor = leveraged("2600")
    floor.filters(percent_down=0)
    floor.market.liquidity.anchor_at(40_000 * ONE)

    floor.sell(poor, "1")

    assert floor.wallet(poor) == "0"
    assert insurance(floor) < 0
    assert floor.is_conserved()
