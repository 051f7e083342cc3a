"""One follower account in memory: relationships, what each holds, and the netted target of every symbol.

It knows no clock, no database and no venue: masters' positions, executions and prices go in, targets come out, and
what has changed since it was last kept is marked, so that whoever keeps it writes no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from domain.copying import netting, target, tracking
from domain.copying import terms as code
from domain.copying.netting import NOBODY, AccountCaps, Wish
from domain.copying.target import Decision, MasterPosition, Track
from domain.copying.terms import Terms
from domain.copying.tracking import Tracking
from domain.fill import Fill, signed_lots
from domain.instrument import Instrument
from domain.position_tracker import Position, value_of

_NOTHING = Decision(NOBODY, 0, 0, 0, 0, code.COPIED)
_UNSEEN, _FLAT, _UNTRACKED = Track(), Position(), Tracking()


class Target(NamedTuple):
    """What the account is to hold of a symbol; a version is carried out once."""

    symbol: str
    version: int
    lots: int
    #: Ticks; 0 is any.
    reference: int = 0
    ceiling: int = 0
    floor: int = 0
    #: Trading time in milliseconds; 0 is for ever.
    until_ms: int = 0


class Taken(NamedTuple):
    """A signal of a master that a relationship has taken in."""

    relationship: int
    position: MasterPosition
    #: What the master held when it was looked at last, in base quanta.
    master_before: int
    #: Lots held before, and to be held now, and why that is not the whole copy.
    before: int
    lots: int
    reason: int


@dataclass(slots=True)
class Following:
    """One relationship of the account."""

    terms: Terms
    master: int
    resync: int = 0
    #: Symbol -> the master's position when following began.
    baseline: dict[str, MasterPosition] = field(default_factory=dict)
    #: Symbols of which too little is traded for this relationship to enter them.
    illiquid: frozenset[str] = frozenset()


@dataclass(slots=True)
class Holding:
    """What one relationship holds of one symbol, and how it came to it."""

    track: Track = _UNSEEN
    position: Position = _FLAT
    fees: int = 0
    decision: Decision = _NOTHING
    #: The version of the master's position that it was decided on last; 0 after a restart.
    decided: int = 0
    record: Tracking = _UNTRACKED
    #: Lots that are missing although nothing is under way for them, and why: a reason of `terms`.
    residual: int = 0
    why: int = code.COPIED


class Plan(NamedTuple):
    """What a look at the masters has come to."""

    taken: list[Taken]
    targets: list[Target]
    #: Signals that were taken in before, and had to wait for a price until now.
    resumed: list[Taken]


class FollowerBook:
    """The account's relationships and holdings."""

    def __init__(self, account: int, *, can_short: bool) -> None:
        self.account = account
        self.caps = AccountCaps()
        self.followings: dict[int, Following] = {}
        #: (relationship, symbol) -> holding; relationship 0 is what nobody asked for.
        self.holdings: dict[tuple[int, str], Holding] = {}
        self.targets: dict[str, Target] = {}
        self.instruments: dict[str, Instrument] = {}
        self.marks: dict[str, int] = {}
        #: Holdings that have changed since they were last kept.
        self.changed: set[tuple[int, str]] = set()
        #: Symbols whose target has changed since it was last kept.
        self.moved: set[str] = set()
        #: Machine time at which something that waits on purpose is due; 0 is never.
        self.due_ms = 0
        #: Symbols that are not entered until a price is known.
        self.unpriced: set[str] = set()
        self.can_short = can_short
        #: Trading time of the last look at the masters.
        self.now_ms = 0

    def take_terms(self, following: Following) -> None:
        """A relationship is new or was edited. A resync copies everything again that was skipped before."""
        before = self.followings.get(following.terms.relationship)
        if before is not None:
            following.illiquid = before.illiquid
        self.followings[following.terms.relationship] = following
        if before is not None and following.resync > before.resync:
            for key, holding in self._of(following.terms.relationship):
                holding.track = target.resync(holding.track, following.terms)
                self.changed.add(key)

    def drop(self, relationship: int) -> None:
        """A relationship has ended; what it still holds is nobody's, and stays."""
        self.followings.pop(relationship, None)

    def settle(self) -> None:
        """Decide anew on what is known, for instance after it was read back."""
        self._decide()

    def plan(self, masters: Mapping[int, Mapping[str, MasterPosition]], now_ms: int, machine_ms: int) -> Plan:
        """Take in the newest positions and decide anew; symbols without an instrument here are left out."""
        self.due_ms, self.now_ms = 0, now_ms
        taken: list[tuple[int, MasterPosition, int]] = []
        for number, following in sorted(self.followings.items()):
            for symbol, position in sorted(masters.get(following.master, {}).items()):
                holding = self.holdings.get((number, symbol))
                master_before = holding.track.master if holding else 0
                if symbol in self.instruments and self._advance(number, following, position, now_ms, machine_ms):
                    taken.append((number, position, master_before))
        before = {key: holding.position.lots for key, holding in self.holdings.items()}
        new = {(number, position.symbol) for number, position, _ in taken}
        waited = [key for key in self._unpriced() if key not in new]
        targets = self._decide()
        told = [self._taken(*one, before) for one in taken]
        going_on = [key for key in waited if self.holdings[key].decision.reason != code.NO_PRICE]
        resumed = [self._taken(key[0], self._position_of(*key, masters), 0, before) for key in going_on]
        return Plan(told, targets, resumed)

    def _unpriced(self) -> list[tuple[int, str]]:
        return [key for key, holding in self.holdings.items() if holding.decision.reason == code.NO_PRICE]

    def _position_of(
        self, number: int, symbol: str, masters: Mapping[int, Mapping[str, MasterPosition]]
    ) -> MasterPosition:
        following = self.followings[number]
        known = masters.get(following.master, {}).get(symbol)
        track = self.holdings[number, symbol].track
        return (known or MasterPosition(symbol, 0, track.master, track.ticks, track.time_ms))._replace(
            version=track.version
        )  # fmt: skip

    def _advance(
        self, number: int, following: Following, position: MasterPosition, now_ms: int, machine_ms: int
    ) -> bool:
        key = (number, position.symbol)
        holding = self.holdings.setdefault(key, Holding())
        if position.version <= holding.track.version:
            return False
        due_ms = position.seen_ms + following.terms.delay_ms
        if following.terms.delay_ms and machine_ms < due_ms:
            self.due_ms = min(self.due_ms or due_ms, due_ms)
            return False
        terms, equity = following.terms._replace(illiquid=following.illiquid), self.caps.equity
        start = following.baseline.get(position.symbol)
        if holding.track.version == 0 and start is not None and start.version < position.version:
            holding.track = target.advance(holding.track, terms, start, now_ms, equity)
        holding.track = target.advance(holding.track, terms, position, now_ms, equity)
        self.changed.add(key)
        return True

    def _decide(self) -> list[Target]:
        """Decide for every holding, cap them together, and net them by symbol."""
        wishes: list[Wish] = []
        for (number, symbol), holding in sorted(self.holdings.items()):
            following = self.followings.get(number)
            if following is None:
                continue
            instrument, terms = self.instruments[symbol], following.terms
            decision = target.decide(
                holding.track, terms, instrument, holding.position.lots, can_short=self.can_short
            )  # fmt: skip
            price = self.marks.get(symbol) or holding.track.ticks
            wishes.append(Wish(symbol, decision, terms, holding.position.lots, price * instrument.tick_lot))
        for wish in netting.cap(wishes, self.caps):
            self._redecide((wish.decision.relationship, wish.symbol), wish.decision)
        self.unpriced = {symbol for _, symbol in self._unpriced()}
        found = [self._net(symbol) for symbol in sorted({symbol for _, symbol in self.holdings})]
        return [one for one in found if one is not None]

    def _redecide(self, key: tuple[int, str], decision: Decision) -> None:
        holding, instrument = self.holdings[key], self.instruments[key[1]]
        # A master's change counts from when the master made it, an edit of the terms from now.
        is_edit = holding.track.version == holding.decided
        at_ms = self.now_ms if is_edit else min(holding.track.time_ms, self.now_ms)
        holding.decided = holding.track.version
        if decision == holding.decision and holding.record.ideal == decision.ideal:
            return
        price = holding.track.ticks if decision.ideal != holding.record.ideal else holding.record.ticks
        ticks = price or holding.track.ticks
        holding.record = tracking.redecide(holding.record, decision, ticks, instrument, at_ms)
        holding.decision, holding.residual, holding.why = decision, 0, code.COPIED
        self.changed.add(key)

    def _net(self, symbol: str) -> Target | None:
        """The symbol's new target, if it has one; what two relationships trade with one another needs no order."""
        mine = dict(self.on(symbol))
        held = {number: holding.position.lots for number, holding in mine.items()}
        wanted = self._wanted(mine)
        price = self.marks.get(symbol) or max((h.track.ticks for h in mine.values()), default=0)
        if moved := netting.cross(held, wanted):
            self._book(symbol, moved, price, {}, self.now_ms)
            held = {number: held.get(number, 0) + moved.get(number, 0) for number in held.keys() | moved.keys()}
        total = sum(wanted.values())
        growing = [
            (self.followings[number].terms, holding.track.ticks, holding.track.time_ms)
            for number, holding in mine.items()
            if number in self.followings
            and (abs(wanted[number]) > abs(held[number]) or wanted[number] * held[number] < 0)
        ]
        bounds = netting.entry_bounds(growing, self.instruments[symbol].max_ticks)
        last = self.targets.get(symbol, Target(symbol, 0, 0))
        if total == last.lots and (not growing or tuple(bounds) == (last.ceiling, last.floor, last.until_ms)):
            return None
        made = Target(symbol, last.version + 1, total, price, *bounds)
        self.targets[symbol] = made
        self.moved.add(symbol)
        return made

    def execute(self, fill: Fill) -> dict[int, tuple[int, int]]:
        """Share an execution of the account among the relationships that miss it; gives lots and fee of each."""
        mine = dict(self.on(fill.symbol))
        held = {number: holding.position.lots for number, holding in mine.items()}
        wanted = self._wanted(mine)
        parts = netting.allocate(signed_lots(fill), held, wanted)
        instrument = self.instruments[fill.symbol]
        fee = fill.fee if fill.fee_asset == instrument.quote else 0
        if fill.fee_asset == instrument.base:
            fee = value_of(fill.fee, fill.ticks, instrument.tick_lot, instrument.base_per_lot)
        shares = netting.share_out(max(fee, 0), {number: abs(lots) for number, lots in parts.items()})
        if fee < 0 and parts:
            shares = {next(iter(parts)): fee}
        self._book(fill.symbol, parts, fill.ticks, shares, fill.time_ms)
        return {number: (lots, shares.get(number, 0)) for number, lots in parts.items()}

    def _book(self, symbol: str, parts: Mapping[int, int], ticks: int, fees: Mapping[int, int], at_ms: int) -> None:
        instrument = self.instruments[symbol]
        mine = {number: self.holdings.setdefault((number, symbol), Holding()) for number in parts}
        positions = {number: holding.position for number, holding in mine.items()}
        after = netting.book_parts(positions, parts, ticks * instrument.tick_lot)
        for number, holding in mine.items():
            fee = fees.get(number, 0)
            holding.position = after[number]
            holding.fees += fee
            holding.record = tracking.execute(
                holding.record, holding.decision, parts[number], ticks, fee, instrument, at_ms
            )  # fmt: skip
            self.changed.add((number, symbol))

    def mark(self, symbol: str, ticks: int) -> bool:
        """The price of a symbol now; gives whether something has waited for it, so that it is to be planned anew."""
        if ticks <= 0 or self.marks.get(symbol) == ticks:
            return False
        self.marks[symbol] = ticks
        for number, holding in self.on(symbol):
            before, holding.record = holding.record, tracking.mark(
                holding.record, ticks, self.instruments[symbol].tick_lot
            )  # fmt: skip
            if before != holding.record and (holding.record.ideal or holding.record.actual):
                self.changed.add((number, symbol))
        return symbol in self.unpriced

    def rest(self, symbol: str, held: int, why: int) -> list[tuple[int, str]]:
        """The account's instance has nothing left to do: it holds so many base quanta, and why it is not all it is to.

        Fees in the base asset have left less than was bought. Whole lots of that leave the relationships that hold
        them at the price of now, so that together they never hold more than the account does; what stays behind of a
        lot is dust. Gives the holdings that have changed.
        """
        mine, instrument = dict(self.on(symbol)), self.instruments[symbol]
        lots = abs(held) // instrument.base_per_lot * (1 if held > 0 else -1)
        total = sum(holding.position.lots for holding in mine.values())
        claims = {number: abs(h.position.lots) for number, h in mine.items() if h.position.lots * total > 0}
        missing = min(abs(total) - max(lots * (1 if total > 0 else -1), 0), sum(claims.values()))
        if missing > 0:
            sign = -1 if total > 0 else 1
            parts = {number: sign * count for number, count in netting.share_out(missing, claims).items()}
            price = self.marks.get(symbol) or max((h.record.ticks for h in mine.values()), default=0)
            self._book(symbol, parts, price, {}, self.now_ms)
        found = []
        for number, holding in mine.items():
            residual = holding.decision.lots - holding.position.lots if number in self.followings else 0
            reason = (why or code.DUST) if residual else code.COPIED
            if (holding.residual, holding.why) != (residual, reason):
                holding.residual, holding.why = residual, reason
                self.changed.add((number, symbol))
                found.append((number, symbol))
        return found

    def protect(self) -> dict[int, int]:
        """Carry out stop losses and take profits at the marks; gives the relationships that have ended by theirs."""
        results: dict[int, int] = {}
        for (number, symbol), holding in self.holdings.items():
            following, ticks = self.followings.get(number), self.marks.get(symbol, 0)
            if following is None or ticks <= 0:
                continue
            position = holding.position
            value = position.lots * ticks * self.instruments[symbol].tick_lot
            why = target.protect(position.lots, position.cost, value, following.terms)
            if why and not holding.track.stopped:
                holding.track = target.stop(holding.track, why)
                self.changed.add((number, symbol))
            results[number] = results.get(number, 0) + position.realised + value - position.cost - holding.fees
        reached = {
            number: target.protect_all(result, self.followings[number].terms) for number, result in results.items()
        }
        ended = {number: why for number, why in reached.items() if why and self.followings[number].terms.active}
        for number in ended:
            terms = self.followings[number].terms
            self.followings[number].terms = terms._replace(active=False, on_stop=code.CLOSE)
        return ended

    @property
    def needs_watching(self) -> bool:
        """Whether prices matter to it: something has a stop loss or a take profit."""
        return any(
            f.terms.stop_loss_ppm or f.terms.take_profit_ppm or f.terms.total_stop_loss or f.terms.total_take_profit
            for f in self.followings.values()
        )

    def _taken(
        self, number: int, position: MasterPosition, master_before: int, before: Mapping[tuple[int, str], int]
    ) -> Taken:
        key = (number, position.symbol)
        decision = self.holdings[key].decision
        return Taken(number, position, master_before, before.get(key, 0), decision.lots, decision.reason)

    def _wanted(self, mine: Mapping[int, Holding]) -> dict[int, int]:
        """Lots each is to hold: what has ended keeps what it has, and what nobody asked for goes."""
        wanted = {
            number: holding.decision.lots if number in self.followings else holding.position.lots
            for number, holding in mine.items()
        }
        return wanted | {NOBODY: 0}

    def on(self, symbol: str) -> Iterator[tuple[int, Holding]]:
        """Relationship -> what it holds of a symbol."""
        return ((number, holding) for (number, other), holding in self.holdings.items() if other == symbol)

    def _of(self, relationship: int) -> Iterable[tuple[tuple[int, str], Holding]]:
        return [(key, holding) for key, holding in self.holdings.items() if key[0] == relationship]
