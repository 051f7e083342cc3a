"""What an order may not do: one small pure function per rule, each with its words.

A rule is `check(limits, view, intent) -> bool`, true when the intent must be refused. Orders that are open or whose
fate is unknown count as if they were filled. A limit of 0 switches its rule off, save where the field says otherwise.
Everything is integers, so that the compiled runtime runs the same rules.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from domain.lawful import lawful
from domain.order import BUY, FLATTEN, MARKET, STOP

PARTS_PER_MILLION: Final = 1_000_000


class RiskLimits(NamedTuple):
    """What a strategy instance may do. Amounts in lots, ticks, quote quanta, milliseconds or parts per million."""

    #: Slots that may hold a position at the same time.
    max_positions: int = 0
    #: Largest position, long or short, with every working order filled.
    max_position_lots: int = 0
    max_position_notional: int = 0
    max_order_lots: int = 0
    max_order_notional: int = 0
    #: Orders that may work at the same time.
    max_open_orders: int = 0
    #: How far a limit price may be from the last price, to the worse side for us.
    collar_ppm: int = 50_000
    #: A price older than this starts no order; never off.
    max_price_age_ms: int = 5_000
    #: Loss of one trading day after fees at which entries stop.
    max_daily_loss: int = 0
    max_daily_trades: int = 0
    #: After so many losing round trips in a row entries rest for `cool_down_ms`.
    cool_down_losses: int = 0
    cool_down_ms: int = 0
    #: Requests in the last second.
    max_messages: int = 20
    #: Steps in a row with a refused order after which entries wait for a person; exits are counted by themselves.
    max_rejections: int = 3
    #: Quote quanta the instance may have tied up: positions at cost and entries at their limit.
    capital: int = 0
    #: How many times the capital may be tied up where there is margin; elsewhere once.
    max_leverage: int = 1

    @property
    def are_few(self) -> bool:
        """Whether none is set that needs more to be known than prices, what is free, and the last requests."""
        others = (
            self.max_positions, self.max_position_lots, self.max_position_notional, self.max_order_lots,
            self.max_order_notional, self.max_open_orders, self.max_daily_loss, self.max_daily_trades,
            self.cool_down_losses, self.capital,
        )  # fmt: skip
        return not any(others)


class RiskView(NamedTuple):
    """What the rules look at, gathered by the engine; unknown orders are in the open figures."""

    now_ms: int = 0
    last_ticks: int = 0
    price_age_ms: int = 0
    #: Notional of one tick times one lot, in quote quanta.
    tick_lot: int = 1
    position_lots: int = 0
    #: Lots still to be executed on working and unknown orders.
    open_buy_lots: int = 0
    open_sell_lots: int = 0
    open_orders: int = 0
    #: Slots holding a position, or an entry that may still become one.
    positions: int = 0
    #: Result of the trading day so far in quote quanta, after fees.
    realised_today: int = 0
    trades_today: int = 0
    losses_in_a_row: int = 0
    last_loss_ms: int = 0
    messages_last_second: int = 0
    rejections_in_a_row: int = 0
    #: Capital tied up now, in quote quanta.
    committed: int = 0
    #: Free quote and base at the venue that this instance may use: quanta, and lots.
    free_quote: int = 0
    free_lots: int = 0
    #: The venue keeps a position that may be short and needs margin, not the full amount.
    is_margin: int = 0
    killed: int = 0
    exit_rejections_in_a_row: int = 0


class RiskIntent(NamedTuple):
    """The order asked for."""

    side: int
    type: int
    leg: int
    ticks: int
    lots: int
    #: It can only make the position smaller.
    is_exit: int


@lawful
def killed(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The kill switch is on: nothing that adds risk leaves."""
    return view.killed != 0 and intent.is_exit == 0


@lawful
def stale_price(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The last price is too old to act on."""
    return view.last_ticks <= 0 or view.price_age_ms > limits.max_price_age_ms


@lawful
def repeated_rejection(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The venue has refused too many orders in a row."""
    count = view.rejections_in_a_row if intent.is_exit == 0 else view.exit_rejections_in_a_row
    return 0 < limits.max_rejections <= count


@lawful
def throttled(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """Too many requests in the last second; stops and flattening go first and are never held back."""
    return 0 < limits.max_messages <= view.messages_last_second and intent.leg != STOP and intent.leg != FLATTEN


@lawful
def outside_collar(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """A limit price that pays too much, or asks too little, against the last price."""
    if intent.type == MARKET or limits.collar_ppm == 0:
        return False
    worse = (intent.ticks - view.last_ticks) * intent.side
    return worse * PARTS_PER_MILLION > view.last_ticks * limits.collar_ppm


@lawful
def order_too_large(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The quantity is above the largest order allowed."""
    return 0 < limits.max_order_lots < intent.lots


@lawful
def order_notional_too_large(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """Price times quantity is above the largest order allowed."""
    return 0 < limits.max_order_notional < _notional(view, intent)


@lawful
def too_many_open_orders(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """As many orders work already as may."""
    return 0 < limits.max_open_orders <= view.open_orders and intent.is_exit == 0


@lawful
def too_many_positions(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """As many positions are held, or may yet be, as allowed."""
    return 0 < limits.max_positions <= view.positions and intent.is_exit == 0


@lawful
def position_too_large(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The position, with every working order of that side filled, would be above the largest allowed."""
    return intent.is_exit == 0 and 0 < limits.max_position_lots < _worst_position(view, intent)


@lawful
def position_notional_too_large(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The notional of that position at the order's price would be above the largest allowed."""
    worst = _worst_position(view, intent) * _price(view, intent) * view.tick_lot
    return intent.is_exit == 0 and 0 < limits.max_position_notional < worst


@lawful
def daily_loss(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The day has lost as much as it may."""
    return intent.is_exit == 0 and 0 < limits.max_daily_loss <= -view.realised_today


@lawful
def daily_trades(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The day has seen as many trades as it may."""
    return intent.is_exit == 0 and 0 < limits.max_daily_trades <= view.trades_today


@lawful
def cooling_down(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """Several losses in a row: entries rest for a while."""
    hot = 0 < limits.cool_down_losses <= view.losses_in_a_row
    return intent.is_exit == 0 and hot and view.now_ms < view.last_loss_ms + limits.cool_down_ms


@lawful
def over_capital(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The entry would tie up more than the capital reserved for the instance, or its leverage times that on margin."""
    times = max(limits.max_leverage, 1) if view.is_margin != 0 else 1
    needed = -(-(view.committed + _notional(view, intent)) // times)
    return intent.is_exit == 0 and 0 < limits.capital < needed


@lawful
def not_enough_balance(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> bool:
    """The account does not hold what the order would give away; on margin the venue decides."""
    if view.is_margin != 0:
        return False
    if intent.side == BUY:
        return _notional(view, intent) > view.free_quote
    return intent.lots > view.free_lots


#: Code (the place in this table), name, rule. The first rule that objects gives the verdict. Codes are stored:
#: append new rules, never reorder.
RULES: Final = (
    killed,
    stale_price,
    repeated_rejection,
    throttled,
    outside_collar,
    order_too_large,
    order_notional_too_large,
    too_many_open_orders,
    too_many_positions,
    position_too_large,
    position_notional_too_large,
    daily_loss,
    daily_trades,
    cooling_down,
    over_capital,
    not_enough_balance,
)
APPROVED: Final = 0


def check(limits: RiskLimits, view: RiskView, intent: RiskIntent) -> int:
    """0 when every rule agrees, else 1 + the place of the first rule that objects."""
    for place in range(len(RULES)):
        if RULES[place](limits, view, intent):
            return place + 1
    return APPROVED


def name_of(verdict: int) -> str:
    """The short name of a verdict, as stored and shown."""
    return "approved" if verdict == APPROVED else RULES[verdict - 1].__name__


def reason_of(verdict: int) -> str:
    """The words of a verdict."""
    return "" if verdict == APPROVED else (RULES[verdict - 1].__doc__ or "")


@lawful
def _price(view: RiskView, intent: RiskIntent) -> int:
    """Price in ticks at which the order would count: a market order counts at the last price."""
    return view.last_ticks if intent.type == MARKET else intent.ticks


@lawful
def _notional(view: RiskView, intent: RiskIntent) -> int:
    return _price(view, intent) * intent.lots * view.tick_lot


@lawful
def _worst_position(view: RiskView, intent: RiskIntent) -> int:
    if intent.side == BUY:
        return view.position_lots + view.open_buy_lots + intent.lots
    return view.open_sell_lots - view.position_lots + intent.lots
