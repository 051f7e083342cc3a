from __future__ import annotations

import pytest

from simulator.futures.types import AccountUpdate, ConfigUpdate
from simulator.units import ONE, parse_quanta, trim_quanta
from tests.simulator.futures.floor import SYMBOL, Floor, refusal


def test_leverage_is_changed_and_announced() -> None:
    floor = Floor()

    change = floor.exchange.settings.set_leverage(floor.alice, SYMBOL, 50)

    assert (change.leverage, change.maximum_notional) == (50, 12_000_000 * ONE)
    assert [(event.symbol, event.leverage) for event in floor.taken(ConfigUpdate)] == [(SYMBOL, 50)]
    assert floor.position(floor.alice).leverage == 50


@pytest.mark.parametrize("leverage", [0, 126])
def test_a_leverage_the_symbol_does_not_offer_is_refused(leverage: int) -> None:
    floor = Floor()

    assert refusal(lambda: floor.exchange.settings.set_leverage(floor.alice, SYMBOL, leverage)) == (
        -4028,
        f"Leverage {leverage} is not valid",
    )


def test_leverage_may_not_fall_below_what_the_account_affords() -> None:
    floor = Floor()
    floor.buy(floor.alice, "5")

    assert refusal(lambda: floor.exchange.settings.set_leverage(floor.alice, SYMBOL, 1)) == (
        -2028,
        "Leverage is smaller than permitted: insufficient margin balance.",
    )
    assert floor.position(floor.alice).leverage == 20


def test_leverage_may_not_rise_beyond_what_the_position_allows() -> None:
    floor = Floor()
    floor.exchange.deposit(floor.alice, "USDT", parse_quanta("1000000"))
    floor.buy(floor.alice, "7")

    assert refusal(lambda: floor.exchange.settings.set_leverage(floor.alice, SYMBOL, 125)) == (
        -2027,
        "Exceeded the maximum allowable position at current leverage.",
    )


def test_an_isolated_position_may_not_lower_its_leverage() -> None:
    floor = Floor()
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    floor.buy(floor.alice, "1")

    assert refusal(lambda: floor.exchange.settings.set_leverage(floor.alice, SYMBOL, 10)) == (
        -4161,
        "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
    )


def test_margin_type_changes_only_without_orders_and_positions() -> None:
    floor = Floor()
    settings = floor.exchange.settings
    assert refusal(lambda: settings.set_margin_type(floor.alice, SYMBOL, "CROSSED")) == (
        -4046,
        "No need to change margin type.",
    )
    floor.limit(floor.alice, "BUY", "1", "49000")
    assert refusal(lambda: settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")) == (
        -4047,
        "Margin type cannot be changed if there exists open orders.",
    )
    floor.exchange.cancel_all(floor.alice, SYMBOL)
    floor.buy(floor.alice, "1")
    assert refusal(lambda: settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")) == (
        -4048,
        "Margin type cannot be changed if there exists position.",
    )

    floor.sell(floor.alice, "1")
    settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")

    assert floor.position(floor.alice).margin_type == "ISOLATED"


def test_position_mode_changes_only_without_orders_and_positions() -> None:
    floor = Floor()
    settings = floor.exchange.settings
    assert refusal(lambda: settings.set_hedge_mode(floor.alice, False)) == (-4059, "No need to change position side.")
    floor.limit(floor.alice, "BUY", "1", "49000")
    assert refusal(lambda: settings.set_hedge_mode(floor.alice, True)) == (
        -4067,
        "Position side cannot be changed if there exists open orders.",
    )
    floor.exchange.cancel_all(floor.alice, SYMBOL)
    floor.buy(floor.alice, "1")
    assert refusal(lambda: settings.set_hedge_mode(floor.alice, True)) == (
        -4068,
        "Position side cannot be changed if there exists position.",
    )

    floor.sell(floor.alice, "1")
    settings.set_hedge_mode(floor.alice, True)

    assert settings.hedge_mode(floor.alice)
    assert refusal(lambda: floor.buy(floor.alice, "1"))[0] == -4061


def test_multi_assets_mode_and_isolated_margin_exclude_each_other() -> None:
    floor = Floor()
    settings = floor.exchange.settings
    assert refusal(lambda: settings.set_multi_assets(floor.alice, False)) == (
        -4171,
        "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.",
    )
    settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    assert refusal(lambda: settings.set_multi_assets(floor.alice, True))[0] == -4167
    settings.set_margin_type(floor.alice, SYMBOL, "CROSSED")

    settings.set_multi_assets(floor.alice, True)

    assert refusal(lambda: settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED"))[0] == -4168
    assert [event.multi_assets for event in floor.taken(ConfigUpdate)] == [True]


def test_multi_assets_mode_does_not_change_with_open_orders() -> None:
    floor = Floor()
    floor.limit(floor.alice, "BUY", "1", "49000")

    assert refusal(lambda: floor.exchange.settings.set_multi_assets(floor.alice, True))[0] == -4170


def test_multi_assets_mode_lets_other_assets_back_positions() -> None:
    floor = Floor()
    floor.list_symbol("BNBUSDT", "600")
    poor = floor.open_account("poor", "0")
    floor.exchange.deposit(poor, "BNB", 10 * ONE)
    assert refusal(lambda: floor.buy(poor, "0.1"))[0] == -2019

    floor.exchange.settings.set_multi_assets(poor, True)
    floor.buy(poor, "0.1")

    assert floor.held(poor) == "0.1"
    assert trim_quanta(floor.exchange.reports.account(poor).total_cross_wallet_balance) == "5697.499995"


def test_margin_is_added_to_and_taken_from_an_isolated_position() -> None:
    floor = Floor()
    settings = floor.exchange.settings
    settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    floor.buy(floor.alice, "1")
    assert trim_quanta(floor.position(floor.alice).isolated_wallet) == "2500.005"

    settings.adjust_margin(floor.alice, SYMBOL, "BOTH", parse_quanta("500"), 1)
    assert trim_quanta(floor.position(floor.alice).isolated_wallet) == "3000.005"
    settings.adjust_margin(floor.alice, SYMBOL, "BOTH", parse_quanta("400"), 2)

    assert trim_quanta(floor.position(floor.alice).isolated_wallet) == "2600.005"
    assert [change.kind for change in settings.margin_changes(floor.alice, SYMBOL)] == [1, 2]
    assert [event.reason for event in floor.taken(AccountUpdate)][-2:] == ["MARGIN_TRANSFER", "MARGIN_TRANSFER"]
    assert refusal(lambda: settings.adjust_margin(floor.alice, SYMBOL, "BOTH", parse_quanta("200"), 2)) == (
        -4051,
        "Isolated balance insufficient.",
    )
    assert refusal(lambda: settings.adjust_margin(floor.alice, SYMBOL, "BOTH", parse_quanta("99000"), 1)) == (
        -4050,
        "Cross balance insufficient.",
    )
    assert floor.is_conserved()


def test_margin_goes_only_to_isolated_positions_that_exist() -> None:
    floor = Floor()
    settings = floor.exchange.settings

    assert refusal(lambda: settings.adjust_margin(floor.alice, SYMBOL, "BOTH", 0, 1)) == (
        -4055,
        "Amount must be positive.",
    )
    assert refusal(lambda: settings.adjust_margin(floor.alice, SYMBOL, "LONG", ONE, 1))[0] == -4061
    assert refusal(lambda: settings.adjust_margin(floor.alice, SYMBOL, "BOTH", ONE, 1)) == (
        -4049,
        "Add margin only support for isolated position.",
    )
    settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    assert refusal(lambda: settings.adjust_margin(floor.alice, SYMBOL, "BOTH", ONE, 1)) == (
        -4054,
        "Cannot add position margin: position is 0.",
    )


def test_fees_are_paid_in_bnb_while_it_lasts() -> None:
    floor = Floor()
    floor.list_symbol("BNBUSDT", "500")
    floor.exchange.deposit(floor.alice, "BNB", ONE // 20)
    floor.exchange.settings.set_fee_burn(floor.alice, True)

    first = floor.buy(floor.alice, "1").fills[0]
    second = floor.sell(floor.alice, "1").fills[0]

    assert (trim_quanta(first.commission), first.commission_asset) == ("0.04500009", "BNB")
    assert second.commission_asset == "USDT"
    assert floor.is_conserved()
