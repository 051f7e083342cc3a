from __future__ import annotations

import pytest

from simulator.spot.types import AccountPosition, BalanceUpdate
from simulator.units import parse_quanta, trim_quanta
from tests.simulator.spot.floor import Floor
from tests.simulator.spot.oracle import replayed_balances


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_a_buyer_pays_in_the_bought_coin(floor: Floor) -> None:
    order = floor.place(floor.alice, "BUY", "MARKET", quantity="1")
    (fill,) = order.fills
    assert (fill.commission_asset, trim_quanta(fill.commission)) == ("BTC", "0.001")
    assert floor.balance(floor.alice, "BTC") == ("100.999", "0")


def test_a_seller_pays_in_quote(floor: Floor) -> None:
    order = floor.place(floor.alice, "SELL", "MARKET", quantity="1")
    assert (order.fills[0].commission_asset, trim_quanta(order.fills[0].commission)) == ("USDT", "0.1")
    assert floor.balance(floor.alice, "USDT") == ("100099.9", "0")


def test_a_commission_is_rounded_down_to_a_quantum(floor: Floor) -> None:
    floor.accounts.account(floor.alice).taker_fee = 33_333
    order = floor.place(floor.alice, "SELL", "MARKET", quantity="0.05001")
    assert order.fills[0].commission == 100 * 5_001_000 * 33_333 // 10**8


def test_maker_and_taker_pay_their_own_rates(floor: Floor) -> None:
    floor.accounts.account(floor.alice).maker_fee = 0
    floor.market.liquidity.set_level("SELL", parse_quanta("100.01"), 0)
    maker = floor.place(floor.alice, "SELL", quantity="1", price="100.01")
    taker = floor.place(floor.bob, "BUY", quantity="1", price="100.01")
    assert (maker.fills[0].commission, taker.fills[0].commission) == (0, 100_000)


def test_with_bnb_a_quarter_less_is_paid_at_the_bnb_price(floor: Floor) -> None:
    floor.list_symbol("BNBUSDT", "500")
    floor.deposit(floor.alice, "BNB", "1")
    floor.accounts.account(floor.alice).pay_fees_in_bnb = True
    order = floor.place(floor.alice, "SELL", "MARKET", quantity="1")
    assert (order.fills[0].commission_asset, trim_quanta(order.fills[0].commission)) == ("BNB", "0.00015")
    assert floor.balance(floor.alice, "USDT") == ("100100", "0")


def test_without_enough_bnb_the_full_commission_is_taken_from_what_was_received(floor: Floor) -> None:
    floor.list_symbol("BNBUSDT", "500")
    floor.deposit(floor.alice, "BNB", "0.0002")
    floor.accounts.account(floor.alice).pay_fees_in_bnb = True
    order = floor.place(floor.alice, "SELL", "MARKET", quantity="3")
    assert [fill.commission_asset for fill in order.fills] == ["BNB", "USDT", "USDT"]


def test_without_a_bnb_market_the_commission_is_taken_from_what_was_received(floor: Floor) -> None:
    floor.deposit(floor.alice, "BNB", "1")
    floor.accounts.account(floor.alice).pay_fees_in_bnb = True
    assert floor.place(floor.alice, "SELL", "MARKET", quantity="1").fills[0].commission_asset == "USDT"


def test_buying_bnb_itself_pays_with_the_bnb_just_bought(floor: Floor) -> None:
    floor.list_symbol("BNBUSDT", "500")
    floor.accounts.account(floor.alice).pay_fees_in_bnb = True
    new = floor.request("BUY", "MARKET", quantity="1")
    new.symbol = "BNBUSDT"
    order = floor.exchange.place(floor.alice, new)
    assert trim_quanta(order.fills[0].commission) == "0.00075"


def test_the_rates_of_an_account_can_be_asked(floor: Floor) -> None:
    account = floor.accounts.account(floor.alice)
    account.taker_fee, account.pay_fees_in_bnb = 75_000, True
    rates = floor.exchange.commission(floor.alice, "BTCUSDT")
    assert (rates.maker, rates.taker, rates.discount_enabled) == (100_000, 75_000, True)


def test_everything_held_equals_everything_deposited(floor: Floor) -> None:
    floor.place(floor.alice, "BUY", "MARKET", quantity="3")
    floor.place(floor.bob, "SELL", quantity="2", price="100.01")
    floor.exchange.withdraw(floor.bob, "USDT", parse_quanta("1"))
    floor.deposits["USDT"] -= parse_quanta("1")
    assert floor.exchange.totals() == floor.deposits


def test_the_postings_on_the_tape_replay_to_the_balances(floor: Floor) -> None:
    floor.place(floor.alice, "BUY", quantity="3", price="100.02")
    floor.print("98", "1", "SELL")
    floor.exchange.withdraw(floor.alice, "BTC", parse_quanta("1.5"))
    balances = replayed_balances(floor.tape)
    for account_id in (floor.alice, floor.bob):
        for asset, held in floor.exchange.balances(account_id).items():
            assert balances[account_id, asset] == (held.free, held.locked)


def test_an_action_tells_reports_first_and_then_one_position(floor: Floor) -> None:
    floor.place(floor.alice, "BUY", quantity="3", price="100.02")
    assert floor.story() == [
        "NEW 1 of 1",
        "trade 1 at 100.01",
        "TRADE 1 of 1",
        "trade 1 at 100.02",
        "TRADE 1 of 1",
        "position of 1: USDT BTC",
        "book",
    ]


def test_both_customers_of_a_trade_get_a_position_the_taker_first(floor: Floor) -> None:
    floor.market.liquidity.set_level("SELL", parse_quanta("100.01"), 0)
    floor.place(floor.alice, "SELL", quantity="1", price="100.01")
    floor.events.clear()
    floor.place(floor.bob, "BUY", quantity="1", price="100.01")
    assert floor.story() == [
        "NEW 2 of 2",
        "trade 1 at 100.01",
        "TRADE 2 of 2",
        "TRADE 1 of 1",
        "position of 2: USDT BTC",
        "position of 1: BTC USDT",
        "book",
    ]


def test_positions_show_the_balances_after_the_action(floor: Floor) -> None:
    floor.place(floor.alice, "SELL", quantity="1", price="101")
    (position,) = floor.taken(AccountPosition)
    assert position.balances == {"BTC": (parse_quanta("99"), parse_quanta("1"))}


def test_a_deposit_is_told_as_a_change_and_as_the_balance_it_made(floor: Floor) -> None:
    floor.exchange.deposit(floor.alice, "ETH", parse_quanta("2"))
    floor.exchange.withdraw(floor.alice, "ETH", parse_quanta("0.5"))
    assert [(update.asset, trim_quanta(update.delta)) for update in floor.taken(BalanceUpdate)] == [
        ("ETH", "2"),
        ("ETH", "-0.5"),
    ]
    assert [position.balances for position in floor.taken(AccountPosition)] == [
        {"ETH": (parse_quanta("2"), 0)},
        {"ETH": (parse_quanta("1.5"), 0)},
    ]
    assert floor.story() == [
        "balance of 1: ETH 2.00000000",
        "position of 1: ETH",
        "balance of 1: ETH -0.50000000",
        "position of 1: ETH",
    ]


def test_a_deposit_leaves_what_others_have_not_been_told_yet(floor: Floor) -> None:
    floor.exchange._desk.ledger.move(floor.bob, "ETH", 5, 0, "gift", "")
    floor.exchange.deposit(floor.alice, "ETH", 7)
    floor.place(floor.alice, "SELL", quantity="1", price="101")
    assert [(position.account_id, *position.balances) for position in floor.taken(AccountPosition)] == [
        (floor.alice, "ETH"),
        (floor.bob, "ETH"),
        (floor.alice, "BTC"),
    ]


def test_every_report_and_every_trade_with_a_customer_is_on_the_tape(floor: Floor) -> None:
    floor.place(floor.alice, "BUY", quantity="2", price="100.01")
    floor.print("90", "5", "SELL")
    kinds = [str(record["execution"]) for record in floor.tape.records(kind="order")]
    assert kinds == ["NEW", "TRADE", "TRADE"]
    trades = list(floor.tape.records(kind="trade"))
    assert [(trade["maker_account"], trade["taker_account"]) for trade in trades] == [("market", 1), (1, "market")]
