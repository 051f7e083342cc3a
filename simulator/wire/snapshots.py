"""Old answers: what account and order lists said at an earlier moment, for the fault `stale_lists`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from simulator.clock import monotonic
from simulator.errors import VenueError
from simulator.faults import Rule
from simulator.wire.endpoint import Call, Endpoint, Registry, Reply
from simulator.wire.params import Params
from simulator.wire.pipeline import Admission, carry_out

if TYPE_CHECKING:
    from simulator.accounts import ApiKey
    from simulator.venue import Venue

_TAKEN_AT = "taken at"


def take(venue: Venue, registry: Registry, rule: Rule) -> None:
    """Remember in the rule what every list it covers says now, for every account, without and with each symbol."""
    rule.memory.clear()
    rule.memory[_TAKEN_AT] = monotonic()
    for endpoint in _covered(registry, rule):
        symbols = [None, *venue.exchange(endpoint.market).instruments]
        for account in venue.accounts.all():
            keys = venue.accounts.keys_of(account.account_id)
            if not keys or rule.account not in (None, account.account_id):
                continue
            for symbol in symbols:
                _remember(venue, endpoint, keys[0], symbol, rule)


def _covered(registry: Registry, rule: Rule) -> list[Endpoint]:
    pattern = rule.globs.get("path")
    return [
        endpoint
        for path, methods in registry.rest.items()
        if (pattern is None or pattern.fullmatch(path))
        and (endpoint := methods.get("GET")) is not None
        and endpoint.security == "USER_DATA"
        and rule.market in (None, endpoint.market)
    ]


def _remember(venue: Venue, endpoint: Endpoint, key: ApiKey, symbol: str | None, rule: Rule) -> None:
    params = Params({} if symbol is None else {"symbol": symbol}, endpoint.market)
    try:
        body = endpoint.handler(Call(venue, endpoint, params, key, "rest", "127.0.0.1", venue.protocol.now_ms()))
    except VenueError:
        return
    rule.memory[key.account_id, endpoint.name, symbol] = orjson.dumps(body.body if isinstance(body, Reply) else body)


def answer(venue: Venue, admission: Admission, rule: Rule, check_time: bool) -> Reply:
    """The request as it would be answered, with the old body; renews the memory once it is older than age_ms."""
    endpoint, key = admission.incoming.endpoint, admission.key
    reply = carry_out(venue, admission, check_time)
    if key is None or reply.status != 200:
        return reply
    old = rule.memory.get((key.account_id, endpoint.name, admission.incoming.params.peek("symbol")))
    if isinstance(old, bytes):
        reply.body = orjson.loads(old)
    taken_at, age_ms = rule.memory.get(_TAKEN_AT), rule.args["age_ms"]
    is_due = age_ms is not None and isinstance(taken_at, float) and monotonic() - taken_at >= age_ms / 1000
    if is_due and endpoint.home is not None:
        take(venue, endpoint.home, rule)
    return reply
