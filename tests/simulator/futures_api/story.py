"""One customer's busy day, so that every list of the venue has something to show."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulator.futures_api.harness import START_MS, Customer, FuturesVenue

STOP = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "workingType": "MARK_PRICE"}
FUNDING_MS = 8 * 3_600_000


@dataclass
class Story:
    venue: FuturesVenue
    anna: Customer
    ben: Customer
    open_order: int
    filled_order: int
    modified_order: int
    algo_order: int


def tell() -> Story:
    """Anna trades, changes her mind, isolates a position, pays funding; Ben is liquidated at the end."""
    venue = FuturesVenue()
    anna = venue.customer("anna")
    ben = venue.customer("ben", usdt="600")
    filled = _placed(anna, side="BUY", type="MARKET", quantity="0.02")
    resting = _placed(
        anna, side="BUY", type="LIMIT", quantity="0.01", price="48000", timeInForce="GTC", newClientOrderId="abc"
    )
    modified = _placed(anna, side="SELL", type="LIMIT", quantity="0.01", price="52000", timeInForce="GTC")
    put = anna.put(
        "/fapi/v1/order", symbol="BTCUSDT", orderId=modified, side="SELL", quantity="0.01", price="51900", modifyId=7
    )
    assert put.status == 200, put.body
    algo = anna.post("/fapi/v1/algoOrder", **STOP, type="STOP_MARKET", triggerPrice="45000")
    assert algo.status == 200, algo.body
    assert anna.post("/fapi/v1/marginType", symbol="ETHUSDT", marginType="ISOLATED").status == 200
    assert anna.order("BUY", "1", symbol="ETHUSDT").status == 200
    moved = anna.post("/fapi/v1/positionMargin", symbol="ETHUSDT", amount="50", type="1")
    assert moved.status == 200, moved.body
    assert ben.post("/fapi/v1/leverage", symbol="BTCUSDT", leverage="100").status == 200
    assert ben.order("SELL", "0.5").status == 200
    venue.print_at("50010")
    venue.advance(START_MS + FUNDING_MS + 1 - venue.clock.now_ms())
    venue.print_at("51500")
    number = algo.fields["algoId"]
    assert isinstance(number, int)
    return Story(venue, anna, ben, resting, filled, modified, number)


def _placed(customer: Customer, **params: object) -> int:
    answer = customer.post("/fapi/v1/order", symbol="BTCUSDT", **params)
    number = answer.fields.get("orderId")
    assert isinstance(number, int), answer.body
    return number
