"""Where a WebSocket was opened, and what that means.

One port serves both markets, so the path decides (several slashes count as one):

* `/public/...`, `/market/...`, `/private/...` with `ws` or `stream` below are the routed roots of USD-M. A stream asked
  on another route than its own is accepted and silent, as on the venue. User data flows on `/private` by listen key.
* The first part may name the host instead: `/stream/ws` is spot as `/ws` is, which clients need that tell spot by
  "/stream" in the address (ccxt.pro: spot `/stream/ws`, linear `/ws`), and `/fstream` is USD-M.
* `/fstream/ws`, `/fstream/stream`, or any bare root on a host named `fstream...`, are USD-M's old roots, which still
  deliver only what is public (depth, book tickers, trades). The routed roots work below `/fstream` too.
* `/stream/ws` and `/stream/stream` are spot and nothing else, for clients that know spot by `stream` in the address
  (ccxt.pro) as they do at the venue's own hosts.
* `/ws` and `/stream` are spot. A name that only USD-M knows (`btcusdt@depth@500ms`) is looked up there, by the rule of
  USD-M's old roots: what is public is delivered, the rest (`btcusdt@markPrice`) is accepted and silent.
* A living listen key opens USD-M user data on every root: `/ws/<key>`, `/private/ws/<key>`, `?listenKey=<key>`,
  `?streams=<key>`, or by SUBSCRIBE.
* `/ws-api/v3` is the WebSocket API of spot, `/ws-fapi/v1` that of USD-M.

Below `ws` come stream names parted by slashes, or anything else, which is ignored (clients number their connections).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from simulator.instruments import Market
from simulator.streams.names import Route
from simulator.wire.time_unit import wants_microseconds

ROUTES: tuple[Route, ...] = ("public", "market", "private")
_API_PATHS: dict[tuple[str, ...], Market] = {("ws-api", "v3"): "spot", ("ws-fapi", "v1"): "futures"}


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the URL of a WebSocket asked for."""

    market: Market
    is_api: bool = False
    route: Route | None = None
    is_bare: bool = False
    """Neither path nor host names a market."""
    is_combined: bool = False
    streams: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()
    """User data events wanted (`events=`); empty means all."""
    in_microseconds: bool = False
    return_rate_limits: bool = True


def entrance(raw_path: str, query: Mapping[str, str], host: str = "") -> Entrance | None:
    """Read a request's path (percent-encoded), query and Host header; None when nothing is served there."""
    parts = tuple(part for part in raw_path.split("/") if part)
    micro = wants_microseconds(query.get("timeUnit"))
    if parts in _API_PATHS:
        limits = query.get("returnRateLimits", "true").lower() != "false"
        market = _API_PATHS[parts]
        return Entrance(market, is_api=True, in_microseconds=micro and market == "spot", return_rate_limits=limits)
    is_futures = host.lower().startswith("fstream")
    if parts and parts[0] == "fstream":
        is_futures, parts = True, parts[1:]
    elif parts[:2] in (("stream", "ws"), ("stream", "stream")):
        parts = parts[1:]
    route = next((route for route in ROUTES if parts and parts[0] == route), None)
    if route is not None:
        is_futures, parts = True, parts[1:]
    is_spot = parts[:1] == ("stream",) and parts[1:2] in (("ws",), ("stream",))
    if is_spot:
        parts = parts[1:]
    if not parts or parts[0] not in ("ws", "stream"):
        return None
    names = [*(unquote(part) for part in parts[1:]), *query.get("streams", "").split("/"), query.get("listenKey", "")]
    return Entrance(
        "futures" if is_futures else "spot",
        route=route,
        is_bare=not is_futures and not is_spot,
        is_combined=parts[0] == "stream",
        streams=tuple(dict.fromkeys(_unspaced(name) for name in names if name)),
        events=frozenset(event for event in query.get("events", "").split("/") if event),
        in_microseconds=micro and not is_futures,
    )


def _unspaced(name: str) -> str:
    """A plus sign in a query is read as a blank; the only plus in a stream name is that of a time zone."""
    return name.replace("@ 08:00", "@+08:00")
