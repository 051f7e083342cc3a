"""Shares what an account's futures are paid and charged among the instances that held the position.

The venue's stream says that funding happened; what it came to is read, and read again after gaps. A payment is shared
when every execution before it is in the journal: the holdings there add up to the position that the venue names. Where
they do not even after a sweep, the rest of the position is its owner's, traded by hand, and so is its funding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from core.base_exchange import BaseExchange, TellsFunding
from core.base_journal import BaseJournal
from domain.errors import AresError
from domain.funding import FundingPayment, FundingShare, reference, shares
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
        exchange: BaseExchange,
        journal: BaseJournal,
        engines: Mapping[int, TradingEngine],
        sweep: Callable[[], Awaitable[object]],
        retry: float,
    ) -> None:
        is_futures = exchange.capabilities.market == "futures"
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
            if not serving:
                return
            symbols = {engine.instance.instrument.symbol for engine in serving}
            since_ms = max(min(engine.books.funded_ms for engine in serving) - HOUR_MS, 0)
            try:
                found = await exchange.funding_since(symbols, since_ms)
                for payment in found:
                    await self._share(payment)
            except AresError as error:
                log.warning("funding_not_read", reason=str(error))
            else:
                newest = max((payment.time_ms for payment in found), default=0)
                for engine in serving:
                    engine.books.funded_ms = max(engine.books.funded_ms, newest)
                if newest >= self._announced_ms - HOUR_MS // 2:
                    return
            await asyncio.sleep(self._retry * 2**look)

    async def _share(self, payment: FundingPayment) -> None:
        concerned = [
            engine for engine in self._engines.values()
            if engine.instance.instrument.symbol == payment.symbol and not self._is_booked(engine, payment)
        ]  # fmt: skip
        if not concerned:
            return
        held = await self._held(concerned[0], payment)
        position = payment.position_lots * concerned[0].instance.instrument.base_per_lot
        found = shares(payment.amount, position, held)
        for engine in concerned:
            if amount := found.get(engine.instance.instance, 0):
                engine.put(FundingShare(payment, amount))

    @staticmethod
    def _is_booked(engine: TradingEngine, payment: FundingPayment) -> bool:
        return engine.books.has_booked_funding(reference(engine.instance.instance, payment))

    async def _held(self, of: TradingEngine, payment: FundingPayment) -> dict[int, int]:
        """What each instance of the account held, base quanta. At the very moment of the payment both orders occur."""
        instrument = of.instance.instrument
        position = payment.position_lots * instrument.base_per_lot
        for attempt in range(SWEEPS + 1):
            if attempt:
                await self._sweep()
            while any(engine.has_news for engine in self._engines.values()):  # noqa: ASYNC110 - they come and go
                await asyncio.sleep(_PAUSE_SECONDS)
            for time_ms in (payment.time_ms + 1, payment.time_ms):
                held = await self._journal.held_before(of.instance.instance, instrument.symbol, time_ms)
                if sum(held.values()) == position or not position:
                    return held
        log.info("funding_of_others", symbol=instrument.symbol, position=position, held=held)
        return held
