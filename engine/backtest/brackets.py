"""A futures venue's table of maintenance margin, as it answers when it is asked for its leverage brackets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.errors import Refused
from engine.backtest.futures import MOST_LEVERAGE, Tier

_FIELDS = ("notionalFloor", "notionalCap", "maintMarginRatio", "initialLeverage", "cum")


def read_tiers(path: Path, symbol: str) -> tuple[Tier, ...]:
    """Tiers of a symbol from a file of JSON: the venue's list of symbols, or one symbol's entry, each with `brackets`.

    `Refused` names the bracket and the field that cannot be. What the venue takes off (`cum`) has to follow from the
    rates below, because that is how the margin is computed here.
    """
    try:
        found = json.loads(path.read_text(), parse_float=Decimal, parse_int=Decimal)
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: it cannot be read: {error}.") from error
    entries = found if isinstance(found, list) else [found]
    for entry in entries:
        if isinstance(entry, dict) and entry.get("symbol") == symbol and isinstance(entry.get("brackets"), list):
            return _tiers(f"{path}: {symbol}", entry["brackets"])
    raise Refused(f"{path}: it has no brackets of {symbol}; keep what the venue answers to /fapi/v1/leverageBracket.")


def _tiers(where: str, brackets: Sequence[Mapping[str, Any]]) -> tuple[Tier, ...]:
    tiers: list[Tier] = []
    floor = rate = taken_off = Decimal(0)
    for number, bracket in enumerate(brackets, 1):
        row = f"{where}, bracket {number}"
        values = {name: _amount(row, bracket, name) for name in _FIELDS}
        taken_off += floor * (values["maintMarginRatio"] - rate)
        rate = values["maintMarginRatio"]
        if values["notionalFloor"] != floor:
            raise Refused(f"{row}: notionalFloor is {values['notionalFloor']}; the one before ends at {floor}.")
        if values["cum"] != taken_off:
            raise Refused(f"{row}: cum is {values['cum']}; by the rates and floors up to it, it is {taken_off}.")
        leverage = values["initialLeverage"]
        if leverage != int(leverage) or not 1 <= leverage <= MOST_LEVERAGE:
            raise Refused(f"{row}: initialLeverage is {leverage}; it must be from 1 to {MOST_LEVERAGE}.")
        floor = values["notionalCap"]
        tiers.append(Tier(floor, rate * 100, int(leverage)))
    return tuple(tiers)


def _amount(row: str, bracket: object, name: str) -> Decimal:
    value = bracket.get(name) if isinstance(bracket, dict) else None
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        raise Refused(f"{row}: {name} is {value}; it must be a number of zero or more.")
    return value
