"""Several masters on one account: one target per symbol, and a virtual position for each relationship.

The virtual positions always add up to what the account holds for its masters. Where two of them want opposite
things the lots change hands inside, at the price of the moment, and no order is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from domain.copying import terms as code
from domain.copying.target import Decision, held_back
from domain.copying.terms import PPM, Terms
from domain.position_tracker import Position, trade

#: Where lots go that no relationship has asked for.
NOBODY: Final = 0


class Wish(NamedTuple):
    """A decision with what belongs to it."""

    symbol: str
    decision: Decision
    terms: Terms
    #: Lots the relationship holds, and quote quanta of one lot now; 0 when no price is known.
    held: int
    lot_value: int


class AccountCaps(NamedTuple):
    """What the account may hold for all its masters, in quote quanta; 0 is no limit."""

    max_notional: int = 0
    equity: int = 0


def cap(wishes: Sequence[Wish], caps: AccountCaps) -> list[Wish]:
    """Every wish within the caps of its symbol, relationship, account and leverage: the first come first."""
    used: dict[int, int] = {}
    total = 0
    capped: list[Wish] = []
    for wish in wishes:
        decision, name = wish.decision, wish.decision.relationship
        for room, reason in _rooms(wish, used.get(name, 0), total, caps):
            if wish.lot_value > 0:
                decision = held_back(decision, max(room, 0) // wish.lot_value, wish.held, reason)
            else:
                decision = held_back(decision, 0, wish.held, code.NO_PRICE)
        worth = abs(decision.lots) * wish.lot_value
        used[name] = used.get(name, 0) + worth
        total += worth
        capped.append(wish._replace(decision=decision))
    return capped


def _rooms(wish: Wish, used: int, total: int, caps: AccountCaps) -> Iterable[tuple[int, int]]:
    terms = wish.terms
    if terms.max_symbol_notional:
        yield terms.max_symbol_notional, code.SYMBOL_CAP
    if terms.max_notional:
        yield terms.max_notional - used, code.RELATIONSHIP_CAP
    if caps.max_notional:
        yield caps.max_notional - total, code.ACCOUNT_CAP
    if terms.max_leverage_ppm:
        yield caps.equity * terms.max_leverage_ppm // PPM - total, code.LEVERAGE_CAP


def cross(held: Mapping[int, int], wanted: Mapping[int, int]) -> dict[int, int]:
    """Lots that change hands among relationships, signed, adding up to zero: what one gives up another wants."""
    gaps = {name: wanted.get(name, 0) - held.get(name, 0) for name in held.keys() | wanted.keys()}
    buyers = sum(gap for gap in gaps.values() if gap > 0)
    sellers = -sum(gap for gap in gaps.values() if gap < 0)
    lots = min(buyers, sellers)
    if lots == 0:
        return {}
    moved = share_out(lots, {name: gap for name, gap in gaps.items() if gap > 0})
    given = share_out(lots, {name: -gap for name, gap in gaps.items() if gap < 0})
    return moved | {name: -count for name, count in given.items()}


def allocate(lots: int, held: Mapping[int, int], wanted: Mapping[int, int]) -> dict[int, int]:
    """An execution of so many signed lots, shared among the relationships that miss them; the parts add up to it."""
    sign = 1 if lots > 0 else -1
    gaps = {name: (wanted.get(name, 0) - held.get(name, 0)) * sign for name in held.keys() | wanted.keys()}
    missing = {name: gap for name, gap in gaps.items() if gap > 0}
    taken = min(abs(lots), sum(missing.values()))
    parts = {name: count * sign for name, count in share_out(taken, missing).items()}
    rest = abs(lots) - taken
    if rest:
        owner = max(missing, key=lambda name: (missing[name], -name)) if missing else NOBODY
        parts[owner] = parts.get(owner, 0) + rest * sign
    return parts


def share_out(lots: int, claims: Mapping[int, int]) -> dict[int, int]:
    """Whole lots in proportion to claims, which are above zero and add up to at least as much: largest rest first."""
    total = sum(claims.values())
    if lots == 0 or total == 0:
        return {}
    parts = {name: lots * claim // total for name, claim in claims.items()}
    rest = lots - sum(parts.values())
    for name in sorted(claims, key=lambda name: (-(lots * claims[name] % total), name))[:rest]:
        parts[name] += 1
    return {name: count for name, count in parts.items() if count}


def book_parts(positions: Mapping[int, Position], parts: Mapping[int, int], lot_value: int) -> dict[int, Position]:
    """The virtual positions after such parts were traded at so many quote quanta a lot."""
    after = dict(positions)
    for name, lots in parts.items():
        after[name] = trade(after.get(name, Position()), lots, abs(lots) * lot_value)
    return after


class Entry(NamedTuple):
    """The worst prices and the last moment at which the netted target may be entered; 0 is any."""

    ceiling: int
    floor: int
    until_ms: int


def entry_bounds(growing: Iterable[tuple[Terms, int, int]], tick_limit: int) -> Entry:
    """Of the relationships that grow, with their masters' price and time: the narrowest collar, the nearest limit."""
    ceilings, floors, limits = [], [], []
    for terms, ticks, time_ms in growing:
        if terms.collar_ppm and ticks > 0:
            ceilings.append(min(ticks * (PPM + terms.collar_ppm) // PPM, tick_limit))
            floors.append(max(-(-ticks * (PPM - terms.collar_ppm) // PPM), 1))
        if terms.max_delay_ms:
            limits.append(time_ms + terms.delay_ms + terms.max_delay_ms)
    return Entry(min(ceilings, default=0), max(floors, default=0), min(limits, default=0))
