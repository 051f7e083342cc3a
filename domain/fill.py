"""A fill: one execution of one order, named by the venue, booked once."""

from __future__ import annotations

from typing import NamedTuple


class Fill(NamedTuple):
    """One execution. Its identity is (account, symbol, trade id): the venue's, never ours."""

    symbol: str
    trade_id: str
    client_order_id: str
    side: int
    ticks: int
    lots: int
    #: Fee in quanta of `fee_asset`; below zero is a rebate.
    fee: int
    fee_asset: str
    is_maker: bool
    time_ms: int


def signed_lots(fill: Fill) -> int:
    """Lots gained (above zero) or given away."""
    return fill.side * fill.lots


def new_fills(known: set[tuple[str, str]], fills: list[Fill]) -> list[Fill]:
    """The fills not in `known` by (symbol, trade id), each once, oldest first, ties by trade id."""
    fresh = {(fill.symbol, fill.trade_id): fill for fill in fills if (fill.symbol, fill.trade_id) not in known}
    return sorted(fresh.values(), key=lambda fill: (fill.time_ms, len(fill.trade_id), fill.trade_id))
