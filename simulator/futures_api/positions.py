"""Positions with their numbers, isolated margin, and the queue for auto-deleveraging."""

from __future__ import annotations

from simulator.errors import VenueError
from simulator.futures.reports import PositionRisk, has_content
from simulator.futures_api import words
from simulator.futures_api.amounts import money, short
from simulator.units import format_quanta
from simulator.wire.endpoint import Call, endpoint

Body = dict[str, object]


@endpoint("GET /fapi/v2/positionRisk", market="futures", ws="account.position", security="USER_DATA", weight=5)
def position_risk_v2(call: Call) -> object:
    """Every symbol and side, empty ones included."""
    one = call.optional_instrument()
    positions = call.venue.futures.reports.positions(call.account_id, one.symbol if one else None)
    return [_body_v2(call, position) for position in positions]


@endpoint("GET /fapi/v3/positionRisk", market="futures", ws="v2/account.position", security="USER_DATA", weight=5)
def position_risk_v3(call: Call) -> object:
    """Only the symbols and sides with a position or open orders."""
    one = call.optional_instrument()
    positions = call.venue.futures.reports.positions(call.account_id, one.symbol if one else None)
    return [_body_v3(call, position) for position in positions if has_content(position)]


@endpoint("GET /fapi/v1/adlQuantile", market="futures", security="USER_DATA", weight=5)
def adl_quantile(call: Call) -> object:
    """Place in the auto-deleveraging queue, 0 (last) to 4."""
    one = call.optional_instrument()
    found = call.venue.futures.reports.adl_quantiles(call.account_id, one.symbol if one else None)
    sides = {"LONG": 0, "SHORT": 0}  # one-way positions show them too, besides BOTH
    return [{"symbol": item.symbol, "adlQuantile": sides | item.quantiles} for item in found]


@endpoint("POST /fapi/v1/positionMargin", market="futures", security="TRADE")
def change_position_margin(call: Call) -> object:
    """Add (type 1) or take away (type 2) margin of an isolated position."""
    instrument = call.instrument()
    side = words.position_side(call.params)
    amount = call.params.decimal("amount")
    kind = call.params.integer("type")
    if kind not in (1, 2):
        raise VenueError(-1130, "Data sent for parameter 'type' is not valid.")
    call.venue.futures.settings.adjust_margin(call.account_id, instrument.symbol, side, amount, kind)
    return {"amount": _number(amount), "code": 200, "msg": "Successfully modify position margin.", "type": kind}


@endpoint("GET /fapi/v1/positionMargin/history", market="futures", security="TRADE")
def position_margin_history(call: Call) -> object:
    """Changes of a symbol's isolated margin, newest last."""
    instrument = call.instrument()
    kind = call.params.optional_integer("type", 1, 2)
    start, end = words.time_range(call.params, 30)
    limit = words.limit(call.params, 500, 500)
    changes = call.venue.futures.settings.margin_changes(call.account_id, instrument.symbol, kind, start, end, limit)
    return [
        {
            "symbol": change.symbol,
            "type": change.kind,
            "deltaType": "USER_ADJUST" if change.by_user else "TRADE",
            "amount": short(change.amount),
            "asset": change.asset,
            "time": change.time_ms,
            "positionSide": change.position_side,
        }
        for change in changes
    ]


def _number(amount: int) -> int | float:
    """The venue answers with a JSON number here; it is for display and nothing is computed with it."""
    whole, rest = divmod(amount, 10**8)
    return whole if rest == 0 else float(format_quanta(amount))


def _body_v2(call: Call, position: PositionRisk) -> Body:
    instrument = call.venue.futures.instrument(position.symbol)
    return {
        "symbol": position.symbol,
        "positionAmt": instrument.format_quantity(position.quantity),
        "entryPrice": short(position.entry_price) if position.quantity else "0.0",
        "breakEvenPrice": short(position.break_even_price) if position.quantity else "0.0",
        "markPrice": money(position.mark_price),
        "unRealizedProfit": money(position.unrealized_profit),
        "liquidationPrice": short(position.liquidation_price),
        "leverage": str(position.leverage),
        "maxNotionalValue": short(position.maximum_notional),
        "marginType": "isolated" if position.margin_type == "ISOLATED" else "cross",
        "isolatedMargin": money(position.isolated_margin),
        "isAutoAddMargin": "false",
        "positionSide": position.position_side,
        "notional": short(position.notional),
        "isolatedWallet": short(position.isolated_wallet),
        "updateTime": position.update_ms,
        "isolated": position.margin_type == "ISOLATED",
        "adlQuantile": position.adl_quantile,
    }


def _body_v3(call: Call, position: PositionRisk) -> Body:
    instrument = call.venue.futures.instrument(position.symbol)
    return {
        "symbol": position.symbol,
        "positionSide": position.position_side,
        "positionAmt": instrument.format_quantity(position.quantity),
        "entryPrice": short(position.entry_price) if position.quantity else "0.0",
        "breakEvenPrice": short(position.break_even_price) if position.quantity else "0.0",
        "markPrice": money(position.mark_price),
        "unRealizedProfit": money(position.unrealized_profit),
        "liquidationPrice": short(position.liquidation_price),
        "isolatedMargin": short(position.isolated_margin),
        "notional": money(position.notional),
        "marginAsset": position.margin_asset,
        "isolatedWallet": short(position.isolated_wallet),
        "initialMargin": money(position.initial_margin),
        "maintMargin": money(position.maintenance_margin),
        "positionInitialMargin": money(position.position_initial_margin),
        "openOrderInitialMargin": short(position.open_order_initial_margin),
        "adl": position.adl_quantile,
        "bidNotional": short(position.bid_notional),
        "askNotional": short(position.ask_notional),
        "updateTime": position.update_ms,
    }
