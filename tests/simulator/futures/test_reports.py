from __future__ import annotations

from itertools import pairwise

from simulator.futures.brackets import bracket_at, brackets_for, maintenance_margin
from simulator.futures.reports import has_content
from simulator.units import ONE, trim_quanta
from tests.simulator.futures.floor import HOUR_MS, START_MS, SYMBOL, Floor, refusal


def test_the_account_summary_adds_up() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")
    floor.limit(floor.alice, "BUY", "1", "49000")
    floor.print("50100")

    account = floor.exchange.reports.account(floor.alice)

    usdt = next(line for line in account.assets if line.asset == "USDT")
    assert trim_quanta(account.total_wallet_balance) == "99974.99995"
    assert trim_quanta(account.total_unrealized_profit) == "99.9"
    assert account.total_margin_balance == account.total_wallet_balance + account.total_unrealized_profit
    assert trim_quanta(account.total_position_initial_margin) == "2505"
    assert trim_quanta(account.total_open_order_initial_margin) == "2450"
    assert account.total_initial_margin == usdt.initial_margin == 4955 * ONE
    assert account.available_balance == account.total_margin_balance - account.total_initial_margin
    assert account.maximum_withdraw == account.total_wallet_balance - account.total_initial_margin
    assert trim_quanta(account.total_maintenance_margin) == "200.4"


def test_flat_positions_are_listed_but_have_no_content() -> None:
    floor = Floor()
    floor.list_symbol("ETHUSDT", "3000")
    floor.limit(floor.alice, "BUY", "1", "49000")

    lines = floor.exchange.reports.positions(floor.alice)

    assert [(line.symbol, has_content(line)) for line in lines] == [(SYMBOL, True), ("ETHUSDT", False)]


def test_brackets_join_without_a_step_in_maintenance_margin() -> None:
    instrument = Floor().instrument()
    tiers = brackets_for(instrument)

    assert [tier.initial_leverage for tier in tiers][:4] == [125, 100, 75, 50]
    assert tiers[0].notional_floor == 0
    for lower, upper in pairwise(tiers):
        assert lower.notional_cap == upper.notional_floor
        edge = lower.notional_cap
        assert maintenance_margin(instrument, edge) == edge * upper.maintenance_rate // ONE - upper.cumulative
        assert lower.maintenance_rate <= upper.maintenance_rate
    assert bracket_at(instrument, tiers[-1].notional_cap * 2) is tiers[-1]


def test_a_symbol_with_low_leverage_starts_its_table_there() -> None:
    floor = Floor()
    floor.list_symbol("LTCUSDT", "80")

    tiers = floor.exchange.reports.brackets("LTCUSDT")

    assert (tiers[0].initial_leverage, tiers[0].maintenance_rate) == (75, ONE // 200)


def test_open_interest_counts_customers_contracts() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")
    floor.sell(floor.bob, "0.4")

    assert trim_quanta(floor.exchange.reports.open_interest(SYMBOL).quantity) == "1"


def test_the_best_paid_position_is_first_in_line_for_deleveraging() -> None:
    floor = Floor()
    others = [floor.open_account(f"other{number}") for number in range(3)]
    for number, account in enumerate([floor.alice, floor.bob, *others]):
        floor.print(str(50_000 + number * 100))
        floor.buy(account, "0.1")

    quantiles = [
        floor.exchange.reports.adl_quantiles(account)[0].quantiles["BOTH"]
        for account in [floor.alice, floor.bob, *others]
    ]

    assert quantiles == [4, 3, 2, 1, 0]


def test_hedge_mode_shows_its_quantiles_by_side() -> None:
    floor = Floor()
    floor.exchange.settings.set_hedge_mode(floor.alice, True)
    floor.buy(floor.alice, "0.1", position_side="LONG")

    assert floor.exchange.reports.adl_quantiles(floor.alice, SYMBOL)[0].quantiles == {
        "LONG": 0,
        "SHORT": 0,
        "HEDGE": 0,
    }


def test_the_premium_index_tells_mark_price_and_next_funding() -> None:
    floor = Floor()
    floor.print("50100")

    premium = floor.exchange.reports.premium(SYMBOL)

    assert trim_quanta(premium.mark_price) == "50100"
    assert (premium.last_funding_rate, premium.next_funding_ms) == (10_000, START_MS + 7 * HOUR_MS)
    assert refusal(lambda: floor.exchange.reports.premium("NOSUCH")) == (-1121, "Invalid symbol.")


def test_configurations_show_what_was_chosen() -> None:
    floor = Floor()
    floor.exchange.settings.set_margin_type(floor.alice, SYMBOL, "ISOLATED")
    floor.exchange.settings.set_hedge_mode(floor.alice, True)

    config = floor.exchange.reports.symbol_config(floor.alice, SYMBOL)[0]
    account = floor.exchange.reports.account_config(floor.alice)
    rates = floor.exchange.reports.commission(floor.alice, SYMBOL)

    assert (config.margin_type, config.leverage) == ("ISOLATED", 20)
    assert (account.hedge_mode, account.multi_assets, account.can_trade) == (True, False, True)
    assert (rates.maker, rates.taker) == (20_000, 50_000)


def test_income_lists_by_kind_symbol_and_time() -> None:
    floor = Floor()
    floor.buy(floor.alice, "1")
    floor.wait(7 * HOUR_MS)
    wallets = floor.exchange.wallets

    kinds = [line.income_type for line in wallets.income(floor.alice)]

    assert kinds == ["TRANSFER", "COMMISSION", "FUNDING_FEE"]
    assert [line.symbol for line in wallets.income(floor.alice, symbol=SYMBOL)] == [SYMBOL, SYMBOL]
    assert [line.income_type for line in wallets.income(floor.alice, start_ms=START_MS + 1)] == ["FUNDING_FEE"]
    assert [line.income_type for line in wallets.income(floor.alice, limit=1)] == ["FUNDING_FEE"]
    numbers = [line.transaction_id for line in wallets.income(floor.alice)]
    assert len(set(numbers)) == 3


def test_a_symbol_is_hot_while_somebody_has_something_there() -> None:
    floor = Floor()
    assert not floor.exchange.is_hot(SYMBOL)
    order = floor.limit(floor.alice, "BUY", "1", "49000")
    assert floor.exchange.is_hot(SYMBOL)
    floor.exchange.cancel(floor.alice, SYMBOL, order.order_id, None)
    assert not floor.exchange.is_hot(SYMBOL)
    algo = floor.algo(floor.alice, "BUY", "STOP_MARKET", quantity="1", trigger_price="51000")
    assert floor.exchange.is_hot(SYMBOL)
    floor.exchange.algo.cancel(floor.alice, algo.algo_id, None)

    floor.buy(floor.alice, "1")

    assert floor.exchange.is_hot(SYMBOL)
