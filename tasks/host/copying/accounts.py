"""A follower account in this process: its book, what of it is kept, and how it is taken up from the rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final

import structlog

from core.base_exchange import Balance
from core.base_journal import Step
from core.clock import utc_from_ms
from db.models import Account, FollowerAccount, FollowRelationship, Master, MasterPosition, MasterSignal
from db.queries import copy_fleet, fleet
from db.queries.copy_fleet import Kept
from domain.copying import terms as code
from domain.errors import AresError, Refused
from domain.fill import Fill
from engine.follower_engine.book import FollowerBook, Following, Plan, Target
from tasks.host.copying.logs import TradeLogs
from tasks.host.copying.shapes import (
    caps_of,
    error_row,
    holding_of,
    position_row,
    started_with,
    target_of,
    target_row,
    terms_of,
)
from tasks.wiring import Parts, feed_of, number_of

log = structlog.get_logger(__name__)
#: Trades of an instance that are remembered as taken in.
REMEMBERED: Final = 500
#: Trades that change only the price of what is held are kept so often.
FLUSH_NS: Final = 250_000_000
#: Prices alone are kept so often.
MARKS_NS: Final = 60_000_000_000

Key = tuple[int, str]


class Owned:
    """A follower account under the epoch that this worker has raised."""

    def __init__(self, account: int, row: FollowerAccount, venue_account: Account, book: FollowerBook) -> None:
        self.account, self.row, self.venue_account, self.book = account, row, venue_account, book
        self.epoch = row.epoch
        self.quote = "USDT"
        #: Symbol -> the instance that trades it.
        self.instances: dict[str, int] = {}
        #: Relationship -> the revision and resync that the book follows, and the state of its master.
        self.revisions: dict[int, tuple[int, int, str]] = {}
        #: Symbol -> why it cannot be traded here.
        self.refused: dict[str, str] = {}
        #: Relationship -> what its master held when it began, as published.
        self.baselines: dict[int, list[MasterSignal]] = {}
        #: Whether everything that was executed before is shared out.
        self.is_current = False
        self.logs = TradeLogs()
        self.folded: dict[str, list[str]] = {}
        self._rows: set[Key] = set()
        self._targets: set[str] = set()
        self._sequences: dict[Key, int] = {}
        self._moved: set[str] = set()
        self._kinds: dict[Key, str] = {}
        self._owners: dict[int, int] = {}
        self._reported: dict[int, tuple[Any, ...]] = {}
        self._ended: dict[int, int] = {}
        self._last_ns = 0
        self._early: list[Fill] = []
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
        return False

    def adopt(self, rows: Iterable[Any], targets: Iterable[Any]) -> None:
        """Take up what was kept."""
        for row in rows:
            self.book.holdings[row.relationship_id, row.symbol] = holding_of(row)
            self._rows.add((row.relationship_id, row.symbol))
            self.instances[row.symbol] = row.strategy_instance_id
        for row in targets:
            self.book.targets[row.symbol] = target_of(row)
            self._targets.add(row.symbol)
            self.instances[row.symbol] = row.strategy_instance_id
            self.folded[row.symbol] = json.loads(row.folded)

    def take_sequences(self, found: Mapping[Key, int]) -> None:
        """The last step of each tracking-error ledger."""
        self._sequences.update({key: found[key] for key in self._rows if key in found})

    def take_owner(self, relationship: int, owner: int) -> None:
        """Whose relationship it is."""
        self._owners[relationship] = owner

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

    def catch_up(self, journaled: Mapping[str, list[Fill]]) -> None:
        """Share out what was executed while nobody looked; from here on each execution as it comes."""
        self.book.settle()
        self.is_current = True
        for symbol, fills in journaled.items():
            folded = self.folded.get(symbol, [])
            names = [fill.trade_id for fill in fills]
            start = names.index(folded[0]) if len(folded) >= REMEMBERED and folded[0] in names else 0
            self.take_fills(fills[start:])
        self.take_fills(self._early)
        self._early = []

    def take_step(self, step: Step, now: datetime) -> bool:
        """An instance's step was kept; gives whether it says anything new."""
        self.logs.sent(step.intents, now)
        self.logs.told(step.orders, now)
        return self.take_fills(step.fills) or self.logs.has_changes

    def take_plan(
        self, plan: Plan, rows: Mapping[int, FollowRelationship], masters: Mapping[int, Master],
        positions: Mapping[int, Mapping[str, MasterPosition]], now: datetime,
    ) -> None:  # fmt: skip
        """Signals were taken in and targets made; they are kept before anybody hears of them."""
        for one in plan.taken:
            row, symbol = rows[one.relationship], one.position.symbol
            position = positions[row.master_id][symbol]
            instrument, instance = self.book.instruments[symbol], self.instances.get(symbol)
            self.logs.take(one, row, masters[row.master_id], position, instrument, instance, now)
            self._kinds[one.relationship, symbol] = "signal"
        for key in self.book.changed:
            self._kinds.setdefault(key, "transfer")

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
        if not self.has_changes:
            return None
        held, errors = [], []
        for key in sorted(keys):
            holding, instance = self.book.holdings.get(key), self.instances[key[1]]
            if holding is None:
                continue
            common = {"owner_id": self._owners.get(key[0], self.row.owner_id), "strategy_instance_id": instance}
            whose = {**common, "account_id": self.account, "updated_at": now}
            held.append((key not in self._rows, position_row(key, holding, whose)))
            sequence = self._sequences.get(key, 0) + 1
            errors.append(
                error_row(key, holding, sequence, self._kinds.get(key, "mark"), self.book.instruments[key[1]],
                          {**common, "at": now})
            )  # fmt: skip
        targets = [
            (symbol not in self._targets, self._target_row(made, now))
            for symbol, made in self.book.targets.items()
            if symbol in self._moved | self.book.moved and symbol in self.instances
        ]
        new, changes = self.logs.take_changes()
        revisions = {number: self.revisions[number][0] for number in self.book.followings} if self.book.moved else {}
        self._sent = Kept(self.account, self.epoch, revisions, held, targets, new, changes, errors)
        self.book.changed.clear()
        self._kinds.clear()
        self._moved.clear()
        self.book.moved.clear()
        return self._sent

    def _target_row(self, made: Target, now: datetime) -> dict[str, Any]:
        common = {
            "account_id": self.account, "owner_id": self.row.owner_id, "decided_at": now,
            "strategy_instance_id": self.instances[made.symbol],
        }  # fmt: skip
        return target_row(made, self.epoch, self.folded.get(made.symbol, []), common)

    def was_kept(self) -> None:
        """What was given last is in the database."""
        if self._sent is not None:
            self._rows |= {(row["relationship_id"], row["symbol"]) for _, row in self._sent.positions}
            self._targets |= {row["symbol"] for _, row in self._sent.targets}
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
            error = "; ".join(self.refused[symbol] for symbol in sorted(self.refused))[:500]
            said = (self._state_of(number, following), revision, resync, error)
            if self._reported.get(number) == said and number not in self._ended and number not in asked:
                continue
            changes: dict[str, Any] = {
                "state": said[0], "applied_revision": revision, "applied_resync": resync, "last_error": error,
            }  # fmt: skip
            if number in self._ended:
                why = code.REASON_NAMES[self._ended[number]]
                words = f"{why}: the relationship as a whole has reached it, so it has ended."
                changes |= {"desired_state": "stopped", "on_stop": "close", "stopped_at": now, "updated_at": now}
                changes["last_error"] = words
            self._sent_reports[number] = said
            found.append((number, revision, changes))
        self._ended.clear()
        return found

    def _state_of(self, number: int, following: Following) -> str:
        if following.terms.active:
            return "paused" if following.terms.paused else "following"
        if following.terms.on_stop != code.CLOSE:
            return "stopped"
        is_flat = all(not h.position.lots for (other, _), h in self.book.holdings.items() if other == number)
        return "stopped" if is_flat else "stopping"


class Loader:
    """Takes follower accounts up, and keeps their relationships and instances as the rows want them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def load(self, accounts: Collection[int]) -> tuple[list[Owned], dict[int, str]]:
        """Become the owner of these accounts and read what was kept of them; says of the others why they cannot be."""
        if not accounts:
            return [], {}
        now, numbers = utc_from_ms(self._parts.clock.machine.now_ms()), sorted(accounts)
        rows = await self._parts.database.keep(
            partial(copy_fleet.raise_epochs, accounts=numbers, owner=self._parts.worker_id, now=now)
        )
        held, targets = await self._parts.database.read(partial(copy_fleet.holdings, accounts=numbers))
        sequences = await self._parts.database.read(partial(copy_fleet.sequences, accounts=numbers))
        held_by, targets_of = grouped(held), grouped(targets)
        found: list[Owned] = []
        failed: dict[int, str] = {}
        for account in await self._parts.database.read(partial(fleet.accounts, numbers=numbers)):
            number = number_of(account.id)
            if number not in rows:
                continue
            try:
                can_short = self._parts.exchange_of(account).capabilities.can_short
            except AresError as error:
                failed[number] = str(error)
                continue
            owned = Owned(number, rows[number], account, FollowerBook(number, can_short=can_short))
            owned.book.caps = caps_of(rows[number], 0)
            owned.adopt(held_by.get(number, ()), targets_of.get(number, ()))
            owned.take_sequences(sequences)
            found.append(owned)
        return found, failed

    async def catch_up(self, owned: Owned) -> None:
        """Share out what was executed while nobody looked."""
        journaled = {}
        for symbol, instance in owned.instances.items():
            await self._instrument(owned, symbol)
            journaled[symbol] = (await self._parts.journal.load(instance)).fills
        owned.catch_up(journaled)

    async def follow(self, owned: Owned, rows: Iterable[FollowRelationship], masters: Mapping[int, Master]) -> None:
        """Bring the book's relationships in line with the rows."""
        for row in rows:
            number, master = number_of(row.id), masters.get(row.master_id)
            if master is None:
                continue
            seen = (row.revision, row.resync, master.state)
            if owned.revisions.get(number) == seen:
                continue
            following = Following(terms_of(row, master), row.master_id, row.resync)
            if number in owned.book.followings:
                following.baseline = owned.book.followings[number].baseline
            owned.quote = master.quote_asset
            owned.book.take_terms(following)
            owned.revisions[number] = seen
            owned.take_owner(number, row.owner_id)

    async def equip(self, owned: Owned, positions: Mapping[int, Mapping[str, MasterPosition]]) -> bool:
        """Make instances for symbols that a master holds and nobody trades here; gives whether any was made."""
        made = False
        for following in owned.book.followings.values():
            for symbol, position in positions.get(following.master, {}).items():
                if symbol in owned.instances or symbol in owned.refused or not following.terms.active:
                    continue
                if position.quantity and following.terms.allows(symbol):
                    made |= await self._equip(owned, symbol)
        await self._baselines(owned)
        return made

    async def _equip(self, owned: Owned, symbol: str) -> bool:
        try:
            await self._instrument(owned, symbol)
            limits = self._limits(owned)
        except AresError as error:
            owned.refused[symbol] = str(error)
            log.warning("symbol_not_copied", account=owned.account, symbol=symbol, reason=str(error))
            return False
        parameters = json.dumps({"can_short": owned.book.can_short})
        row = await self._parts.database.keep(
            partial(
                copy_fleet.instance_for, account=owned.account, symbol=symbol, parameters=parameters, limits=limits,
                now=utc_from_ms(self._parts.clock.machine.now_ms()),
            )
        )  # fmt: skip
        owned.instances[symbol] = number_of(row.id)
        return True

    def _limits(self, owned: Owned) -> str:
        """On spot the instance owns what its relationships may spend; where there is margin the venue decides."""
        if owned.book.can_short:
            return "{}"
        most = sum(following.terms.max_notional for following in owned.book.followings.values())
        if most <= 0:
            raise Refused("a spot account needs max_notional, the amount that this relationship may spend; set it.")
        return json.dumps({"capital": {owned.quote: str(Decimal(most).scaleb(-8))}})

    async def _instrument(self, owned: Owned, symbol: str) -> None:
        if symbol not in owned.book.instruments:
            venue = await self._parts.venue(feed_of(owned.venue_account))
            owned.book.instruments[symbol] = venue.exchange.instrument(symbol)

    async def _baselines(self, owned: Owned) -> None:
        """What the masters held when following began, where that is not to be copied."""
        for number, following in owned.book.followings.items():
            terms = following.terms
            if terms.copy_existing or not terms.since_version:
                continue
            if number not in owned.baselines:
                ask = partial(copy_fleet.baseline, master=following.master, version=terms.since_version)
                owned.baselines[number] = await self._parts.database.read(ask)
            for row in owned.baselines[number]:
                instrument = owned.book.instruments.get(row.symbol)
                if instrument is not None and row.symbol not in following.baseline:
                    following.baseline[row.symbol] = started_with(row, instrument)


def grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    """Account -> its rows."""
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.account_id, []).append(row)
    return found
