"""What happened to an account, as its USD-M user data stream shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.futures.positions import unrealized
from simulator.futures.types import (
    AccountUpdate,
    AlgoUpdate,
    ConfigUpdate,
    FuturesEvent,
    FuturesOrder,
    MarginCall,
    OrderUpdate,
    Position,
)
from simulator.futures_api.amounts import average_price, break_even_price, entry_price, money, short
from simulator.futures_api.order_bodies import Body
from simulator.units import notional

if TYPE_CHECKING:
    from simulator.venue import Venue

_TRIGGER_REJECTED = "REJECTED"
_EXPIRY_BY_TIME_IN_FORCE = {"IOC": "2", "FOK": "10", "GTX": "11"}


def payload(event: FuturesEvent, venue: Venue) -> Body | None:
    """The event on the wire; None for what is not sent to accounts. Call it while the event is delivered."""
    if isinstance(event, OrderUpdate):
        return order_update(event, venue)
    if isinstance(event, AccountUpdate):
        return account_update(event, venue)
    if isinstance(event, AlgoUpdate):
        return algo_update(event, venue)
    if isinstance(event, ConfigUpdate):
        return config_update(event)
    if isinstance(event, MarginCall):
        return margin_call(event, venue)
    return None


def order_update(event: OrderUpdate, venue: Venue) -> Body:
    """ORDER_TRADE_UPDATE."""
    order, fill = event.order, event.fill
    instrument = venue.futures.instrument(order.symbol)
    bids, asks = _open_notionals(order, venue)
    body: Body = {
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": instrument.format_quantity(order.quantity),
        "p": instrument.format_price(order.price),
        "ap": average_price(instrument, order.executed_quote, order.executed),
        "sp": instrument.format_price(order.trigger_price),
        "x": event.execution,
        "X": order.status,
        "i": order.order_id,
        "l": instrument.format_quantity(fill.quantity if fill else 0),
        "z": instrument.format_quantity(order.executed),
        "L": instrument.format_price(fill.price if fill else 0),
        "n": money(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else instrument.quote,
        "T": event.time_ms,
        "t": fill.trade_id if fill else 0,
        "b": short(bids),
        "a": short(asks),
        "m": fill is not None and fill.is_maker,
        "R": order.reduce_only,
        "wt": order.working_type,
        "ot": order.original_type,
        "ps": order.position_side,
        "cp": order.close_position,
        "rp": money(fill.realized_pnl) if fill else "0",
        "pP": order.price_protect,
        "si": order.algo_id,
        "ss": 0,
        "V": order.self_trade_prevention,
        "pm": order.price_match,
        "gtd": order.good_till_ms,
        "er": _expiry_reason(event),
    }
    if order.original_type == "TRAILING_STOP_MARKET":
        body["AP"] = instrument.format_price(order.activate_price)
        body["cr"] = short(order.callback_rate)
    return {"e": "ORDER_TRADE_UPDATE", "E": event.time_ms, "T": event.time_ms, "o": body}


def account_update(event: AccountUpdate, venue: Venue) -> Body:
    """ACCOUNT_UPDATE; `S` names the symbol of a funding fee."""
    account: Body = {
        "B": [_balance(event, asset) for asset in event.wallets],
        "P": [_position(position, venue) for position in event.positions],
        "m": event.reason,
    }
    if event.reason == "FUNDING_FEE" and event.symbol:
        account["S"] = event.symbol
    return {"e": "ACCOUNT_UPDATE", "E": event.time_ms, "T": event.time_ms, "a": account}


def algo_update(event: AlgoUpdate, venue: Venue) -> Body:
    """ALGO_UPDATE; `ia` tells whether a trailing stop has been activated."""
    algo, order = event.algo, event.algo.order
    instrument = venue.futures.instrument(algo.symbol)
    body: Body = {
        "caid": algo.client_algo_id,
        "aid": algo.algo_id,
        "at": "CONDITIONAL",
        "o": algo.type,
        "s": algo.symbol,
        "S": algo.side,
        "ps": algo.position_side,
        "f": algo.time_in_force,
        "q": instrument.format_quantity(algo.quantity),
        "X": algo.status,
        "ai": str(order.order_id) if order else "",
        "ap": average_price(instrument, order.executed_quote, order.executed) if order else "0.00000",
        "aq": instrument.format_quantity(order.executed) if order else "0.00000",
        "act": order.type if order else "0",
        "tp": instrument.format_price(algo.trigger_price),
        "p": instrument.format_price(algo.price),
        "V": algo.self_trade_prevention,
        "wt": algo.working_type,
        "pm": algo.price_match,
        "cp": algo.close_position,
        "pP": algo.price_protect,
        "R": algo.reduce_only,
        "tt": algo.trigger_ms,
        "gtd": algo.good_till_ms,
        "rm": algo.reject_reason,
        "ia": algo.extreme_price > 0,
    }
    if algo.type == "TRAILING_STOP_MARKET":
        body["AP"] = instrument.format_price(algo.activate_price)
        body["cr"] = short(algo.callback_rate)
    return {"e": "ALGO_UPDATE", "E": event.time_ms, "T": event.time_ms, "o": body}


def trigger_reject(event: AlgoUpdate) -> Body | None:
    """CONDITIONAL_ORDER_TRIGGER_REJECT, for a conditional order whose order was refused when it triggered."""
    algo = event.algo
    if algo.status != _TRIGGER_REJECTED or not algo.trigger_ms:
        return None
    return {
        "e": "CONDITIONAL_ORDER_TRIGGER_REJECT",
        "E": event.time_ms,
        "T": event.time_ms,
        "or": {"s": algo.symbol, "i": algo.algo_id, "r": algo.reject_reason},
    }


def config_update(event: ConfigUpdate) -> Body:
    """ACCOUNT_CONFIG_UPDATE: `ac` for a symbol's leverage, `ai` for the asset mode."""
    body: Body = {"e": "ACCOUNT_CONFIG_UPDATE", "E": event.time_ms, "T": event.time_ms}
    if event.symbol:
        body["ac"] = {"s": event.symbol, "l": event.leverage}
    else:
        body["ai"] = {"j": event.multi_assets}
    return body


def margin_call(event: MarginCall, venue: Venue) -> Body:
    """MARGIN_CALL with the positions in danger."""
    return {
        "e": "MARGIN_CALL",
        "E": event.time_ms,
        "cw": money(event.cross_wallet),
        "p": [_endangered(position, venue) for position in event.positions],
    }


def _expiry_reason(event: OrderUpdate) -> str:
    """Codes 0 to 11 of the order update's documentation; 0 where nothing expired."""
    order = event.order
    if event.execution != "EXPIRED":
        return "0"
    if order.status == "EXPIRED_IN_MATCH":
        return "1"
    if order.type == "MARKET":
        return "9"
    return _EXPIRY_BY_TIME_IN_FORCE.get(order.time_in_force, "0")


def _open_notionals(order: FuturesOrder, venue: Venue) -> tuple[int, int]:
    """Notional of the account's open bids and asks on the symbol, as the event reports them."""
    bids = asks = 0
    for other in venue.futures.history.open_orders(order.account_id, order.symbol):
        value = notional(other.price, other.remaining)
        if other.side == "BUY":
            bids += value
        else:
            asks += value
    return bids, asks


def _balance(event: AccountUpdate, asset: str) -> Body:
    wallet, change = event.wallets[asset]
    cross = event.cross_wallets.get(asset, wallet)
    return {"a": asset, "wb": money(wallet), "cw": money(cross), "bc": short(change)}


def _position(position: Position, venue: Venue) -> Body:
    instrument = venue.futures.instrument(position.symbol)
    return {
        "s": position.symbol,
        "pa": instrument.format_quantity(position.quantity) if position.quantity else "0",
        "ep": entry_price(position),
        "bep": break_even_price(position),
        "cr": money(position.realized),
        "up": money(unrealized(position, venue.futures.mark_price(position.symbol))),
        "mt": _margin_word(position, venue),
        "iw": money(position.isolated_wallet),
        "ps": position.position_side,
    }


def _endangered(position: Position, venue: Venue) -> Body:
    instrument = venue.futures.instrument(position.symbol)
    risks = venue.futures.reports.positions(position.account_id, position.symbol)
    maintenance = sum(risk.maintenance_margin for risk in risks if risk.position_side == position.position_side)
    return {
        "s": position.symbol,
        "ps": position.position_side,
        "pa": instrument.format_quantity(position.quantity),
        "mt": _margin_word(position, venue).upper().replace("CROSS", "CROSSED"),
        "iw": money(position.isolated_wallet),
        "mp": money(venue.futures.mark_price(position.symbol)),
        "up": money(unrealized(position, venue.futures.mark_price(position.symbol))),
        "mm": money(maintenance),
    }


def _margin_word(position: Position, venue: Venue) -> str:
    margin = venue.futures.settings.of(position.account_id, position.symbol).margin_type
    return "isolated" if margin == "ISOLATED" else "cross"
