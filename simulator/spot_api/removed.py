"""Routes the venue has taken away, and those of products that this venue does not have."""

from __future__ import annotations

from simulator.wire.endpoint import Call, Reply, endpoint

GONE = b"""<html>\r
<head><title>410 Gone</title></head>\r
<body>\r
<center><h1>410 Gone</h1></center>\r
</body>\r
</html>\r
"""


@endpoint("DELETE /api/v3/userDataStream", market="spot")
@endpoint("PUT /api/v3/userDataStream", market="spot")
@endpoint("POST /api/v3/userDataStream", market="spot")
@endpoint("DELETE /api/v1/userDataStream", market="spot")
@endpoint("PUT /api/v1/userDataStream", market="spot")
@endpoint("POST /api/v1/userDataStream", market="spot")
def listen_key(call: Call) -> Reply:
    """Spot listen keys ended on 2026-02-20: user data comes on the WebSocket API connection only."""
    return Reply(GONE, 410, content_type="text/html")


@endpoint("GET /dapi/v1/exchangeInfo", market="spot")
def coin_margined(call: Call) -> object:
    """COIN-M lists nothing here; clients ask at start."""
    return {
        "exchangeFilters": [],
        "rateLimits": [],
        "serverTime": call.now_ms,
        "symbols": [],
        "timezone": "UTC",
    }


@endpoint("GET /eapi/v1/exchangeInfo", market="spot")
def options(call: Call) -> object:
    """Options list nothing here."""
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "optionContracts": [],
        "optionAssets": [],
        "optionSymbols": [],
        "rateLimits": [],
    }


@endpoint("GET /eapi/v1/ping", market="spot")
@endpoint("GET /dapi/v1/ping", market="spot")
def ping(call: Call) -> object:
    """An empty object."""
    return {}


@endpoint("GET /eapi/v1/time", market="spot")
@endpoint("GET /dapi/v1/time", market="spot")
def server_time(call: Call) -> object:
    """Protocol time."""
    return {"serverTime": call.now_ms}
