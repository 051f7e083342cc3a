"""Shares what an account's futures are paid and charged among the instances that held the position.

The venue's stream says that funding happened; what it came to is read, and read again after gaps. A payment is shared
when every execution before it is in the journal: the holdings there add up to the position that the venue names. Where
they do not even after a sweep, the rest of the position is its owner's, traded by hand, and so is its funding.
Instances that were stopped with a position get their share like those that run, while any strategy of the account does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from core.base_exchange import BaseExchange, TellsFunding
from core.base_journal import BaseJournal
from domain.errors import AresError
from domain.funding import FundingPayment, FundingShare, reference, shares
from domain.instrument import Instrument
from engine.books import Books
from engine.idle_books import IdleBooks, idle_books
from engine.trading_engine import TradingEngine

log = structlog.get_logger(__name__)

HOUR_MS = 3_600_000
#: The venue's list may name a payment later than its stream: it is looked for so often, at widening distances.
LOOKS = 8
#: Sweeps after which holdings that do not add up are believed.
SWEEPS = 3
_PAUSE_SECONDS = 0.01


class FundingDesk:
    """One account's funding."""

    def __init__(
        self,
        account: int,
        exchange: BaseExchange,
        journal: BaseJournal,
        engines: Mapping[int, TradingEngine],
        sweep: Callable[[], Awaitable[object]],
        retry: float,
    ) -> None:
        is_futures = exchange.capabilities.market == "futures"
        self._account = account
        self._instrument = exchange.instrument
        self._exchange = exchange if is_futures and isinstance(exchange, TellsFunding) else None
        self._journal = journal
        self._engines = engines
        self._sweep = sweep
        #: Seconds before the next attempt.
        self._retry = retry
        self._wanted = asyncio.Event()
        self._is_reading = False
        #: Payments up to this time have been announced and are still to be found.
        self._announced_ms = 0
        self._read_hour = -1
        #: Instance that nobody runs -> the newest payment that was read for it.
        self._idle_read_ms: dict[int, int] = {}

    def hear(self, time_ms: int) -> None:
        """Funding happened at a time of the venue."""
        self._announced_ms = max(self._announced_ms, time_ms)
        self._ask()

    def want(self, now_ms: int, *, is_new: bool) -> None:
        """A sweep has succeeded: read, should an hour have passed or instances have come."""
        if is_new or now_ms // HOUR_MS > self._read_hour:
            self._read_hour = now_ms // HOUR_MS
            self._ask()

    def _ask(self) -> None:
        if self._exchange is not None:
            self._wanted.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be read or shared."""
        return not self._is_reading and not self._wanted.is_set()

    async def run(self) -> None:
        """Read and share whenever there may be something, until cancelled."""
        exchange = self._exchange
        while exchange is not None:
            await self._wanted.wait()
            self._is_reading = True
            self._wanted.clear()
            try:
                await self._read(exchange)
            finally:
                self._is_reading = False

    async def _read(self, exchange: TellsFunding) -> None:
        """Everything since the oldest time at which an instance here may miss something."""
        for look in range(LOOKS):
            serving = [engine for engine in self._engines.values() if engine.books.funded_ms]
            try:
                idle = await self._idle() if self._engines else []
                if not serving and not idle:
                    return
                symbols = {engine.instance.instrument.symbol for engine in serving}
                symbols |= {one.instrument.symbol for one in idle}
                times = [engine.books.funded_ms for engine in serving]
                times += [max(one.books.funded_ms, self._idle_read_ms.get(one.number, 0)) for one in idle]
                found = await exchange.funding_since(symbols, max(min(times) - HOUR_MS, 0))
                for payment in found:
                    await self._share(payment, idle)
            except AresError as error:
                log.warning("funding_not_read", reason=str(error))
            else:
                newest = max((payment.time_ms for payment in found), default=0)
                for engine in serving:
                    engine.books.funded_ms = max(engine.books.funded_ms, newest)
                self._idle_read_ms.update(dict.fromkeys((one.number for one in idle), newest))
                if newest >= self._announced_ms - HOUR_MS // 2:
                    return
            await asyncio.sleep(self._retry * 2**look)

    async def _idle(self) -> list[IdleBooks]:
        """The account's instances that hold something and that nobody runs."""
        holders = await self._journal.holders(self._account)
        return [
            await idle_books(number, self._instrument(symbol), self._journal)
            for number, symbol in holders.items()
            if number not in self._engines
        ]

    async def _share(self, payment: FundingPayment, idle: list[IdleBooks]) -> None:
        symbol = payment.symbol
        engines = {n: one for n, one in self._engines.items() if one.instance.instrument.symbol == symbol}
        running = {n: one for n, one in engines.items() if not self._is_booked(n, one.books, payment)}
        stopped = [one for one in idle if one.instrument.symbol == symbol]
        waiting = [one for one in stopped if not self._is_booked(one.number, one.books, payment)]
        if not running and not waiting:
            return
        instrument = self._instrument(payment.symbol)
        held = await self._held(next(iter(running), None) or waiting[0].number, instrument, payment)
        found = shares(payment.amount, payment.position_lots * instrument.base_per_lot, held)
        for number, engine in running.items():
            if amount := found.get(number, 0):
                engine.put(FundingShare(payment, amount))
        for one in waiting:
            if (amount := found.get(one.number, 0)) and one.number not in self._engines:
                await one.give(FundingShare(payment, amount))

    @staticmethod
    def _is_booked(number: int, books: Books, payment: FundingPayment) -> bool:
        return books.has_booked_funding(reference(number, payment))

    async def _held(self, of: int, instrument: Instrument, payment: FundingPayment) -> dict[int, int]:
        """What each instance of the account held, base quanta. At the very moment of the payment both orders occur."""
        position = payment.position_lots * instrument.base_per_lot
        for attempt in range(SWEEPS + 1):
            if attempt:
                await self._sweep()
            while any(engine.has_news for engine in self._engines.values()):  # noqa: ASYNC110 - they come and go
                await asyncio.sleep(_PAUSE_SECONDS)
            for time_ms in (payment.time_ms + 1, payment.time_ms):
                held = await self._journal.held_before(of, instrument.symbol, time_ms)
                if sum(held.values()) == position or not position:
                    return held
        log.info("funding_of_others", symbol=instrument.symbol, position=position, held=held)
        return held
