"""A follower account in this process: its book, and what of it is kept."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import structlog

from core.base_exchange import Balance
from core.base_journal import Step
from core.clock import utc_from_ms
from db.copy_law import terms_of
from db.models import Account, FollowerAccount, FollowRelationship, Master, MasterPosition, MasterSignal, TradeLog
from db.queries.copy_fleet import Kept
from domain import funding
from domain.copying import terms as code
from domain.copying.loops import FollowsInACircle
from domain.copying.terms import Terms
from domain.errors import Refused, sentence_of
from domain.fill import Fill
from domain.funding import FundingRate
from domain.instrument import Instrument
from domain.ledger import Entry
from domain.sentences import joined, say
from engine.follower_engine.book import FollowerBook, Following, Plan, Target
from engine.follower_engine.funding import pay, payments, rate
from engine.follower_engine.progress import Progress
from tasks.host.copying.logs import TradeLogs
from tasks.host.copying.results import NO_RESULT, Result, result_row, results_of
from tasks.host.copying.shapes import (
    QUANTUM,
    caps_of,
    error_row,
    holding_of,
    position_row,
    target_of,
    target_row,
)
from tasks.wiring import number_of

log = structlog.get_logger(__name__)
#: Trades of an instance that are remembered as taken in.
REMEMBERED: Final = 500
#: Trades that change only the price of what is held are kept so often.
FLUSH_NS: Final = 250_000_000
#: Prices alone are kept so often.
MARKS_NS: Final = 60_000_000_000

#: What relationships have come to is kept so often, where it has changed: results and leaderboards are made of it.
RESULTS_NS: Final = 3_600_000_000_000
#: Stands for the state of a master that follows its follower, over however many steps.
CIRCLE: Final = "circle"

Key = tuple[int, str]
#: What stays of a position that was closed, for good: nothing that a venue would take.
_FINAL: Final = (code.TOO_SMALL, code.DUST)


class Owned:
    """A follower account under the epoch that this worker has raised."""

    def __init__(self, account: int, row: FollowerAccount, venue_account: Account, book: FollowerBook) -> None:
        self.account, self.row, self.venue_account, self.book = account, row, venue_account, book
        self.epoch = row.epoch
        self.quote = "USDT"
        #: The unit of the quote asset, in which limits and equity are counted: that of the account's instruments.
        self.quantum = QUANTUM
        #: Symbol -> the instance that trades it.
        self.instances: dict[str, int] = {}
        #: Relationship -> the revision and resync that the book follows, and the state of its master, or `CIRCLE`.
        self.revisions: dict[int, tuple[int, int, str]] = {}
        #: Symbol -> why it cannot be traded here.
        self.refused: dict[str, str] = {}
        #: Relationship -> what its master held when it began, as published.
        self.baselines: dict[int, list[MasterSignal]] = {}
        #: Whether everything that was executed before is shared out.
        self.is_current = False
        self.logs = TradeLogs()
        self.folded: dict[str, list[str]] = {}
        #: Relationship -> its row, and that of its master.
        self._terms: dict[int, tuple[FollowRelationship, Master]] = {}
        self._old_logs: list[TradeLog] = []
        self._sequences: dict[Key, int] = {}
        self._moved: set[str] = set()
        self._kinds: dict[Key, str] = {}
        self._owners: dict[int, int] = {}
        self._reported: dict[int, tuple[Any, ...]] = {}
        self._ended: dict[int, int] = {}
        self._last_ns = 0
        #: Relationship -> what was kept last of its results, and whether that is to be looked at now.
        self._results: dict[int, Result] = {}
        self._results_ns = 0
        self._is_for_results = False
        self._early: list[Fill] = []
        self._early_funding: list[Entry] = []
        self._sent: Kept | None = None
        self._sent_reports: dict[int, tuple[Any, ...]] = {}

    @property
    def has_changes(self) -> bool:
        """Whether something is to be kept soon."""
        return bool(self._kinds or self._moved or self.book.moved or self.logs.has_changes)

    def is_due(self, now_ns: int) -> bool:
        """Whether something is to be kept now."""
        if self.has_changes:
            return True
        if self.book.changed and now_ns - self._last_ns > MARKS_NS:
            self._kinds.update(dict.fromkeys(self.book.changed, "mark"))
            self._last_ns = now_ns
            return True
        return self._is_for_results

    def note_time(self, now_ns: int) -> None:
        """See whether it is time to keep what the relationships have come to."""
        if self.is_current and now_ns - self._results_ns > RESULTS_NS:
            self._results_ns, self._is_for_results = now_ns, True

    def adopt(self, rows: Iterable[Any], targets: Iterable[Any]) -> None:
        """Take up what was kept."""
        for row in rows:
            self.book.holdings[row.relationship_id, row.symbol] = holding_of(row)
            self.instances[row.symbol] = row.strategy_instance_id
        for row in targets:
            self.book.targets[row.symbol] = target_of(row)
            self.instances[row.symbol] = row.strategy_instance_id
            self.folded[row.symbol] = json.loads(row.folded)

    def take_logs(self, rows: Iterable[TradeLog]) -> None:
        """Signals whose end nobody has seen."""
        self._old_logs = list(rows)

    def take_terms(self, row: FollowRelationship, master: Master, standing: str) -> None:
        """A relationship is new or was edited, or its master was; one that is in a circle enters nothing more."""
        number = number_of(row.id)
        self.revisions[number] = (row.revision, row.resync, standing)
        self.refused.clear()  # what was in the way may have been what was edited
        following = Following(self._terms_of(row, master), row.master_id, row.resync)
        if number in self.book.followings:
            following.baseline = self.book.followings[number].baseline
        self.quote = master.quote_asset
        self.book.take_terms(following)
        self._terms[number], self._owners[number] = (row, master), row.owner_id

    def _terms_of(self, row: FollowRelationship, master: Master) -> Terms:
        found = terms_of(row, master, self.quantum)
        return found._replace(paused=found.paused or self.revisions[number_of(row.id)][2] == CIRCLE)

    def take_instrument(self, instrument: Instrument) -> None:
        """A symbol of the account; `Refused` when its amounts are counted in another unit than those of the others."""
        if instrument.quote_quantum != self.quantum:
            if self.book.instruments:
                raise Refused(
                    say(
                        "steps_do_not_match",
                        "{symbol}: amounts are in steps of {quote_quantum} {quote}, those of the account's other "
                        "symbols in steps of {quantum}; copy it on another account.",
                        symbol=instrument.symbol,
                        quote_quantum=instrument.quote_quantum,
                        quote=instrument.quote,
                        quantum=self.quantum,
                    )
                )
            self.quantum = instrument.quote_quantum
            self.book.caps = caps_of(self.row, 0, self.quantum)
            for number, (row, master) in self._terms.items():
                if number in self.book.followings:
                    self.book.followings[number].terms = self._terms_of(row, master)
        self.book.instruments[instrument.symbol] = instrument

    def take_sequences(self, found: Mapping[Key, int]) -> None:
        """The last step of each tracking-error ledger."""
        self._sequences.update({key: found[key] for key in self.book.holdings if key in found})

    def take_fills(self, fills: Iterable[Fill]) -> bool:
        """Share out executions, each once; gives whether there were new ones."""
        is_new = False
        if not self.is_current:
            self._early.extend(fills)
            return False
        for fill in fills:
            folded = self.folded.setdefault(fill.symbol, [])
            if fill.trade_id in folded or fill.symbol not in self.book.instruments:
                continue
            folded.append(fill.trade_id)
            del folded[:-REMEMBERED]
            instrument = self.book.instruments[fill.symbol]
            for relationship, (lots, fee) in self.book.execute(fill).items():
                self._kinds[relationship, fill.symbol] = "execution"
                self.logs.traded(fill, relationship, lots, fee, instrument, utc_from_ms(fill.time_ms))
            self._moved.add(fill.symbol)
            is_new = True
        return is_new

    def take_funding(self, entries: Iterable[Entry]) -> bool:
        """Share out what instances were paid of funding, each payment once; gives whether there was any."""
        if not self.is_current:
            self._early_funding.extend(entry for entry in entries if entry.kind == funding.KIND)
            return False
        found: set[Key] = set()
        for symbol, time_ms, quanta in payments(entries, self.instances, self.book.instruments):
            found |= pay(self.book, symbol, quanta, time_ms)
        return self._note_funding(found)

    def take_rate(self, told: FundingRate) -> bool:
        """The venue has charged funding of a symbol; gives whether an ideal copy has had any of it."""
        return self._note_funding(rate(self.book, told))

    def _note_funding(self, found: Iterable[Key]) -> bool:
        kinds = dict.fromkeys(found, "funding")
        self._kinds.update(kinds)
        return bool(kinds)

    def catch_up(self, journaled: Mapping[str, list[Fill]], entries: Iterable[Entry] = ()) -> None:
        """Share out what was executed while nobody looked; from here on each execution as it comes."""
        self.book.settle()
        self.is_current = True
        self.logs.adopt(self._old_logs, self.book.instruments)
        self._old_logs = []
        for symbol, fills in journaled.items():
            folded = self.folded.get(symbol, [])
            names = [fill.trade_id for fill in fills]
            start = names.index(folded[0]) if len(folded) >= REMEMBERED and folded[0] in names else 0
            self.take_fills(fills[start:])
        self.take_fills(self._early)
        self.take_funding([*entries, *self._early_funding])
        self._early, self._early_funding = [], []

    def take_step(self, step: Step, now: datetime) -> bool:
        """An instance's step was kept; gives whether it says anything new."""
        self.logs.sent(step.intents, now)
        self.logs.told(step.orders, utc_from_ms(step.began_ms) if step.began_ms else now, step.heard)
        is_new = self.take_fills(step.fills)
        return self.take_funding(step.entries) or is_new or self.logs.has_changes

    def settle(self, symbol: str, progress: Progress | None) -> bool:
        """See how far the instance of a symbol has come: what is over ends. Gives whether that is news."""
        made = self.book.targets.get(symbol)
        if not self.is_current or symbol not in self.book.instruments:
            return False
        if progress is not None:
            is_newest = made is not None and progress.version == made.version
            is_kept = symbol not in self.book.moved and self._sent is None
            progress = progress._replace(is_resting=progress.is_resting and is_newest and is_kept)
            if progress.is_resting:
                for key in self.book.rest(symbol, progress.held, progress.why):
                    self._kinds.setdefault(key, "transfer")
        self.logs.settle(symbol, progress, lambda number: self.book.holdings.get((number, symbol)))
        return self.has_changes

    def take_plan(
        self, plan: Plan, rows: Mapping[int, FollowRelationship], masters: Mapping[int, Master],
        positions: Mapping[int, Mapping[str, MasterPosition]], now: datetime,
    ) -> None:  # fmt: skip
        """Signals were taken in and targets made; they are kept before anybody hears of them."""
        for one in plan.taken:
            row, symbol = rows[one.relationship], one.position.symbol
            position = positions[row.master_id][symbol]
            instrument, instance = self.book.instruments[symbol], self.instances.get(symbol)
            master, version = masters[row.master_id], self._version(symbol)
            self.logs.take(one, row, master, position, instrument, instance, version, now)
            self._kinds[one.relationship, symbol] = "signal"
        for one in plan.resumed:
            symbol = one.position.symbol
            self.logs.resume(one, self.book.instruments[symbol], self._version(symbol))
        for key in self.book.changed:
            self._kinds.setdefault(key, "transfer")

    def _version(self, symbol: str) -> int:
        made = self.book.targets.get(symbol)
        return made.version if made is not None else 0

    def end(self, ended: Mapping[int, int]) -> None:
        """Relationships that their own stop loss or take profit has ended."""
        self._ended.update(ended)

    def equity_of(self, balances: Mapping[str, Balance]) -> int:
        """What the account is worth in its quote asset, as its balances show it."""
        found = balances.get(self.quote)
        return 0 if found is None else found.free + found.locked

    def to_keep(self, now: datetime) -> Kept | None:
        """What has changed, as rows; it counts as kept once `was_kept` is called."""
        keys = [key for key in self.book.changed | self._kinds.keys() if key[0] and key[1] in self.instances]
        if not self.has_changes and not self._is_for_results:
            return None
        held, errors = [], []
        for key in sorted(keys):
            holding, instance = self.book.holdings.get(key), self.instances[key[1]]
            if holding is None:
                continue
            common = {"owner_id": self._owners.get(key[0], self.row.owner_id), "strategy_instance_id": instance}
            whose = {**common, "account_id": self.account, "updated_at": now}
            held.append(position_row(key, holding, whose))
            sequence = self._sequences.get(key, 0) + 1
            errors.append(
                error_row(key, holding, sequence, self._kinds.get(key, "mark"), self.book.instruments[key[1]],
                          {**common, "at": now})
            )  # fmt: skip
        targets = [
            self._target_row(made, now)
            for symbol, made in self.book.targets.items()
            if symbol in self._moved | self.book.moved and symbol in self.instances
        ]
        new, changes = self.logs.take_changes()
        revisions = {number: self.revisions[number][0] for number in self.book.followings} if self.book.moved else {}
        results = self._new_results(now) if self._is_for_results else []
        self._is_for_results = False
        self._sent = Kept(self.account, self.epoch, revisions, held, targets, new, changes, errors, results)
        self.book.changed.clear()
        self._kinds.clear()
        self._moved.clear()
        self.book.moved.clear()
        return self._sent

    def _new_results(self, now: datetime) -> list[dict[str, Any]]:
        rows = []
        for number, found in results_of(self.book).items():
            if number in self._terms and found != self._results.get(number, NO_RESULT):
                self._results[number] = found
                rows.append(result_row(*self._terms[number], found, self.quantum, now))
        return rows

    def _target_row(self, made: Target, now: datetime) -> dict[str, Any]:
        common = {
            "account_id": self.account, "owner_id": self.row.owner_id, "decided_at": now,
            "strategy_instance_id": self.instances[made.symbol],
        }  # fmt: skip
        return target_row(made, self.epoch, self.folded.get(made.symbol, []), common)

    def was_kept(self) -> None:
        """What was given last is in the database."""
        if self._sent is not None:
            for row in self._sent.errors:
                self._sequences[row["relationship_id"], row["symbol"]] = row["sequence"]
            self._sent = None
        self._reported.update(self._sent_reports)
        self._sent_reports = {}

    def reports(self, now: datetime, asked: Collection[int] = ()) -> list[tuple[int, int, dict[str, Any]]]:
        """What is to be said of relationships, those that are asked for and all that have changed.

        Each with its revision and the changes of its row.
        """
        found = []
        for number, following in self.book.followings.items():
            revision, resync, _ = self.revisions[number]
            objections = [self.refused[symbol] for symbol in sorted(self.refused)]
            objections += [sentence_of(FollowsInACircle)] if self.revisions[number][2] == CIRCLE else []
            error = joined(objections)
            said = (self._state_of(number, following), revision, resync, error)
            if self._reported.get(number) == said and number not in self._ended and number not in asked:
                continue
            changes: dict[str, Any] = {
                "state": said[0], "applied_revision": revision, "applied_resync": resync, "last_error": error,
            }  # fmt: skip
            if number in self._ended:
                why = code.REASON_NAMES[self._ended[number]]
                words = say(
                    "whole_has_reached", "{why}: the relationship as a whole has reached it, so it has ended.", why=why
                )
                changes |= {"desired_state": "stopped", "on_stop": "close", "stopped_at": now, "updated_at": now}
                changes["last_error"] = words
            self._sent_reports[number] = said
            self._is_for_results |= said[0] == "stopped"  # what it has come to in the end
            found.append((number, revision, changes))
        self._ended.clear()
        return found

    def _state_of(self, number: int, following: Following) -> str:
        if following.terms.active:
            return "paused" if following.terms.paused else "following"
        if following.terms.on_stop != code.CLOSE:
            return "stopped"
        mine = [holding for (other, _), holding in self.book.holdings.items() if other == number]
        is_flat = all(not holding.position.lots or holding.why in _FINAL for holding in mine)
        return "stopped" if is_flat else "stopping"
