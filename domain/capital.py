"""What an instance owns and may still spend: its sub-ledger less what its working orders would give away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from domain import ledger
from domain.fill import Fill, signed_lots
from domain.instrument import Instrument
from domain.ledger import Entry, TradeLine
from domain.order import BUY, Order, unbooked


class Free(NamedTuple):
    """Quanta an instance may still spend."""

    quote: int
    base: int


def fill_entry(instance: int, instrument: Instrument, fill: Fill, fee_payer: str = "") -> Entry:
    """The ledger entry of a spot fill of an instance; fees are its own unless another payer is named."""
    owner = ledger.cash(instance)
    lots = signed_lots(fill)
    return ledger.trade_entry(
        TradeLine(
            reference=f"{fill.symbol}:{fill.trade_id}",
            time_ms=fill.time_ms,
            owner=owner,
            base=instrument.base,
            base_amount=lots * instrument.base_per_lot,
            quote=instrument.quote,
            quote_amount=-lots * fill.ticks * instrument.tick_lot,
            fee=fill.fee,
            fee_asset=fill.fee_asset,
            fee_payer=fee_payer or owner,
        )
    )


def locked(instrument: Instrument, orders: Iterable[Order], last_ticks: int) -> Free:
    """What orders give away or may yet, and the books do not show; buys at their limit, or the last price at market.

    Lots that were executed count until their fills are booked, or they would be spent twice in between.
    """
    quote = base = 0
    for order in orders:
        if order.side == BUY:
            quote += unbooked(order) * (order.ticks or last_ticks) * instrument.tick_lot
        else:
            base += unbooked(order) * instrument.base_per_lot
    return Free(quote, base)
