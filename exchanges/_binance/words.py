"""Orders as the venue's words, and the venue's words as the law's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from core.base_exchange import OpenOrder, VenueOrder
from domain.client_order_id import is_ours
from domain.errors import Refused
from domain.fill import Fill
from domain.instrument import Instrument
from domain.money import exact, to_units, to_wire
from domain.order import (
    BUY,
    CANCELLED,
    EXPIRED,
    FILLED,
    LIMIT,
    MARKET,
    OPEN,
    POST_ONLY,
    REJECTED,
    SELL,
    STOP_MARKET,
    Order,
    OrderReport,
)
from exchanges._binance.outcomes import algo_id
from exchanges._binance.rules import QUANTUM

STATUSES: Final = {
    "NEW": OPEN,
    "PENDING_NEW": OPEN,
    "PARTIALLY_FILLED": OPEN,
    "PENDING_CANCEL": OPEN,
    "TRIGGERING": OPEN,
    "TRIGGERED": OPEN,
    "FILLED": FILLED,
    "CANCELED": CANCELLED,
    "REJECTED": REJECTED,
    "EXPIRED": EXPIRED,
    "EXPIRED_IN_MATCH": EXPIRED,
    "FINISHED": EXPIRED,
}


class RestingOrder(msgspec.Struct, gc=False, rename="camel"):
    """What is read of each order in the list of open orders: accounts have thousands, and most of it is not asked."""

    symbol: str
    order_id: int
    client_order_id: str
    side: str
    price: str
    orig_qty: str
    executed_qty: str
    time: int
    stop_price: str = "0"


_CANCEL: Final = "c"
_SIDES: Final = {BUY: "BUY", SELL: "SELL"}
_KINDS: Final = {"LIMIT_MAKER": POST_ONLY, "MARKET": MARKET, "STOP_LOSS": STOP_MARKET, "STOP_MARKET": STOP_MARKET}
_TYPES: Final = {LIMIT: "LIMIT", MARKET: "MARKET", STOP_MARKET: "STOP_LOSS"}


def place_params(order: Order, instrument: Instrument, *, futures: bool) -> dict[str, str]:
    """The parameters of a new order; amounts as plain decimal text."""
    if order.lots <= 0:
        raise Refused(f"{order.client_order_id}: {order.lots} lots is not an order; send more than none.")
    params = {
        "symbol": order.symbol,
        "side": _SIDES[order.side],
        "newClientOrderId": order.client_order_id,
        "newOrderRespType": "ACK",
        # Two strategies of one account never trade with each other: the order that rests gives way.
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "quantity": to_wire(instrument.from_lots(order.lots)),
    }
    price = to_wire(instrument.from_ticks(order.ticks))
    if futures:
        params |= _futures_type(order, price)
    elif order.type == POST_ONLY:
        params |= {"type": "LIMIT_MAKER", "price": price}
    else:
        params |= {"type": _TYPES[order.type]}
        if order.type == LIMIT:
            params |= {"price": price, "timeInForce": "GTC"}
        elif order.type == STOP_MARKET:
            params |= {"stopPrice": price}
    return params


def stop_params(order: Order, instrument: Instrument) -> dict[str, str]:
    """The parameters of a conditional order of the futures algo service."""
    params = {
        "algoType": "CONDITIONAL",
        "symbol": order.symbol,
        "side": _SIDES[order.side],
        "type": "STOP_MARKET",
        "clientAlgoId": order.client_order_id,
        "quantity": to_wire(instrument.from_lots(order.lots)),
        "triggerPrice": to_wire(instrument.from_ticks(order.ticks)),
        "workingType": "CONTRACT_PRICE",
    }
    return params | _reduce_only(order)


def _futures_type(order: Order, price: str) -> dict[str, str]:
    reduce_only = _reduce_only(order)
    if order.type == MARKET:
        return {"type": "MARKET"} | reduce_only
    if order.type == STOP_MARKET:
        raise Refused(f"{order.client_order_id}: a stop goes to the algo service, one by one; do not batch it.")
    return {"type": "LIMIT", "price": price, "timeInForce": "GTX" if order.type == POST_ONLY else "GTC"} | reduce_only


def _reduce_only(order: Order) -> dict[str, str]:
    return {"reduceOnly": "true"} if order.reduce_only else {}


def cancel_name(client_order_id: str) -> str:
    """The id of a cancel on spot. The venue then shows it as the order's own, so the order's can be read from it."""
    return f"{_CANCEL}{client_order_id}"


def original_name(client_order_id: str) -> str:
    """The order's own id, whether or not a cancel of ours has renamed it."""
    inner = client_order_id.removeprefix(_CANCEL)
    return inner if is_ours(inner) else client_order_id


def is_about(row: Mapping[str, Any], order: Order, instrument: Instrument, known: str | None) -> bool:
    """Whether a queried order is the one that was asked for. Somebody else's cancel has renamed a cancelled one."""
    if row.get("symbol") != order.symbol:
        return False
    if order.client_order_id in {original_name(str(row.get("clientOrderId"))), known}:
        return True
    if order.venue_order_id:
        return str(row.get("orderId")) == order.venue_order_id
    is_same = row.get("side") == _SIDES[order.side] and instrument.to_lots(exact(row["origQty"])) == order.lots
    return is_same and row.get("status") == "CANCELED"


def status_of(word: str) -> int:
    """The law's status of the venue's word; a word nobody knows counts as open, which locks its slot."""
    return STATUSES.get(word, OPEN)


def report(row: Mapping[str, Any], instrument: Instrument, client_order_id: str) -> OrderReport:
    """An order in the answer to a query."""
    time_ms = int(row.get("updateTime") or row.get("time") or 0)
    filled = instrument.to_lots(exact(row["executedQty"]))
    return OrderReport(client_order_id, str(row["orderId"]), status_of(row["status"]), filled, time_ms)


def end_of(row: Mapping[str, Any], instrument: Instrument, client_order_id: str) -> OrderReport | None:
    """The end of an order in the answer to its cancel; None where it tells of none, as that of a conditional order."""
    status = status_of(str(row.get("status")))
    if status <= OPEN:
        return None
    time_ms = int(row.get("transactTime") or row.get("updateTime") or 0)
    filled = instrument.to_lots(exact(row["executedQty"]))
    return OrderReport(client_order_id, str(row["orderId"]), status, filled, time_ms)


def venue_order(row: Mapping[str, Any], instrument: Instrument, client_order_id: str) -> VenueOrder:
    """All of an order in the answer to a query."""
    kind = _KINDS.get(str(row.get("type")), LIMIT)
    if row.get("timeInForce") == "GTX":
        kind = POST_ONLY
    ticks = instrument.to_ticks(exact(row["price"]) or exact(row.get("stopPrice") or "0"))
    lots = instrument.to_lots(exact(row["origQty"]))
    return VenueOrder(report(row, instrument, client_order_id), side_of(row["side"]), kind, ticks, lots)


def algo_report(row: Mapping[str, Any], instrument: Instrument) -> OrderReport:
    """A conditional order in the answer to a query of the algo service."""
    filled = instrument.to_lots(exact(row.get("actualQty") or "0"))
    return OrderReport(
        row["clientAlgoId"], algo_id(row["algoId"]), status_of(row["algoStatus"]), filled, int(row["updateTime"])
    )


def open_order(row: RestingOrder, instrument: Instrument) -> OpenOrder:
    """One of the list of open orders."""
    price = exact(row.price) or exact(row.stop_price)
    return OpenOrder(
        row.client_order_id,
        str(row.order_id),
        row.symbol,
        side_of(row.side),
        instrument.to_ticks(price),
        instrument.to_lots(exact(row.orig_qty)),
        instrument.to_lots(exact(row.executed_qty)),
        row.time,
    )


def open_algo(row: Mapping[str, Any], instrument: Instrument) -> OpenOrder:
    """One of the list of conditional orders that wait."""
    return OpenOrder(
        row["clientAlgoId"],
        algo_id(row["algoId"]),
        row["symbol"],
        side_of(row["side"]),
        instrument.to_ticks(exact(row["triggerPrice"])),
        instrument.to_lots(exact(row["quantity"])),
        instrument.to_lots(exact(row.get("actualQty") or "0")),
        int(row["createTime"]),
    )


def fill(row: Mapping[str, Any], instrument: Instrument, client_order_id: str) -> Fill:
    """One of the list of trades of the account; spot says `isBuyer`, futures `side`."""
    side = side_of(row["side"]) if "side" in row else (BUY if row["isBuyer"] else SELL)
    return Fill(
        row["symbol"],
        str(row["id"]),
        client_order_id,
        side,
        instrument.to_ticks(exact(row["price"])),
        instrument.to_lots(exact(row["qty"])),
        quanta(row["commission"]),
        row["commissionAsset"],
        bool(row["isMaker"] if "isMaker" in row else row["maker"]),
        int(row["time"]),
    )


def side_of(word: str) -> int:
    """BUY or SELL of the venue's word."""
    return BUY if word == "BUY" else SELL


def quanta(amount: str) -> int:
    """An amount of any asset in the venue's finest unit, 10^-8."""
    return to_units(exact(amount), QUANTUM)
