"""Rows of copying as they are answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Context, Decimal
from statistics import median
from typing import Any, Final, cast

from api.schemas.copy_record import Causes, Drift, TrackingStep, TradeLog
from api.schemas.follower import (
    FollowCommandStatus,
    FollowerAccount,
    Relationship,
)
from api.schemas.master import Master, MasterPosition, MasterResult
from api.views import feed_of
from db import models
from db.models import StrategyInstance
from db.queries.copy_results import MasterResults
from db.queries.following import Followed
from domain import sentences
from domain.copying import follow, terms
from domain.money import add, from_units, multiply, to_wire
from domain.sentences import say

#: A record that says something.
ENOUGH_DAYS: Final = 30
ENOUGH_TRADES: Final = 30
_WORDS: Final[Mapping[str, str]] = {
    name: terms.REASONS[code] for code, name in enumerate(terms.REASON_NAMES) if code in terms.REASONS
} | {
    "nothing_to_do": say("copy_nothing_to_do", "The account holds what it should already, so nothing was to be done."),
    "too_small": follow.REASONS[follow.TOO_SMALL],
    "no_short": follow.REASONS[follow.NO_SHORT],
}
_DIGITS: Final = 24
_WIDE: Final = Context(prec=100)
_FIELDS: Final = (
    "max_ratio", "notional", "kelly_fraction", "max_symbol_notional", "max_notional", "max_leverage", "least_volume",
    "slippage_collar", "stop_loss", "take_profit", "total_stop_loss", "total_take_profit",
)  # fmt: skip
_PLAIN: Final = ("max_entry_delay_ms", "delay_ms", "copy_existing", "on_stop", "reverse", "desired_state", "state")


def wire(amount: Decimal | None) -> str | None:
    """An amount that may not be there."""
    return None if amount is None else to_wire(amount)


def words_of(reason: str) -> str:
    """A reason in words; as it is when the law has none for it, for it came from a venue."""
    return _WORDS.get(reason, reason)


def master(row: models.Master, caller: int, followers: int) -> Master:
    """A master; of another's only what followers need."""
    mine = row.owner_id == caller
    return Master(
        id=row.id or 0,
        name=row.name,
        kind=cast("Any", row.kind),
        master_user_id=row.owner_id,
        mine=mine,
        account_id=row.account_id if mine else None,
        strategy_id=row.strategy_instance_id if mine else None,
        venue=row.venue,
        state=cast("Any", row.state),
        shared=row.shared,
        version=row.version,
        revision=row.revision,
        quote_asset=row.quote_asset,
        equity=wire(row.equity) if mine else None,
        equity_at=row.equity_at if mine else None,
        followers=followers,
        last_error=row.last_error if mine else "",
        last_error_words=sentences.words_of(row.last_error) if mine else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def position(row: models.MasterPosition, of: models.Master, caller: int) -> MasterPosition:
    """What a master holds of one symbol."""
    return MasterPosition(
        master_id=row.master_id,
        master_name=of.name,
        master_user_id=row.owner_id,
        master_credential_id=of.account_id if of.owner_id == caller else None,
        symbol=row.symbol,
        side="flat" if row.quantity == 0 else "long" if row.quantity > 0 else "short",
        position_size=to_wire(row.quantity),
        entry_price=wire(row.entry_price),
        price=wire(row.price),
        version=row.version,
        source=row.source,
        signal_at=row.signal_at,
        updated_at=row.published_at,
    )


def relationship(found: Followed) -> Relationship:
    """A relationship with its account and master."""
    row, account, of = found
    amounts = {name: wire(getattr(row, name)) for name in _FIELDS}
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Relationship(
        id=row.id or 0,
        follower_user_id=row.owner_id,
        account_id=row.account_id,
        account_name=account.name,
        exchange=account.exchange,
        feed=feed_of(account),
        paper=account.paper,
        master_id=row.master_id,
        master_name=of.name,
        master_user_id=of.owner_id,
        mode=cast("Any", row.mode),
        follow_ratio=to_wire(row.ratio),
        allow_symbols=json.loads(row.allow_symbols),
        deny_symbols=json.loads(row.deny_symbols),
        is_active=row.desired_state == "following",
        applied=row.applied_revision == row.revision,
        last_error=row.last_error,
        last_error_words=sentences.words_of(row.last_error),
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        stopped_at=row.stopped_at,
        **amounts,
        **plain,
    )


def command(row: models.FollowCommand) -> FollowCommandStatus:
    """A command and what became of it."""
    return FollowCommandStatus(
        id=row.id or 0,
        relationship_id=row.relationship_id,
        kind=row.kind,
        sequence=row.sequence,
        created_at=row.created_at,
        expires_at=row.expires_at,
        outcome=row.outcome,
        detail=row.detail,
        detail_words=sentences.words_of(row.detail),
        finished_at=row.finished_at,
    )


def follower_account(row: models.FollowerAccount, account: models.Account) -> FollowerAccount:
    """What an account may hold for its masters."""
    return FollowerAccount(
        account_id=row.account_id,
        account_name=account.name,
        max_notional=wire(row.max_notional),
        max_leverage=wire(row.max_leverage),
        revision=row.revision,
        equity=wire(row.equity),
        equity_at=row.equity_at,
        runner=row.runner,
        last_error=row.last_error,
        last_error_words=sentences.words_of(row.last_error),
    )


def trade_log(row: models.TradeLog) -> TradeLog:
    """A row of the trade log, the follower called as the design calls it."""
    values = row.model_dump(exclude={"owner_id", "strategy_instance_id"})
    told = {name: to_wire(value) if isinstance(value, Decimal) else value for name, value in values.items()}
    return TradeLog(
        **told,
        follower_user_id=row.owner_id,
        strategy_id=row.strategy_instance_id,
        reason_text=words_of(row.reason),
        reason_words=sentences.words_of(words_of(row.reason)),
        error_words=sentences.words_of(row.error_message or ""),
    )


def causes(row: models.TrackingError, instance: StrategyInstance | None) -> Causes | None:
    """The end of a tracking-error ledger in quote; None while the units are not known."""
    values = _causes(row, instance)
    return Causes(**values) if values is not None else None


def tracking_step(row: models.TrackingError, instance: StrategyInstance | None) -> TrackingStep | None:
    """The ledger after one step."""
    values = _causes(row, instance)
    if values is None:
        return None
    more = {"symbol": row.symbol, "sequence": row.sequence, "kind": row.kind, "master_version": row.master_version}
    return TrackingStep(**values, **more)


def drift(
    found: Followed,
    at: models.MasterPosition,
    held: models.VirtualPosition | None,
    error: models.TrackingError | None,
    instance: StrategyInstance | None,
) -> Drift:
    """How far a relationship is from its master on one symbol."""
    row, lot = found.relationship, instance.lot_size if instance is not None else None
    quote = instance.quote_quantum if instance is not None else None

    def lots(count: int) -> Decimal | None:
        return from_units(count, lot) if lot is not None else None

    target, has = (lots(held.target_lots), lots(held.lots)) if held is not None else (None, Decimal(0))
    sign = Decimal(-1 if row.reverse else 1)
    return Drift(
        relationship_id=row.id or 0,
        account_id=row.account_id,
        master_id=row.master_id,
        symbol=at.symbol,
        master_position=to_wire(at.quantity),
        master_version=at.version,
        followed_version=held.master_version if held is not None else 0,
        is_behind=held is None or held.master_version < at.version,
        ratio=to_wire(row.ratio),
        ideal=to_wire(multiply(multiply(at.quantity, row.ratio), sign)) if row.mode == "fixed_ratio" else None,
        target=wire(target),
        held=to_wire(has if has is not None else Decimal(0)),
        drift=wire(add(has, -target)) if target is not None and has is not None else None,
        residual=to_wire(lots(held.residual_lots) or Decimal(0)) if held is not None else "0",
        residual_reason=held.residual_reason if held is not None else "",
        reason=held.reason if held is not None else "",
        reason_text=words_of(held.reason) if held is not None else "",
        reason_words=sentences.words_of(words_of(held.reason)) if held is not None else None,
        realised=to_wire(from_units(held.realised, quote)) if held is not None and quote is not None else None,
        fees=to_wire(from_units(held.fees, quote)) if held is not None and quote is not None else None,
        causes=causes(error, instance) if error is not None else None,
        updated_at=held.updated_at if held is not None else None,
    )


def master_result(row: models.Master, caller: int, followers: int, found: MasterResults) -> MasterResult:
    """How everybody who ever followed a master has done; the rank is given to the list."""
    nets = sorted(found.net.values())
    days = (found.last_at - found.first_at).days if found.first_at and found.last_at else 0
    return MasterResult(
        master=master(row, caller, followers),
        rank=0,
        enough=days >= ENOUGH_DAYS and found.trades >= ENOUGH_TRADES,
        removed=row.removed_at is not None,
        relationships_ever=found.relationships,
        people_ever=len(found.people),
        measured=len(nets),
        days=days,
        trades=found.trades,
        net_result=to_wire(found.total),
        max_drawdown=to_wire(found.drawdown),
        most_held=to_wire(found.most_held),
        return_on_most_held=to_wire(return_of(found)) if found.most_held else None,
        winners=sum(1 for net in nets if net > 0),
        median_result=to_wire(median(nets)) if nets else None,
        worst_result=to_wire(nets[0]) if nets else None,
        best_result=to_wire(nets[-1]) if nets else None,
    )


def return_of(found: MasterResults) -> Decimal:
    """What was earned for the most that was held, to six digits; zero when nothing was held."""
    return round(found.total / found.most_held, 6) if found.most_held else Decimal(0)


def _causes(row: models.TrackingError, instance: StrategyInstance | None) -> dict[str, Any] | None:
    if instance is None or instance.quote_quantum is None:
        return None
    quantum, units = instance.quote_quantum, row.units_per_quantum
    names = ("ideal", "actual", "latency", "slippage", "rounding", "caps", "skipped", "fees", "funding")
    told = {name: _quote(getattr(row, name) or 0, units, quantum) for name in names}
    gap = row.ideal - row.actual
    parts = row.latency + row.slippage + row.rounding + row.caps + row.skipped + row.fees + (row.funding or 0)
    return told | {"difference": _quote(gap, units, quantum), "adds_up": gap == parts, "at": row.at}


def _quote(count: int, units: int, quantum: Decimal) -> str:
    """Ledger units in quote: exact where the lot is a decimal fraction of the base asset, as lots of venues are."""
    amount = _WIDE.divide(_WIDE.multiply(Decimal(count), quantum), Decimal(units))
    return to_wire(amount if int(amount.as_tuple().exponent) >= -_DIGITS else round(amount, _DIGITS))
