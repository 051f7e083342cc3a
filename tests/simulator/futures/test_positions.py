from __future__ import annotations

from simulator.units import ONE, parse_quanta, trim_quanta
from tests.simulator.futures.floor import SYMBOL, Floor, Story, refusal, status


def hedged() -> Floor:
    floor = Floor()
    floor.exchange.settings.set_hedge_mode(floor.alice, True)
    return floor


def test_a_position_closed_in_parts_leaves_no_dust() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1.003")
    paid = [fill.quote for fill in floor.exchange.history.trades(floor.alice, SYMBOL)]

    got = [fill.quote for part in ("0.334", "0.335", "0.334") for fill in floor.sell(floor.alice, part).fills]

    position = floor.position(floor.alice)
    assert (position.quantity, position.entry_price, position.unrealized_profit) == (0, 0, 0)
    realized = [line.amount for line in floor.exchange.wallets.income(floor.alice, income_type="REALIZED_PNL")]
    assert sum(realized) == sum(got) - sum(paid)
    assert floor.is_conserved()


def test_a_larger_order_flips_the_position_through_zero() -> None:
    floor = Floor()
    story = Story(floor)
    floor.buy(floor.alice, "0.5")

    floor.sell(floor.alice, "0.8")

    position = floor.position(floor.alice)
    assert trim_quanta(position.quantity) == "-0.3"
    assert trim_quanta(position.entry_price) == "50000"
    assert floor.incomes(floor.alice, "REALIZED_PNL") == ["-0.05"]
    assert story.lines[-2:] == ["account ORDER BOTH=-0.3", "TRADE FILLED 0.8"]


def test_profit_entry_and_break_even_follow_the_mark_price() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")

    floor.print("50100")

    position = floor.position(floor.alice)
    assert trim_quanta(position.entry_price) == "50000.1"
    assert trim_quanta(position.break_even_price) == "50025.10005"
    assert trim_quanta(position.unrealized_profit) == "99.9"
    assert trim_quanta(position.notional) == "50100"
    assert trim_quanta(position.initial_margin) == "2505"
    assert trim_quanta(position.maintenance_margin) == "200.4"


def test_a_customers_own_trade_does_not_move_the_mark_price() -> None:
    floor = Floor()

    floor.buy(floor.alice, "3")

    assert trim_quanta(floor.exchange.mark_price(SYMBOL)) == "50000"
    assert trim_quanta(floor.market.last_price) == "50000.3"


def test_open_orders_tie_up_the_larger_side_only() -> None:
    floor = Floor()

    floor.limit(floor.alice, "BUY", "1", "49000")
    floor.limit(floor.alice, "SELL", "1", "51000")

    assert floor.available(floor.alice) == "97450"
    position = floor.position(floor.alice)
    assert (trim_quanta(position.bid_notional), trim_quanta(position.ask_notional)) == ("49000", "51000")
    assert trim_quanta(position.open_order_initial_margin) == "2550"


def test_an_order_that_only_reduces_needs_no_margin() -> None:
    floor = Floor()
    floor.buy(floor.alice, "5")
    floor.limit(floor.bob, "BUY", "1", "49000")
    free = floor.available(floor.alice)

    floor.limit(floor.alice, "SELL", "5", "51000")

    assert floor.available(floor.alice) == free


def test_a_reduce_only_order_is_cut_to_the_position() -> None:
    floor = Floor()
    floor.buy(floor.alice, "0.5")

    order = floor.sell(floor.alice, "2", reduce_only=True)

    assert (trim_quanta(order.quantity), status(order), floor.held(floor.alice)) == ("0.5", "FILLED", "0")


def test_a_reduce_only_order_that_would_add_is_refused() -> None:
    floor = Floor()
    floor.buy(floor.alice, "0.5")

    assert refusal(lambda: floor.buy(floor.alice, "0.1", reduce_only=True)) == (
        -2022,
        "ReduceOnly Order is rejected.",
    )


def test_a_reduce_only_order_may_be_smaller_than_the_least_notional() -> None:
    floor = Floor()
    floor.buy(floor.alice, "0.5")

    assert status(floor.sell(floor.alice, "0.001", reduce_only=True)) == "FILLED"


def test_resting_reduce_only_orders_shrink_and_go_with_the_position() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")
    order = floor.limit(floor.alice, "SELL", "1", "51000", reduce_only=True)

    floor.sell(floor.alice, "0.6")
    assert (trim_quanta(order.quantity), status(order)) == ("0.4", "NEW")
    floor.sell(floor.alice, "0.4")

    assert status(order) == "EXPIRED"
    assert floor.exchange.history.open_orders(floor.alice) == []


def test_a_flip_expires_the_reduce_only_orders_of_the_old_side() -> None:
    floor = Floor()
    floor.buy(floor.alice, "0.5")
    order = floor.limit(floor.alice, "SELL", "0.5", "51000", reduce_only=True)

    floor.sell(floor.alice, "0.8")

    assert status(order) == "EXPIRED"


def test_hedge_mode_holds_both_sides() -> None:
    floor = hedged()
    story = Story(floor)

    floor.buy(floor.alice, "0.5", position_side="LONG")
    floor.sell(floor.alice, "0.3", position_side="SHORT")

    assert (floor.held(floor.alice, "LONG"), floor.held(floor.alice, "SHORT")) == ("0.5", "-0.3")
    assert story.lines[-2] == "account ORDER BOTH=0 LONG=0.5 SHORT=-0.3"


def test_hedge_mode_orders_against_their_side_only_close() -> None:
    floor = hedged()
    assert refusal(lambda: floor.sell(floor.alice, "0.1", position_side="LONG")) == (
        -2022,
        "ReduceOnly Order is rejected.",
    )
    floor.buy(floor.alice, "0.5", position_side="LONG")
    assert refusal(lambda: floor.sell(floor.alice, "0.6", position_side="LONG"))[0] == -2022

    order = floor.sell(floor.alice, "0.5", position_side="LONG")

    assert order.reduce_only
    assert floor.held(floor.alice, "LONG") == "0"


def test_hedge_mode_takes_no_reduce_only_and_no_both() -> None:
    floor = hedged()

    assert refusal(lambda: floor.buy(floor.alice, "0.1", position_side="LONG", reduce_only=True)) == (
        -1106,
        "Parameter 'reduceonly' sent when not required.",
    )
    assert refusal(lambda: floor.buy(floor.alice, "0.1")) == (
        -4061,
        "Order's position side does not match user's setting.",
    )


def test_hedge_mode_ties_up_margin_for_each_side() -> None:
    floor = hedged()

    floor.buy(floor.alice, "1", position_side="LONG")
    floor.sell(floor.alice, "1", position_side="SHORT")

    account = floor.exchange.reports.account(floor.alice)
    assert trim_quanta(account.total_position_initial_margin) == "5000"


def test_isolated_margin_moves_with_the_position() -> None:
    floor = Floor()
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")

    floor.buy(floor.alice, "1")
    assert floor.cross(floor.alice) == "97474.99495"
    assert floor.wallet(floor.alice) == "99974.99995"
    floor.sell(floor.alice, "0.5")
    assert trim_quanta(floor.position(floor.alice).isolated_wallet) == "1250.0025"
    floor.sell(floor.alice, "0.5")

    assert floor.cross(floor.alice) == floor.wallet(floor.alice)
    assert floor.position(floor.alice).isolated_wallet == 0
    assert floor.is_conserved()


def test_orders_for_isolated_positions_reserve_cross_margin_until_they_fill() -> None:
    floor = Floor()
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")

    floor.limit(floor.alice, "BUY", "1", "49000")
    assert (floor.available(floor.alice), floor.cross(floor.alice)) == ("97550", "100000")
    floor.print("48990", "0.001", "SELL")

    assert floor.cross(floor.alice) == "97540.2"
    assert floor.available(floor.alice) == "97540.2"


def test_the_liquidation_price_is_where_margin_meets_maintenance() -> None:
    floor = Floor()
    poor = floor.open_account("poor", "3000")
    floor.buy(poor, "1")

    price = floor.position(poor).liquidation_price

    wallet = floor.exchange.wallets.balance(poor, "USDT")
    entry = parse_quanta("50000.1")
    balance = wallet + (price - entry)
    assert abs(balance - price * 4 // 1000) <= 2
    assert trim_quanta(price // (ONE // 10) * (ONE // 10)) == "47213.9"


def test_a_well_funded_long_has_no_liquidation_price() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")

    assert floor.position(floor.alice).liquidation_price == 0


def test_hedged_sides_of_one_size_share_their_liquidation_price() -> None:
    floor = hedged()
    floor.buy(floor.alice, "3", position_side="LONG")
    floor.sell(floor.alice, "1", position_side="SHORT")

    long, short = floor.position(floor.alice, "LONG"), floor.position(floor.alice, "SHORT")

    assert long.liquidation_price == short.liquidation_price


def test_a_loss_beyond_the_closed_share_stays_in_the_isolated_wallet() -> None:
    floor = Floor()
    floor.filters(percent_down=0)
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    floor.buy(floor.alice, "1")
    cross = floor.exchange.wallets.cross(floor.alice, "USDT")
    floor.market.liquidity.anchor_at(46_000 * ONE)

    fee = floor.sell(floor.alice, "0.5").fills[0].commission

    assert floor.exchange.wallets.cross(floor.alice, "USDT") == cross - fee
    assert trim_quanta(floor.position(floor.alice).isolated_wallet) == "499.955"
    assert floor.is_conserved()


def test_a_customers_order_met_by_another_no_longer_ties_up_margin() -> None:
    floor = Floor()
    floor.limit(floor.alice, "SELL", "0.5", "50000.1")
    floor.market.liquidity.set_level("SELL", parse_quanta("50000.1"), 0)

    floor.buy(floor.bob, "0.2")
    assert trim_quanta(floor.position(floor.alice).ask_notional) == "15000.03"
    floor.buy(floor.bob, "0.3")

    assert floor.position(floor.alice).ask_notional == 0


def test_an_order_worse_than_the_mark_price_pays_its_loss_in_advance() -> None:
    floor = Floor()
    poor = floor.open_account("poor", "4000")

    assert refusal(lambda: floor.limit(poor, "BUY", "1", "52000")) == (-2019, "Margin is insufficient.")
    assert status(floor.limit(poor, "BUY", "1", "48000")) == "NEW"


def test_a_reduce_only_order_stays_so_when_modified() -> None:
    floor = Floor()
    floor.buy(floor.alice, "0.5")
    order = floor.limit(floor.alice, "SELL", "0.5", "51000", reduce_only=True)

    floor.exchange.modify(floor.alice, SYMBOL, order.order_id, None, "SELL", 2 * ONE, 50_000 * ONE)

    assert (status(order), floor.held(floor.alice)) == ("FILLED", "0")
