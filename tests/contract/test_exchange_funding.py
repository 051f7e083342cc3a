"""Funding of OKX and Bybit: page by page in the venues' own texts, each payment once, with the position it was for.

The rows have the fields of the venues' documentation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from core.base_exchange import EXCHANGES, BaseExchange, Credentials, TellsFunding, VenueSettings
from core.base_funding import TellsFundingRates
from core.clock import system_clock
from domain.errors import Transient
from domain.funding import FundingPayment, FundingRate
from tests.contract.wire_tables import NOW, Scripted, bybit, bybit_answers, okx, okx_answers, serving
from tests.exchange_venue import scan

scan()
HOUR = 3_600_000
SWAP, LINEAR = "BTC-USDT-SWAP", "BTCUSDT"
BILLS, OKX_RATES = "/api/v5/account/bills-archive", "/api/v5/public/funding-rate-history"
LOG, BYBIT_RATES = "/v5/account/transaction-log", "/v5/market/funding/history"
Answer = Callable[[dict[str, Any]], dict[str, Any]]


@asynccontextmanager
async def opened(name: str, more: dict[str, Any]) -> AsyncIterator[tuple[BaseExchange, Scripted]]:
    answers = okx_answers("SWAP", lambda: "x") if name == "okx_futures" else bybit_answers("linear", lambda: "x")
    async with serving(answers | more) as venue:
        credentials = Credentials(SecretStr("the-key"), SecretStr("the-secret"), SecretStr("the-passphrase"))
        settings = VenueSettings(credentials, rest_url=venue.url, receive_window_ms=1_200, timeout_seconds=2.0)
        exchange = EXCHANGES.get(name)(settings, system_clock())
        await exchange.open()
        try:
            yield exchange, venue
        finally:
            await exchange.close()


async def payments(exchange: BaseExchange, symbol: str, since_ms: int) -> list[FundingPayment]:
    assert isinstance(exchange, TellsFunding)
    return await exchange.funding_since({symbol}, since_ms)


async def rates(exchange: BaseExchange, symbol: str, since_ms: int) -> list[FundingRate]:
    assert isinstance(exchange, TellsFundingRates)
    return await exchange.funding_rates(symbol, since_ms)


def bill(number: int, time_ms: int, change: str, **more: str) -> dict[str, str]:
    """One bill of OKX: three contracts of 0.01 BTC at 60,000, stamped some seconds after the hour."""
    return {
        "bal": "1000", "balChg": change, "billId": str(number), "ccy": "USDT", "clOrdId": "", "execType": "",
        "fee": "0", "from": "", "instId": SWAP, "instType": "SWAP", "mgnMode": "cross", "notes": "",
        "ordId": "", "pnl": change,
        "posBal": "0", "posBalChg": "0", "px": "60000", "subType": "173" if change.startswith("-") else "174",
        "sz": "3", "tag": "", "to": "", "tradeId": "", "ts": str(time_ms + 15_588), "type": "8",
    } | more  # fmt: skip


def bills_of(rows: list[dict[str, str]]) -> Answer:
    """What the venue gives of them: newest first, a page, behind `after`."""

    def page(sent: dict[str, Any]) -> dict[str, Any]:
        assert (sent["type"], sent["instType"]) == ("8", "SWAP")
        newest = sorted(rows, key=lambda row: -int(row["billId"]))
        some = [row for row in newest if int(row["billId"]) < int(sent.get("after", 10**18))]
        return okx([row for row in some if int(row["ts"]) > int(sent["begin"])][: int(sent["limit"])])

    return page


def okx_rates_of(rows: dict[int, tuple[str, str]]) -> Answer:
    """Announced and charged rates by their time: newest first, a page, between `before` and `after`."""

    def page(sent: dict[str, Any]) -> dict[str, Any]:
        assert sent["instId"] == SWAP
        within = [at for at in sorted(rows, reverse=True) if int(sent["before"]) < at < int(sent["after"])]
        return okx([
            {"fundingRate": rows[at][0], "realizedRate": rows[at][1], "fundingTime": str(at), "instId": SWAP}
            for at in within[: int(sent["limit"])]
        ])  # fmt: skip

    return page


def settlement(number: int, time_ms: int, funding: str, **more: str) -> dict[str, str]:
    """One row of Bybit's transaction log: 0.03 BTC, long, at 60,000."""
    return {
        "transSubType": "", "id": f"592324_BTCUSDT_{number}", "symbol": LINEAR, "side": "Buy", "funding": funding,
        "orderLinkId": "", "orderId": f"{time_ms}-8-592324-1-2", "fee": "0.00000000", "change": funding,
        "cashFlow": "0", "transactionTime": str(time_ms), "type": "SETTLEMENT", "feeRate": "0.0001",
        "bonusChange": "", "size": "0.03",
        "qty": "0.03", "cashBalance": "5086.55825002", "currency": "USDT", "category": "linear", "tradePrice": "60000",
        "tradeId": "534c0003-4bf7-486f-aa02-78cee36825e4", "extraFees": "",
    } | more  # fmt: skip


def log_of(rows: list[dict[str, str]]) -> Answer:
    """What the venue gives of them: newest first, within at most seven days, page by page behind a cursor."""

    def page(sent: dict[str, Any]) -> dict[str, Any]:
        begin, end, limit = int(sent["startTime"]), int(sent["endTime"]), int(sent["limit"])
        assert (sent["accountType"], sent["category"], sent["type"]) == ("UNIFIED", "linear", "SETTLEMENT")
        assert 0 <= end - begin <= 7 * 24 * HOUR
        newest = sorted(rows, key=lambda row: -int(row["transactionTime"]))
        within = [row for row in newest if begin <= int(row["transactionTime"]) <= end]
        start = int(sent.get("cursor", "0"))
        more = str(start + limit) if start + limit < len(within) else ""
        return bybit({"list": within[start : start + limit], "nextPageCursor": more})

    return page


async def test_bills_of_okx_become_payments_to_the_last_digit() -> None:
    """0.03 BTC at 60,000 and 0.01 %: 0.18 USDT, which a long pays and a short is paid, and the other way below zero."""
    hours = [NOW - 24 * HOUR, NOW - 16 * HOUR, NOW - 8 * HOUR]
    rows = [
        bill(901, hours[0], "-0.1800000000001"),
        bill(902, hours[1], "0.1800000000001234"),
        bill(903, hours[2], "0", mgnMode="isolated", posBalChg="0.1799"),
        bill(904, hours[2], "-7", instId="ETH-USDT-SWAP"),
        bill(905, hours[2], "0"),
    ]
    told = okx_rates_of({hours[0]: ("0.02", "0.0001"), hours[1]: ("0.0001", "0.0001"), hours[2]: ("-0.0001", "")})
    async with opened("okx_futures", {BILLS: bills_of(rows), OKX_RATES: told}) as (exchange, venue):
        found = await payments(exchange, SWAP, hours[0])
        lots = exchange.instrument(SWAP).to_lots(Decimal("0.03"))
    stamps = [hour + 15_588 for hour in hours]
    assert found == [
        FundingPayment(SWAP, "901", stamps[0], "USDT", -180_000_000_001, lots),
        FundingPayment(SWAP, "902", stamps[1], "USDT", 180_000_000_000, -lots),
        FundingPayment(SWAP, "903", stamps[2], "USDT", 179_900_000_000, lots),
    ]
    asked = [sent["instId"] for _, path, sent in venue.asked if path == OKX_RATES]
    assert asked == [SWAP] * 3, "rates of symbols that nobody asks for are not read"


@pytest.mark.parametrize(
    ("more", "rate"),
    [({"px": ""}, "0.0001"), ({"sz": ""}, "0.0001"), ({}, ""), ({"px": "61000"}, "0.0001"), ({"sz": "4"}, "0.0001")],
)
async def test_a_position_that_does_not_make_the_amount_is_not_told(more: dict[str, str], rate: str) -> None:
    known = okx_rates_of({NOW - 8 * HOUR: (rate, rate)} if rate else {})
    rows = bills_of([bill(901, NOW - 8 * HOUR, "-0.18", **more)])
    async with opened("okx_futures", {BILLS: rows, OKX_RATES: known}) as (exchange, _):
        (found,) = await payments(exchange, SWAP, NOW - 9 * HOUR)
    assert (found.amount, found.position_lots) == (-180_000_000_000, 0)


async def test_bills_and_rates_of_okx_are_read_page_by_page_each_once() -> None:
    hours = [NOW - 8 * HOUR * count for count in range(250, 0, -1)]
    rows = [bill(1_000 + at, hour, f"-0.{180_000 + at}") for at, hour in enumerate(hours)]
    told = okx_rates_of(dict.fromkeys(hours, ("0.0001", "0.0001")))
    async with opened("okx_futures", {BILLS: bills_of(rows), OKX_RATES: told}) as (exchange, venue):
        found = await payments(exchange, SWAP, 0)
        listed = await rates(exchange, SWAP, hours[0])
    assert [one.transaction_id for one in found] == [row["billId"] for row in rows]
    assert [sent.get("after") for _, path, sent in venue.asked if path == BILLS] == [None, "1150", "1050"]
    assert listed == [FundingRate(SWAP, hour, Decimal("0.0001"), None) for hour in hours]


async def test_settlements_of_bybit_become_payments_with_their_direction() -> None:
    hours = [NOW - 24 * HOUR, NOW - 16 * HOUR, NOW - 8 * HOUR]
    rows = [
        settlement(1, hours[0], "-0.18"),
        settlement(2, hours[1], "0.1800000000001234", size="-0.03", side="Sell"),
        settlement(3, hours[2], "-0.18", feeRate="-0.0001", size="-0.03"),
        settlement(4, hours[2], "-0.36"),
        settlement(5, hours[2], "-7", symbol="ETHUSDT"),
        settlement(6, hours[2], "0"),
        settlement(7, hours[2], "", type="TRADE", cashFlow="3"),
    ]
    async with opened("bybit_futures", {LOG: log_of(rows)}) as (exchange, _):
        assert isinstance(exchange, TellsFunding)
        found = await exchange.funding_since({LINEAR, "GONEUSDT"}, hours[0])
        lots = exchange.instrument(LINEAR).to_lots(Decimal("0.03"))
    assert found == [
        FundingPayment(LINEAR, "592324_BTCUSDT_1", hours[0], "USDT", -180_000_000_000, lots),
        FundingPayment(LINEAR, "592324_BTCUSDT_2", hours[1], "USDT", 180_000_000_000, -lots),
        FundingPayment(LINEAR, "592324_BTCUSDT_3", hours[2], "USDT", -180_000_000_000, -lots),
        FundingPayment(LINEAR, "592324_BTCUSDT_4", hours[2], "USDT", -360_000_000_000, 0),
    ]


async def test_settlements_of_bybit_are_read_week_by_week_and_page_by_page_each_once() -> None:
    hours = [NOW - HOUR * count for count in range(20 * 24, 0, -1)]
    rows = [settlement(at, hour, f"-0.{180_000 + at}") for at, hour in enumerate(hours)]
    async with opened("bybit_futures", {LOG: log_of(rows)}) as (exchange, venue):
        found = await payments(exchange, LINEAR, hours[0])
        before = len(venue.asked)
        assert await payments(exchange, LINEAR, 0) == found
    assert [one.transaction_id for one in found] == [row["id"] for row in rows]
    assert [one.amount for one in found] == [int(Decimal(row["funding"]) * 10**12) for row in rows]
    first = next(int(sent["startTime"]) for _, path, sent in venue.asked[before:] if path == LOG)
    assert NOW - first <= 730 * 24 * HOUR, "the log reaches two years back and no more"


async def test_rates_of_bybit_are_read_page_by_page() -> None:
    hours = [NOW - 8 * HOUR * count for count in range(450, 0, -1)]

    def page(sent: dict[str, Any]) -> dict[str, Any]:
        within = [at for at in reversed(hours) if int(sent["startTime"]) <= at <= int(sent["endTime"])]
        rows = [{"symbol": LINEAR, "fundingRate": "-0.00012345", "fundingRateTimestamp": str(at)} for at in within]
        return bybit({"category": "linear", "list": rows[: int(sent["limit"])]})

    async with opened("bybit_futures", {BYBIT_RATES: page}) as (exchange, venue):
        found = await rates(exchange, LINEAR, hours[0])
    assert found == [FundingRate(LINEAR, hour, Decimal("-0.00012345"), None) for hour in hours]
    assert len([path for _, path, _ in venue.asked if path == BYBIT_RATES]) == 3


@pytest.mark.parametrize(("name", "path", "symbol"), [("okx_futures", BILLS, SWAP), ("bybit_futures", LOG, LINEAR)])
async def test_a_list_that_cannot_be_read_is_no_empty_list(name: str, path: str, symbol: str) -> None:
    async with opened(name, {path: (502, "<html>bad gateway</html>")}) as (exchange, _):
        with pytest.raises(Transient):
            await payments(exchange, symbol, NOW - HOUR)


@pytest.mark.parametrize("name", ["okx_spot", "bybit_spot"])
async def test_there_is_none_on_spot(name: str) -> None:
    exchange = EXCHANGES.get(name)(VenueSettings(), system_clock())
    assert await payments(exchange, "BTCUSDT", 0) == []
    assert await rates(exchange, "BTCUSDT", 0) == []
