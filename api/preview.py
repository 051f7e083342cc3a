"""What an edit would do: the law runs on a twin of the strategy, and nothing of it is kept."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import NamedTuple

from api.checking import field_of
from api.market import MarketReader
from api.schemas.strategy import Preview, PreviewOrder
from api.views import side
from core.base_strategy import Plan, StrategyKind
from db.models import OrderRow, StrategyInstance
from db.queries import pages, results
from db.queries.instances import state_of
from db.unit_of_work import UnitOfWork
from domain import events, slots
from domain.capital import locked
from domain.client_order_id import OrderKey
from domain.errors import Refused
from domain.events import Event, View
from domain.instance import Cancel, Instance
from domain.instrument import Instrument
from domain.ledger import cash
from domain.money import to_wire
from domain.order import Order

#: More orders than a strategy can have.
_MOST_ORDERS = 10_000


class NoPrice(Refused):
    """The price is not known yet, so nobody can say what would happen; start the strategy, or wait a moment."""


class Market(NamedTuple):
    """What the twin is shown."""

    instrument: Instrument
    price: Decimal
    now_ms: int


def prepare(kind: StrategyKind, parameters: str, instrument: Instrument, price: Decimal | None) -> Plan:
    """The strategy's own check of its parameters; `BadFields` names the field."""
    last = _ticks(instrument, price) if price is not None else 0
    try:
        return kind.prepare(kind.params.model_validate_json(parameters), instrument, last)
    except Refused as error:
        raise field_of(error, "parameters") from error


async def refuse_what_cannot_run(
    market: MarketReader, feed: str, symbol: str, interval: str, kind: StrategyKind, parameters: str
) -> None:
    """The strategy's own check before anything is kept, as far as the market is known; its worker checks again."""
    instrument = await market.instrument(feed, symbol)
    price = await market.last_price(feed, symbol, interval)
    if instrument is not None and price is not None:
        prepare(kind, parameters, instrument, price)


def preview(
    unit: UnitOfWork, instance: StrategyInstance, kind: StrategyKind, parameters: str, market: Market
) -> Preview:
    """Orders that would stay, go and come."""
    plan = prepare(kind, parameters, market.instrument, market.price)
    twin = _twin(unit, instance, kind, plan, market.instrument)
    before = {order.key.slot: order for order in twin.live_orders()}
    is_new = not twin.state or twin.state[slots.PHASE] == slots.NEW
    extra = slots.count_of(twin.state) if twin.state and plan.slots != slots.count_of(twin.state) else 0
    twin.begin(plan.slots + extra, plan.memory)
    what = events.START if is_new else events.EDIT
    proposal = twin.propose(Event(what, market.now_ms), _view(unit, instance, twin, market))
    gone = {action.order.key.slot for action in proposal.actions if isinstance(action, Cancel)}
    kept = [_order(one, market.instrument) for slot, one in sorted(before.items()) if slot not in gone]
    cancelled = [_order(one, market.instrument) for slot, one in sorted(before.items()) if slot in gone]
    wishes = [slots.wish_of(proposal.state, slot) for slot in range(slots.count_of(proposal.state))]
    come = [wish for wish in wishes if wish.side and (wish.slot in gone or wish.slot not in before)]
    placed = [
        PreviewOrder(
            slot=wish.slot,
            side=side(wish.side),
            price=to_wire(market.instrument.from_ticks(wish.ticks)),
            quantity=to_wire(market.instrument.from_lots(wish.lots)),
        )
        for wish in come
    ]
    return Preview(kept=kept, cancelled=cancelled, placed=placed)


def _twin(
    unit: UnitOfWork, instance: StrategyInstance, kind: StrategyKind, plan: Plan, instrument: Instrument
) -> Instance:
    number = instance.id or 0
    rows = pages.orders(unit, number, only_open=True, before=None, limit=_MOST_ORDERS)
    deployment = rows[0].deployment if rows else 0
    twin = Instance(deployment, number, instance.generation, instrument, kind.decide, plan.params)
    if stored := state_of(unit, number):
        twin.state, twin.memory = json.loads(stored)
    for row in rows:
        twin.track(_order_of(row))
    return twin


def _view(unit: UnitOfWork, instance: StrategyInstance, twin: Instance, market: Market) -> View:
    instrument, last = market.instrument, _ticks(market.instrument, market.price)
    owned = results.balances(unit, instance.account_id, cash(instance.id or 0))
    if not owned:
        # Never started: what it is to be given.
        capital = json.loads(instance.limits).get("capital", {})
        quanta = {instrument.base: instrument.base_quantum, instrument.quote: instrument.quote_quantum}
        owned = {asset: int(Decimal(capital[asset]) / quanta[asset]) for asset in capital if asset in quanta}
    taken = locked(instrument, twin.orders.values(), last)
    return View(
        now_ms=market.now_ms,
        last_ticks=last,
        tick_lot=instrument.tick_lot,
        base_per_lot=instrument.base_per_lot,
        min_notional=int(instrument.min_notional / instrument.quote_quantum),
        min_lots=max(int(instrument.min_quantity / instrument.lot_size), 1),
        max_lots=int(instrument.max_quantity / instrument.lot_size) or instrument.max_lots,
        free_quote=owned.get(instrument.quote, 0) - taken.quote,
        free_base=owned.get(instrument.base, 0) - taken.base,
    )


def _order_of(row: OrderRow) -> Order:
    key = OrderKey(row.deployment, row.strategy_instance_id, row.generation, row.slot, row.cycle, row.leg, row.attempt)
    more = row.reduce_only, row.status, row.filled, row.venue_order_id, row.booked
    return Order(key, row.client_order_id, row.symbol, row.side, row.type, row.ticks, row.lots, *more)


def _order(order: Order, instrument: Instrument) -> PreviewOrder:
    return PreviewOrder(
        slot=order.key.slot,
        side=side(order.side),
        price=to_wire(instrument.from_ticks(order.ticks)),
        quantity=to_wire(instrument.from_lots(order.lots)),
    )


def _ticks(instrument: Instrument, price: Decimal) -> int:
    return int(price / instrument.tick_size)
