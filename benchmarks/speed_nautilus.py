"""The works of `benchmarks.backtest_works` in nautilus_trader, in an environment of its own.

`python -m benchmarks.speed_nautilus WORK FOLDER`. Over the first tenth of the trades or a fifth of the bars: its time
grows evenly with them. Loading and importing are not counted; its log and its analysis are off.
"""

from __future__ import annotations

import importlib
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy

from benchmarks.outside_clock import FEE, MONEY, TRADE_FEE, tell, timed

WORK, FOLDER = sys.argv[1], Path(sys.argv[2])
IS_TRADES = WORK == "trades"
UNITS = 500_000 if IS_TRADES else 100_000


def of(module: str, name: str) -> Any:
    """Something of nautilus_trader."""
    return getattr(importlib.import_module(f"nautilus_trader.{module}"), name)


Currencies: Any = importlib.import_module("nautilus_trader.model.currencies")
Price, Quantity, Money = (of("model.objects", name) for name in ("Price", "Quantity", "Money"))
OrderSide, Venue = of("model.enums", "OrderSide"), of("model.identifiers", "Venue")
Strategy: Any = of("trading.strategy", "Strategy")
VENUE = Venue("BINANCE")
BARS = of("model.data", "BarType").from_str("BTCUSDT.BINANCE-1-MINUTE-LAST-EXTERNAL")


def instrument() -> Any:
    """Bitcoin, as in the works."""
    symbol = of("model.identifiers", "Symbol")("BTCUSDT")
    fee = Decimal(str(TRADE_FEE if IS_TRADES else FEE))
    none = dict.fromkeys(
        ("lot_size", "max_quantity", "min_quantity", "max_notional", "min_notional", "max_price", "min_price")
    )
    return of("model.instruments", "CurrencyPair")(
        instrument_id=of("model.identifiers", "InstrumentId")(symbol, VENUE), raw_symbol=symbol,
        base_currency=Currencies.BTC, quote_currency=Currencies.USDT, price_precision=1 if IS_TRADES else 2,
        size_precision=3, price_increment=Price.from_str("0.1" if IS_TRADES else "0.01"),
        size_increment=Quantity.from_str("0.001"), margin_init=Decimal("0.05"), margin_maint=Decimal("0.025"),
        maker_fee=fee, taker_fee=fee, ts_event=0, ts_init=0, **none,
    )  # fmt: skip


BITCOIN = instrument()
ONE = BITCOIN.make_qty(1)


def settings(tag: str) -> Any:
    return of("config", "StrategyConfig")(order_id_tag=tag)


class Cross(Strategy):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(settings("001"))
        mean = of("indicators", "SimpleMovingAverage")
        self.fast, self.slow, self.before, self.holds, self.fills = mean(10), mean(30), 0, False, 0

    def on_start(self) -> None:
        self.register_indicator_for_bars(BARS, self.fast)
        self.register_indicator_for_bars(BARS, self.slow)
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Any) -> None:
        del bar
        if not self.slow.initialized:
            return
        sign = (self.fast.value > self.slow.value) - (self.fast.value < self.slow.value)
        if (self.before < 0 < sign and not self.holds) or (self.before > 0 > sign and self.holds):
            side = OrderSide.SELL if self.holds else OrderSide.BUY
            self.submit_order(self.order_factory.market(BITCOIN.id, side, ONE))
            self.holds = not self.holds
        self.before = sign or self.before

    def on_order_filled(self, event: Any) -> None:
        del event
        self.fills += 1


class Grid(Strategy):  # type: ignore[misc]
    def __init__(self, levels: list[float]) -> None:
        super().__init__(settings("002"))
        self.levels, self.has_begun, self.fills = levels, False, 0
        self.places: dict[Any, int] = {}

    def on_start(self) -> None:
        self.prices = [BITCOIN.make_price(level) for level in self.levels]
        if IS_TRADES:
            self.subscribe_trade_ticks(BITCOIN.id)
        else:
            self.subscribe_bars(BARS)

    def on_bar(self, bar: Any) -> None:
        self.begin(float(bar.close))

    def on_trade_tick(self, trade: Any) -> None:
        self.begin(float(trade.price))

    def begin(self, price: float) -> None:
        if self.has_begun:
            return
        self.has_begun = True
        for place, level in enumerate(self.levels[:-1]):
            if level >= price:
                self.send(place, self.order_factory.market(BITCOIN.id, OrderSide.BUY, ONE))
            else:
                self.send(place, self.order_factory.limit(BITCOIN.id, OrderSide.BUY, ONE, self.prices[place]))

    def send(self, place: int, order: Any) -> None:
        self.places[order.client_order_id] = place
        self.submit_order(order)

    def on_order_filled(self, event: Any) -> None:
        self.fills += 1
        place = self.places.pop(event.client_order_id)
        has_bought = event.order_side == OrderSide.BUY
        side, price = (OrderSide.SELL, self.prices[place + 1]) if has_bought else (OrderSide.BUY, self.prices[place])
        self.send(place, self.order_factory.limit(BITCOIN.id, side, ONE, price))


def market() -> tuple[Any, list[float]]:
    """What is replayed, and the levels of the grid."""
    pandas: Any = importlib.import_module("pandas")
    if IS_TRADES:
        kept = numpy.load(FOLDER / "trades.npz")
        prices = numpy.round(kept["ticks"][:UNITS] * 0.1, 1)
        frame = pandas.DataFrame(
            {"price": prices, "quantity": 100.0, "buyer_maker": ~kept["buys"][:UNITS],
             "trade_id": numpy.arange(UNITS).astype(str)},
            index=pandas.to_datetime(kept["times"][:UNITS], utc=True),
        )  # fmt: skip
        return of("persistence.wranglers", "TradeTickDataWrangler")(BITCOIN).process(frame), kept["levels"].tolist()
    kept = numpy.load(FOLDER / "market.npz")
    index = pandas.to_datetime(kept["times"][:UNITS] + 60_000, unit="ms", utc=True)
    frame = pandas.DataFrame(kept["bars"][:UNITS], columns=["open", "high", "low", "close"], index=index)
    frame["volume"] = 1e6
    return of("persistence.wranglers", "BarDataWrangler")(BARS, BITCOIN).process(frame), kept["levels"].tolist()


def main() -> None:
    rows, levels = market()
    settings_of, log = of("backtest.config", "BacktestEngineConfig"), of("config", "LoggingConfig")
    engine = of("backtest.engine", "BacktestEngine")(
        settings_of(trader_id="BACKTESTER-001", logging=log(bypass_logging=True), run_analysis=False)
    )
    engine.add_venue(
        venue=VENUE, oms_type=of("model.enums", "OmsType").NETTING, base_currency=Currencies.USDT,
        account_type=of("model.enums", "AccountType").MARGIN, starting_balances=[Money(MONEY, Currencies.USDT)],
        default_leverage=Decimal(10), trade_execution=IS_TRADES, bar_execution=not IS_TRADES,
    )  # fmt: skip
    engine.add_instrument(BITCOIN)
    engine.add_data(rows)
    strategy = Cross() if WORK == "averages" else Grid(levels)
    engine.add_strategy(strategy)
    cpu, wall, _ = timed(engine.run)
    tell(f"nautilus_trader 1.221.0, the first {UNITS:,}", UNITS, cpu, wall, strategy.fills)
    os._exit(0)  # its threads do not end by themselves


if __name__ == "__main__":
    main()
