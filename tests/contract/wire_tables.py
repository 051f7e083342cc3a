"""Answers of OKX and Bybit as their documentation shows them, served on loopback by a program without a book."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

NOW = 1_795_200_000_000
Reply = tuple[int, Any]


@dataclass(slots=True)
class Scripted:
    """A venue that answers each path with what was written for it, and keeps what it was asked."""

    answers: dict[str, Any]
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        sent = dict(request.query) | (orjson.loads(body) if body else {})
        self.asked.append((request.method, request.path, sent))
        self.headers.append(dict(request.headers))
        answer = self.answers.get(request.path)
        if callable(answer):
            answer = answer(sent)
        if answer is None:
            return web.json_response({"code": "1", "retCode": 1, "msg": f"not scripted: {request.path}"}, status=404)
        status, content = answer if isinstance(answer, tuple) else (200, answer)
        text = content if isinstance(content, str) else orjson.dumps(content).decode()
        return web.Response(text=text, status=status, content_type="application/json")

    def sent_to(self, path: str) -> dict[str, Any]:
        """Parameters of the last request to a path."""
        return next(sent for _, asked, sent in reversed(self.asked) if asked == path)


@asynccontextmanager
async def serving(answers: dict[str, Any]) -> AsyncIterator[Scripted]:
    """The scripted venue on a free port."""
    venue = Scripted(answers)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", venue.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    venue.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield venue
    finally:
        await runner.cleanup()


def okx(data: list[Any]) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": data}


def bybit(result: dict[str, Any]) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": NOW}


def _okx_instrument(kind: str) -> dict[str, Any]:
    swap = kind == "SWAP"
    return {
        "instId": "BTC-USDT-SWAP" if swap else "BTC-USDT", "instType": kind, "uly": "BTC-USDT" if swap else "",
        "instFamily": "BTC-USDT" if swap else "", "baseCcy": "" if swap else "BTC", "quoteCcy": "" if swap else "USDT",
        "settleCcy": "USDT" if swap else "", "ctVal": "0.01" if swap else "", "ctMult": "1" if swap else "",
        "ctValCcy": "BTC" if swap else "", "ctType": "linear" if swap else "", "tickSz": "0.1",
        "lotSz": "0.01" if swap else "0.00000001", "minSz": "0.01" if swap else "0.00001", "state": "live",
        "lever": "100" if swap else "10", "maxLmtSz": "100000000" if swap else "9999", "maxMktSz": "1000000",
        "alias": "", "category": "1", "expTime": "", "listTime": "1606468572000", "optType": "", "stk": "",
    }  # fmt: skip


def okx_answers(kind: str, client_id: Callable[[], str]) -> dict[str, Any]:
    """OKX: `kind` is SPOT or SWAP; `client_id` is asked for the id that order answers carry."""
    symbol, size = ("BTC-USDT-SWAP", "2") if kind == "SWAP" else ("BTC-USDT", "0.02")

    def order(state: str) -> dict[str, Any]:
        return {
            "instType": kind, "instId": symbol, "ordId": "680800019749904384", "clOrdId": client_id(), "px": "60000.1",
            "sz": size, "ordType": "post_only", "side": "buy", "posSide": "net", "tdMode": "cash", "accFillSz": "0",
            "fillPx": "", "tradeId": "", "fillSz": "0", "state": state, "avgPx": "", "lever": "", "feeCcy": "BTC",
            "fee": "0", "rebateCcy": "USDT", "rebate": "0", "cTime": str(NOW), "uTime": str(NOW + 5),
            "reduceOnly": "false",
        }  # fmt: skip

    def fill(number: int) -> dict[str, Any]:
        return {
            "instType": kind, "instId": symbol, "tradeId": str(number), "ordId": "680800019749904384",
            "clOrdId": client_id(), "billId": str(number + 900), "tag": "", "fillPx": "60000.1", "fillSz": size,
            "side": "buy", "posSide": "net", "execType": "M", "feeCcy": "BTC", "fee": "-0.0000160000000001",
            "ts": str(NOW + number),
        }  # fmt: skip

    return {
        "/api/v5/public/time": okx([{"ts": str(NOW)}]),
        "/api/v5/public/instruments": okx([_okx_instrument(kind)]),
        "/api/v5/account/balance": okx([{"uTime": str(NOW), "details": [
            {"ccy": "USDT", "eq": "1000.5", "cashBal": "1000.5", "availBal": "900.25", "frozenBal": "100.25",
             "uTime": str(NOW), "availEq": "900.25"}]}]),
        "/api/v5/trade/order": lambda sent: okx([{"clOrdId": client_id(), "ordId": "680800019749904384", "tag": "",
            "sCode": "0", "sMsg": "", "ts": str(NOW)}]) if "sz" in sent else okx([order("live")]),
        "/api/v5/trade/cancel-order": lambda _: okx(
            [{"clOrdId": client_id(), "ordId": "680800019749904384", "sCode": "0", "sMsg": ""}]),
        "/api/v5/trade/orders-pending": lambda _: okx([order("live")]),
        "/api/v5/trade/fills": lambda _: okx([fill(2), fill(1)]),
        "/api/v5/trade/fills-history": lambda _: okx([fill(2), fill(1)]),
        "/api/v5/market/ticker": okx([{"instType": kind, "instId": symbol, "last": "60001", "lastSz": "1", "askPx":
            "60001.1", "askSz": "1", "bidPx": "60001", "bidSz": "1", "open24h": "1", "high24h": "1", "low24h": "1",
            "volCcy24h": "1", "vol24h": "1", "ts": str(NOW)}]),
        "/api/v5/account/positions": okx([{"instId": "BTC-USDT-SWAP", "instType": "SWAP", "posSide": "net", "pos": "-3",
            "avgPx": "60000.5", "liqPx": "70000.1", "lever": "10", "mgnMode": "cross", "uTime": str(NOW), "upl": "0",
            "markPx": "60000", "notionalUsd": "1800", "margin": "", "imr": "1", "mmr": "1", "cTime": str(NOW)}]),
    }  # fmt: skip


def bybit_answers(category: str, client_id: Callable[[], str]) -> dict[str, Any]:
    """Bybit: `category` is spot or linear."""
    lots = (
        {"basePrecision": "0.000001", "quotePrecision": "0.00000001", "minOrderQty": "0.000048", "maxOrderQty": "71.7",
         "minOrderAmt": "1", "maxOrderAmt": "2000000"}
        if category == "spot"
        else {"qtyStep": "0.001", "minOrderQty": "0.001", "maxOrderQty": "1190", "maxMktOrderQty": "500",
              "postOnlyMaxOrderQty": "1190", "minNotionalValue": "5"}
    )  # fmt: skip
    instrument = {
        "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT", "status": "Trading",
        "contractType": "LinearPerpetual", "innovation": "0", "marginTrading": "both", "launchTime": "1585526400000",
        "deliveryTime": "0", "deliveryFeeRate": "", "priceScale": "2", "lotSizeFilter": lots,
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"}, "fundingInterval": 480,
        "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"}, "copyTrading": "both",
    }  # fmt: skip

    def order() -> dict[str, Any]:
        return {
            "symbol": "BTCUSDT", "orderId": "fd4300ae-7847-404e-b947-b46980a4d140", "orderLinkId": client_id(),
            "orderType": "Limit", "side": "Buy", "price": "60000.10", "qty": "0.02", "timeInForce": "PostOnly",
            "orderStatus": "New", "cumExecQty": "0", "cumExecValue": "0", "cumExecFee": "0", "leavesQty": "0.02",
            "avgPrice": "0", "createdTime": str(NOW), "updatedTime": str(NOW + 5), "reduceOnly": False,
            "rejectReason": "EC_NoError", "positionIdx": 0, "triggerPrice": "",
        }  # fmt: skip

    def execution(number: int) -> dict[str, Any]:
        return {
            "symbol": "BTCUSDT", "orderId": "fd4300ae-7847-404e-b947-b46980a4d140", "orderLinkId": client_id(),
            "side": "Buy", "orderPrice": "60000.10", "orderQty": "0.02", "orderType": "Limit", "execFee": "0.000002",
            "execId": f"{number}", "execPrice": "60000.10", "execQty": "0.01", "execType": "Trade", "execValue": "600",
            "execTime": str(NOW + number), "feeCurrency": "BTC" if category == "spot" else "",
            "feeRate": "0.0001", "isMaker": True, "leavesQty": "0",
        }  # fmt: skip

    reference = bybit({"orderId": "fd4300ae-7847-404e-b947-b46980a4d140", "orderLinkId": ""})

    def acknowledged(_sent: dict[str, Any]) -> dict[str, Any]:
        return reference | {"result": reference["result"] | {"orderLinkId": client_id()}}

    return {
        "/v5/market/time": bybit({"timeSecond": str(NOW // 1000), "timeNano": str(NOW * 1_000_000)}),
        "/v5/market/instruments-info": bybit({"category": category, "list": [instrument], "nextPageCursor": ""}),
        "/v5/account/wallet-balance": bybit({"list": [{"accountType": "UNIFIED", "totalEquity": "1000", "coin": [
            {"coin": "USDT", "walletBalance": "1000.5", "locked": "100.25", "equity": "1000.5", "free": "",
             "totalOrderIM": "0", "totalPositionIM": "0", "availableToWithdraw": ""}]}]}),
        "/v5/order/create": acknowledged,
        "/v5/order/cancel": acknowledged,
        "/v5/order/realtime": lambda _: bybit({"list": [order()], "nextPageCursor": "", "category": category}),
        "/v5/execution/list": lambda _: bybit(
            {"list": [execution(2), execution(1)], "nextPageCursor": "", "category": category}),
        "/v5/market/tickers": bybit({"category": category, "list": [{"symbol": "BTCUSDT", "lastPrice": "60001.00",
            "bid1Price": "60001.00", "ask1Price": "60001.10", "bid1Size": "1", "ask1Size": "1", "prevPrice24h": "1",
            "price24hPcnt": "0", "highPrice24h": "1", "lowPrice24h": "1", "turnover24h": "1", "volume24h": "1"}]}),
        "/v5/position/list": bybit({"category": category, "nextPageCursor": "", "list": [{"symbol": "BTCUSDT", "side":
            "Sell", "size": "0.03", "avgPrice": "60000.5", "liqPrice": "70000.1", "leverage": "10", "positionIdx": 0,
            "markPrice": "60000", "positionValue": "1800", "unrealisedPnl": "0", "updatedTime": str(NOW),
            "tradeMode": 0, "positionIM": "1", "positionMM": "1", "createdTime": str(NOW)}]}),
    }  # fmt: skip
