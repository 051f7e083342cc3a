"""Income history, and the downloads of histories that this venue does not prepare."""

from __future__ import annotations

from typing import get_args

from simulator.errors import VenueError
from simulator.futures.types import IncomeType
from simulator.futures_api import words
from simulator.futures_api.amounts import money
from simulator.wire.endpoint import Call, endpoint

YEAR_DAYS = 366
_OTHER_TYPES = (
    "WELCOME_BONUS",
    "REFERRAL_KICKBACK",
    "COMMISSION_REBATE",
    "API_REBATE",
    "CONTEST_REWARD",
    "CROSS_COLLATERAL_TRANSFER",
    "OPTIONS_PREMIUM_FEE",
    "OPTIONS_SETTLE_PROFIT",
    "INTERNAL_TRANSFER",
    "AUTO_EXCHANGE",
    "DELIVERED_SETTELMENT",
    "COIN_SWAP_DEPOSIT",
    "COIN_SWAP_WITHDRAW",
    "POSITION_LIMIT_INCREASE_FEE",
    "STRATEGY_UMFUTURES_TRANSFER",
    "FEE_RETURN",
    "BFUSD_REWARD",
)
INCOME_TYPES: tuple[str, ...] = (*get_args(IncomeType), *_OTHER_TYPES)


@endpoint("GET /fapi/v1/income", market="futures", security="USER_DATA", weight=30)
def income_history(call: Call) -> object:
    """Profit, fees, funding and transfers, oldest first."""
    one = call.optional_instrument()
    kind = call.params.optional_choice("incomeType", INCOME_TYPES)
    start, end = words.time_range(call.params)
    page = call.params.optional_integer("page", 1, 1_000_000) or 1
    limit = words.limit(call.params, 100, 1000)
    symbol = one.symbol if one else None
    lines = call.venue.futures.wallets.income(call.account_id, symbol, kind, start, end, page * limit)
    chosen = lines if page == 1 else lines[(page - 1) * limit :]
    return [
        {
            "symbol": line.symbol,
            "incomeType": line.income_type,
            "income": money(line.amount),
            "asset": line.asset,
            "info": line.info or line.income_type,
            "time": line.time_ms,
            "tranId": line.transaction_id,
            "tradeId": line.trade_id,
        }
        for line in chosen
    ]


@endpoint("GET /fapi/v1/income/asyn", market="futures", security="USER_DATA", weight=1000)
@endpoint("GET /fapi/v1/order/asyn", market="futures", security="USER_DATA", weight=1000)
@endpoint("GET /fapi/v1/trade/asyn", market="futures", security="USER_DATA", weight=1000)
def download_id(call: Call) -> object:
    """An id whose download stays in processing: this venue prepares no files."""
    call.params.integer("startTime")
    call.params.integer("endTime")
    start, end = words.time_range(call.params, YEAR_DAYS)
    number = (call.account_id * 1_000_003 + (start or 0) // 1000 * 31 + (end or 0) // 1000) % 10**18
    return {"avgCostTimestampOfLast30d": 0, "downloadId": str(number)}


@endpoint("GET /fapi/v1/income/asyn/id", market="futures", security="USER_DATA", weight=10)
@endpoint("GET /fapi/v1/order/asyn/id", market="futures", security="USER_DATA", weight=10)
@endpoint("GET /fapi/v1/trade/asyn/id", market="futures", security="USER_DATA", weight=10)
def download_link(call: Call) -> object:
    """Always still in processing, with no link."""
    wanted = call.params.text("downloadId")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= 20):
        raise VenueError(-1130, "Data sent for parameter 'downloadId' is not valid.")
    return {
        "downloadId": wanted,
        "status": "processing",
        "url": "",
        "notified": False,
        "expirationTimestamp": -1,
        "isExpired": None,
    }


@endpoint("GET /fapi/v1/pmAccountInfo", market="futures", security="USER_DATA", weight=5)
def portfolio_margin_account(call: Call) -> object:
    """Portfolio margin is not offered: the account is refused as one that never joined."""
    call.params.text("asset")
    raise VenueError(-1109, "Invalid account.")
