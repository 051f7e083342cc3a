"""Symbols that terms of copying name: those that the follower's venue lacks are refused before anything is kept."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

from api.copying import symbol_at
from api.errors import BadFields, FieldError
from api.market import MarketReader

_LISTS: Final = ("allow_symbols", "deny_symbols")
#: So many unknown ones of a list are told at once.
SHOWN: Final = 10


async def refuse_unknown(market: MarketReader, feed: str, terms: Mapping[str, Any]) -> None:
    """Refuse, by field, what is listed and not there. While no worker has told what there is, its worker tells."""
    named = {name: [symbol_at(feed, symbol) for symbol in terms.get(name) or ()] for name in _LISTS}
    known = await market.catalogue(feed) if any(named.values()) else None
    if known is None:
        return
    unknown = {name: [symbol for symbol in symbols if symbol not in known] for name, symbols in named.items()}
    errors = [
        FieldError(name, "; ".join(_reason(feed, symbol, known) for symbol in symbols[:SHOWN]))
        for name, symbols in unknown.items() if symbols
    ]  # fmt: skip
    if errors:
        raise BadFields(errors)


def _reason(feed: str, symbol: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(symbol, known, n=1)
    return f"{feed} lists no {symbol}{f' (did you mean {near[0]}?)' if near else ''}: take it out or correct it"
