"""Bybit linear perpetual contracts, for unified trading accounts in one-way mode."""

from __future__ import annotations

from core.base_exchange import EXCHANGES, Capabilities, VenueSettings
from core.clock import Clock
from exchanges._ccxt_venue.exchange import CcxtVenue
from exchanges._ccxt_venue.funding import BYBIT
from exchanges._ccxt_venue.table import VenueTable

TABLE = VenueTable(
    name="bybit_futures",
    ccxt_id="bybit",
    capabilities=Capabilities(
        market="futures",
        can_short=True,
        has_time_window=True,
        has_user_stream=False,
        has_stop=False,
        max_open_orders=500,
    ),
    market_type="swap",
    options={
        "fetchMarkets": {"types": ["linear"]},
        "defaultType": "swap",
        "defaultSubType": "linear",
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
    },
    query_params={"acknowledged": True},
    duplicate_codes=frozenset({"12141", "110030", "110072", "170141"}),
)


@EXCHANGES.register("bybit_futures")
def bybit_futures(settings: VenueSettings, clock: Clock) -> CcxtVenue:
    """One account of the venue."""
    return CcxtVenue(TABLE, settings, clock, BYBIT)
