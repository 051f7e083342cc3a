from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
import pytest
import pytest_asyncio

from tests.clients.ccxt_setup import point_at
from tests.clients.conftest import Customer
from tests.clients.keys import register
from tests.clients.steering import pass_minute, shift
from tests.simulator_process import SimulatorProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
BTC, ETH = "BTC/USDT", "ETH/USDT"
PERPETUAL, ETH_PERPETUAL = "BTC/USDT:USDT", "ETH/USDT:USDT"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spot(stepped: SimulatorProcess, customer: Customer) -> AsyncIterator[Any]:
    async with point_at(ccxt.binance({"apiKey": customer.key, "secret": customer.secret}), stepped) as exchange:
        await exchange.load_markets()
        yield exchange


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def futures(stepped: SimulatorProcess, customer: Customer) -> AsyncIterator[Any]:
    async with point_at(ccxt.binanceusdm({"apiKey": customer.key, "secret": customer.secret}), stepped) as exchange:
        await exchange.load_markets()
        yield exchange


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def nothing_left_open(spot: Any, futures: Any) -> AsyncIterator[None]:
    yield
    for order in await spot.fetch_open_orders(BTC):
        await spot.cancel_order(order["id"], BTC)
    await futures.cancel_all_orders(PERPETUAL)
    await futures.cancel_all_orders(PERPETUAL, {"trigger": True})
    for position in await held(futures):
        side = "sell" if position["side"] == "long" else "buy"
        await futures.create_order(
            position["symbol"], "market", side, position["contracts"], None, {"reduceOnly": True}
        )


async def held(futures: Any) -> list[dict[str, Any]]:
    return [position for position in await futures.fetch_positions() if position["contracts"]]


async def last(exchange: Any, symbol: str) -> float:
    price: float = (await exchange.fetch_ticker(symbol))["last"]
    return price


async def near(exchange: Any, symbol: str, factor: float) -> Any:
    return exchange.price_to_precision(symbol, await last(exchange, symbol) * factor)


async def steer(venue: SimulatorProcess, percent: str) -> None:
    await asyncio.to_thread(shift, venue, percent)


async def test_an_order_is_filled_in_part_and_then_whole(stepped: SimulatorProcess, spot: Any) -> None:
    price, shown = (await spot.fetch_order_book(BTC, 5))["asks"][0]
    order = await spot.create_order(BTC, "limit", "buy", shown + 0.5, price)
    assert (order["status"], order["filled"]) == ("open", shown)
    await steer(stepped, "-1")
    filled = await spot.fetch_order(order["id"], BTC)
    assert (filled["status"], filled["remaining"]) == ("closed", 0)
    trades = await spot.fetch_order_trades(order["id"], BTC)
    assert {trade["takerOrMaker"] for trade in trades} == {"taker", "maker"}
    assert sum(Decimal(str(trade["amount"])) for trade in trades) == Decimal(str(filled["amount"]))
    assert order["id"] in {item["id"] for item in await spot.fetch_closed_orders(BTC)}


@pytest.mark.parametrize(
    ("kind", "factor", "move"),
    [("stopLossPrice", 0.99, "-2"), ("takeProfitPrice", 1.01, "2"), ("triggerPrice", 0.99, "-2")],
)
async def test_spot_orders_with_a_trigger_are_carried_out(
    stepped: SimulatorProcess, spot: Any, kind: str, factor: float, move: str
) -> None:
    trigger = await near(spot, BTC, factor)
    order = await spot.create_order(BTC, "market", "sell", 0.01, None, {kind: trigger})
    assert (await spot.fetch_order(order["id"], BTC))["status"] == "open"
    await steer(stepped, move)
    assert (await spot.fetch_order(order["id"], BTC))["status"] == "closed"


async def test_spot_orders_are_edited_and_listed(spot: Any) -> None:
    low = await near(spot, BTC, 0.95)
    first = await spot.create_order(BTC, "limit", "buy", 0.01, low)
    second = await spot.edit_order(first["id"], BTC, "limit", "buy", 0.02, low)
    listed = {order["id"]: order["status"] for order in await spot.fetch_orders(BTC)}
    assert (listed[first["id"]], listed[second["id"]]) == ("canceled", "open")
    assert [order["id"] for order in await spot.fetch_canceled_orders(BTC)][-1] == first["id"]
    await spot.cancel_all_orders(BTC)
    assert await spot.fetch_open_orders(BTC) == []


async def test_spot_order_styles_are_understood(spot: Any) -> None:
    ask = (await spot.fetch_order_book(BTC, 5))["asks"][0]
    low, high = await near(spot, BTC, 0.95), await near(spot, BTC, 1.01)
    fok = await spot.create_order(BTC, "limit", "buy", ask[1] + 50, ask[0], {"timeInForce": "FOK"})
    assert fok["status"] in ("canceled", "expired")
    ioc = await spot.create_order(BTC, "limit", "buy", 0.01, high, {"timeInForce": "IOC"})
    assert ioc["status"] == "closed"
    maker = await spot.create_order(BTC, "limit", "buy", 0.01, low, {"postOnly": True})
    assert maker["status"] == "open"
    assert (await spot.create_order(BTC, "limit", "buy", 0.01, low, {"test": True}))["id"] is None


async def test_public_data_of_both_markets_is_readable(spot: Any, futures: Any) -> None:
    for exchange, symbol in ((spot, BTC), (futures, PERPETUAL)):
        assert len(await exchange.fetch_ohlcv(symbol, "1m", limit=5)) == 5
        assert len(await exchange.fetch_trades(symbol, limit=5)) == 5
        assert set(await exchange.fetch_tickers([symbol])) == {symbol}
        assert (await exchange.fetch_bids_asks([symbol]))[symbol]["bid"] > 0
        assert await exchange.fetch_last_prices([symbol])
        assert await exchange.fetch_time() > 0
    assert (await spot.fetch_trading_fee(BTC))["maker"] == 0.001
    assert (await spot.fetch_currencies())["BTC"]["active"]


@pytest.mark.parametrize("kind", ["ED25519", "RSA"])
async def test_private_keys_sign_for_both_markets(stepped: SimulatorProcess, customer: Customer, kind: str) -> None:
    private = await asyncio.to_thread(register, stepped, customer.key, kind, f"ccxt-{kind}")
    for make, symbol in ((ccxt.binance, BTC), (ccxt.binanceusdm, PERPETUAL)):
        async with point_at(make({"apiKey": f"ccxt-{kind}", "secret": private}), stepped) as exchange:
            await exchange.load_markets()
            order = await exchange.create_order(symbol, "limit", "buy", 0.01, await near(exchange, symbol, 0.95))
            assert (await exchange.cancel_order(order["id"], symbol))["status"] == "canceled"


async def test_a_futures_order_is_filled_in_part_edited_and_cancelled(futures: Any) -> None:
    price, shown = (await futures.fetch_order_book(PERPETUAL, 5))["asks"][0]
    order = await futures.create_order(PERPETUAL, "limit", "buy", shown + 0.5, price)
    found = await futures.fetch_order(order["id"], PERPETUAL)
    assert (found["status"], found["filled"]) == ("open", shown)
    low = await near(futures, PERPETUAL, 0.95)
    edited = await futures.edit_order(order["id"], PERPETUAL, "limit", "buy", shown + 0.8, low)
    assert (edited["id"], edited["price"]) == (order["id"], float(low))
    assert (await futures.cancel_order(order["id"], PERPETUAL))["status"] == "canceled"
    assert order["id"] in {item["id"] for item in await futures.fetch_orders(PERPETUAL)}
    assert order["id"] in {trade["order"] for trade in await futures.fetch_my_trades(PERPETUAL)}


async def test_futures_orders_go_in_batches(futures: Any) -> None:
    low = await near(futures, PERPETUAL, 0.95)
    wish = {"symbol": PERPETUAL, "type": "limit", "side": "buy", "amount": 0.01, "price": low}
    placed = await futures.create_orders([wish, wish, {**wish, "amount": 0.001}])
    assert sorted(order["status"] for order in placed) == ["open", "open", "rejected"]
    ids = [order["id"] for order in placed if order["status"] == "open"]
    edited = await futures.edit_orders([{"id": number, **wish, "amount": 0.02} for number in ids])
    assert [order["amount"] for order in edited] == [0.02, 0.02]
    cancelled = await futures.cancel_orders(ids, PERPETUAL)
    assert [order["status"] for order in cancelled] == ["canceled", "canceled"]


@pytest.mark.parametrize(
    ("params", "move"),
    [
        ({"stopLossPrice": 0.99}, "-2"),
        ({"takeProfitPrice": 1.01}, "2"),
        ({"trailingPercent": 1}, "-3"),
    ],
)
async def test_futures_stops_close_a_position(
    stepped: SimulatorProcess, futures: Any, params: dict[str, float], move: str
) -> None:
    await futures.create_order(PERPETUAL, "market", "buy", 0.1)
    price = await last(futures, PERPETUAL)
    wish = {
        name: value if name == "trailingPercent" else futures.price_to_precision(PERPETUAL, price * value)
        for name, value in params.items()
    }
    stop = await futures.create_order(PERPETUAL, "market", "sell", 0.1, None, {**wish, "reduceOnly": True})
    listed = await futures.fetch_open_orders(PERPETUAL, params={"trigger": True})
    assert [order["id"] for order in listed] == [stop["id"]]
    assert (await futures.fetch_order(stop["id"], PERPETUAL, {"trigger": True}))["status"] == "open"
    await steer(stepped, move)
    assert await held(futures) == []
    assert (await futures.fetch_order(stop["id"], PERPETUAL, {"trigger": True}))["status"] == "closed"


async def test_leverage_margin_mode_and_tiers_are_set_and_read(futures: Any) -> None:
    await futures.set_leverage(8, ETH_PERPETUAL)
    await futures.set_margin_mode("isolated", ETH_PERPETUAL)
    assert (await futures.fetch_leverage(ETH_PERPETUAL))["longLeverage"] == 8
    assert (await futures.fetch_margin_mode(ETH_PERPETUAL))["marginMode"] == "isolated"
    tiers = (await futures.fetch_leverage_tiers([ETH_PERPETUAL]))[ETH_PERPETUAL]
    assert tiers[0]["maxLeverage"] >= tiers[-1]["maxLeverage"]
    await futures.create_order(ETH_PERPETUAL, "market", "buy", 1)
    await futures.add_margin(ETH_PERPETUAL, 20)
    position = next(item for item in await held(futures) if item["symbol"] == ETH_PERPETUAL)
    assert position["marginMode"] == "isolated"
    assert 0 < position["liquidationPrice"] < position["markPrice"]
    await futures.create_order(ETH_PERPETUAL, "market", "sell", 1, None, {"reduceOnly": True})
    await futures.set_margin_mode("cross", ETH_PERPETUAL)


async def test_hedge_mode_holds_both_sides(futures: Any) -> None:
    await futures.set_position_mode(True)
    await futures.create_order(PERPETUAL, "market", "buy", 0.1, None, {"positionSide": "LONG"})
    await futures.create_order(PERPETUAL, "market", "sell", 0.2, None, {"positionSide": "SHORT"})
    assert {(item["side"], item["contracts"]) for item in await held(futures)} == {("long", 0.1), ("short", 0.2)}
    await futures.create_order(PERPETUAL, "market", "sell", 0.1, None, {"positionSide": "LONG"})
    await futures.create_order(PERPETUAL, "market", "buy", 0.2, None, {"positionSide": "SHORT"})
    await futures.set_position_mode(False)
    assert (await futures.fetch_position_mode())["hedged"] is False


async def test_funding_is_charged_and_its_history_told(stepped: SimulatorProcess, futures: Any) -> None:
    await futures.create_order(PERPETUAL, "market", "buy", 0.1)
    await asyncio.to_thread(pass_minute, stepped, 8 * 60)
    paid = await futures.fetch_funding_history(PERPETUAL)
    rates = await futures.fetch_funding_rate_history(PERPETUAL)
    assert paid
    assert rates[-1]["fundingRate"] == 0.0001
    assert paid[-1]["timestamp"] == rates[-1]["timestamp"]
    assert {entry["type"] for entry in await futures.fetch_ledger("USDT")} >= {"fee"}
    assert (await futures.fetch_funding_rates([PERPETUAL]))[PERPETUAL]["markPrice"] > 0


async def test_refusals_reach_the_caller_as_ccxt_classes(futures: Any, spot: Any) -> None:
    ask = (await futures.fetch_order_book(PERPETUAL, 5))["asks"][0][0]
    with pytest.raises(ccxt.OrderNotFound):
        await futures.fetch_order("999999999", PERPETUAL)
    with pytest.raises(ccxt.InvalidOrder, match="-5022"):
        await futures.create_order(PERPETUAL, "limit", "buy", 0.01, ask, {"postOnly": True})
    # ccxt knows the finer classes of -2021, -5022 and -1013 only by the venue's own hosts.
    with pytest.raises(ccxt.ExchangeError, match="-2021"):
        await futures.create_order(PERPETUAL, "market", "sell", 0.01, None, {"stopLossPrice": ask * 1.02})
    with pytest.raises(ccxt.InsufficientFunds):
        await spot.create_order("BNB/USDT", "limit", "sell", 5000, await near(spot, "BNB/USDT", 1.01))
    with pytest.raises(ccxt.BadSymbol):
        await spot.publicGetDepth({"symbol": "NOPEUSDT"})
    with pytest.raises(ccxt.ExchangeError, match="Filter failure: NOTIONAL"):
        await spot.create_order(BTC, "limit", "buy", 0.00001, await near(spot, BTC, 0.95))
