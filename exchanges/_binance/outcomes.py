"""What an answer to a write proves. HTTP status is looked at before the code, and doubt is never a verdict.

The measured reasons are in the outcome policy of the documentation: a 5xx may have been executed, a 200 may be
somebody else's body, and "Duplicate order sent." means that an earlier send of ours is alive.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from core.base_exchange import CAME_LATE, KEY_REFUSED
from domain.outcome import Accepted, Outcome, Rejected, Unknown
from exchanges._ccxt import Answer

#: The request may have been executed although the venue complains: internal errors, timeouts, overload, shutdown.
UNKNOWN_CODES: Final = frozenset({-1000, -1001, -1006, -1007, -1008, -1016, -1034})
#: An order of this client order id is open, so an earlier send of ours arrived.
DUPLICATE: Final = {-2010: "Duplicate order sent.", -4116: "ClientOrderId is duplicated.", -4111: ""}
CLOCK_CODES: Final = frozenset({-1021, -5028})
KEY_CODES: Final = frozenset({-1002, -2014, -2015})
LIMIT_CODES: Final = frozenset({-1003, -1015})
NOT_FOUND: Final = -2013
ARCHIVED: Final = -2026
#: A page of something in between, with one of these statuses, says that the request was not passed on.
_PAGE_REFUSALS: Final = frozenset({400, 401, 403, 404, 405, 413, 414})


def decode(answer: Answer) -> Any:
    """The answer's JSON, or None when it is not JSON."""
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def code_of(body: Any) -> int | None:
    """The venue's error code, if the body is an error."""
    code = body.get("code") if isinstance(body, Mapping) else None
    return code if isinstance(code, int) and not isinstance(code, bool) and code < 0 else None


def write_outcome(answer: Answer, body: Any, echo: Mapping[str, str]) -> Outcome:
    """What became of a request that places or cancels; `echo` is what the answer's `body` must repeat, by field."""
    code = code_of(body)
    if answer.status >= 500 or code in UNKNOWN_CODES:
        return Unknown(f"HTTP {answer.status}, {_words(body, code)}: it may have been executed.")
    if 200 <= answer.status < 300:
        return item_outcome(body, echo)
    if not 400 <= answer.status < 500:
        return Unknown(f"HTTP {answer.status} is not an answer the venue gives.")
    if code is not None:
        return refusal(body, code)
    if answer.status in {418, 429} or answer.status in _PAGE_REFUSALS:
        return Rejected(f"HTTP {answer.status} without a code: refused before the venue's order entry.")
    return Unknown(f"HTTP {answer.status} without a code.")


def item_outcome(body: Any, echo: Mapping[str, str]) -> Outcome:
    """The verdict on the body of a 200, or on one item of a batch: it must be about the very order that was sent."""
    code = code_of(body)
    if code in UNKNOWN_CODES:
        return Unknown(f"{_words(body, code)}: it may have been executed.")
    if code is not None:
        return refusal(body, code)
    if not isinstance(body, Mapping):
        return Unknown("the answer is empty or not JSON, though its status is success.")
    wrong = [name for name, value in echo.items() if body.get(name) != value]
    if wrong:
        return Unknown(f"the answer is about another order: {', '.join(wrong)} is not what was sent.")
    name = "algoId" if "algoId" in body else "orderId"
    number = body.get(name)
    if not isinstance(number, int | str) or isinstance(number, bool) or not str(number):
        return Unknown("the answer holds no order id.")
    return Accepted(algo_id(number) if name == "algoId" else str(number))


def algo_id(number: int | str) -> str:
    """The id of a conditional order. They are numbered apart: the same number is another order."""
    return f"algo:{number}"


def refusal(body: Mapping[str, Any], code: int) -> Rejected | Unknown:
    """The verdict on an error that the venue itself gave, with its code."""
    text = str(body.get("msg", ""))
    if code in DUPLICATE and text.startswith(DUPLICATE[code]):
        return Unknown(f"{_words(body, code)}: an earlier send of this order lives.")
    if code in KEY_CODES:
        return Rejected(f"{KEY_REFUSED}: revoked, or not allowed from this address ({_words(body, code)}).")
    if code in CLOCK_CODES:
        return Rejected(f"{CAME_LATE}: {_words(body, code)}")
    if -1199 <= code <= -1002 or -2999 <= code <= -2000 or -5999 <= code <= -4000:
        return Rejected(_words(body, code))
    return Unknown(f"{_words(body, code)}: this code is not in the table.")


def _words(body: Any, code: int | None) -> str:
    return "no code" if code is None else f"{code} {body.get('msg', '')}".strip()[:200]
