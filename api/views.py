"""Rows as they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, cast

import orjson

from api.identity import Caller
from api.schemas.account import Account as AccountAnswer
from api.schemas.live import LiveStatus
from api.schemas.platform import Kill, Trade
from api.schemas.strategy import CommandStatus, Day, Fill, Order, State, Strategy
from core.base_journal import REBUILT, REBUILT_WORDS
from core.base_strategy import StrategyKind
from core.registry import Registry
from db.models import Account, Command, FillRow, OrderRow, StrategyInstance
from db.queries import results
from db.queries.pages import Listed
from db.queries.platform import KillState
from domain.money import from_units, to_wire
from domain.order import LEG_NAMES, STATUS_NAMES
from domain.sentences import words_of

_TYPE_NAMES: Final = ("limit", "market", "post_only", "stop_market")
_FIRST_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)


def strategy(listed: Listed, live: LiveStatus | None) -> Strategy:
    """A strategy with its account, and what its worker says of it."""
    row, account = listed
    assert row.id is not None  # noqa: S101 - the row has been written
    return Strategy(
        id=row.id,
        name=row.name,
        strategy_type=row.strategy_type,
        symbol=row.symbol,
        interval=row.kline_interval,
        account_id=row.account_id,
        account_name=account.name,
        exchange=account.exchange,
        feed=feed_of(account),
        paper=row.paper,
        parameters=orjson.loads(row.parameters),
        limits=orjson.loads(row.limits),
        desired_state=cast("State", row.desired_state),
        revision=row.revision,
        generation=row.generation,
        base_asset=row.base_asset,
        quote_asset=row.quote_asset,
        created_at=row.created_at,
        updated_at=row.updated_at,
        live=live if live is not None and live.owner_id == row.owner_id else None,
    )


def account(row: Account) -> AccountAnswer:
    """An account without its secrets."""
    assert row.id is not None  # noqa: S101 - the row has been written
    return AccountAnswer(
        id=row.id,
        name=row.name,
        exchange=row.exchange,
        feed=feed_of(row),
        paper=row.paper,
        has_key=row.api_key is not None,
        key_hint=row.key_hint,
        rights=cast("Any", row.rights if row.rights in {"verified", "refused"} else "unknown"),
        rights_checked_at=row.rights_checked_at,
        rights_consent_at=row.rights_consent_at,
        disabled=row.disabled,
        settings=orjson.loads(row.settings),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def feed_of(row: Account) -> str:
    """The venue whose market an account trades on."""
    if not row.paper:
        return row.exchange
    return str(orjson.loads(row.settings).get("venue", row.exchange))


def command(row: Command) -> CommandStatus:
    """A command and what became of it."""
    assert row.id is not None  # noqa: S101 - the row has been written
    return CommandStatus(
        id=row.id,
        strategy_id=row.strategy_instance_id,
        kind=row.kind,
        sequence=row.sequence,
        created_at=row.created_at,
        expires_at=row.expires_at,
        outcome=row.outcome,
        detail=row.detail,
        detail_words=words_of(row.detail),
        finished_at=row.finished_at,
    )


def order(row: OrderRow, instance: StrategyInstance, reasons: Mapping[int, str]) -> Order:
    """An order in decimals."""
    tick, lot = _size(instance.tick_size), _size(instance.lot_size)
    reason = REBUILT_WORDS if row.reason == REBUILT else reasons.get(row.reason, "")
    return Order(
        client_order_id=row.client_order_id,
        venue_order_id=row.venue_order_id or None,
        side=side(row.side),
        type=_name(_TYPE_NAMES, row.type),
        leg=_name(LEG_NAMES, row.leg),
        slot=row.slot,
        price=to_wire(from_units(row.ticks, tick)) if row.ticks else None,
        quantity=to_wire(from_units(row.lots, lot)),
        filled=to_wire(from_units(row.filled, lot)),
        status=_name(STATUS_NAMES, row.status),
        reason=reason,
        reason_words=words_of(reason),
        created_at=row.committed_at,
        updated_at=max(row.updated_at, row.committed_at),
    )


def fill(row: FillRow, instance: StrategyInstance) -> Fill:
    """An execution in decimals."""
    return Fill(
        trade_id=row.trade_id,
        client_order_id=row.client_order_id,
        side=side(row.side),
        price=to_wire(from_units(row.ticks, _size(instance.tick_size))),
        quantity=to_wire(from_units(row.lots, _size(instance.lot_size))),
        fee=to_wire(from_units(row.fee, results.quantum_of(instance, row.fee_asset))),
        fee_asset=row.fee_asset,
        is_maker=row.maker,
        executed_at=row.executed_at,
    )


def trade(row: FillRow, instance: StrategyInstance) -> Trade:
    """The same, with whose it is."""
    return Trade(
        strategy_id=row.strategy_instance_id,
        account_id=row.account_id,
        symbol=row.symbol,
        **fill(row, instance).model_dump(),
    )


def day(one: results.Day) -> Day:
    """A day's results."""
    date = (_FIRST_DAY + timedelta(days=one.day)).date().isoformat()
    return Day(day=date, realised=to_wire(one.realised), fees=to_wire(one.fees), trades=one.trades)


def kill(state: KillState, caller: Caller) -> Kill:
    """The kill switch as it holds for somebody."""
    everybody, mine = state.everybody, state.owners.get(caller.id)
    if everybody is not None and everybody.on:
        return Kill(on=True, by=everybody.by, at=everybody.at, scope="all")
    if mine is not None and mine.on:
        return Kill(on=True, by=mine.by, at=mine.at, scope="mine")
    last = max((one for one in (everybody, mine) if one is not None), key=lambda one: one.at, default=None)
    return Kill(on=False, by=last.by if last else None, at=last.at if last else None)


def side(value: int) -> Literal["buy", "sell"]:
    """Which side, in words."""
    return "buy" if value > 0 else "sell"


def reasons_of(kinds: Registry[StrategyKind], instance: StrategyInstance) -> Mapping[int, str]:
    """Reason code -> words, for a kind that may be gone."""
    return kinds.get(instance.strategy_type).reasons if instance.strategy_type in set(kinds) else {}


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


def _size(value: Any) -> Any:
    if value is None:
        raise results.NotStarted
    return value
