"""Binance spot."""

from __future__ import annotations

from core.base_exchange import EXCHANGES, VenueSettings
from core.clock import Clock
from exchanges._binance.dialect import SPOT
from exchanges._binance.exchange import BinanceExchange


@EXCHANGES.register("binance_spot")
def binance_spot(settings: VenueSettings, clock: Clock) -> BinanceExchange:
    """One account of Binance spot."""
    return BinanceExchange(SPOT, settings, clock)
