"""Funding as the venue lists it: what it came to from the account's income, the position it was for from the rate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from domain.funding import FundingPayment, FundingRate
from domain.instrument import Instrument
from domain.money import exact
from exchanges._binance.rest import BinanceRest
from exchanges._binance.words import quanta

_PAGE = 1000
_INCOME_WEIGHT, _RATE_WEIGHT = 30, 1
#: Payments are stamped some seconds after the time of their rate.
_JITTER_MS = 300_000
#: Amounts are cut to this. A lot whose funding is not well above it leaves the position untold.
_QUANTUM = Decimal("0.00000001")

Row = Mapping[str, Any]


async def read_funding(
    rest: BinanceRest, instrument: Callable[[str], Instrument], symbols: Collection[str], since_ms: int
) -> list[FundingPayment]:
    """Every payment for these symbols from a time on, oldest first; none on spot."""
    if not rest.dialect.is_futures:
        return []
    found: list[FundingPayment] = []
    for row in await _income(rest, since_ms):
        amount = exact(row["income"])
        if amount and row["symbol"] in symbols:
            lots = await _position(rest, row, amount, instrument(row["symbol"]))
            found.append(
                FundingPayment(
                    row["symbol"], str(row["tranId"]), int(row["time"]), row["asset"], quanta(row["income"]), lots
                )
            )
    return found


async def read_rates(rest: BinanceRest, symbol: str, since_ms: int) -> list[FundingRate]:
    """Every funding of a symbol from a time on, oldest first; none on spot."""
    found: dict[int, FundingRate] = {}
    while rest.dialect.is_futures:
        params = {"symbol": symbol, "startTime": str(since_ms), "limit": str(_PAGE)}
        page = await rest.rows(rest.dialect.public, "fundingRate", params, _RATE_WEIGHT)
        for row in page:
            mark = exact(row["markPrice"]) if row.get("markPrice") else None
            time_ms = int(row["fundingTime"])
            found[time_ms] = FundingRate(symbol, time_ms, exact(row["fundingRate"]), mark)
        if len(page) < _PAGE:
            break
        since_ms = max(int(page[-1]["fundingTime"]), since_ms + 1)
    return [found[time_ms] for time_ms in sorted(found)]


async def _income(rest: BinanceRest, since_ms: int) -> list[Row]:
    rows: dict[tuple[str, str], Row] = {}
    while True:
        params = {"incomeType": "FUNDING_FEE", "startTime": str(since_ms), "limit": str(_PAGE)}
        page = await rest.rows(rest.dialect.private, "income", params, _INCOME_WEIGHT)
        rows |= {(row["symbol"], str(row["tranId"])): row for row in page}
        if len(page) < _PAGE:
            return list(rows.values())
        since_ms = max(int(page[-1]["time"]), since_ms + 1)


async def _position(rest: BinanceRest, row: Row, amount: Decimal, instrument: Instrument) -> int:
    """Lots the account held: the amount is position x mark price x rate, cut to the asset's finest unit."""
    time_ms = int(row["time"])
    around = {"startTime": str(time_ms - _JITTER_MS), "endTime": str(time_ms + _JITTER_MS)}
    rates = await rest.rows(rest.dialect.public, "fundingRate", {"symbol": row["symbol"], **around}, _RATE_WEIGHT)
    if not rates:
        return 0
    nearest = min(rates, key=lambda rate: abs(int(rate["fundingTime"]) - time_ms))
    of_lot = exact(nearest["markPrice"] or "0") * exact(nearest["fundingRate"]) * instrument.lot_size
    if abs(of_lot) < 10 * _QUANTUM:
        return 0
    return -int((amount / of_lot).to_integral_value())
