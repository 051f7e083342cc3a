"""What an answer proves when ccxt has already put it into classes: its word is taken only where it cannot be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from core.base_exchange import KEY_REFUSED
from domain.outcome import Accepted, Outcome, Rejected, Unknown
from exchanges._ccxt import Answer, Guarded

#: Classes that ccxt gives only to a refusal which the venue itself has put into words.
_REFUSALS: Final = frozenset(
    {"InvalidOrder", "InsufficientFunds", "BadRequest", "BadSymbol", "NotSupported", "RestrictedLocation",
     "MarketClosed", "OperationRejected", "InvalidNonce", "AccountSuspended"}
)  # fmt: skip
_LIMITS: Final = frozenset({"RateLimitExceeded", "DDoSProtection"})
_KEY: Final = frozenset({"AuthenticationError", "PermissionDenied"})


def write_outcome(done: Guarded[Any], client_order_id: str, duplicate_codes: frozenset[str]) -> Outcome:
    """Accepted, rejected or unknown; the id is the venue's writing of ours, which the answer must repeat."""
    status = done.answer.status
    if status >= 500 or status == 0:
        return Unknown(f"HTTP {status}: it may have been executed.")
    if done.kinds:
        return _failed(done, duplicate_codes)
    return _echoed(done.result, client_order_id)


def _failed(done: Guarded[Any], duplicate_codes: frozenset[str]) -> Outcome:
    # ccxt does not know every duplicate as one.
    if "DuplicateOrderId" in done.kinds or duplicate_codes & _codes(done.answer):
        return Unknown(f"{done.failure}: an earlier send of this order lives.")
    if not done.answer.body.startswith(("{", "[")):
        return Unknown(f"HTTP {done.answer.status} without the venue's own words.")
    if done.kinds & _KEY:
        return Rejected(f"{KEY_REFUSED}: {done.failure}")
    if done.kinds & (_REFUSALS | _LIMITS) or done.answer.status == 429:
        return Rejected(done.failure)
    return Unknown(done.failure)


def _echoed(row: Any, client_order_id: str) -> Outcome:
    if not isinstance(row, Mapping) or not row.get("id"):
        return Unknown("the answer holds no order id.")
    if row.get("clientOrderId") != client_order_id:
        return Unknown("the answer is about another order.")
    return Accepted(str(row["id"]))


def _codes(answer: Answer) -> set[str]:
    """Every code in the venue's own words: of the request, and of the order in it."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return set()
    if not isinstance(body, Mapping):
        return set()
    rows = body.get("data")
    parts = [body, *(row for row in (rows if isinstance(rows, list) else []) if isinstance(row, Mapping))]
    return {str(part[name]) for part in parts for name in ("code", "sCode", "retCode") if name in part}
