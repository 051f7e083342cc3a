"""Requests of several parts of which only some are carried out: cancelReplace and cancel-all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.errors import INSUFFICIENT_BALANCE, UNKNOWN_ORDER, VenueError
from simulator.faults import Rule
from simulator.wire.endpoint import Reply
from simulator.wire.params import Params
from simulator.wire.pipeline import Admission, call_of, refusal

if TYPE_CHECKING:
    from simulator.venue import Venue

_CANCEL = {
    "symbol": "symbol",
    "cancelOrderId": "orderId",
    "cancelOrigClientOrderId": "origClientOrderId",
    "cancelNewClientOrderId": "newClientOrderId",
    "cancelRestrictions": "cancelRestrictions",
}
_NOT_PLACE = frozenset({*_CANCEL, "cancelReplaceMode", "orderRateLimitExceededMode"}) - {"symbol"}


def fails(rule: Rule) -> bool:
    """Whether the rule lets any half of a cancelReplace fail."""
    return "fail" in (rule.args["cancel"], rule.args["place"])


def cancel_replace(venue: Venue, admission: Admission, rule: Rule) -> Reply:
    """A cancelReplace whose halves fail as the rule says; the halves that do not fail really happen."""
    params = admission.incoming.params.shown()
    stops = params.get("cancelReplaceMode") == "STOP_ON_FAILURE"
    wanted = {_CANCEL[name]: value for name, value in params.items() if name in _CANCEL}
    cancelled = _half(venue, admission, "DELETE", wanted, rule.args["cancel"], VenueError(-2011, UNKNOWN_ORDER))
    placed: object = None
    if not (stops and isinstance(cancelled, VenueError)):
        wanted = {name: value for name, value in params.items() if name not in _NOT_PLACE}
        placed = _half(venue, admission, "POST", wanted, rule.args["place"], VenueError(-2010, INSUFFICIENT_BALANCE))
    return refusal(_verdict(cancelled, placed), admission.incoming.via, venue.protocol.now_ms())


def _half(
    venue: Venue, admission: Admission, method: str, params: Mapping[str, str], wish: str, failure: VenueError
) -> object:
    """Body of a half that happened, or the VenueError of one that did not."""
    if wish == "fail":
        return failure
    try:
        return call_sister(venue, admission, method, "order", params, levels=2)
    except VenueError as error:
        return error


def _verdict(cancelled: object, placed: object) -> VenueError:
    failed = [isinstance(half, VenueError) for half in (cancelled, placed)]
    data = {
        "cancelResult": "FAILURE" if failed[0] else "SUCCESS",
        "newOrderResult": "NOT_ATTEMPTED" if placed is None else "FAILURE" if failed[1] else "SUCCESS",
        "cancelResponse": _response(cancelled),
        "newOrderResponse": _response(placed),
    }
    if failed[0] and (failed[1] or placed is None):
        return VenueError(-2022, "Order cancel-replace failed.", 400, data)
    return VenueError(-2021, "Order cancel-replace partially failed.", 409, data)


def _response(half: object) -> object:
    return {"code": half.code, "msg": half.message} if isinstance(half, VenueError) else half


def cancel_half(venue: Venue, admission: Admission) -> Reply:
    """A cancel-all that stops after half of the open orders (rounded down); gives what was cancelled."""
    symbol = {"symbol": admission.incoming.params.text("symbol")}
    found = call_sister(venue, admission, "GET", "openOrders", symbol)
    orders = found if isinstance(found, list) else []
    cancelled = [
        call_sister(venue, admission, "DELETE", "order", symbol | {"orderId": str(order["orderId"])})
        for order in orders[: len(orders) // 2]
    ]
    return Reply(cancelled)


def call_sister(
    venue: Venue, admission: Admission, method: str, name: str, params: Mapping[str, str], levels: int = 1
) -> object:
    """Body of another endpoint of the same API version, called for the same account; VenueError as it raises."""
    endpoint = admission.incoming.endpoint
    path = f"{endpoint.path.rsplit('/', levels)[0]}/{name}"
    sister = endpoint.home.find(method, path) if endpoint.home else None
    if sister is None:
        raise VenueError(-1000, f"The fault needs {method} {path}, which this venue does not have.", 500)
    incoming = replace(admission.incoming, endpoint=sister, params=Params(params, sister.market))
    body = sister.handler(call_of(venue, replace(admission, incoming=incoming)))
    return body.body if isinstance(body, Reply) else body
