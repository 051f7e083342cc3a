"""Funding as OKX and Bybit list it: read in the venues' own texts, under their own ids, page by page.

What ccxt makes of these lists is left aside: it loses the position, and for Bybit reads executions, where a fee that
was charged and one that was paid are told apart by their sign alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple, Protocol

from domain.funding import FundingPayment, FundingRate
from domain.money import divmod_exact, multiply
from exchanges._ccxt_venue.table import VenueTable
from exchanges._ccxt_venue.translate import Market, amount

_DAY_MS: Final = 86_400_000
_OKX_PAGE, _OKX_RATES = 100, 100
_BYBIT_PAGE, _BYBIT_RATES = 50, 200
#: The transaction log answers for so long at once, and reaches so far back.
_WINDOW_MS, _REACH_MS = 7 * _DAY_MS, 729 * _DAY_MS
#: A bill is stamped some seconds after the time of its rate.
_JITTER_MS: Final = 300_000
#: A position is believed when what it makes at the rate and price that are told is the amount, to this part of it.
_TOLERANCE: Final = Decimal("0.01")

Row = Mapping[str, Any]


class Ask(Protocol):
    """Makes one request of ccxt's client within the budget of reads; raises what reads raise."""

    def __call__(self, ask: Callable[[Any], Awaitable[Any]], /) -> Awaitable[Any]:
        """The answer of the venue, whole."""


class Paid(NamedTuple):
    """One payment in the venue's texts; `position` in contracts, below zero when short, empty when it does not tell."""

    symbol: str
    number: str
    time_ms: int
    asset: str
    amount: str
    position: str = ""
    price: str = ""
    rate: str = ""


@dataclass(frozen=True, slots=True)
class FundingLists:
    """How a venue lists what an account was paid, and what rates it has charged: in any order, rows twice or not."""

    paid: Callable[[Ask, int, int], AsyncIterator[Paid]]
    #: Adds to a payment what the list leaves open.
    completed: Callable[[Ask, Paid], Awaitable[Paid]]
    rates: Callable[[Ask, str, int, int], AsyncIterator[tuple[int, str]]]


class FundingReader:
    """Reads a venue's lists; a venue without any, as on spot, has no funding."""

    def __init__(
        self,
        lists: FundingLists | None,
        ask: Ask,
        markets: Callable[[], Mapping[str, Market]],
        table: VenueTable,
        venue_ms: Callable[[], int],
    ) -> None:
        self._lists = lists
        self._ask = ask
        self._markets = markets
        self._table = table
        self._venue_ms = venue_ms

    async def payments(self, symbols: Collection[str], since_ms: int) -> list[FundingPayment]:
        """Every payment for these symbols from a time on, each once, oldest first. Raises what reads raise."""
        found: dict[tuple[str, str], FundingPayment] = {}
        if self._lists is None:
            return []
        # What is not listed any more must not keep the others from theirs.
        markets = {symbol: market for symbol, market in self._markets().items() if symbol in symbols}
        async for row in self._lists.paid(self._ask, since_ms, self._venue_ms()):
            market = markets.get(row.symbol)
            if market is not None and row.time_ms >= since_ms and amount(row.amount):
                position = _position(await self._lists.completed(self._ask, row), market)
                found[row.symbol, row.number] = FundingPayment(
                    row.symbol, row.number, row.time_ms, row.asset, _quanta(row.amount, self._table), position
                )
        return sorted(found.values(), key=lambda one: (one.time_ms, one.symbol, one.transaction_id))

    async def rates(self, symbol: str, since_ms: int) -> list[FundingRate]:
        """Every rate that was charged on a symbol from a time on, oldest first; no mark price is told with it."""
        if self._lists is None:
            return []
        listed = self._lists.rates(self._ask, symbol, since_ms, self._venue_ms())
        found = {time_ms: amount(rate) async for time_ms, rate in listed}
        return [FundingRate(symbol, time_ms, found[time_ms], None) for time_ms in sorted(found) if time_ms >= since_ms]


async def okx_paid(ask: Ask, since_ms: int, _now_ms: int) -> AsyncIterator[Paid]:
    """Bills of type 8, newest first, of the last three months. A bill tells how much was held, and not which way."""
    oldest = ""
    while True:
        wanted = {"instType": "SWAP", "type": "8", "begin": str(max(since_ms - 1, 0)), "limit": str(_OKX_PAGE)}
        wanted |= {"after": oldest} if oldest else {}
        page: list[Row] = (await ask(_calling("privateGetAccountBillsArchive", wanted)))["data"]
        for row in page:
            # On cross margin the account's balance changes; on isolated margin that of the position.
            change = row["balChg"] if amount(row["balChg"] or "0") else row["posBalChg"]
            size, price = row.get("sz") or "", row.get("px") or ""
            yield Paid(row["instId"], row["billId"], int(row["ts"]), row["ccy"], change, size, price)
        if len(page) < _OKX_PAGE:
            return
        oldest = page[-1]["billId"]


async def okx_completed(ask: Ask, paid: Paid) -> Paid:
    """With the rate that the bill was made by, and so with the side that was held."""
    rate = await _okx_rate(ask, paid.symbol, paid.time_ms) if paid.position and paid.price else ""
    is_short = bool(rate) and (amount(paid.amount) > 0) == (amount(rate) > 0)
    return paid._replace(rate=rate, position=f"-{paid.position}" if is_short else paid.position)


async def okx_rates(ask: Ask, symbol: str, since_ms: int, now_ms: int) -> AsyncIterator[tuple[int, str]]:
    """Rates that were charged, newest first, of the last three months."""
    newest = now_ms + 1
    while True:
        wanted = {"instId": symbol, "before": str(max(since_ms - 1, 0)), "after": str(newest), "limit": str(_OKX_RATES)}
        page: list[Row] = (await ask(_calling("publicGetPublicFundingRateHistory", wanted)))["data"]
        for row in page:
            # The rate that was announced and the one that was charged may differ where the venue caps it.
            yield int(row["fundingTime"]), row.get("realizedRate") or row["fundingRate"]
        if len(page) < _OKX_RATES:
            return
        newest = int(page[-1]["fundingTime"])


async def bybit_paid(ask: Ask, since_ms: int, now_ms: int) -> AsyncIterator[Paid]:
    """Settlements of the transaction log, week by week. A row tells what was held, with its direction."""
    begin = max(since_ms, now_ms - _REACH_MS)
    while begin <= now_ms:
        end, cursor = min(begin + _WINDOW_MS, now_ms), ""
        while True:
            wanted = {
                "accountType": "UNIFIED", "category": "linear", "type": "SETTLEMENT", "startTime": str(begin),
                "endTime": str(end), "limit": str(_BYBIT_PAGE), **({"cursor": cursor} if cursor else {}),
            }  # fmt: skip
            result = (await ask(_calling("privateGetV5AccountTransactionLog", wanted)))["result"]
            for row in result["list"]:
                if row["type"] == "SETTLEMENT" and row["funding"]:
                    yield Paid(
                        row["symbol"], row["id"], int(row["transactionTime"]), row["currency"], row["funding"],
                        row["size"], row["tradePrice"], row["feeRate"],
                    )  # fmt: skip
            cursor = result.get("nextPageCursor") or ""
            if not cursor or not result["list"]:
                break
        begin = end + 1


async def bybit_completed(_ask: Ask, paid: Paid) -> Paid:
    """As it is: a row tells everything."""
    return paid


async def bybit_rates(ask: Ask, symbol: str, since_ms: int, now_ms: int) -> AsyncIterator[tuple[int, str]]:
    """Rates that were charged, newest first."""
    newest = now_ms
    while newest >= since_ms:
        wanted = {
            "category": "linear", "symbol": symbol, "startTime": str(since_ms), "endTime": str(newest),
            "limit": str(_BYBIT_RATES),
        }  # fmt: skip
        page: list[Row] = (await ask(_calling("publicGetV5MarketFundingHistory", wanted)))["result"]["list"]
        for row in page:
            yield int(row["fundingRateTimestamp"]), row["fundingRate"]
        if len(page) < _BYBIT_RATES:
            return
        newest = min(int(row["fundingRateTimestamp"]) for row in page) - 1


OKX: Final = FundingLists(okx_paid, okx_completed, okx_rates)
BYBIT: Final = FundingLists(bybit_paid, bybit_completed, bybit_rates)


def _calling(method: str, params: Mapping[str, str]) -> Callable[[Any], Awaitable[Any]]:
    async def ask(client: Any) -> Any:
        return await getattr(client, method)(dict(params))

    return ask


async def _okx_rate(ask: Ask, symbol: str, time_ms: int) -> str:
    """The rate that a bill was made by; empty when none is told of its time."""
    around = okx_rates(ask, symbol, time_ms - _JITTER_MS, time_ms + _JITTER_MS)
    rates = [(abs(at - time_ms), rate) async for at, rate in around if abs(at - time_ms) <= _JITTER_MS]
    return min(rates)[1] if rates else ""


def _position(row: Paid, market: Market) -> int:
    """Lots that were held, below zero when short; 0, which is not told, unless they make the amount."""
    if not (row.position and row.price and row.rate):
        return 0
    base = multiply(amount(row.position), market.contract)
    made = -multiply(multiply(base, amount(row.price)), amount(row.rate))
    paid = amount(row.amount)
    if abs(made - paid) > abs(paid) * _TOLERANCE:
        return 0
    lots, rest = divmod_exact(base, market.instrument.lot_size)
    return lots if not rest else 0


def _quanta(text: str, table: VenueTable) -> int:
    """An amount in quanta. Where the venue's is finer, what is charged is rounded up and what is paid is cut."""
    whole, rest = divmod_exact(amount(text), table.quantum)
    return whole - (1 if rest < 0 else 0)
