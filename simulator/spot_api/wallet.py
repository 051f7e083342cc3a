"""What clients ask of the wallet at start: coins, permissions, fees, statuses; and transfers to and from USD-M.

Unlike `/api/v3`, these routes pass over parameters they do not know.
"""

from __future__ import annotations

from typing import Final, Literal

from simulator.errors import INVALID_SYMBOL, VenueError, missing_parameter
from simulator.spot_api.account import held_assets
from simulator.spot_api.order_bodies import Body, decimal
from simulator.units import ONE, trim_quanta
from simulator.wire.endpoint import Call, endpoint

TransferType = Literal["MAIN_UMFUTURE", "UMFUTURE_MAIN"]
TRANSFERS: Final[tuple[TransferType, ...]] = ("MAIN_UMFUTURE", "UMFUTURE_MAIN")


@endpoint("GET /sapi/v1/system/status", market="spot")
def system_status(call: Call) -> object:
    """Always normal."""
    return {"status": 0, "msg": "normal"}


@endpoint("GET /sapi/v1/capital/config/getall", market="spot", security="USER_DATA", weight=10)
def coins(call: Call) -> object:
    """Every asset with its balance and one network, over which nothing can be sent."""
    return [_coin(asset, free, locked) for asset, (free, locked) in held_assets(call).items()]


def _coin(asset: str, free: int, locked: int) -> Body:
    return {
        "coin": asset,
        "depositAllEnable": True,
        "withdrawAllEnable": True,
        "name": asset,
        "free": trim_quanta(free),
        "locked": trim_quanta(locked),
        "freeze": "0",
        "withdrawing": "0",
        "ipoing": "0",
        "ipoable": "0",
        "storage": "0",
        "isLegalMoney": False,
        "trading": True,
        "networkList": [
            {
                "network": asset,
                "coin": asset,
                "withdrawIntegerMultiple": "0.00000001",
                "isDefault": True,
                "depositEnable": False,
                "withdrawEnable": False,
                "depositDesc": "",
                "withdrawDesc": "",
                "specialTips": "",
                "name": asset,
                "resetAddressStatus": False,
                "addressRegex": "",
                "memoRegex": "",
                "withdrawFee": "0",
                "withdrawMin": "0",
                "withdrawMax": "0",
                "minConfirm": 1,
                "unLockConfirm": 0,
                "sameAddress": False,
                "estimatedArrivalTime": 1,
                "busy": False,
            }
        ],
    }


@endpoint("GET /sapi/v1/spot/delist-schedule", market="spot", security="MARKET", weight=100)
@endpoint("GET /sapi/v1/margin/allPairs", market="spot", security="MARKET")
@endpoint("GET /sapi/v1/margin/allAssets", market="spot", security="MARKET")
@endpoint("GET /sapi/v1/margin/isolated/allPairs", market="spot", security="MARKET")
def nothing(call: Call) -> object:
    """An empty list: there is no margin trading here, and nothing is about to be delisted."""
    return []


@endpoint("GET /sapi/v1/account/apiRestrictions", market="spot", security="USER_DATA")
def api_restrictions(call: Call) -> object:
    """What the key may do."""
    key = call.key
    if key is None:
        raise VenueError(-2014, "API-key format invalid.", 401)
    allowed = key.permissions
    return {
        "ipRestrict": bool(key.ip_addresses),
        "createTime": key.created_ms,
        "enableReading": "READING" in allowed,
        "enableWithdrawals": "WITHDRAWALS" in allowed,
        "enableInternalTransfer": False,
        "enableMargin": "MARGIN" in allowed,
        "enableFutures": "FUTURES" in allowed,
        "permitsUniversalTransfer": "UNIVERSAL_TRANSFER" in allowed,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": "SPOT" in allowed,
        "enablePortfolioMarginTrading": False,
    }


@endpoint("GET /sapi/v1/account/status", market="spot", security="USER_DATA")
def status_of_account(call: Call) -> object:
    """Always normal."""
    return {"data": "Normal"}


@endpoint("GET /sapi/v1/account/apiTradingStatus", market="spot", security="USER_DATA")
def trading_status(call: Call) -> object:
    """Locked when the account may not trade."""
    return {
        "data": {
            "isLocked": not call.account.can_trade,
            "plannedRecoverTime": 0,
            "triggerCondition": {"GCR": 150, "IFER": 150, "UFR": 300},
            "updateTime": call.venue.clock.now_ms(),
        }
    }


@endpoint("POST /sapi/v3/asset/getUserAsset", market="spot", security="USER_DATA", weight=5)
def user_assets(call: Call) -> object:
    """Assets that are held, or the one asked for."""
    params = call.params
    asset = params.optional_text("asset")
    values_in_bitcoin = params.boolean("needBtcValuation")
    rows = []
    for name, (free, locked) in held_assets(call).items():
        if (free or locked) and asset in (None, name):
            value = decimal(value_in(call, name, free + locked, "BTC")) if values_in_bitcoin else "0"
            rows.append(
                {
                    "asset": name,
                    "free": trim_quanta(free),
                    "locked": trim_quanta(locked),
                    "freeze": "0",
                    "withdrawing": "0",
                    "ipoable": "0",
                    "btcValuation": value,
                }
            )
    return rows


@endpoint("GET /sapi/v1/asset/tradeFee", market="spot", security="USER_DATA")
def trade_fee(call: Call) -> object:
    """Commission rates by symbol."""
    symbol = call.params.optional_symbol()
    account, listed = call.account, call.venue.spot.instruments
    if symbol is not None and symbol not in listed:
        raise VenueError(*INVALID_SYMBOL)
    maker, taker = trim_quanta(account.maker_fee), trim_quanta(account.taker_fee)
    return [
        {"symbol": name, "makerCommission": maker, "takerCommission": taker}
        for name in listed
        if symbol in (None, name)
    ]


def value_in(call: Call, asset: str, amount: int, quote: str) -> int:
    """Worth of an amount in another asset at last prices, over USDT if need be; 0 where no market tells."""
    if asset == quote:
        return amount
    for through in (quote, "USDT"):
        price, inverse = _last_price(call, asset, through), _last_price(call, through, asset)
        if not price and not inverse:
            continue
        worth = amount * price // ONE if price else amount * ONE // inverse
        return worth if through == quote else value_in_direct(call, through, worth, quote)
    return value_in_direct(call, asset, amount, quote)


def value_in_direct(call: Call, asset: str, amount: int, quote: str) -> int:
    """The same by a market of exactly these two; 0 where there is none."""
    price, inverse = _last_price(call, asset, quote), _last_price(call, quote, asset)
    if price:
        return amount * price // ONE
    return amount * ONE // inverse if inverse else 0


def _last_price(call: Call, base: str, quote: str) -> int:
    symbol = base + quote
    spot = call.venue.spot
    return spot.market(symbol).last_price if symbol in spot.instruments else 0


@endpoint("GET /sapi/v1/asset/wallet/balance", market="spot", security="USER_DATA", weight=60)
def wallet_balance(call: Call) -> object:
    """Worth of each wallet in one asset (BTC unless `quoteAsset` says otherwise)."""
    quote = call.params.optional_text("quoteAsset") or "BTC"
    spot = sum(value_in(call, asset, free + locked, quote) for asset, (free, locked) in held_assets(call).items())
    wallets, account_id = call.venue.futures.wallets, call.account_id
    futures = sum(
        value_in(call, asset, wallets.balance(account_id, asset), quote) for asset in wallets.assets(account_id)
    )
    return [
        {"activate": True, "balance": trim_quanta(spot), "walletName": "Spot"},
        {"activate": False, "balance": "0", "walletName": "Funding"},
        {"activate": False, "balance": "0", "walletName": "Cross Margin"},
        {"activate": False, "balance": "0", "walletName": "Isolated Margin"},
        {"activate": True, "balance": trim_quanta(futures), "walletName": "USDⓈ-M Futures"},
        {"activate": False, "balance": "0", "walletName": "COIN-M Futures"},
        {"activate": False, "balance": "0", "walletName": "Earn"},
        {"activate": False, "balance": "0", "walletName": "Options"},
    ]


@endpoint("POST /sapi/v1/asset/transfer", market="spot", security="USER_DATA")
def transfer(call: Call) -> object:
    """Move an asset between spot and USD-M."""
    params = call.params
    kind = params.choice("type", TRANSFERS) if params.peek("type") in TRANSFERS else _unknown_transfer(call)
    asset, amount = params.text("asset"), params.decimal("amount")
    return move(call, kind, asset, amount)


def _unknown_transfer(call: Call) -> TransferType:
    call.params.text("type")
    raise VenueError(-9000, "user have no avaliable amount")


@endpoint("POST /sapi/v1/futures/transfer", market="spot", security="USER_DATA")
def old_transfer(call: Call) -> object:
    """The same with numbers: 1 to USD-M, 2 back."""
    params = call.params
    asset, amount = params.text("asset"), params.decimal("amount")
    kind = params.integer("type", 1, 2)
    return move(call, TRANSFERS[kind - 1], asset, amount)


def move(call: Call, kind: TransferType, asset: str, amount: int) -> Body:
    """Carry a transfer out whole or not at all; -5013 when the amount is not there."""
    if amount <= 0:
        raise missing_parameter("amount")
    venue, account_id = call.venue, call.account_id
    try:
        if kind == "MAIN_UMFUTURE":
            venue.spot.withdraw(account_id, asset, amount)
            venue.futures.deposit(account_id, asset, amount)
        else:
            venue.futures.withdraw(account_id, asset, amount)
            venue.spot.deposit(account_id, asset, amount)
    except VenueError:
        raise VenueError(-5013, "Asset transfer failed: insufficient balance") from None
    number = venue.tape.append("transfer", account=account_id, type=kind, asset=asset, amount=decimal(amount))
    return {"tranId": number}


@endpoint("GET /sapi/v1/asset/transfer", market="spot", security="USER_DATA")
def transfers(call: Call) -> object:
    """Own transfers of one type, newest first."""
    params = call.params
    kind = params.text("type")
    start, end = params.optional_integer("startTime"), params.optional_integer("endTime")
    page, size = params.optional_integer("current", 1) or 1, params.optional_integer("size", 1, 100) or 10
    rows = [
        {
            "asset": record["asset"],
            "amount": record["amount"],
            "type": kind,
            "status": "CONFIRMED",
            "tranId": record["n"],
            "timestamp": record["t"],
        }
        for record in call.venue.tape.records(kind="transfer")
        if (record["account"], record["type"]) == (call.account_id, kind)
    ]
    rows = [row for row in reversed(rows) if _is_within(row["timestamp"], start, end)]
    return {"total": len(rows), "rows": rows[(page - 1) * size : page * size]}


def _is_within(moment: object, start: int | None, end: int | None) -> bool:
    if not isinstance(moment, int):
        return False
    return (start is None or moment >= start) and (end is None or moment <= end)


@endpoint("GET /sapi/v1/bnbBurn", market="spot", security="USER_DATA")
def bnb_burn(call: Call) -> object:
    """Whether spot commission is paid in BNB."""
    return {"spotBNBBurn": call.account.pay_fees_in_bnb, "interestBNBBurn": False}


@endpoint("POST /sapi/v1/bnbBurn", market="spot", security="USER_DATA")
def set_bnb_burn(call: Call) -> object:
    """Switch commission in BNB on or off."""
    params = call.params
    account = call.account
    pays = params.boolean("spotBNBBurn", default=account.pay_fees_in_bnb)
    params.boolean("interestBNBBurn")
    account.pay_fees_in_bnb = pays
    return {"spotBNBBurn": pays, "interestBNBBurn": False}
