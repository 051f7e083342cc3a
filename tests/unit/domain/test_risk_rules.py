from __future__ import annotations

import pytest

from domain import risk_manager
from domain.order import BUY, ENTRY, EXIT, FLATTEN, LIMIT, MARKET, SELL, STOP
from domain.risk_manager import RiskIntent, RiskLimits, RiskView, check, name_of, reason_of

VIEW = RiskView(now_ms=10_000, last_ticks=1_000, tick_lot=10, free_quote=10**9, free_lots=1_000)
BUY_TEN = RiskIntent(BUY, LIMIT, ENTRY, ticks=990, lots=10, is_exit=0)
SELL_TEN = RiskIntent(SELL, LIMIT, EXIT, ticks=1_010, lots=10, is_exit=1)

AT_AND_PAST = {
    "killed": (RiskLimits(), VIEW, VIEW._replace(killed=1), BUY_TEN),
    "stale_price": (RiskLimits(), VIEW._replace(price_age_ms=5_000), VIEW._replace(price_age_ms=5_001), BUY_TEN),
    "repeated_rejection": (
        RiskLimits(), VIEW._replace(rejections_in_a_row=2), VIEW._replace(rejections_in_a_row=3), BUY_TEN,
    ),
    "throttled": (
        RiskLimits(), VIEW._replace(messages_last_second=19), VIEW._replace(messages_last_second=20), BUY_TEN,
    ),
    "too_many_open_orders": (
        RiskLimits(max_open_orders=3), VIEW._replace(open_orders=2), VIEW._replace(open_orders=3), BUY_TEN,
    ),
    "too_many_positions": (
        RiskLimits(max_positions=2), VIEW._replace(positions=1), VIEW._replace(positions=2), BUY_TEN,
    ),
    "position_too_large": (
        RiskLimits(max_position_lots=20), VIEW._replace(position_lots=10),
        VIEW._replace(position_lots=10, open_buy_lots=1), BUY_TEN,
    ),
    "position_notional_too_large": (
        RiskLimits(max_position_notional=990 * 20 * 10), VIEW._replace(position_lots=10),
        VIEW._replace(position_lots=11), BUY_TEN,
    ),
    "daily_loss": (
        RiskLimits(max_daily_loss=50), VIEW._replace(realised_today=-49), VIEW._replace(realised_today=-50), BUY_TEN,
    ),
    "daily_trades": (
        RiskLimits(max_daily_trades=5), VIEW._replace(trades_today=4), VIEW._replace(trades_today=5), BUY_TEN,
    ),
    "cooling_down": (
        RiskLimits(cool_down_losses=3, cool_down_ms=60_000), VIEW._replace(losses_in_a_row=2, last_loss_ms=9_000),
        VIEW._replace(losses_in_a_row=3, last_loss_ms=9_000), BUY_TEN,
    ),
    "over_capital": (
        RiskLimits(capital=200_000), VIEW._replace(committed=101_000), VIEW._replace(committed=101_001), BUY_TEN,
    ),
    "not_enough_balance": (
        RiskLimits(), VIEW._replace(free_quote=99_000), VIEW._replace(free_quote=98_999), BUY_TEN,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("is_margin", "max_leverage", "tied"), [(1, 3, 600_000), (1, 1, 200_000), (0, 3, 200_000)])
def test_leverage_multiplies_the_capital_where_there_is_margin_and_only_there(
    is_margin: int, max_leverage: int, tied: int
) -> None:
    limits = RiskLimits(capital=200_000, max_leverage=max_leverage)
    view = VIEW._replace(is_margin=is_margin, committed=tied - 99_000)
    assert name_of(check(limits, view, BUY_TEN)) == "approved"
    assert name_of(check(limits, view._replace(committed=view.committed + 1), BUY_TEN)) == "over_capital"
    assert name_of(check(RiskLimits(capital=200_000), VIEW._replace(is_margin=1, committed=101_001), BUY_TEN)) == (
        "over_capital"
    ), "without a word it is once"


@pytest.mark.parametrize("rule", sorted(AT_AND_PAST))
def test_a_rule_agrees_at_its_limit_and_objects_one_unit_past_it(rule: str) -> None:
    limits, at, past, intent = AT_AND_PAST[rule]
    assert name_of(check(limits, at, intent)) == "approved"
    assert name_of(check(limits, past, intent)) == rule
    assert reason_of(check(limits, past, intent))


@pytest.mark.parametrize(
    ("rule", "limits", "allowed", "refused"),
    [
        ("outside_collar", RiskLimits(), BUY_TEN._replace(ticks=1_050), BUY_TEN._replace(ticks=1_051)),
        ("outside_collar", RiskLimits(), SELL_TEN._replace(ticks=950), SELL_TEN._replace(ticks=949)),
        ("order_too_large", RiskLimits(max_order_lots=10), BUY_TEN, BUY_TEN._replace(lots=11)),
        ("order_notional_too_large", RiskLimits(max_order_notional=99_000), BUY_TEN, BUY_TEN._replace(ticks=991)),
        ("not_enough_balance", RiskLimits(), SELL_TEN._replace(lots=1_000), SELL_TEN._replace(lots=1_001)),
    ],
)
def test_a_rule_about_the_order_itself_turns_at_its_limit(
    rule: str, limits: RiskLimits, allowed: RiskIntent, refused: RiskIntent
) -> None:
    assert name_of(check(limits, VIEW, allowed)) == "approved"
    assert name_of(check(limits, VIEW, refused)) == rule


def test_every_rule_has_a_boundary_test_and_words() -> None:
    tested = set(AT_AND_PAST) | {"outside_collar", "order_too_large", "order_notional_too_large"}
    assert {rule.__name__ for rule in risk_manager.RULES} == tested
    assert all(rule.__doc__ for rule in risk_manager.RULES)


def test_limits_on_risk_never_hold_back_an_exit() -> None:
    everything = RiskLimits(1, 1, 1, 0, 0, 1, 0, 5_000, 1, 1, 1, 99_999, 20, 5, 1)
    crowded = VIEW._replace(
        killed=1, position_lots=500, open_orders=50, positions=9, realised_today=-99, trades_today=9,
        losses_in_a_row=5, last_loss_ms=9_999, committed=10**6,
    )  # fmt: skip
    assert name_of(check(everything, crowded, SELL_TEN)) == "approved"
    assert name_of(check(everything, crowded, BUY_TEN)) == "killed"


@pytest.mark.parametrize("leg", [STOP, FLATTEN])
def test_stops_and_flattening_are_not_throttled(leg: int) -> None:
    busy = VIEW._replace(messages_last_second=1_000)
    assert name_of(check(RiskLimits(), busy, RiskIntent(SELL, MARKET, leg, 0, 10, 1))) == "approved"
