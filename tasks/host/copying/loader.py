"""Taking follower accounts up from the rows, and keeping their relationships and instances as the rows want them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

import structlog

from core.clock import utc_from_ms
from db.models import FollowRelationship, Master, MasterPosition
from db.queries import copy_fleet, fleet
from domain.errors import AresError, Refused
from domain.money import from_units, to_wire
from domain.sentences import say
from engine.follower_engine.book import FollowerBook
from tasks.host.copying.accounts import CIRCLE, Owned
from tasks.host.copying.liquidity import Liquidity
from tasks.host.copying.shapes import caps_of, started_with
from tasks.wiring import Parts, feed_of, number_of

log = structlog.get_logger(__name__)


class Loader:
    """Takes follower accounts up, and keeps their relationships and instances as the rows want them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._liquidity = Liquidity(parts)

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
        pending = grouped(await self._parts.database.read(partial(copy_fleet.pending_logs, accounts=numbers)))
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
            owned.book.caps = caps_of(rows[number], 0, owned.quantum)
            owned.adopt(held_by.get(number, ()), targets_of.get(number, ()))
            owned.take_sequences(sequences)
            owned.take_logs(pending.get(number, ()))
            found.append(owned)
        return found, failed

    async def catch_up(self, owned: Owned) -> None:
        """Share out what was executed while nobody looked."""
        journaled, entries = {}, []
        for symbol, instance in owned.instances.items():
            await self._instrument(owned, symbol)
            stored = await self._parts.journal.load(instance)
            journaled[symbol] = stored.fills
            entries += stored.entries
        owned.catch_up(journaled, entries)

    def follow(
        self, owned: Owned, rows: Iterable[FollowRelationship], masters: Mapping[int, Master], circular: Collection[int]
    ) -> None:
        """Bring the book's relationships in line with the rows."""
        for row in rows:
            number, master = number_of(row.id), masters.get(row.master_id)
            if master is None:
                continue
            standing = CIRCLE if number in circular else master.state
            if owned.revisions.get(number) != (row.revision, row.resync, standing):
                owned.take_terms(row, master, standing)

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
        for following in owned.book.followings.values():
            following.illiquid = await self._illiquid(owned, following.terms.least_volume)
        return made

    async def _illiquid(self, owned: Owned, least: int) -> frozenset[str]:
        feed, own = feed_of(owned.venue_account), from_units(least, owned.quantum)
        known = list(owned.book.instruments.values())
        return frozenset([one.symbol for one in known if not await self._liquidity.is_enough(feed, one, own)])

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
            raise Refused(
                say(
                    "spot_needs_max_notional",
                    "a spot account needs max_notional, the amount that this relationship may spend; set it.",
                )
            )
        return json.dumps({"capital": {owned.quote: to_wire(from_units(most, owned.quantum))}})

    async def _instrument(self, owned: Owned, symbol: str) -> None:
        if symbol not in owned.book.instruments:
            venue = await self._parts.venue(feed_of(owned.venue_account))
            owned.take_instrument(venue.exchange.instrument(symbol))

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
