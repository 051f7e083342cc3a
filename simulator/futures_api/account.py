"""Balances, the account as a whole, and its configuration."""

from __future__ import annotations

from string import ascii_letters

from simulator.futures.reports import AccountSummary, BalanceLine, PositionRisk, has_content
from simulator.futures_api.amounts import money, short
from simulator.units import format_quanta
from simulator.wire.endpoint import Call, endpoint
from simulator.wire.params import Params

Body = dict[str, object]


def _indicator_weight(params: Params) -> int:
    return 1 if params.peek("symbol") else 10


@endpoint("GET /fapi/v2/balance", market="futures", ws="account.balance", security="USER_DATA", weight=5)
@endpoint("GET /fapi/v3/balance", market="futures", ws="v2/account.balance", security="USER_DATA", weight=5)
def balances(call: Call) -> object:
    """Every asset of the account."""
    alias = account_alias(call.account_id)
    return [_balance(line, alias) for line in call.venue.futures.reports.balances(call.account_id)]


@endpoint("GET /fapi/v2/account", market="futures", ws="account.status", security="USER_DATA", weight=5)
def account_v2(call: Call) -> object:
    """The account with its configuration and every symbol's position."""
    summary = call.venue.futures.reports.account(call.account_id)
    return {
        "feeTier": summary.fee_tier,
        "feeBurn": call.venue.futures.settings.fee_burn(call.account_id),
        "canTrade": summary.can_trade,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": summary.update_ms,
        "multiAssetsMargin": summary.multi_assets,
        "tradeGroupId": -1,
        **_totals(summary),
        "assets": [_asset(line) | {"marginAvailable": line.margin_available} for line in summary.assets],
        "positions": [_position_v2(position) for position in summary.positions],
    }


@endpoint("GET /fapi/v3/account", market="futures", ws="v2/account.status", security="USER_DATA", weight=5)
def account_v3(call: Call) -> object:
    """The account with the positions that hold something."""
    summary = call.venue.futures.reports.account(call.account_id)
    return {
        **_totals(summary),
        "assets": [_asset(line) for line in summary.assets],
        "positions": [_position_v3(position) for position in summary.positions if has_content(position)],
    }


@endpoint("GET /fapi/v1/accountConfig", market="futures", security="USER_DATA", weight=5)
def account_configuration(call: Call) -> object:
    """Modes and permissions of the account."""
    config = call.venue.futures.reports.account_config(call.account_id)
    return {
        "feeTier": config.fee_tier,
        "canTrade": config.can_trade,
        "canDeposit": config.can_deposit,
        "canWithdraw": config.can_withdraw,
        "dualSidePosition": config.hedge_mode,
        "multiAssetsMargin": config.multi_assets,
        "tradeGroupId": -1,
        "updateTime": config.update_ms,
    }


@endpoint("GET /fapi/v1/symbolConfig", market="futures", security="USER_DATA", weight=5)
def symbol_configuration(call: Call) -> object:
    """Leverage and margin type of a symbol, or of all."""
    one = call.optional_instrument()
    configs = call.venue.futures.reports.symbol_config(call.account_id, one.symbol if one else None)
    return [
        {
            "symbol": config.symbol,
            "marginType": config.margin_type,
            "isAutoAddMargin": config.auto_add_margin,
            "leverage": config.leverage,
            "maxNotionalValue": short(config.maximum_notional),
        }
        for config in configs
    ]


@endpoint("GET /fapi/v1/commissionRate", market="futures", security="USER_DATA", weight=20)
def commission_rate(call: Call) -> object:
    """Maker and taker rate of a symbol."""
    rates = call.venue.futures.reports.commission(call.account_id, call.instrument().symbol)
    return {
        "symbol": rates.symbol,
        "makerCommissionRate": format_quanta(rates.maker, 6),
        "takerCommissionRate": format_quanta(rates.taker, 6),
        "rpiCommissionRate": format_quanta(0, 6),
    }


@endpoint("GET /fapi/v1/rateLimit/order", market="futures", security="USER_DATA")
def order_rate_limits(call: Call) -> object:
    """The account's order limits."""
    call.params.finish()
    return [rule for rule in call.venue.limits.rules("futures") if rule["rateLimitType"] == "ORDERS"]


@endpoint("GET /fapi/v1/apiTradingStatus", market="futures", security="USER_DATA", weight=_indicator_weight)
def api_trading_status(call: Call) -> object:
    """Quantitative rules: this venue watches none, so no indicator is ever listed."""
    call.optional_instrument()
    return {"indicators": {}, "updateTime": call.venue.clock.now_ms()}


@endpoint("GET /fapi/v1/feeBurn", market="futures", security="USER_DATA", weight=30)
def fee_burn(call: Call) -> object:
    """Whether fees are paid in BNB."""
    return {"feeBurn": call.venue.futures.settings.fee_burn(call.account_id)}


@endpoint("POST /fapi/v1/feeBurn", market="futures", security="TRADE")
def set_fee_burn(call: Call) -> object:
    """Whether to pay fees in BNB from now on."""
    call.params.text("feeBurn")
    call.venue.futures.settings.set_fee_burn(call.account_id, call.params.boolean("feeBurn"))
    return {"code": 200, "msg": "success"}


def account_alias(account_id: int) -> str:
    """The short text by which balances name an account; four letters that depend on its number alone."""
    number, text = account_id, ""
    for _ in range(4):
        number, index = divmod(number, len(ascii_letters))
        text += ascii_letters[index]
    return text


def _balance(line: BalanceLine, alias: str) -> Body:
    return {
        "accountAlias": alias,
        "asset": line.asset,
        "balance": money(line.wallet_balance),
        "crossWalletBalance": money(line.cross_wallet_balance),
        "crossUnPnl": money(line.cross_unrealized_profit),
        "availableBalance": money(line.available_balance),
        "maxWithdrawAmount": money(line.maximum_withdraw),
        "marginAvailable": line.margin_available,
        "updateTime": line.update_ms,
    }


def _totals(summary: AccountSummary) -> Body:
    return {
        "totalInitialMargin": money(summary.total_initial_margin),
        "totalMaintMargin": money(summary.total_maintenance_margin),
        "totalWalletBalance": money(summary.total_wallet_balance),
        "totalUnrealizedProfit": money(summary.total_unrealized_profit),
        "totalMarginBalance": money(summary.total_margin_balance),
        "totalPositionInitialMargin": money(summary.total_position_initial_margin),
        "totalOpenOrderInitialMargin": money(summary.total_open_order_initial_margin),
        "totalCrossWalletBalance": money(summary.total_cross_wallet_balance),
        "totalCrossUnPnl": money(summary.total_cross_unrealized_profit),
        "availableBalance": money(summary.available_balance),
        "maxWithdrawAmount": money(summary.maximum_withdraw),
    }


def _asset(line: BalanceLine) -> Body:
    return {
        "asset": line.asset,
        "walletBalance": money(line.wallet_balance),
        "unrealizedProfit": money(line.unrealized_profit),
        "marginBalance": money(line.margin_balance),
        "maintMargin": money(line.maintenance_margin),
        "initialMargin": money(line.initial_margin),
        "positionInitialMargin": money(line.position_initial_margin),
        "openOrderInitialMargin": money(line.open_order_initial_margin),
        "crossWalletBalance": money(line.cross_wallet_balance),
        "crossUnPnl": money(line.cross_unrealized_profit),
        "availableBalance": money(line.available_balance),
        "maxWithdrawAmount": money(line.maximum_withdraw),
        "updateTime": line.update_ms,
    }


def _position_v2(position: PositionRisk) -> Body:
    return {
        "symbol": position.symbol,
        "initialMargin": money(position.initial_margin),
        "maintMargin": money(position.maintenance_margin),
        "unrealizedProfit": money(position.unrealized_profit),
        "positionInitialMargin": money(position.position_initial_margin),
        "openOrderInitialMargin": money(position.open_order_initial_margin),
        "leverage": str(position.leverage),
        "isolated": position.margin_type == "ISOLATED",
        "entryPrice": short(position.entry_price) if position.quantity else "0.0",
        "breakEvenPrice": short(position.break_even_price) if position.quantity else "0.0",
        "maxNotional": short(position.maximum_notional),
        "bidNotional": short(position.bid_notional),
        "askNotional": short(position.ask_notional),
        "positionSide": position.position_side,
        "positionAmt": short(position.quantity),
        "notional": short(position.notional),
        "isolatedWallet": short(position.isolated_wallet),
        "updateTime": position.update_ms,
    }


def _position_v3(position: PositionRisk) -> Body:
    return {
        "symbol": position.symbol,
        "positionSide": position.position_side,
        "positionAmt": short(position.quantity),
        "unrealizedProfit": money(position.unrealized_profit),
        "isolatedMargin": money(position.isolated_margin),
        "notional": short(position.notional),
        "isolatedWallet": short(position.isolated_wallet),
        "initialMargin": money(position.initial_margin),
        "maintMargin": money(position.maintenance_margin),
        "updateTime": position.update_ms,
    }
