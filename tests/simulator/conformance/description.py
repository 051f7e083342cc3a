"""The venue's OpenAPI documents, and what turns their random requests into ones that get past the first refusal."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

FILES: Final = {
    "spot": "wire-spec/openxapi-openapi-spot-api-v3-only.json.gz",
    "futures": "wire-spec/openxapi-openapi-umfutures.yaml.gz",
}
NOT_OFFERED: Final = {
    "/fapi/v1/apiReferral/": "the brokers' programme; answered 404",
    "/papi/": "portfolio margin; answered 404",
    "/fapi/v1/convert/": "conversion without a book; answered 404",
}
"""Beginnings of paths that the venue does not serve."""
ENDED: Final = {"/api/v3/userDataStream": "spot listen keys ended in February 2026; answered 410 without JSON"}

ORDERS: Final = ("order-1", "order-2", "order-3")
"""Client ids of orders that are open before an operation is tried; `list-1` is an order list (spot)."""

_MONEY = ("0.01", "0.5", "100", "50000", "70000.5")
PLAUSIBLE: Final[Mapping[str, tuple[Any, ...]]] = {
    "symbol": ("BTCUSDT", "ETHUSDT"),
    "pair": ("BTCUSDT",),
    "symbols": ('["BTCUSDT","ETHUSDT"]',),
    "contractType": ("PERPETUAL", "CURRENT_QUARTER"),
    "asset": ("USDT", "BTC"),
    "interval": ("1s", "1m", "5m", "1h", "1d", "1w", "1M"),
    "period": ("5m", "1h", "1d"),
    "windowSize": ("1m", "1h", "7d"),
    "timeZone": ("0", "8", "-1:30"),
    "permissions": ("SPOT",),
    "side": ("BUY", "SELL"),
    "workingSide": ("BUY", "SELL"),
    "pendingSide": ("BUY", "SELL"),
    "positionSide": ("BOTH", "LONG"),
    "type": ("LIMIT", "MARKET", "LIMIT_MAKER", "STOP_LOSS", "STOP", "FULL", "MINI", 1),
    "workingType": ("LIMIT", "MARK_PRICE"),
    "pendingType": ("MARKET", "LIMIT", "STOP_LOSS"),
    "aboveType": ("LIMIT_MAKER", "STOP_LOSS_LIMIT"),
    "belowType": ("STOP_LOSS", "LIMIT_MAKER"),
    "timeInForce": ("GTC", "IOC", "FOK", "GTX"),
    "newOrderRespType": ("ACK", "RESULT", "FULL"),
    "selfTradePreventionMode": ("EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH", "NONE"),
    "cancelReplaceMode": ("STOP_ON_FAILURE", "ALLOW_FAILURE"),
    "cancelRestrictions": ("ONLY_NEW", "ONLY_PARTIALLY_FILLED"),
    "incomeType": ("COMMISSION", "FUNDING_FEE"),
    "autoCloseType": ("LIQUIDATION", "ADL"),
    "marginType": ("CROSSED", "ISOLATED"),
    "dualSidePosition": ("true", "false"),
    "multiAssetsMargin": ("true", "false"),
    "feeBurn": ("true", "false"),
    "leverage": (1, 20, 125),
    "amount": ("10", "0.5"),
    "limit": (1, 5, 100, 1000),
    "orderId": (1, 2, 3, 10),
    "cancelOrderId": (1, 2, 3, 10),
    "origClientOrderId": ORDERS,
    "cancelOrigClientOrderId": ORDERS,
    "listClientOrderId": ("list-1",),
    "orderListId": (1, 2, 3),
    "fromId": (0, 1, 10),
    "startTime": (0, 1_700_000_000_000),
    "endTime": (1_700_000_000_000, 1_800_000_000_000),
    "recvWindow": (5000, 60000),
    "countdownTime": (0, 600_000),
    "downloadId": ("1", "545923594199212032"),
    "icebergQty": ("0.01", "0"),
    "trailingDelta": (100, 1000),
    **dict.fromkeys(
        (
            *("quantity", "quoteOrderQty", "workingQuantity", "pendingQuantity", "price", "stopPrice", "abovePrice"),
            *("aboveStopPrice", "belowPrice", "belowStopPrice", "workingPrice", "pendingPrice", "stopLimitPrice"),
        ),
        _MONEY,
    ),
}
"""Values with which a parameter of this name may be accepted."""

_LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
_MARKET = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.01"}
_STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "stopPrice": "50000"}
_OCO = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01"}
_OTO = {"symbol": "BTCUSDT", "workingType": "LIMIT", "workingSide": "BUY", "workingTimeInForce": "GTC"}
_OTO |= {"workingPrice": "50000", "workingQuantity": "0.01", "pendingSide": "SELL", "pendingQuantity": "0.01"}
_QUERY = {"symbol": "BTCUSDT", "origClientOrderId": "order-1"}
_CHANGE = _QUERY | {"side": "BUY", "quantity": "0.02", "price": "50001"}
_SPOT_LIMIT = _LIMIT | {"price": "50000"}

TEMPLATES: Final[Mapping[str, tuple[Mapping[str, Any], ...]]] = {
    "POST /api/v3/order": (_SPOT_LIMIT, _MARKET, _STOP),
    "POST /api/v3/order/test": (_SPOT_LIMIT, _MARKET, _STOP),
    "POST /api/v3/sor/order": (_SPOT_LIMIT, _MARKET),
    "POST /api/v3/sor/order/test": (_SPOT_LIMIT, _MARKET),
    "POST /api/v3/order/cancelReplace": (
        _SPOT_LIMIT | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": "order-1"},
        _SPOT_LIMIT | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": 3},
    ),
    "POST /api/v3/order/oco": (
        _OCO | {"price": "90000", "stopPrice": "50000"},
        _OCO | {"price": "90000", "stopPrice": "50000", "stopLimitPrice": "49900", "stopLimitTimeInForce": "GTC"},
    ),
    "POST /api/v3/orderList/oco": (
        _OCO | {"aboveType": "LIMIT_MAKER", "abovePrice": "90000", "belowType": "STOP_LOSS", "belowStopPrice": "50000"},
    ),
    "POST /api/v3/orderList/oto": (_OTO | {"pendingType": "MARKET"},),
    "POST /api/v3/orderList/otoco": (
        _OTO
        | {"pendingAboveType": "LIMIT_MAKER", "pendingAbovePrice": "90000"}
        | {"pendingBelowType": "STOP_LOSS", "pendingBelowStopPrice": "40000"},
    ),
    "GET /api/v3/order": (_QUERY,),
    "DELETE /api/v3/order": (_QUERY,),
    "GET /api/v3/orderList": ({"origClientOrderId": "list-1"},),
    "DELETE /api/v3/orderList": ({"symbol": "BTCUSDT", "listClientOrderId": "list-1"},),
    "GET /api/v3/myPreventedMatches": ({"symbol": "BTCUSDT", "orderId": 1},),
    "GET /fapi/v1/openOrder": (_QUERY,),
    "GET /fapi/v1/order": (_QUERY,),
    "DELETE /fapi/v1/order": (_QUERY,),
    "PUT /fapi/v1/order": (_CHANGE,),
    "GET /fapi/v1/orderAmendment": (_QUERY,),
    "PUT /fapi/v1/batchOrders": ({"batchOrders": json.dumps([_CHANGE])},),
    "DELETE /fapi/v1/batchOrders": ({"symbol": "BTCUSDT", "origClientOrderIdList": json.dumps(ORDERS)},),
    "POST /fapi/v1/order": (_SPOT_LIMIT, _MARKET, _MARKET | {"side": "BUY"}),
    "POST /fapi/v1/order/test": (_SPOT_LIMIT, _MARKET),
    "POST /fapi/v1/batchOrders": (
        {"batchOrders": json.dumps([_SPOT_LIMIT, _MARKET])},
        {"batchOrders": json.dumps([{**_SPOT_LIMIT, "price": "0"}])},
    ),
    "POST /fapi/v1/marginType": (
        {"symbol": "ETHUSDT", "marginType": "ISOLATED"},
        {"symbol": "ETHUSDT", "marginType": "CROSSED"},
    ),
    "POST /fapi/v1/positionMargin": ({"symbol": "ETHUSDT", "amount": "1", "type": 1},),
}
"""Small requests that are accepted, to be disturbed by random fields."""

NEVER: Final = {
    "DELETE /api/v3/userDataStream": "ended",
    "POST /api/v3/userDataStream": "ended",
    "PUT /api/v3/userDataStream": "ended",
    "GET /fapi/v1/pmAccountInfo": "there are no portfolio margin accounts: refused with -1109",
    "POST /fapi/v1/countdownCancelAll": "described with a JSON body; the venue reads parameters",
    "POST /fapi/v1/multiAssetsMargin": "refused while there are orders or positions, and there always are",
    "POST /fapi/v1/positionSide/dual": "the same",
    "POST /fapi/v1/positionMargin": "wants an isolated position",
}
"""Operations of which no drawn request succeeds; the tests of each package call them properly."""

DEVIATIONS: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "GetSymbolConfigV1RespItem.isAutoAddMargin": (
        {"type": "boolean"},
        "the newer official client insists on a boolean",
    ),
    "GetFuturesDataTakerlongshortRatioRespItem.timestamp": (
        {"type": "integer"},
        "the official client and its example have a number",
    ),
}
"""Described field -> its type here, and why."""
AMBIGUOUS: Final = (
    "UmfuturesCreateBatchOrdersV1Resp",
    "UmfuturesDeleteBatchOrdersV1Resp",
    "SpotDeleteOpenOrdersV3Resp",
)
"""Lists whose items are described as exactly one of two objects without a mandatory field, so that every item is
both: read as at least one of the two."""


def load(folder: Path, market: str) -> dict[str, Any]:
    """The document of a market ("spot", "futures") without the paths that are not offered."""
    with gzip.open(folder / FILES[market]) as file:
        content = file.read()
    document: dict[str, Any] = json.loads(content) if market == "spot" else yaml.load(content, yaml.CSafeLoader)
    kept = {path: item for path, item in document["paths"].items() if not path.startswith(tuple(NOT_OFFERED))}
    schemas = document["components"]["schemas"]
    for where, (schema, _) in DEVIATIONS.items():
        name, _, field = where.partition(".")
        if name in schemas:
            schemas[name]["properties"][field] = dict(schema)
    for name in AMBIGUOUS:
        if name in schemas:
            schemas[name]["items"]["anyOf"] = schemas[name]["items"].pop("oneOf")
    return document | {"paths": kept}
