"""Connections, limits, bans, the listening socket, and the end."""

from __future__ import annotations

from simulator.admin.context import MARKETS, Context, verb
from simulator.admin.fields import BadField, Fields, Missing

KINDS = ("REQUEST_WEIGHT", "ORDERS", "RAW_REQUESTS", "CONNECTIONS", "FUNDING", "STATISTICS")
INTERVALS = ("SECOND", "MINUTE", "HOUR", "DAY")


@verb("GET", "/connections")
def list_connections(context: Context, fields: Fields) -> object:
    """Every open WebSocket, oldest first."""
    fields.done()
    return [
        {
            "id": connection.id,
            "market": connection.scope.market,
            "path": connection.scope.path,
            "account": connection.scope.account,
            "opened_ms": connection.opened_ms,
        }
        for connection in context.venue.hub.connections
    ]


@verb("POST", "/connections/disconnect")
def disconnect(context: Context, fields: Fields) -> object:
    """Close one WebSocket, or all, with a code; 1006 drops them without a close frame."""
    wanted = fields.optional_text("connection")
    code = fields.optional_integer("code", 1000, 4999) or 1006
    reason = fields.optional_text("reason") or ""
    if len(reason.encode()) > 120:
        raise BadField("reason", "may be 120 bytes long at most")
    fields.done()
    found = [item for item in context.venue.hub.connections if wanted in (None, item.id)]
    if wanted is not None and not found:
        raise Missing(f"there is no connection {wanted}")
    for connection in found:
        connection.close(code, reason)
    return {"closed": [connection.id for connection in found]}


@verb("GET", "/limits")
def show_limits(context: Context, fields: Fields) -> object:
    """Every limit with what is used of it, and the bans."""
    fields.done()
    return context.venue.limits.view()


@verb("POST", "/limits")
def change_limits(context: Context, fields: Fields) -> object:
    """Lift all limits (`lifted`), or change one: market, kind, interval, number, limit."""
    limits = context.venue.limits
    lifted = fields.boolean("lifted", limits.lifted)
    if fields.has("kind"):
        market = fields.choice("market", MARKETS)
        kind, interval = fields.choice("kind", KINDS), fields.choice("interval", INTERVALS)
        number, limit = fields.integer("number", 1, 1_000), fields.integer("limit", 0, 10**9)
        fields.done()
        try:
            limits.set_limit(market, kind, interval, number, limit)
        except KeyError as error:
            raise BadField("kind", str(error.args[0])) from None
    fields.done()
    limits.lifted = lifted
    return limits.view()


@verb("POST", "/bans")
def ban(context: Context, fields: Fields) -> object:
    """Ban an address from a market for some time."""
    market, address = fields.choice("market", MARKETS), fields.optional_text("ip") or "127.0.0.1"
    for_ms = fields.integer("for_ms", 1, 3 * 86_400_000)
    fields.done()
    return {"until": context.venue.limits.ban(market, address, for_ms)}


@verb("DELETE", "/bans")
def lift_bans(context: Context, fields: Fields) -> object:
    """End every ban."""
    fields.done()
    context.venue.limits.lift_bans()
    return context.venue.limits.view()


@verb("POST", "/listening")
async def set_listening(context: Context, fields: Fields) -> object:
    """Refuse new connections on the trading port (`accept` false), or accept them again on the same port."""
    accept = fields.boolean("accept")
    fields.done()
    if accept:
        await context.wire.listen()
    else:
        await context.wire.stop_listening()
    return {"accept": accept}


@verb("POST", "/shutdown")
def shut_down(context: Context, fields: Fields) -> object:
    """End the process in good order."""
    fields.done()
    context.shutdown.set()
    return {"stopping": True}
