"""Positions and the arithmetic of their cost: exact integers, so that a position closed in parts leaves no dust."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from simulator.futures.types import Position, PositionSide
from simulator.market.types import Side
from simulator.units import ONE

Key = tuple[int, str, PositionSide]


class Outcome(NamedTuple):
    """What a fill did to a position."""

    realized: int
    """Profit taken, before fees."""
    closed: int
    """Quantity that closed what was held."""
    opened_quote: int
    """Notional of the part that opened or added."""


class PositionBook:
    """Every position of every account; those that hold something are found by symbol too."""

    def __init__(self) -> None:
        self._all: dict[Key, Position] = {}
        self._of: dict[int, dict[Key, Position]] = {}
        self._open: dict[str, dict[Key, Position]] = {}

    def get(self, account_id: int, symbol: str, side: PositionSide) -> Position:
        """The position, flat if it was never opened."""
        key = (account_id, symbol, side)
        position = self._all.get(key)
        if position is None:
            position = self._all[key] = Position(account_id, symbol, side)
            self._of.setdefault(account_id, {})[key] = position
        return position

    def peek(self, account_id: int, symbol: str, side: PositionSide) -> Position | None:
        """The position if there ever was one."""
        return self._all.get((account_id, symbol, side))

    def of(self, account_id: int, symbol: str | None = None) -> Iterator[Position]:
        """Positions of an account that hold a quantity, in the order they first appeared."""
        for position in self._of.get(account_id, {}).values():
            if position.quantity and (symbol is None or position.symbol == symbol):
                yield position

    def touched(self, account_id: int) -> Iterator[Position]:
        """Positions an account ever had, flat ones included."""
        return iter(self._of.get(account_id, {}).values())

    def open_in(self, symbol: str) -> list[Position]:
        """All open positions on a symbol, oldest first."""
        return list(self._open.get(symbol, {}).values())

    def has_open(self, symbol: str) -> bool:
        """Whether anybody holds a position on the symbol."""
        return bool(self._open.get(symbol))

    def fill(self, position: Position, side: Side, quantity: int, quote: int, fee: int) -> Outcome:
        """Let a fill change a position; says what was realised."""
        outcome = apply_fill(position, side, quantity, quote, fee)
        key = (position.account_id, position.symbol, position.position_side)
        here = self._open.setdefault(position.symbol, {})
        if position.quantity:
            here.setdefault(key, position)
        else:
            here.pop(key, None)
        return outcome


def apply_fill(position: Position, side: Side, quantity: int, quote: int, fee: int) -> Outcome:
    """Add a fill to a position in place. Over a position's life realised profits sum to the exact cash flow:

    realised so far = -(signed notional traded) + cost still held. A part closed takes its share of the cost, cut
    toward zero; the last part takes all that is left.
    """
    sign = 1 if side == "BUY" else -1
    held = position.quantity
    closed = min(quantity, abs(held)) if held * sign < 0 else 0
    closed_quote = quote if closed == quantity else quote * closed // quantity
    realized = 0
    if closed:
        share = abs(position.cost) * closed // abs(held) * (1 if position.cost > 0 else -1)
        realized = -sign * closed_quote - share
        position.cost -= share
    opened_quote = quote - closed_quote
    position.cost += sign * opened_quote
    position.quantity = held + sign * quantity
    if position.quantity == 0:
        position.break_even_cost = 0
    elif closed and closed < quantity:
        position.break_even_cost = sign * opened_quote + (fee * opened_quote // quote if quote else 0)
    else:
        position.break_even_cost += sign * quote + fee
    position.realized += realized
    return Outcome(realized, closed, opened_quote)


def entry_price(position: Position) -> int:
    """Average entry price, 0 when flat; rounded down."""
    return position.cost * ONE // position.quantity if position.quantity else 0


def break_even_price(position: Position) -> int:
    """Price at which closing leaves neither gain nor loss after fees and funding paid so far; 0 when flat."""
    return position.break_even_cost * ONE // position.quantity if position.quantity else 0


def unrealized(position: Position, mark: int) -> int:
    """Profit at a mark price, not yet realised."""
    return position.quantity * mark // ONE - position.cost


def is_closing(position: Position | None, side: Side) -> bool:
    """Whether an order on `side` would make the position smaller."""
    return position is not None and position.quantity * (1 if side == "BUY" else -1) < 0
