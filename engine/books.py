"""The money of one instance, as the engine needs it from event to event: balances, prices, the day's results."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from core.base_journal import RiskMetrics
from domain import funding, ledger, slots
from domain.capital import Free, fill_entry
from domain.events import View
from domain.executions import Executions
from domain.fill import Fill
from domain.funding import FundingShare
from domain.instance import Instance
from domain.instrument import Instrument
from domain.ledger import UNALLOCATED, Entry, Ledger
from domain.order import ENTRY, SELL, Order
from domain.position_tracker import Position
from domain.profit import Units, book
from domain.risk_manager import RiskIntent, RiskView

DAY_MS = 86_400_000


@dataclass(slots=True)
class LastPrice:
    """The last price of a symbol, shared by every instance on it, so that a tick costs an idle instance nothing."""

    ticks: int = 0
    #: Machine time in milliseconds at which the price was true.
    seen_ms: int = 0

    def see(self, ticks: int, seen_ms: int) -> None:
        """Take a newer price."""
        self.ticks = ticks
        self.seen_ms = max(self.seen_ms, seen_ms)


class Result(NamedTuple):
    """What the fills of an instance have come to so far, in quanta: realised + unrealised - fees is what it earned."""

    #: Base held; below zero when short.
    base: int
    #: Quote paid for it.
    cost: int
    #: Before fees, funding included.
    realised: int
    fees: int


class Bounds(NamedTuple):
    """The smallest and largest orders of a symbol in the law's integers: asked for with every order."""

    min_notional: int
    min_lots: int
    max_lots: int


@lru_cache(maxsize=1_024)
def bounds_of(instrument: Instrument) -> Bounds:
    """Those of an instrument; every instance on it has the same."""
    return Bounds(
        int(instrument.min_notional / instrument.quote_quantum),
        max(int(instrument.min_quantity / instrument.lot_size), 1),
        int(instrument.max_quantity / instrument.lot_size) or instrument.max_lots,
    )


class Books:
    """Sub-ledger and daily results of one instance."""

    def __init__(self, instance: int, instrument: Instrument, price: LastPrice, is_margin: bool = False) -> None:
        self.ledger = Ledger()
        self.price = price
        self.killed = False
        self._number = instance
        self._owner = ledger.cash(instance)
        self._instrument = instrument
        self._bounds = bounds_of(instrument)
        self._units = Units(instrument.base, instrument.quote, instrument.base_per_lot, instrument.tick_lot)
        self._is_margin = is_margin
        #: Machine times of the last requests, oldest first.
        self._messages: list[int] = []
        #: Refusals in a row, of entries and of orders that only make the position smaller.
        self.rejections = 0
        self.exit_rejections = 0
        self._funding = 0
        #: Time of the newest funding known to be booked, or of the first fill; 0 while nothing was ever held.
        self.funded_ms = 0
        #: The position in base quanta, so that fees taken in base are exact, and all fees; by the order of execution.
        self._executions = Executions(self._after, (Position(), 0))
        self._day = -1
        self._realised = self._fees = self._trades = 0
        self._losses = self._last_loss_ms = 0

    def restore(self, entries: Iterable[Entry], fills: Iterable[Fill], metrics: RiskMetrics | None) -> None:
        """Take up what the journal holds."""
        for entry in entries:
            self.ledger.post(entry)
            if entry.kind == funding.KIND:
                self._note_funding(entry)
        for fill in fills:
            self._trade(fill)
        self.trim()
        if metrics is not None:
            self._day, self._realised, self._fees = metrics.day, metrics.realised, metrics.fees
            self._trades, self._losses, self._last_loss_ms = (
                metrics.trades,
                metrics.losses_in_a_row,
                metrics.last_loss_ms,
            )

    def post(self, entry: Entry, fill: Fill) -> None:
        """Book a fill: the ledger, and the day's result."""
        if not self.ledger.post(entry):
            return
        held = self._executions.sum[0].lots
        earned, fee = self._trade(fill)
        self._realised += earned - fee
        self._fees += fee
        self._trades += 1
        # A sale that opens a short has neither won nor lost; a purchase that closes one has.
        is_closing = held * fill.side < 0 if self._is_margin else fill.side == SELL
        if is_closing and earned - fee < 0:
            self._losses, self._last_loss_ms = self._losses + 1, fill.time_ms
        elif is_closing:
            self._losses = 0

    def entry_of(self, fill: Fill) -> Entry:
        """The ledger entry of a fill. A fee in a third asset comes from the account's common pool."""
        is_own = fill.fee_asset in (self._instrument.base, self._instrument.quote)
        return fill_entry(self._number, self._instrument, fill, "" if is_own else UNALLOCATED)

    def fund(self, share: FundingShare) -> list[Entry]:
        """Book this instance's share of a funding payment, once; gives the entry to keep."""
        entry = funding.share_entry(self._number, share)
        if not self.ledger.post(entry):
            return []
        self._realised += self._note_funding(entry)
        return [entry]

    def has_booked_funding(self, reference: str) -> bool:
        """Whether a share is in the books."""
        return self.ledger.has(funding.KIND, reference)

    def _note_funding(self, entry: Entry) -> int:
        """Count funding as earned; gives how much of it is quote. Other assets are not valued here."""
        self.funded_ms = max(self.funded_ms, entry.time_ms)
        earned = sum(line.amount for line in entry.postings if line[:2] == (self._owner, self._instrument.quote))
        self._funding += earned
        return earned

    @property
    def result(self) -> Result:
        """What all fills have come to."""
        position, fees = self._executions.sum
        return Result(position.lots, position.cost, position.realised + self._funding, fees)

    @property
    def last_ticks(self) -> int:
        """The last price; 0 before there is one."""
        return self.price.ticks

    def take_rules(self, instrument: Instrument) -> None:
        """The venue's smallest and largest orders are others now; the units are the same."""
        self._instrument, self._bounds = instrument, bounds_of(instrument)

    def count_message(self, now_ms: int) -> None:
        """Remember that a request is about to leave."""
        self._messages.append(now_ms)

    def view(self, instance: Instance, now_ms: int) -> View:
        """The snapshot a decision reads."""
        return self._view(instance.working.locked(self._instrument, self.last_ticks), now_ms)

    def _view(self, taken: Free, now_ms: int) -> View:
        instrument = self._instrument
        return View(
            now_ms=now_ms,
            last_ticks=self.last_ticks,
            tick_lot=instrument.tick_lot,
            base_per_lot=instrument.base_per_lot,
            min_notional=self._bounds.min_notional,
            min_lots=self._bounds.min_lots,
            max_lots=self._bounds.max_lots,
            free_quote=self.ledger.balance(self._owner, instrument.quote) - taken.quote,
            free_base=self.ledger.balance(self._owner, instrument.base) - taken.base,
            is_margin=int(self._is_margin),
        )

    def risk_view(self, instance: Instance, now_ms: int, machine_ms: int) -> RiskView:
        """The snapshot the risk rules read. Orders whose fate is unknown count as open."""
        working = instance.working
        taken = working.locked(self._instrument, self.last_ticks)
        view = self._view(taken, now_ms)
        del self._messages[: bisect_right(self._messages, machine_ms - 1_000)]
        return RiskView(
            now_ms=now_ms,
            last_ticks=self.last_ticks,
            price_age_ms=max(machine_ms - self.price.seen_ms, 0),
            tick_lot=view.tick_lot,
            position_lots=instance.position.lots // view.base_per_lot,
            open_buy_lots=working.buy_lots,
            open_sell_lots=working.sell_lots,
            open_orders=len(working.by_slot),
            positions=_positions(instance),
            realised_today=self._realised,
            trades_today=self._trades,
            losses_in_a_row=self._losses,
            last_loss_ms=self._last_loss_ms,
            messages_last_second=len(self._messages),
            rejections_in_a_row=self.rejections,
            exit_rejections_in_a_row=self.exit_rejections,
            committed=max(instance.position.cost, 0) + taken.quote,
            free_quote=view.free_quote,
            free_lots=view.free_base // view.base_per_lot,
            is_margin=int(self._is_margin),
            killed=int(self.killed),
        )

    def intent_of(self, order: Order) -> RiskIntent:
        """An order as the rules see it."""
        return RiskIntent(order.side, order.type, order.key.leg, order.ticks, order.lots, int(order.reduce_only))

    def metrics(self, instance: int) -> RiskMetrics:
        """The day's results so far."""
        return RiskMetrics(
            instance, self._day, self._realised, self._fees, self._trades, self._losses, self._last_loss_ms
        )

    def open_day(self, now_ms: int) -> None:
        """Begin another day of results, if one has come. A step opens it once, so that its fills count together."""
        day = now_ms // DAY_MS
        if day > self._day:
            self._day, self._realised, self._fees, self._trades = day, 0, 0, 0

    def relearn(self, fills: Iterable[Fill]) -> None:
        """Bring all executions that are booked to mind again: one is to come that was before those in mind."""
        self._executions.relearn(fills)

    def trim(self) -> None:
        """Keep the newest executions in mind alone."""
        self._executions.trim()

    def _trade(self, fill: Fill) -> tuple[int, int]:
        """Fold a fill into the position; gives the quote quanta it has earned before fees, and its fee in quote.

        One that comes late changes what later ones have earned: the difference is its own, so the days add up.
        """
        self.funded_ms = self.funded_ms or fill.time_ms
        before, fees_before = self._executions.sum
        self._executions.take(fill)
        after, fees = self._executions.sum
        return after.realised - before.realised, fees - fees_before

    def _after(self, total: tuple[Position, int], fill: Fill) -> tuple[Position, int]:
        position, fee = book(total[0], fill, self._units)
        return position, total[1] + fee


def _positions(instance: Instance) -> int:
    """Slots that hold something, or whose entry works."""
    held = instance.state[slots.HEADER + slots.HELD :: slots.WIDTH]
    entering = (slot for slot, order in instance.working.by_slot.items() if order.key.leg == ENTRY)
    return len(held) - held.count(0) + sum(slot >= len(held) or not held[slot] for slot in entering)
