"""Where prices come from: replayed history or a seeded generator, and everything derived from trades."""

from __future__ import annotations

from simulator.market.files import Gap, MarketFileError
from simulator.market.source import BadMarket, MarketSource, open_market
from simulator.market.steering import BadSteering
from simulator.market.symbol_market import SymbolMarket

__all__ = ["BadMarket", "BadSteering", "Gap", "MarketFileError", "MarketSource", "SymbolMarket", "open_market"]
