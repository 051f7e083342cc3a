"""OKX spot: a signature is good for 30 seconds there, and no narrower window can be set; so a new owner waits."""

from __future__ import annotations

from core.base_exchange import EXCHANGES, Capabilities, VenueSettings
from core.clock import Clock
from exchanges._ccxt_venue.exchange import CcxtVenue
from exchanges._ccxt_venue.table import VenueTable

TABLE = VenueTable(
    name="okx_spot",
    ccxt_id="okx",
    capabilities=Capabilities(
        market="spot", takeover_wait_seconds=45, has_user_stream=False, has_stop=False, max_open_orders=500
    ),
    market_type="spot",
    options={"fetchMarkets": {"types": ["spot"]}, "defaultType": "spot", "createOrder": "privatePostTradeOrder"},
    place_params={"tdMode": "cash"},
    # Letters and digits only, 32 at most.
    alphanumeric_ids=True,
    duplicate_codes=frozenset({"51016"}),
)


@EXCHANGES.register("okx_spot")
def okx_spot(settings: VenueSettings, clock: Clock) -> CcxtVenue:
    """One account of the venue."""
    return CcxtVenue(TABLE, settings, clock)
