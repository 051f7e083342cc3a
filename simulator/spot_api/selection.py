"""Which symbols a request asks for: `symbol`, `symbols` or none, narrowed by `symbolStatus`; and what that weighs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from simulator.errors import INVALID_SYMBOL, VenueError, illegal_characters, missing_parameter
from simulator.instruments import Instrument, Status
from simulator.spot_api.order_params import both_empty
from simulator.wire.endpoint import Call
from simulator.wire.params import Params

STATUSES: Final[tuple[Status, ...]] = ("TRADING", "HALT", "BREAK")
LARGEST_LIST = 100

_SYMBOLS_RANGE = r"""^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"""
_SYMBOL = r'"(?:[^\Wa-z]|[-.]){1,50}"'
_SYMBOLS = re.compile(rf"\[({_SYMBOL}(,{_SYMBOL})*)?\]")


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen symbols; `is_one` says that the answer is an object and not a list."""

    instruments: list[Instrument]
    is_one: bool


def listed_symbols(params: Params) -> list[str] | None:
    """`symbols` as names; -1100 when malformed, -1151 when one is there twice, None when it was not sent."""
    text = params.optional_text("symbols")
    if text is None:
        return None
    if not _SYMBOLS.fullmatch(text):
        raise illegal_characters("symbols", _SYMBOLS_RANGE)
    names: list[str] = json.loads(text)
    if not names:
        raise missing_parameter("symbols")
    if len(set(names)) != len(names):
        raise VenueError(-1151, "Symbol is present multiple times in the list.")
    return names


def listed(call: Call, name: str) -> Instrument:
    """A symbol of the spot market; -1121 when there is none of this name."""
    found: Instrument | None = call.venue.spot.instruments.get(name)
    if found is None:
        raise VenueError(*INVALID_SYMBOL)
    return found


def select(call: Call, *, is_required: bool) -> Selection:
    """Read symbol, symbols and symbolStatus of a ticker. Without either, every symbol, unless one `is_required`."""
    params = call.params
    symbol, names = params.optional_symbol(), listed_symbols(params)
    status = params.optional_choice("symbolStatus", STATUSES)
    if symbol is not None and names is not None:
        raise VenueError(-1101, "Too many parameters; expected '1' and received '2'.")
    if symbol is not None:
        found = listed(call, symbol)
        check_status(found, status)
        return Selection([found], is_one=True)
    if names is None:
        if is_required:
            raise both_empty("symbol", "symbols")
        chosen = list(call.venue.spot.instruments.values())
    else:
        if is_required and len(names) > LARGEST_LIST:
            raise VenueError(-1101, f"Too many parameters; expected '{LARGEST_LIST}' and received '{len(names)}'.")
        chosen = [listed(call, name) for name in names]
    return Selection([item for item in chosen if status in (None, item.status)], is_one=False)


def check_status(instrument: Instrument, status: Status | None) -> None:
    """-1220 when the request wants the symbol in another status."""
    if status is not None and instrument.status != status:
        raise VenueError(-1220, "The symbol's status does not match the requested symbolStatus.")


def symbol_count(params: Params) -> int | None:
    """How many symbols the request names; None when it names none."""
    if params.has("symbol"):
        return 1
    text = params.peek("symbols")
    return None if text is None else text.count(",") + 1


def per_symbol_weight(params: Params) -> int:
    """4 for each symbol, at most 200."""
    return min(200, 4 * (symbol_count(params) or 1))


def price_weight(params: Params) -> int:
    """2 for `symbol`, 4 for anything more."""
    return 2 if params.has("symbol") else 4


def day_weight(params: Params) -> int:
    """2 up to 20 symbols, 40 up to 100, 80 beyond and for all."""
    count = symbol_count(params)
    if count is None or count > 100:
        return 80
    return 2 if count <= 20 else 40
