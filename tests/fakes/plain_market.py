"""The engine's market in its plainest form: prices and bars that the test hands over."""

from __future__ import annotations

from core.base_exchange import Bar
from domain import slots
from engine.books import LastPrice
from engine.trading_engine import Price, TradingEngine


class PlainMarket:
    """`engine.engine_manager.Market` in memory."""

    def __init__(self) -> None:
        self.prices: dict[str, LastPrice] = {}
        self.bars: list[Bar] = []
        self.attached: list[TradingEngine] = []

    def move(self, symbol: str, ticks: int, now_ms: int) -> None:
        """The price moves; whoever waits for it is woken."""
        self.prices.setdefault(symbol, LastPrice()).see(ticks, now_ms)
        for engine in self.attached:
            state = engine.instance.state
            above, below = state[slots.WAKE_ABOVE], state[slots.WAKE_BELOW]
            if engine.instance.instrument.symbol == symbol and ((0 < above <= ticks) or ticks <= below):
                engine.put(Price(ticks, now_ms))

    async def price(self, symbol: str) -> LastPrice:
        """The shared last price."""
        return self.prices.setdefault(symbol, LastPrice())

    async def history(self, symbol: str, interval: str, bars: int) -> list[Bar]:
        """The bars the test has put there."""
        return [bar for bar in self.bars if (bar.symbol, bar.interval) == (symbol, interval)][-bars:]

    async def attach(self, engine: TradingEngine, interval: str) -> None:
        """Wake the engine from now on."""
        self.attached.append(engine)

    async def detach(self, engine: TradingEngine) -> None:
        """No longer."""
        self.attached.remove(engine)
