"""A paper book that is not touched by a price would not have changed by it: the short look and the long one agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base_exchange import PriceUpdate
from domain.client_order_id import OrderKey, encode
from domain.order import BUY, LIMIT, OPEN, SELL, STOP_MARKET, Order, is_terminal
from exchanges._paper.book import Account, cancelled
from exchanges._paper.matching import Matcher
from tests.law_harness import BTCUSDT

TICKS = st.integers(90, 110)
ORDERS = st.lists(st.tuples(st.sampled_from((BUY, SELL)), st.sampled_from((LIMIT, STOP_MARKET)), TICKS), max_size=6)
PRICES = st.tuples(TICKS, st.integers(89, 110), st.integers(0, 3), st.integers(0, 50))
SYMBOL = BTCUSDT.symbol


def book_of(orders: list[tuple[int, int, int]]) -> Account:
    account = Account()
    account.apply([["funds", asset, 10**18] for asset in (BTCUSDT.base, BTCUSDT.quote)], lambda _: BTCUSDT)
    for place, (side, kind, ticks) in enumerate(orders):
        key = OrderKey(1, 7, 0, place, 0, 0, 0)
        order = Order(
            key, encode(key), SYMBOL, side, kind, ticks, 5, status=OPEN, venue_order_id=str(place + 1), updated_ms=1
        )  # fmt: skip
        account.apply([["order", [list(key), *order[1:]], 0]], lambda _: BTCUSDT)
        account.ahead[order.client_order_id] = 10
    return account


@pytest.mark.parametrize("model", ["touch", "through", "queue"])
@given(orders=ORDERS, prices=st.lists(PRICES, max_size=5), ended=st.integers(0, 5))
def test_what_is_not_touched_does_not_change(
    model: str, orders: list[tuple[int, int, int]], prices: list[tuple[int, int, int, int]], ended: int
) -> None:
    account, matcher = book_of(orders), Matcher(model, 1_000, 1_000)
    for last, bid, spread, traded in prices:
        update = PriceUpdate(SYMBOL, last, bid, bid + spread, 2, traded)
        is_touched, before = account.is_touched(update), dict(account.ahead)
        facts = matcher.on_price(account, update, BTCUSDT)
        if not is_touched:
            assert facts == []
            assert account.ahead == before
        account.apply(facts, lambda _: BTCUSDT)
        resting = account.resting(SYMBOL)
        if ended < len(resting):
            account.apply([cancelled(resting[ended], 3)], lambda _: BTCUSDT)
        alive = {name for name, order in account.orders.items() if not is_terminal(order)}
        assert {order.client_order_id for order in account.resting()} == alive


@pytest.mark.parametrize(("side", "ticks", "met"), [(BUY, 90, [104, 100, 97]), (SELL, 110, [97, 100, 104])])
def test_a_price_that_reaches_several_orders_meets_the_nearest_first(side: int, ticks: int, met: list[int]) -> None:
    account = book_of([(side, LIMIT, 100), (side, LIMIT, 97), (side, LIMIT, 104)])
    facts = Matcher("touch", 1_000, 1_000).on_price(account, PriceUpdate(SYMBOL, ticks, ticks, ticks, 2, 50), BTCUSDT)
    assert [fact[5] for fact in facts] == met
