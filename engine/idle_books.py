"""The books of an instance that nobody runs: what comes to it all the same is booked, and nothing else is touched.

An account belongs to one worker, so what does not run here runs nowhere. Whoever takes the instance up meanwhile has
raised its epoch, and books for itself.
"""

from __future__ import annotations

from core.base_journal import BaseJournal, Fenced, Step
from domain.funding import FundingShare
from domain.instrument import Instrument
from engine.books import Books, LastPrice


class IdleBooks:
    """One instance as the journal has it."""

    def __init__(self, number: int, instrument: Instrument, books: Books, epoch: int, journal: BaseJournal) -> None:
        self.number = number
        self.instrument = instrument
        self.books = books
        self._epoch = epoch
        self._journal = journal

    async def give(self, share: FundingShare) -> None:
        """Book a share of funding, once. Raises what the journal raises, but for a new owner, who does it itself."""
        time_ms = share.payment.time_ms
        self.books.open_day(time_ms)
        entries = self.books.fund(share)
        metrics = self.books.metrics(self.number)
        step = Step(self.number, self._epoch, [], [], [], [], [], entries, metrics=metrics, time_ms=time_ms)
        try:
            await self._journal.commit(step)
        except Fenced:
            return


async def idle_books(number: int, instrument: Instrument, journal: BaseJournal) -> IdleBooks:
    """Read an instance's books from the journal."""
    stored = await journal.load(number)
    books = Books(number, instrument, LastPrice())
    books.restore(stored.entries, stored.fills, stored.metrics)
    return IdleBooks(number, instrument, books, stored.epoch, journal)
