"""What this worker tells the dashboard beside the status of its strategies: orders, fills, prices, alarms, equity."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from core import event_bus
from core.base_exchange import PriceUpdate
from core.base_journal import Step
from core.clock import utc_from_ms
from core.event_bus import Event
from core.lease import pieces
from db.queries import fleet
from domain.fill import Fill
from domain.instrument import Instrument
from domain.money import from_units, to_wire
from domain.order import LEG_NAMES, STATUS_NAMES, Order
from domain.sentences import words_of
from engine.alarms import Alarm
from tasks.host.runner import Runner
from tasks.host.status import equity_of
from tasks.wiring import Parts

log = structlog.get_logger(__name__)
#: Events that wait to be told; when there are more the oldest are dropped, and whoever watches reads the rows.
MOST_WAITING: Final = 20_000
PRICE_EVERY_NS: Final = 1_000_000_000
EQUITY_EVERY_NS: Final = 60_000_000_000
#: Whether another symbol is traded by now is looked at so often: with thousands of strategies even that takes time.
FOLLOW_EVERY_NS: Final = 3_000_000_000
#: Strategies whose equity is kept in one go: all of them at once would hold the loop up.
EQUITY_AT_ONCE: Final = 200
#: So many of them share a commit: whoever asks the database something meanwhile waits for one such commit at most.
EQUITY_TOGETHER: Final = 50
_SIDES: Final = {1: "buy", -1: "sell"}
_TYPES: Final = ("limit", "market", "post_only", "stop_market")


class Feeds:
    """Collects on the hot path, tells from time to time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._waiting: deque[Event] = deque(maxlen=MOST_WAITING)
        #: Orders by name as they are now: what they were in between nobody is told.
        self._orders: dict[str, tuple[int, Order, Instrument]] = {}
        self._prices: dict[tuple[str, str], tuple[PriceUpdate, Instrument]] = {}
        self._followed: set[tuple[str, str]] = set()
        self._priced_ns = self._followed_ns = 0
        self._equity_ns = 0
        #: Whose equity of this minute is still to be kept.
        self._unkept: deque[Runner] = deque()

    def note_step(self, runner: Runner | None, step: Step) -> None:
        """A step was kept."""
        if runner is None or runner.engine is None:
            return
        instrument, owner = runner.engine.instance.instrument, runner.want.owner
        for order in (*step.intents, *step.orders):
            self._orders[order.client_order_id] = owner, order, instrument
        for fill in step.fills:
            self._waiting.append(Event(event_bus.STRATEGY_FILL, owner, _fill(step.instance, fill, instrument)))

    def note(self, event: Event) -> None:
        """Something else happened to what an owner has."""
        self._waiting.append(event)

    def note_alarm(self, owner: int, alarm: Alarm) -> None:
        """A person should know."""
        payload: dict[str, Any] = {
            "level": "error",
            "code": alarm.code,
            "text": alarm.text,
            "words": words_of(alarm.text),
        }
        if alarm.instance:
            payload["instance"] = alarm.instance
        self._waiting.append(Event(event_bus.ALERT, owner, payload))

    def alert(self, owner: int, level: str, code: str, text: str, instance: int = 0) -> None:
        """The same in plain words."""
        payload: dict[str, Any] = {"level": level, "code": code, "text": text, "words": words_of(text)}
        self._waiting.append(Event(event_bus.ALERT, owner, payload | ({"instance": instance} if instance else {})))

    def follow(self, venues: Iterable[str]) -> None:
        """Listen to the price of every symbol that is traded here."""
        for name in venues:
            venue = self._parts.venues[name]
            market = self._parts.market.venues.get(venue.exchange.name)
            wanted = {e.instance.instrument.symbol for e in venue.manager.engines.values()} if market else set()
            for symbol in sorted(wanted):
                if (name, symbol) in self._followed or market is None:
                    continue
                self._followed.add((name, symbol))
                instrument = venue.exchange.instrument(symbol)

                market.follow(symbol, partial(self._note_price, (name, symbol), instrument))

    async def tell(self, runners: Iterable[Runner]) -> None:
        """Tell what waits; prices once a second, equity once a minute."""
        now_ns = self._parts.clock.machine.steady_ns()
        if now_ns - self._priced_ns >= PRICE_EVERY_NS:
            self._priced_ns = now_ns
            if now_ns - self._followed_ns >= FOLLOW_EVERY_NS:
                self._followed_ns = now_ns
                self.follow(list(self._parts.venues))
            self._gather_prices()
        orders, self._orders = self._orders, {}
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            # Put into words as they leave: thousands at once would hold the loop up.
            for some in pieces(list(orders.values()), event_bus.BATCH):
                await self._parts.bus.publish_all(
                    Event(event_bus.STRATEGY_ORDER, owner, _order(order, instrument))
                    for owner, order, instrument in some
                )
            await self._parts.bus.publish_all(waiting)
        except (RedisError, OSError) as error:
            log.warning("events_not_told", count=len(orders) + len(waiting), reason=str(error))
        if now_ns - self._equity_ns >= EQUITY_EVERY_NS:
            self._equity_ns = now_ns
            self._unkept = deque(runners)
        if self._unkept:
            await self._keep_equity([self._unkept.popleft() for _ in range(min(len(self._unkept), EQUITY_AT_ONCE))])

    def _note_price(self, key: tuple[str, str], instrument: Instrument, update: PriceUpdate, _seen_ms: int) -> None:
        self._prices[key] = update, instrument

    def _gather_prices(self) -> None:
        prices, self._prices = self._prices, {}
        for (venue, symbol), (update, instrument) in prices.items():
            payload = {
                "exchange": venue, "symbol": symbol, "price": to_wire(instrument.from_ticks(update.last)),
                "time": _iso(update.time_ms),
            }  # fmt: skip
            self._waiting.append(Event(event_bus.PRICE, 0, payload))

    async def _keep_equity(self, runners: list[Runner]) -> None:
        moment = utc_from_ms(self._parts.clock.machine.now_ms())
        points = [
            fleet.Worth(runner.number, moment, runner.want.owner, found[0], found[1], found[2], found[3])
            for runner in runners
            if (found := equity_of(runner)) is not None
        ]
        for some in pieces(points, EQUITY_TOGETHER):
            await self._parts.database.keep(partial(fleet.add_equity, points=some))


def _order(order: Order, instrument: Instrument) -> dict[str, Any]:
    return {
        "instance": order.key.instance,
        "client_order_id": order.client_order_id,
        "venue_order_id": order.venue_order_id,
        "side": _SIDES[order.side],
        "type": _TYPES[order.type],
        "leg": LEG_NAMES[order.key.leg],
        "slot": order.key.slot,
        "price": to_wire(instrument.from_ticks(order.ticks)) if order.ticks else "0",
        "quantity": to_wire(instrument.from_lots(order.lots)),
        "filled": to_wire(instrument.from_lots(order.filled)),
        "status": STATUS_NAMES[order.status],
        "updated_at": _iso(order.updated_ms),
    }


def _fill(instance: int, fill: Fill, instrument: Instrument) -> dict[str, Any]:
    quanta = {instrument.base: instrument.base_quantum, instrument.quote: instrument.quote_quantum}
    return {
        "instance": instance,
        "trade_id": fill.trade_id,
        "client_order_id": fill.client_order_id,
        "side": _SIDES[fill.side],
        "price": to_wire(instrument.from_ticks(fill.ticks)),
        "quantity": to_wire(instrument.from_lots(fill.lots)),
        "fee": to_wire(from_units(fill.fee, quanta.get(fill.fee_asset, instrument.quote_quantum))),
        "fee_asset": fill.fee_asset,
        "is_maker": fill.is_maker,
        "executed_at": _iso(fill.time_ms),
    }


def _iso(milliseconds: int) -> str:
    return utc_from_ms(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
