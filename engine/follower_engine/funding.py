"""Funding of a follower account: what the account was paid is shared out, and the ideal copies have theirs.

They come by two ways, for the ideal copy has funding too where the actual one holds nothing. Each is taken once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from domain import funding
from domain.copying import tracking
from domain.copying.terms import PPM
from domain.funding import FundingRate
from domain.instrument import Instrument
from domain.ledger import Entry, cash
from engine.follower_engine.book import FollowerBook


def payments(
    entries: Iterable[Entry], instances: Mapping[str, int], instruments: Mapping[str, Instrument]
) -> Iterator[tuple[str, int, int]]:
    """Symbol, time and quote quanta of what these instances were paid of funding, oldest first.

    What was paid in another asset is not valued here.
    """
    symbols = {cash(number): symbol for symbol, number in instances.items() if symbol in instruments}
    for entry in sorted(entries, key=lambda one: one.time_ms):
        if entry.kind != funding.KIND:
            continue
        for line in entry.postings:
            symbol = symbols.get(line.account)
            if symbol is not None and line.asset == instruments[symbol].quote:
                yield symbol, entry.time_ms, line.amount


def pay(book: FollowerBook, symbol: str, quanta: int, time_ms: int) -> set[tuple[int, str]]:
    """The instance of a symbol was paid so many quote quanta; gives the holdings that it was shared out among.

    By what each held at the time, as the account's own funding is shared among its instances.
    """
    mine, instrument = dict(book.on(symbol)), book.instruments[symbol]
    if time_ms <= max((holding.record.paid_ms for holding in mine.values()), default=0):
        return set()
    unit = instrument.base_per_lot * PPM
    held = {number: tracking.held_for(holding.record, time_ms)[1] // unit for number, holding in mine.items()}
    if not sum(held.values()):  # what was held then is not known any more
        held = {number: holding.position.lots for number, holding in mine.items()}
    parts = funding.shares(quanta, 0, held)
    for number, part in parts.items():
        holding = mine[number]
        holding.position = holding.position._replace(realised=holding.position.realised + part)
        holding.record = tracking.fund(holding.record, part, time_ms, instrument)
    keys = {(number, symbol) for number in parts}
    book.changed |= keys
    return keys


def rate(book: FollowerBook, told: FundingRate) -> set[tuple[int, str]]:
    """The venue has paid funding of a symbol; gives the holdings whose ideal copy has had some."""
    instrument, found = book.instruments[told.symbol], set()
    for number, holding in book.on(told.symbol):
        before, holding.record = holding.record, tracking.rate(holding.record, told, instrument)
        if before.ideal_value != holding.record.ideal_value:
            found.add((number, told.symbol))
    book.changed |= found
    return found


def rated_since(book: FollowerBook, symbol: str) -> int | None:
    """The time after which funding of a symbol is still to be told; None when no copy of it held anything since."""
    times = [
        holding.record.rated_ms for _, holding in book.on(symbol)
        if holding.record.hour and (holding.record.ideal or holding.record.ideal_before)
    ]  # fmt: skip
    return min(times, default=None)
