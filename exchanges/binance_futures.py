"""Binance USD-M futures, in one-way mode."""

from __future__ import annotations

from core.base_exchange import EXCHANGES, VenueSettings
from core.clock import Clock
from exchanges._binance.dialect import FUTURES
from exchanges._binance.exchange import BinanceExchange


@EXCHANGES.register("binance_futures")
def binance_futures(settings: VenueSettings, clock: Clock) -> BinanceExchange:
    """One account of Binance USD-M futures."""
    return BinanceExchange(FUTURES, settings, clock)
