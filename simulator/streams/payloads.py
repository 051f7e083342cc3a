"""Market events as they go on the wire, field by field. Spot and USD-M differ in decimals and in what they add."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.instruments import Instrument
from simulator.market.types import Bar, Trade
from simulator.units import DECIMALS, ONE, format_quanta

if TYPE_CHECKING:
    from simulator.futures.types import FuturesOrder
    from simulator.market.tickers import TickerStats
    from simulator.market.trades import AggregateTrade

Payload = dict[str, object]
Level = tuple[int, int]
Levels = list[Level]

USD_M = 1
"""`st`: a USD-M contract, as against 2, COIN-M."""


def _contract(instrument: Instrument) -> Payload:
    """What USD-M streams carry since COIN-M came onto the same roots: the pair and its kind."""
    return {"ps": instrument.symbol, "st": USD_M} if instrument.market == "futures" else {}


def quote_text(instrument: Instrument, quote: int) -> str:
    """A quote volume; on USD-M with as many decimals as price and quantity have together."""
    if instrument.market == "spot":
        return format_quanta(quote)
    return format_quanta(quote, min(DECIMALS, instrument.price_decimals + instrument.quantity_decimals))


def levels_text(instrument: Instrument, levels: Levels) -> list[list[str]]:
    """Price levels as pairs of texts."""
    price, quantity = instrument.format_price, instrument.format_quantity
    return [[price(level[0]), quantity(level[1])] for level in levels]


def trade(instrument: Instrument, happened: Trade, now_ms: int) -> Payload:
    """`trade`. USD-M adds the kind of execution, spot an ignored flag."""
    payload: Payload = {
        "e": "trade",
        "E": now_ms,
        "T": happened.time_ms,
        "s": instrument.symbol,
        "t": happened.trade_id,
        "p": instrument.format_price(happened.price),
        "q": instrument.format_quantity(happened.quantity),
    }
    if instrument.market == "futures":
        return payload | {"X": "MARKET", "m": happened.buyer_is_maker, "st": USD_M}
    return payload | {"m": happened.buyer_is_maker, "M": True}


def aggregate_trade(instrument: Instrument, found: AggregateTrade, now_ms: int) -> Payload:
    """`aggTrade`: trades of one taker at one price. No order here is of the retail programme, so `nq` equals `q`."""
    payload: Payload = {
        "e": "aggTrade",
        "E": now_ms,
        "s": instrument.symbol,
        "a": found.aggregate_id,
        "p": instrument.format_price(found.price),
        "q": instrument.format_quantity(found.quantity),
        "f": found.first_trade_id,
        "l": found.last_trade_id,
        "T": found.time_ms,
        "m": found.taker == "SELL",
    }
    if instrument.market == "spot":
        return payload | {"M": True}
    return payload | {"nq": payload["q"], "st": USD_M}


def kline_body(instrument: Instrument, bar: Bar, interval: str, is_closed: bool) -> Payload:
    """The `k` object, without the symbol."""
    price, quantity = instrument.format_price, instrument.format_quantity
    return {
        "t": bar.open_ms,
        "T": bar.close_ms,
        "i": interval,
        "f": bar.first_trade_id,
        "L": bar.last_trade_id,
        "o": price(bar.open),
        "c": price(bar.close),
        "h": price(bar.high),
        "l": price(bar.low),
        "v": quantity(bar.volume),
        "n": bar.trades,
        "x": is_closed,
        "q": quote_text(instrument, bar.quote_volume),
        "V": quantity(bar.taker_volume),
        "Q": quote_text(instrument, bar.taker_quote_volume),
        "B": "0",
    }


def kline(instrument: Instrument, bar: Bar, interval: str, is_closed: bool, now_ms: int) -> Payload:
    """`kline`."""
    symbol = instrument.symbol
    body = kline_body(instrument, bar, interval, is_closed)
    return {"e": "kline", "E": now_ms, "s": symbol, "k": {"t": body["t"], "T": body["T"], "s": symbol} | body}


def continuous_kline(instrument: Instrument, bar: Bar, interval: str, is_closed: bool, now_ms: int) -> Payload:
    """`continuous_kline` of the perpetual contract of a pair."""
    body = kline_body(instrument, bar, interval, is_closed)
    return {"e": "continuous_kline", "E": now_ms, "ps": instrument.symbol, "ct": "PERPETUAL", "k": body}


def mini_ticker(instrument: Instrument, stats: TickerStats, now_ms: int) -> Payload:
    """`24hrMiniTicker`."""
    return {
        "e": "24hrMiniTicker",
        "E": now_ms,
        "s": instrument.symbol,
        "c": instrument.format_price(stats.last),
        "o": instrument.format_price(stats.open),
        "h": instrument.format_price(stats.high),
        "l": instrument.format_price(stats.low),
        "v": instrument.format_quantity(stats.volume),
        "q": quote_text(instrument, stats.quote_volume),
        **_contract(instrument),
    }


def window_ticker(instrument: Instrument, stats: TickerStats, event: str, now_ms: int) -> Payload:
    """`1hTicker`, `4hTicker`, `1dTicker`, and what `24hrTicker` has in common with them."""
    return {
        "e": event,
        "E": now_ms,
        "s": instrument.symbol,
        "p": instrument.format_price(stats.change),
        "P": format_quanta(stats.change_percent, 3),
        "w": instrument.format_price(stats.weighted_average or stats.last),
        "o": instrument.format_price(stats.open),
        "h": instrument.format_price(stats.high),
        "l": instrument.format_price(stats.low),
        "c": instrument.format_price(stats.last),
        "v": instrument.format_quantity(stats.volume),
        "q": quote_text(instrument, stats.quote_volume),
        "O": stats.open_ms,
        "C": stats.close_ms,
        "F": stats.first_trade_id,
        "L": stats.last_trade_id,
        "n": stats.trades,
    }


def ticker(instrument: Instrument, stats: TickerStats, best: tuple[Level | None, Level | None], now_ms: int) -> Payload:
    """`24hrTicker`; spot's also shows the best bid and ask and the price before the window."""
    payload = window_ticker(instrument, stats, "24hrTicker", now_ms)
    payload["Q"] = instrument.format_quantity(stats.last_quantity)
    if instrument.market == "futures":
        return payload | _contract(instrument)
    bid, ask = best[0] or (0, 0), best[1] or (0, 0)
    return payload | {
        "x": instrument.format_price(stats.previous_close),
        "b": instrument.format_price(bid[0]),
        "B": instrument.format_quantity(bid[1]),
        "a": instrument.format_price(ask[0]),
        "A": instrument.format_quantity(ask[1]),
    }


def book_ticker(instrument: Instrument, update_id: int, bid: Level | None, ask: Level | None, now_ms: int) -> Payload:
    """`bookTicker`: spot's has neither event type nor time."""
    bid, ask = bid or (0, 0), ask or (0, 0)
    payload: Payload = {
        "u": update_id,
        "s": instrument.symbol,
        "b": instrument.format_price(bid[0]),
        "B": instrument.format_quantity(bid[1]),
        "a": instrument.format_price(ask[0]),
        "A": instrument.format_quantity(ask[1]),
    }
    if instrument.market == "spot":
        return payload
    return {"e": "bookTicker"} | payload | {"T": now_ms, "E": now_ms} | _contract(instrument)


def partial_depth(instrument: Instrument, update_id: int, bids: Levels, asks: Levels) -> Payload:
    """Spot's partial book: a bare snapshot."""
    return {
        "lastUpdateId": update_id,
        "bids": levels_text(instrument, bids),
        "asks": levels_text(instrument, asks),
    }


def depth_update(
    instrument: Instrument, first_id: int, last_id: int, previous_id: int, bids: Levels, asks: Levels, now_ms: int
) -> Payload:
    """`depthUpdate`; on USD-M also the shape of the partial book, chained by `pu`."""
    payload: Payload = {"e": "depthUpdate", "E": now_ms}
    if instrument.market == "futures":
        payload["T"] = now_ms
    payload |= {"s": instrument.symbol, "U": first_id, "u": last_id}
    if instrument.market == "futures":
        payload["pu"] = previous_id
    return payload | {
        "b": levels_text(instrument, bids),
        "a": levels_text(instrument, asks),
        **_contract(instrument),
    }


def mark_price(
    instrument: Instrument, mark: int, index: int, funding_rate: int, next_funding_ms: int, now_ms: int
) -> Payload:
    """`markPriceUpdate`; the settlement price is the mark, as a perpetual contract never settles."""
    text = format_quanta(mark)
    return {
        "e": "markPriceUpdate",
        "E": now_ms,
        "s": instrument.symbol,
        "p": text,
        "ap": text,
        "P": text,
        "i": format_quanta(index),
        "r": format_quanta(funding_rate),
        "T": next_funding_ms,
        "st": USD_M,
    }


def average_price(instrument: Instrument, price: int, last_trade_ms: int, now_ms: int) -> Payload:
    """`avgPrice` over five minutes."""
    return {
        "e": "avgPrice",
        "E": now_ms,
        "s": instrument.symbol,
        "i": "5m",
        "w": instrument.format_price(price),
        "T": last_trade_ms,
    }


def reference_price(instrument: Instrument, price: int, now_ms: int) -> Payload:
    """`referencePrice`."""
    return {"e": "referencePrice", "s": instrument.symbol, "r": instrument.format_price(price), "t": now_ms}


def force_order(instrument: Instrument, order: FuturesOrder, now_ms: int) -> Payload:
    """`forceOrder`: a liquidation, as far as it has been executed."""
    average = order.executed_quote * ONE // order.executed if order.executed else 0
    last = order.fills[-1].quantity if order.fills else order.executed
    return {
        "e": "forceOrder",
        "E": now_ms,
        "o": {
            "s": instrument.symbol,
            "S": order.side,
            "o": "LIMIT",
            "f": "IOC",
            "q": instrument.format_quantity(order.quantity),
            "p": instrument.format_price(order.price),
            "ap": instrument.format_price(average),
            "X": order.status,
            "l": instrument.format_quantity(last),
            "z": instrument.format_quantity(order.executed),
            "T": now_ms,
        },
    }


def contract_info(instrument: Instrument, now_ms: int) -> Payload:
    """`contractInfo`: a contract was listed, changed or settled."""
    return {
        "e": "contractInfo",
        "E": now_ms,
        "s": instrument.symbol,
        "ps": instrument.symbol,
        "ct": "PERPETUAL",
        "dt": 4_133_404_800_000,
        "ot": instrument.onboard,
        "cs": instrument.status,
        "bks": [],
        "st": USD_M,
    }


def asset_index(asset: str, price: int, now_ms: int) -> Payload:
    """`assetIndexUpdate` of the multi-assets mode: the index, and the index with 5 % and 10 % taken off or put on."""
    buffers = (ONE // 20, ONE // 10)
    lower = [price * (ONE - buffer) // ONE for buffer in buffers]
    upper = [price * (ONE + buffer) // ONE for buffer in buffers]
    return {
        "e": "assetIndexUpdate",
        "E": now_ms,
        "s": f"{asset}USD",
        "i": format_quanta(price),
        "b": format_quanta(buffers[1]),
        "a": format_quanta(buffers[1]),
        "B": format_quanta(lower[1]),
        "A": format_quanta(upper[1]),
        "q": format_quanta(buffers[0]),
        "g": format_quanta(buffers[0]),
        "Q": format_quanta(lower[0]),
        "G": format_quanta(upper[0]),
    }
