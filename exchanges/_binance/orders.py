"""Requests about orders: which endpoint, which parameters, and what the answer has to repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from core.background import give_way
from core.base_exchange import OpenOrder, VenueOrder
from domain.errors import AresError, Transient
from domain.instrument import Instrument
from domain.order import CANCELLED, STOP_MARKET, Order, OrderReport
from domain.outcome import Accepted, Outcome, Rejected, Unknown
from exchanges._binance import words
from exchanges._binance.dialect import Dialect
from exchanges._binance.history import OrderNames
from exchanges._binance.outcomes import ARCHIVED, NOT_FOUND, decode, item_outcome, write_outcome
from exchanges._binance.rest import BinanceRest, VenueRefusal
from exchanges._ccxt import Answer, Request

Echo = dict[str, str]
#: Orders of a list that are put into our words before others have their turn.
_AT_A_TIME: Final = 100
_RESTING: Final = msgspec.json.Decoder(list[words.RestingOrder])


def placing(dialect: Dialect, order: Order, instrument: Instrument) -> tuple[Request, Echo]:
    """The request that places an order, and what its answer must repeat."""
    if dialect.is_futures and order.type == STOP_MARKET:
        params = words.stop_params(order, instrument)
        echo = {"symbol": order.symbol, "clientAlgoId": order.client_order_id}
        return Request(dialect.private, "POST", "algoOrder", params), echo
    params = words.place_params(order, instrument, futures=dialect.is_futures)
    return Request(dialect.private, "POST", "order", params), _echo(order)


def cancelling(dialect: Dialect, order: Order) -> tuple[Request, Echo]:
    """The request that cancels an order by its client order id. Spot's answer names it as the original."""
    if dialect.is_futures and order.type == STOP_MARKET:
        name = {"clientAlgoId": order.client_order_id}
        return Request(dialect.private, "DELETE", "algoOrder", name), name
    params = {"symbol": order.symbol, "origClientOrderId": order.client_order_id}
    if dialect.is_futures:
        return Request(dialect.private, "DELETE", "order", params), _echo(order)
    params["newClientOrderId"] = words.cancel_name(order.client_order_id)
    echo = {"symbol": order.symbol, "origClientOrderId": order.client_order_id}
    return Request(dialect.private, "DELETE", "order", params), echo


async def cancel(rest: BinanceRest, order: Order, instrument: Callable[[str], Instrument]) -> Outcome:
    """Ask to cancel. The answer tells how much was executed, so that nobody has to wait for the stream to say it."""
    request, echo = cancelling(rest.dialect, order)
    outcome, body = await rest.judged(request, None, echo)
    if not isinstance(outcome, Accepted):
        return outcome
    try:
        return Accepted(outcome.venue_order_id, words.end_of(body, instrument(order.symbol), order.client_order_id))
    except (AresError, ArithmeticError, KeyError, TypeError, ValueError):
        return outcome  # it is taken all the same; what became of the order is asked for


async def send_batch(
    rest: BinanceRest, batch: Sequence[Order], instrument: Callable[[str], Instrument], committed_ms: int
) -> list[Outcome]:
    """Up to five orders in one request. One that cannot be put into words is rejected alone."""
    outcomes: dict[str, Outcome] = {}
    items, sent = [], []
    for order in batch:
        try:
            items.append(words.place_params(order, instrument(order.symbol), futures=True))
            sent.append(order)
        except AresError as error:
            outcomes[order.client_order_id] = Rejected(f"not sent: {error}")
    if sent:
        request = Request(rest.dialect.private, "POST", "batchOrders", {"batchOrders": items})
        answer = await rest.send(request, committed_ms)
        found = _batch_outcomes(answer, sent)
        outcomes.update({order.client_order_id: outcome for order, outcome in zip(sent, found, strict=True)})
    return [outcomes[order.client_order_id] for order in batch]


def _batch_outcomes(answer: Answer | Rejected | Unknown, batch: Sequence[Order]) -> list[Outcome]:
    """The answer must hold an item for each order, in order; one that is missing is unknown."""
    if not isinstance(answer, Answer):
        return [answer for _ in batch]
    body = decode(answer)
    if answer.status != 200 or not isinstance(body, list):
        verdict = write_outcome(answer, body, {"batch": "a list"})
        return [verdict for _ in batch]
    if len(body) == len(batch):
        return [item_outcome(item, _echo(order)) for item, order in zip(body, batch, strict=True)]
    return [_found(body, order) for order in batch]


def _found(body: Sequence[Any], order: Order) -> Outcome:
    """Items lie at unknown places when some are missing: only an item that names the order can speak for it."""
    for item in body:
        if isinstance(item, Mapping) and item.get("clientOrderId") == order.client_order_id:
            return item_outcome(item, _echo(order))
    return Unknown("the answer to the batch leaves this order out.")


async def query(rest: BinanceRest, order: Order, instrument: Instrument, names: OrderNames) -> OrderReport | None:
    """The venue's word on an order; None when it knows of none, on either of its order services."""
    found = await _find(rest, order, instrument, names)
    if found is None or isinstance(found, OrderReport):
        return found
    return words.report(found, instrument, order.client_order_id)


async def describe(
    rest: BinanceRest, instrument: Callable[[str], Instrument], names: OrderNames, order: Order
) -> VenueOrder | None:
    """What the venue holds under the name of an order; where it tells less, the rest is as in the order given."""
    units = instrument(order.symbol)
    found = await _find(rest, order, units, names)
    if isinstance(found, OrderReport):
        return VenueOrder(found, order.side, order.type, order.ticks, order.lots)
    return None if found is None else words.venue_order(found, units, order.client_order_id)


async def _find(
    rest: BinanceRest, order: Order, instrument: Instrument, names: OrderNames
) -> OrderReport | dict[str, Any] | None:
    """The venue's row of an order, or a report where it has none of the usual kind."""
    dialect = rest.dialect
    if dialect.is_futures and order.type == STOP_MARKET:
        row = await _ask(rest, "algoOrder", {"clientAlgoId": order.client_order_id})
        if row is not None and row.get("clientAlgoId") == order.client_order_id:
            return words.algo_report(row, instrument)
    row = await _ask(rest, "order", {"symbol": order.symbol, "origClientOrderId": order.client_order_id})
    if row is None:
        return None
    if row is _PRUNED:
        return OrderReport(order.client_order_id, order.venue_order_id, CANCELLED, 0, 0)
    if not words.is_about(row, order, instrument, names.get(order.symbol, str(row.get("orderId")))):
        raise Transient(f"{order.client_order_id}: the venue answered with another order; ask again.")
    return row


_PRUNED: dict[str, Any] = {}


async def _ask(rest: BinanceRest, path: str, params: Mapping[str, str]) -> dict[str, Any] | None:
    try:
        row = await rest.read(rest.dialect.private, path, params, rest.dialect.query_weight)
    except VenueRefusal as error:
        if error.number == NOT_FOUND:
            return None
        if error.number == ARCHIVED:
            # Only orders that ended without any execution are archived.
            return _PRUNED
        raise
    if not isinstance(row, dict):
        raise Transient(f"{path}: the answer is not an order; ask again.")
    return row


async def open_orders(
    rest: BinanceRest, symbol: str | None, instrument: Callable[[str], Instrument]
) -> list[OpenOrder]:
    """Everything that rests; on futures the conditional orders too."""
    dialect = rest.dialect
    params = {} if symbol is None else {"symbol": symbol}
    weight = dialect.all_orders_weight if symbol is None else dialect.orders_weight
    rows = await rest.typed(dialect.private, "openOrders", params, weight, _RESTING)
    found: list[OpenOrder] = []
    for start in range(0, len(rows), _AT_A_TIME):
        found += [words.open_order(row, instrument(row.symbol)) for row in rows[start : start + _AT_A_TIME]]
        await give_way()  # thousands in one go would hold up every order of the process
    if dialect.is_futures:
        waiting = await rest.rows(dialect.private, "openAlgoOrders", params, weight)
        found += [words.open_algo(row, instrument(row["symbol"])) for row in waiting]
    return found


def _echo(order: Order) -> Echo:
    return {"symbol": order.symbol, "clientOrderId": order.client_order_id}
