"""Mark and index price, funding rates and their history."""

from __future__ import annotations

from simulator.futures.reports import Premium
from simulator.futures_api import weights, words
from simulator.futures_api.amounts import money
from simulator.wire.endpoint import Call, endpoint

Body = dict[str, object]


@endpoint("GET /fapi/v1/premiumIndex", market="futures", weight=weights.by_symbol(1, 10))
def premium_index(call: Call) -> object:
    """Mark price, index price and the rate charged next, of a symbol or of all."""
    one = call.optional_instrument()
    reports = call.venue.futures.reports
    if one is not None:
        return _premium(reports.premium(one.symbol))
    return [_premium(reports.premium(name)) for name in call.venue.futures.instruments]


@endpoint("GET /fapi/v1/fundingRate", market="futures", weight=0, quota="FUNDING")
def funding_history(call: Call) -> object:
    """Rates charged so far, oldest first."""
    one = call.optional_instrument()
    start, end = words.time_range(call.params)
    limit = words.limit(call.params, 100, 1000)
    found = call.venue.futures.funding.history(one.symbol if one else None, start, end, limit)
    return [
        {
            "symbol": item.symbol,
            "fundingTime": item.time_ms,
            "fundingRate": money(item.rate),
            "markPrice": money(item.mark_price) if item.mark_price else "",
            "rateType": "Regular",
        }
        for item in found
    ]


@endpoint("GET /fapi/v1/fundingInfo", market="futures", weight=0, quota="FUNDING")
def funding_information(call: Call) -> object:
    """Cap, floor and interval of every symbol's funding."""
    call.params.finish()
    return [
        {
            "symbol": item.symbol,
            "adjustedFundingRateCap": money(item.cap),
            "adjustedFundingRateFloor": money(item.floor),
            "fundingIntervalHours": item.interval_hours,
            "disclaimer": False,
            "updateTime": None,
        }
        for item in call.venue.futures.funding.info()
    ]


def _premium(premium: Premium) -> Body:
    return {
        "symbol": premium.symbol,
        "markPrice": money(premium.mark_price),
        "indexPrice": money(premium.index_price),
        "estimatedSettlePrice": money(premium.settle_price),
        "lastFundingRate": money(premium.last_funding_rate),
        "interestRate": money(premium.interest_rate),
        "nextFundingTime": premium.next_funding_ms,
        "time": premium.time_ms,
    }
