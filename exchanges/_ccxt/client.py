"""ccxt's client of a venue, with its second tries, its throttle and its verdicts taken out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from core.base_exchange import VenueSettings
from exchanges._ccxt import lean
from exchanges._ccxt.session import OnceSession, tls
from exchanges._ccxt.trace import Answer, current

# ccxt writes whole requests, keys and signatures included, at the debug level.
logging.getLogger("ccxt").setLevel(logging.WARNING)
#: What a venue's file says of its requests, errors and abilities: read by its clients, and never written.
_TABLES: Final = (
    "api", "exceptions", "httpExceptions", "has", "features", "ecdsaCurves", "ecdsaPrehashedAlgorithms",
)  # fmt: skip
#: (venue, table) -> the first client's.
_SHARED: Final[dict[tuple[str, str], Any]] = {}
#: Text that an address may hold as it is.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]*")


def make_client(
    ccxt_id: str,
    settings: VenueSettings,
    session: OnceSession,
    venue_ms: Callable[[], int],
    venue_options: Mapping[str, Any],
) -> Any:
    """A client whose requests go out once, signed with the trace's time, and are taken down in the trace."""
    base = lean.venue(ccxt_id)

    def nonce(_self: Any) -> int:
        trace = current()
        return venue_ms() if trace is None or trace.signed_ms is None else trace.signed_ms

    async def fetch(self: Any, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        if (trace := current()) is not None:
            # A method may make several requests; what counts is how the last one went.
            trace.left, trace.answer = True, None
        return await base.fetch(self, url, method, headers, body)

    def on_rest_response(_self: Any, code: int, _reason: Any, _url: Any, _method: Any, headers: Any, *rest: Any) -> str:
        body: str = rest[0].strip()
        if (trace := current()) is not None:
            trace.answer = Answer(code, {name.lower(): value for name, value in headers.items()}, body)
        return body

    overrides = {
        "nonce": nonce,
        "urlencode": staticmethod(urlencode),
        "fetch": fetch,
        "on_rest_response": on_rest_response,
    }
    client = type(ccxt_id, (base,), overrides)(_options(settings, session, venue_options))
    client.ssl_context = tls()
    # Rules of withdrawing are nothing to us, and reading them needs rights that a trading key should not have.
    client.has["fetchCurrencies"] = False
    if settings.sandbox:
        client.set_sandbox_mode(True)
    if settings.rest_url:
        client.urls["api"] = moved(client.urls["api"], settings.rest_url)
    _share(ccxt_id, client)
    return client


def _share(ccxt_id: str, client: Any) -> None:
    """Let clients of a venue have one copy of its tables, 0.3 MB, as far as they are the same; nobody changes them."""
    for table in _TABLES:
        mine = getattr(client, table, None)
        known = _SHARED.setdefault((ccxt_id, table), mine)
        if mine is not known and mine == known:
            setattr(client, table, known)


def urlencode(params: Mapping[str, Any], doseq: bool = False, sort: bool = False) -> str:
    """What ccxt makes of parameters; those that need no quoting, as of any order, are not quoted sign by sign."""
    plain = "".join([*params, *[str(value) for value in params.values() if type(value) in (str, int)]])
    is_plain = all(type(value) in (str, int) for value in params.values()) and _PLAIN.fullmatch(plain) is not None
    if is_plain:
        return "&".join([f"{name}={value}" for name, value in params.items()])
    quoted: str = lean.exchange().urlencode(params, doseq, sort)
    return quoted


def moved(addresses: Any, root: str) -> Any:
    """The same addresses on another host; paths stay."""
    if isinstance(addresses, dict):
        return {name: moved(address, root) for name, address in addresses.items()}
    if not isinstance(addresses, str):
        return addresses
    return re.sub(r"^\w+://[^/]+", root.rstrip("/"), addresses)


def _options(settings: VenueSettings, session: OnceSession, venue_options: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {
        "session": session,
        "enableRateLimit": False,
        "timeout": int(settings.timeout_seconds * 1000),
        # Amounts come out as the venue's own texts, never as floats.
        "number": str,
        "options": {
            "maxRetriesOnFailure": 0,
            "recvWindow": settings.receive_window_ms,
            "timeDifference": 0,
            "adjustForTimeDifference": False,
            "warnOnFetchOpenOrdersWithoutSymbol": False,
            **venue_options,
        },
    }
    if settings.credentials is not None:
        options["apiKey"] = settings.credentials.key.get_secret_value()
        options["secret"] = settings.credentials.secret.get_secret_value()
        if settings.credentials.passphrase is not None:
            options["password"] = settings.credentials.passphrase.get_secret_value()
    return options
