"""Histories from venues: opens one, asks it for its past, and lets it go."""

from __future__ import annotations

from pathlib import Path

import exchanges
from core.base_exchange import EXCHANGES, VenueSettings
from core.clock import system_clock
from core.config import VenueSection
from engine.backtest.download import Part, Told, Wanted, download, history_of
from engine.backtest.history import History


async def fetched(wanted: Wanted, path: Path, at: VenueSection | None, tell: Told) -> History:
    """A history of a venue, gathered in the file at `path`; what is there already is not asked for again."""
    EXCHANGES.scan(exchanges)
    settings = VenueSettings(rest_url=at.rest_url, sandbox=at.sandbox) if at else VenueSettings()
    exchange = EXCHANGES.get(wanted.venue)(settings, system_clock())
    try:
        await exchange.open()
        instrument = exchange.instrument(wanted.symbol)
        part = Part(path, wanted, instrument)
        await download(exchange, wanted, part, tell)
    finally:
        await exchange.close()
    return history_of(part, wanted, instrument)
