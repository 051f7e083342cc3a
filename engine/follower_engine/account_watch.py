"""A live account as a master: its executions as they come, its positions by REST as the audit of them.

Every execution counts once, by the venue's trade id. An audit that finds another position than the executions add up
to reads the trades that are missing; only where they do not explain it is the venue's figure taken as a new start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

import structlog

from core.base_exchange import BaseExchange, StreamGap
from core.clock import Clock
from domain.errors import AresError
from domain.fill import Fill, signed_lots
from domain.instrument import Instrument
from domain.money import from_units

log = structlog.get_logger(__name__)
#: Reads of an audit that may contradict one another before the venue's figure is taken.
TRIES: Final = 3
#: Trade ids that are remembered of each symbol.
REMEMBERED: Final = 2_000


class Seen(NamedTuple):
    """What a master holds of a symbol, as it was found out."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    #: Of the newest execution; None when an audit has found the position.
    price: Decimal | None
    time_ms: int
    #: "stream" or "audit".
    source: str
    #: Names the execution; empty for an audit.
    trade_id: str


class AccountWatch:
    """Watches one account on a connection of its own."""

    def __init__(
        self, exchange: BaseExchange, quote: str, clock: Clock, tell: Callable[[Seen], None], audit_seconds: float = 5.0
    ) -> None:
        self.last_error = ""
        #: Quote that the account holds, and that nothing is known of while it is None.
        self.equity: Decimal | None = None
        #: Symbol -> base quanta, below zero when short.
        self.positions: dict[str, int] = {}
        self._exchange, self._quote, self._clock, self._tell = exchange, quote, clock, tell
        self._audit_seconds = audit_seconds
        self._entries: dict[str, Decimal] = {}
        self._seen: dict[str, dict[str, None]] = {}
        self._last_ids: dict[str, str] = {}
        self._early: list[Fill] | None = []
        self._fills = 0
        self._since_ms = 0
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled; what fails is tried again."""
        while True:
            try:
                await self._exchange.open()
                break
            except AresError as error:
                self.last_error = str(error)
                await asyncio.sleep(self._audit_seconds)
        self._since_ms = self._clock.machine.now_ms() + self._exchange.clock_offset_ms()
        listening = asyncio.create_task(self._listen(), name="master's events")
        try:
            await self._audit_forever()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self._exchange.close()

    async def _listen(self) -> None:
        while True:
            try:
                async for event in self._exchange.user_events():
                    if isinstance(event, Fill):
                        self._take(event)
                    elif isinstance(event, StreamGap):
                        self._wanted.set()
            except AresError as error:
                self.last_error = str(error)
            self._wanted.set()
            await asyncio.sleep(1.0)

    def _take(self, fill: Fill) -> None:
        self._fills += 1
        if self._early is not None:
            self._early.append(fill)
        elif self._count(fill):
            self._say(fill.symbol, fill, "stream")

    def _count(self, fill: Fill) -> bool:
        """Add an execution to the position, once."""
        seen = self._seen.setdefault(fill.symbol, {})
        if fill.trade_id in seen:
            return False
        seen[fill.trade_id] = None
        if len(seen) > REMEMBERED:
            del seen[next(iter(seen))]
        self._last_ids[fill.symbol] = fill.trade_id
        instrument = self._exchange.instrument(fill.symbol)
        fee = fill.fee if fill.fee_asset == instrument.base else 0
        moved = signed_lots(fill) * instrument.base_per_lot - fee
        self.positions[fill.symbol] = self.positions.get(fill.symbol, 0) + moved
        return True

    def _say(self, symbol: str, fill: Fill | None, source: str) -> None:
        instrument = self._exchange.instrument(symbol)
        quantity = from_units(self.positions.get(symbol, 0), instrument.base_quantum)
        price = instrument.from_ticks(fill.ticks) if fill is not None else None
        time_ms = fill.time_ms if fill is not None else self._clock.machine.now_ms()
        entry = self._entries.get(symbol) or price
        self._tell(
            Seen(symbol, quantity, entry if quantity else None, price, time_ms, source, fill.trade_id if fill else "")
        )

    async def _audit_forever(self) -> None:
        while True:
            self._wanted.clear()
            try:
                await self._audit()
                self.last_error = ""
            except AresError as error:
                self.last_error = str(error)
                log.warning("master_not_audited", reason=str(error))
            try:
                async with asyncio.timeout(self._audit_seconds):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def _audit(self) -> None:
        for attempt in range(TRIES):
            before = self._fills
            found = await self._read()
            if self._fills != before and attempt < TRIES - 1:
                await asyncio.sleep(0.1)
                continue
            if self._early is not None:
                self._begin(found)
            elif not await self._explain(found):
                if attempt < TRIES - 1:
                    await asyncio.sleep(0.1)
                    continue
                self._trust(found)
            return

    def _begin(self, found: dict[str, int]) -> None:
        """The first good look is the start; executions that came before it are in it."""
        early, self._early = self._early or [], None
        for fill in early:
            self._seen.setdefault(fill.symbol, {})[fill.trade_id] = None
            self._last_ids[fill.symbol] = fill.trade_id
        self.positions = dict(found)
        for symbol in found:
            self._say(symbol, None, "audit")

    async def _explain(self, found: dict[str, int]) -> bool:
        """Count executions that were missed; where they do not explain the venue's figure it is read once more."""
        is_explained = True
        for symbol in found.keys() | self.positions.keys():
            if self.positions.get(symbol, 0) == found.get(symbol, 0):
                continue
            missed = await self._exchange.fills_since(symbol, self._last_ids.get(symbol, ""), self._since_ms)
            newest = [fill for fill in missed if self._count(fill)]
            if self.positions.get(symbol, 0) != found.get(symbol, 0):
                is_explained = False
            if newest:
                self._say(symbol, newest[-1], "audit")
        return is_explained

    def _trust(self, found: dict[str, int]) -> None:
        """Take the venue's figures as they are: what happened is beyond the trades that it tells of."""
        for symbol in found.keys() | self.positions.keys():
            if self.positions.get(symbol, 0) != found.get(symbol, 0):
                self.positions[symbol] = found.get(symbol, 0)
                self._say(symbol, None, "audit")

    async def _read(self) -> dict[str, int]:
        balances = await self._exchange.balances()
        worth = balances.get(self._quote)
        self.equity = from_units(worth.free + worth.locked, Decimal("0.00000001")) if worth is not None else None
        if self._exchange.capabilities.can_short:
            rows = await self._exchange.positions()
            self._entries = {row.symbol: row.entry_price for row in rows}
            return {row.symbol: row.lots * self._exchange.instrument(row.symbol).base_per_lot for row in rows}
        found: dict[str, int] = {}
        for asset, balance in balances.items():
            instrument = self._spot(asset)
            if instrument is not None:
                found[instrument.symbol] = balance.free + balance.locked
        return found

    def _spot(self, asset: str) -> Instrument | None:
        try:
            return self._exchange.instrument(asset + self._quote)
        except AresError:
            return None
