"""Leverage, margin type, position mode and asset mode of an account."""

from __future__ import annotations

from typing import get_args

from simulator.errors import VenueError
from simulator.futures.types import MarginType
from simulator.futures_api.amounts import short
from simulator.units import ONE, format_quanta
from simulator.wire.endpoint import Call, endpoint

_MARGIN_TYPES: tuple[MarginType, ...] = get_args(MarginType)
SUCCESS: dict[str, object] = {"code": 200, "msg": "success"}


@endpoint("POST /fapi/v1/leverage", market="futures", security="TRADE")
def change_leverage(call: Call) -> object:
    """Initial leverage of a symbol; -4028 outside 1..125."""
    instrument = call.instrument()
    wanted = call.params.integer("leverage")
    if not 1 <= wanted <= 125:
        raise VenueError(-4028, f"Leverage {wanted} is not valid")
    change = call.venue.futures.settings.set_leverage(call.account_id, instrument.symbol, wanted)
    return {"symbol": change.symbol, "leverage": change.leverage, "maxNotionalValue": short(change.maximum_notional)}


@endpoint("POST /fapi/v1/marginType", market="futures", security="TRADE")
def change_margin_type(call: Call) -> object:
    """ISOLATED or CROSSED; -4046 when it already is."""
    instrument = call.instrument()
    kind = call.params.choice("marginType", _MARGIN_TYPES)
    call.venue.futures.settings.set_margin_type(call.account_id, instrument.symbol, kind)
    return SUCCESS


@endpoint("POST /fapi/v1/positionSide/dual", market="futures", security="TRADE")
def change_position_mode(call: Call) -> object:
    """Hedge mode on or off for every symbol; -4059 when it already is."""
    call.params.text("dualSidePosition")
    call.venue.futures.settings.set_hedge_mode(call.account_id, call.params.boolean("dualSidePosition"))
    return SUCCESS


@endpoint("GET /fapi/v1/positionSide/dual", market="futures", security="USER_DATA", weight=30)
def position_mode(call: Call) -> object:
    """Whether hedge mode is on."""
    return {"dualSidePosition": call.venue.futures.settings.hedge_mode(call.account_id)}


@endpoint("POST /fapi/v1/multiAssetsMargin", market="futures", security="TRADE")
def change_multi_assets(call: Call) -> object:
    """Multi-assets mode on or off; -4171 when it already is."""
    call.params.text("multiAssetsMargin")
    call.venue.futures.settings.set_multi_assets(call.account_id, call.params.boolean("multiAssetsMargin"))
    return SUCCESS


@endpoint("GET /fapi/v1/multiAssetsMargin", market="futures", security="USER_DATA", weight=30)
def multi_assets(call: Call) -> object:
    """Whether multi-assets mode is on."""
    return {"multiAssetsMargin": call.venue.futures.settings.multi_assets(call.account_id)}


@endpoint("GET /fapi/v1/leverageBracket", market="futures", security="USER_DATA")
def leverage_brackets(call: Call) -> object:
    """Notional tiers of a symbol, or of all; always a list."""
    one = call.optional_instrument()
    names = [one.symbol] if one else list(call.venue.futures.instruments)
    return [_brackets(call, name) for name in names]


@endpoint("POST /fapi/v1/stock/contract", market="futures", security="USER_DATA", weight=50)
def sign_contract(call: Call) -> object:
    """The agreement on contracts of stocks: accepted, though this venue lists none."""
    call.params.finish()
    return SUCCESS


def _brackets(call: Call, symbol: str) -> dict[str, object]:
    return {
        "symbol": symbol,
        "notionalCoef": 1.0,
        "brackets": [
            {
                "bracket": tier.number,
                "initialLeverage": tier.initial_leverage,
                "notionalCap": tier.notional_cap // ONE,
                "notionalFloor": tier.notional_floor // ONE,
                "maintMarginRatio": float(format_quanta(tier.maintenance_rate)),
                "cum": _number(tier.cumulative),
            }
            for tier in call.venue.futures.reports.brackets(symbol)
        ],
    }


def _number(amount: int) -> int | float:
    """JSON number of the tier table, as the venue sends it."""
    whole, rest = divmod(amount, ONE)
    return whole if rest == 0 else float(format_quanta(amount))
