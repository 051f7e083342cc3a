"""Bybit spot, for unified trading accounts."""

from __future__ import annotations

from core.base_exchange import EXCHANGES, Capabilities, VenueSettings
from core.clock import Clock
from exchanges._ccxt_venue.exchange import CcxtVenue
from exchanges._ccxt_venue.table import VenueTable

TABLE = VenueTable(
    name="bybit_spot",
    ccxt_id="bybit",
    capabilities=Capabilities(
        market="spot", has_time_window=True, has_user_stream=False, has_stop=False, max_open_orders=500
    ),
    market_type="spot",
    options={
        "fetchMarkets": {"types": ["spot"]},
        "defaultType": "spot",
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
    },
    query_params={"acknowledged": True},
    duplicate_codes=frozenset({"12141", "110030", "110072", "170141"}),
)


@EXCHANGES.register("bybit_spot")
def bybit_spot(settings: VenueSettings, clock: Clock) -> CcxtVenue:
    """One account of the venue."""
    return CcxtVenue(TABLE, settings, clock)
