"""Several strategy instances on one account: one capital, a share and a ledger for each, a result for each and a sum.

Live, an instance spends what it was allotted and nothing else, so what one does leaves the others' money alone; a
replay of several is therefore a replay of each with its share, compiled as ever, and costs the sum of theirs. What
the venue has in common for them is not replayed: its rate limits, orders of two instances that meet, the wallet that
backs the open orders of all futures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy
from numpy.typing import NDArray

from core.base_strategy import StrategyKind
from domain.errors import Refused
from domain.ledger import OUTSIDE, UNALLOCATED, Ledger, cash, transfer
from domain.money import add, to_units
from domain.sentences import say
from engine.backtest.history import History
from engine.backtest.result import Result, post_moves
from engine.backtest.runtime import run
from engine.backtest.settings import Settings

#: So many may share an account in one replay.
MOST: Final = 1_000


class Member(NamedTuple):
    """One instance: what it trades on, by which law, with which share of the capital (`settings.quote`)."""

    kind: StrategyKind
    params: Any
    history: History
    settings: Settings


class Sum(NamedTuple):
    """What the account has come to, in the quote asset."""

    capital: Decimal
    unallocated: Decimal
    equity: Decimal
    net: Decimal
    realised: Decimal
    unrealised: Decimal
    funding: Decimal
    fees: Decimal
    fills: int
    #: Deepest fall of the account's equity from a high, at closes of bars, as a share of that high.
    max_drawdown: float


@dataclass(frozen=True)
class Together:
    """A replay of an account. Instances are numbered from 1 in the order in which they were given."""

    capital: Decimal
    results: tuple[Result, ...]

    @property
    def unallocated(self) -> Decimal:
        """What of the capital no instance owns."""
        return self.capital - add(*(result.settings.quote for result in self.results))

    @cached_property
    def ledger(self) -> Ledger:
        """The account's double-entry ledger: the capital comes from outside and is allotted, every move is posted."""
        books = Ledger()
        quote = self.results[0].history.instrument.quote
        quantum = self.results[0].history.instrument.quote_quantum
        if self.capital:
            books.post(transfer("capital", 0, quote, to_units(self.capital, quantum), OUTSIDE, UNALLOCATED))
        for number, result in enumerate(self.results, 1):
            post_moves(books, result, number)
        return books

    @cached_property
    def times(self) -> NDArray[numpy.int64]:
        """When the curve has its points: every close of a bar of any instance, in milliseconds."""
        closes = [result.history.open_ms + result.history.bar_ms for result in self.results]
        return numpy.unique(numpy.concatenate(closes))

    @cached_property
    def curve(self) -> NDArray[numpy.float64]:
        """The account's equity at those times. Before its first bar an instance is worth its share."""
        total = numpy.full(len(self.times), float(self.unallocated))
        for result in self.results:
            closes = result.history.open_ms + result.history.bar_ms
            worth = numpy.append(float(result.amount(result.start_equity)), result.curve)
            total += worth[numpy.searchsorted(closes, self.times, "right")]
        return total

    @cached_property
    def hold(self) -> NDArray[numpy.float64]:
        """What the account would be worth at those times, had every instance bought at its beginning and kept it."""
        total = numpy.full(len(self.times), float(self.unallocated))
        for result in self.results:
            history, start = result.history, float(result.amount(result.start_equity))
            worth = numpy.append(start, start * history.close / history.close[0])
            total += worth[numpy.searchsorted(history.open_ms + history.bar_ms, self.times, "right")]
        return total

    @cached_property
    def adds_up(self) -> bool:
        """Whether the ledger proves the figures: nothing is lost in it, and it holds what every instance is worth."""
        books, told = self.ledger, self.sum
        is_earned = told.net == told.realised + told.unrealised + told.funding - told.fees
        is_held = all(_worth(books, number, one) == one.figures.equity for number, one in enumerate(self.results, 1))
        return is_earned and is_held and not any(books.proof().values())

    @cached_property
    def sum(self) -> Sum:
        """The account's figures: exact sums of the instances', but for the fall, which is of the common curve."""

        def total(name: str) -> Decimal:
            return add(*(result.amount(getattr(result.figures, name)) for result in self.results))

        highs = numpy.maximum.accumulate(self.curve)
        falls = numpy.where(highs > 0, (highs - self.curve) / numpy.where(highs > 0, highs, 1), 0)
        return Sum(
            capital=self.capital,
            unallocated=self.unallocated,
            equity=self.unallocated + total("equity"),
            net=add(*(result.net for result in self.results)),
            realised=total("realised"),
            unrealised=total("unrealised"),
            funding=total("funding"),
            fees=total("fees"),
            fills=sum(result.figures.fills for result in self.results),
            max_drawdown=float(falls.max(initial=0.0)),
        )


def _worth(books: Ledger, instance: int, result: Result) -> int:
    """Quote quanta that an instance's sub-ledger is worth at the last price."""
    instrument, ticks = result.history.instrument, int(result.history.close[-1])
    base = books.balance(cash(instance), instrument.base)
    quote = books.balance(cash(instance), instrument.quote)
    return quote + base * ticks * instrument.tick_lot // instrument.base_per_lot


def run_together(members: Sequence[Member], capital: Decimal) -> Together:
    """Replay instances that share an account; `Refused` when they own more than there is, or in another asset."""
    check_members(members)
    owned = add(*(member.settings.quote for member in members))
    if owned > capital:
        quote = members[0].history.instrument.quote
        raise Refused(
            say(
                "instances_own_too_much",
                "the instances own {owned} {quote} together, and {capital} is all there is.",
                owned=owned,
                quote=quote,
                capital=capital,
                field="capital",
            )
        )
    return Together(capital, tuple(run(*member) for member in members))


def check_members(members: Sequence[Member]) -> None:
    """`Refused` for instances that no account can hold together, whatever they own of it."""
    if not 1 <= len(members) <= MOST:
        raise Refused(
            say(
                "too_many_instances",
                "{count} cannot share an account; give from 1 to {most}.",
                count=len(members),
                most=MOST,
                field="instances",
            )
        )
    first = members[0].history.instrument
    for number, member in enumerate(members, 1):
        instrument = member.history.instrument
        if instrument.quote != first.quote:
            raise Refused(
                say(
                    "instance_in_other_asset",
                    "instance {number}: it is paid in {quote}, and the account is in {account}.",
                    number=number,
                    quote=instrument.quote,
                    account=first.quote,
                )
            )
        if (member.settings.futures is None) != (members[0].settings.futures is None):
            raise Refused(
                say(
                    "instance_of_other_market",
                    "instance {number}: an account is of spot or of futures; replay the others apart.",
                    number=number,
                )
            )
    _check_positions(members)


def _check_positions(members: Sequence[Member]) -> None:
    """On futures one strategy owns the position of a symbol."""
    if members[0].settings.futures is None:
        return
    symbols = [member.history.instrument.symbol for member in members]
    for symbol in symbols:
        if symbols.count(symbol) > 1:
            raise Refused(
                say(
                    "two_on_one_position",
                    "{symbol}: on futures one instance owns the position of a symbol, and two are given.",
                    symbol=symbol,
                )
            )


def shared(members: Sequence[Member], capital: Decimal) -> list[Member]:
    """The same instances with equal shares of the capital, rounded down to the quote's finest unit."""
    quantum = max(member.history.instrument.quote_quantum for member in members)
    share = capital / len(members) // quantum * quantum
    return [member._replace(settings=replace(member.settings, quote=share)) for member in members]
