"""ccxt's unified structures, with amounts as texts, and the law's integers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from core.base_exchange import Balance, Bar, OpenOrder, PriceUpdate, VenuePosition
from domain.errors import AresError, Refused
from domain.fill import Fill
from domain.instrument import LARGEST_PRODUCT, Instrument
from domain.money import divmod_exact, exact, from_units, multiply, to_wire
from domain.order import BUY, CANCELLED, EXPIRED, FILLED, MARKET, OPEN, REJECTED, SELL, STOP_MARKET, Order, OrderReport
from domain.sentences import say
from exchanges._ccxt_venue.table import VenueTable

_STATUSES: Final = {
    "open": OPEN, "closed": FILLED, "canceled": CANCELLED, "canceling": OPEN, "expired": EXPIRED, "rejected": REJECTED,
}  # fmt: skip
#: Where a venue names no bounds, a price may have so many ticks and a position so many lots.
_TICKS, _LOTS = 1 << 30, 1 << 29


class Market(NamedTuple):
    """One symbol as ccxt names it, and as the law counts it."""

    unified: str
    instrument: Instrument
    #: Base in one contract; 1 on spot. Amounts on the wire are contracts.
    contract: Decimal


def markets(rows: Mapping[str, Mapping[str, Any]], table: VenueTable) -> tuple[dict[str, Market], dict[str, str]]:
    """The venue's symbol -> market, for those the table wants; and why the others cannot be represented."""
    found: dict[str, Market] = {}
    refused: dict[str, str] = {}
    for unified, row in rows.items():
        if row["type"] != table.market_type or (table.market_type == "swap" and not row.get("linear")):
            continue
        try:
            found[row["id"]] = _market(unified, row, table)
        except (AresError, TypeError, ValueError, KeyError) as error:
            refused[row["id"]] = f"{row['id']} cannot be traded here: {error}"
    return found, refused


def _market(unified: str, row: Mapping[str, Any], table: VenueTable) -> Market:
    contract = amount(row.get("contractSize") or "1")
    tick, step = amount(row["precision"]["price"]), multiply(amount(row["precision"]["amount"]), contract)
    limits = row["limits"]
    largest = limits["amount"].get("max")
    lots = divmod_exact(multiply(amount(largest), contract), step)[0] if largest else _LOTS
    lots = min(lots, LARGEST_PRODUCT // _TICKS)
    instrument = Instrument(
        symbol=row["id"],
        base=row["base"],
        quote=row["quote"],
        tick_size=tick,
        lot_size=step,
        max_price=from_units(_TICKS, tick),
        max_position=from_units(lots, step),
        base_quantum=table.quantum,
        quote_quantum=table.quantum,
        min_quantity=multiply(amount(limits["amount"].get("min") or "0"), contract),
        max_quantity=from_units(lots, step),
        min_notional=amount(limits["cost"].get("min") or "0"),
    )
    return Market(unified, instrument, contract)


def place_arguments(order: Order, market: Market, table: VenueTable) -> tuple[list[Any], dict[str, Any]]:
    """Positional arguments and parameters of ccxt's `create_order`."""
    if order.type == STOP_MARKET:
        raise Refused(
            say("no_stops_at_venue", "{name} is not used for stop orders; watch the price instead.", name=table.name)
        )
    if order.lots <= 0:
        raise Refused(
            say(
                "empty_order",
                "{client_order_id}: {lots} lots is not an order; send more than none.",
                client_order_id=order.client_order_id,
                lots=order.lots,
            )
        )
    params: dict[str, Any] = {table.order_id_param: table.name_out(order.client_order_id), **table.place_params}
    is_market = order.type == MARKET
    if not is_market and order.type != 0:
        params |= table.post_only_params
    if order.reduce_only:
        params["reduceOnly"] = True
    size = multiply(Decimal(order.lots), _contracts_per_lot(market))
    price = None if is_market else to_wire(market.instrument.from_ticks(order.ticks))
    side = "buy" if order.side == BUY else "sell"
    return [market.unified, "market" if is_market else "limit", side, to_wire(size), price], params


def report(row: Mapping[str, Any], market: Market, client_order_id: str) -> OrderReport:
    """A queried order."""
    status = _STATUSES.get(str(row.get("status")), OPEN)
    moment = row.get("lastUpdateTimestamp") or row.get("timestamp") or 0
    return OrderReport(client_order_id, str(row["id"]), status, lots(row.get("filled") or "0", market), int(moment))


def open_order(row: Mapping[str, Any], market: Market, table: VenueTable) -> OpenOrder:
    """One of the open orders."""
    return OpenOrder(
        table.name_in(row.get("clientOrderId") or ""),
        str(row["id"]),
        market.instrument.symbol,
        side_of(row["side"]),
        market.instrument.to_ticks(amount(row.get("price") or "0")),
        lots(row["amount"], market),
        lots(row.get("filled") or "0", market),
        int(row.get("timestamp") or 0),
    )


def fill(row: Mapping[str, Any], market: Market, client_order_id: str, table: VenueTable) -> Fill:
    """One of the account's trades."""
    paid = row.get("fee") or {}
    return Fill(
        market.instrument.symbol,
        str(row["id"]),
        client_order_id,
        side_of(row["side"]),
        market.instrument.to_ticks(amount(row["price"])),
        lots(row["amount"], market),
        fee_quanta(paid.get("cost") or "0", table),
        paid.get("currency") or market.instrument.quote,
        row.get("takerOrMaker") == "maker",
        int(row["timestamp"]),
    )


def balances(rows: Mapping[str, Any], table: VenueTable) -> dict[str, Balance]:
    """Asset -> free and locked; digits finer than the quantum are cut off."""
    free, used = rows.get("free") or {}, rows.get("used") or {}
    return {a: Balance(_down(free.get(a) or "0", table), _down(used.get(a) or "0", table)) for a in {*free, *used}}


def position(row: Mapping[str, Any], market: Market) -> VenuePosition:
    """A futures position in one-way mode."""
    size = lots(row.get("contracts") or "0", market)
    signed = -size if row.get("side") == "short" else size
    price, edge = amount(row.get("entryPrice") or "0"), amount(row.get("liquidationPrice") or "0")
    leverage = int(Decimal(str(row.get("leverage") or 0)))
    return VenuePosition(market.instrument.symbol, "BOTH", signed, price, edge, leverage)


def price(row: Mapping[str, Any], market: Market) -> PriceUpdate:
    """A ticker."""
    ticks = market.instrument.to_ticks
    bid, ask = amount(row.get("bid") or row["last"]), amount(row.get("ask") or row["last"])
    return PriceUpdate(
        market.instrument.symbol, ticks(amount(row["last"])), ticks(bid), ticks(ask), int(row.get("timestamp") or 0)
    )


def bar(row: list[Any], market: Market, interval: str) -> Bar:
    """One row of ccxt's OHLCV."""
    ticks = market.instrument.to_ticks
    first, high, low, last = (ticks(amount(value)) for value in row[1:5])
    volume = divmod_exact(multiply(amount(row[5]), market.contract), market.instrument.lot_size)[0]
    return Bar(market.instrument.symbol, interval, int(row[0]), first, high, low, last, volume)


def lots(text: Any, market: Market) -> int:
    """An amount on the wire, in contracts, as lots."""
    return market.instrument.to_lots(multiply(amount(text), market.contract))


def amount(value: Any) -> Decimal:
    """An exact decimal of the venue's text; a float has lost digits already and is refused."""
    return exact(value)


def side_of(word: str) -> int:
    """BUY or SELL of ccxt's word."""
    return BUY if word == "buy" else SELL


def fee_quanta(text: Any, table: VenueTable) -> int:
    """A fee in quanta. These venues book finer amounts than a quantum; the rest counts as one more quantum paid."""
    whole, rest = divmod_exact(amount(text), table.quantum)
    return whole + (1 if rest > 0 else 0)


def _contracts_per_lot(market: Market) -> Decimal:
    """Contracts in one lot: exactly the step that the venue names, as the lot was made of it."""
    step = market.instrument.lot_size / market.contract
    if multiply(step, market.contract) != market.instrument.lot_size:
        raise Refused(
            say(
                "lot_not_in_contracts",
                "{symbol}: a lot is not an exact number of contracts.",
                symbol=market.instrument.symbol,
            )
        )
    return step


def _down(text: Any, table: VenueTable) -> int:
    return divmod_exact(amount(text), table.quantum)[0]
