"""OKX linear perpetual swaps, cross margin, in net mode; amounts on the wire are contracts."""

from __future__ import annotations

from core.base_exchange import EXCHANGES, Capabilities, VenueSettings
from core.clock import Clock
from exchanges._ccxt_venue.exchange import CcxtVenue
from exchanges._ccxt_venue.funding import OKX
from exchanges._ccxt_venue.table import VenueTable

TABLE = VenueTable(
    name="okx_futures",
    ccxt_id="okx",
    capabilities=Capabilities(
        market="futures",
        can_short=True,
        takeover_wait_seconds=45,
        has_user_stream=False,
        has_stop=False,
        max_open_orders=500,
    ),
    market_type="swap",
    options={"fetchMarkets": {"types": ["swap"]}, "defaultType": "swap", "createOrder": "privatePostTradeOrder"},
    place_params={"tdMode": "cross"},
    alphanumeric_ids=True,
    duplicate_codes=frozenset({"51016"}),
)


@EXCHANGES.register("okx_futures")
def okx_futures(settings: VenueSettings, clock: Clock) -> CcxtVenue:
    """One account of the venue."""
    return CcxtVenue(TABLE, settings, clock, OKX)
