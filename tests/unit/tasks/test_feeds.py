"""What watchers are told of an order: where it has come to, once, however often it changed since they were told."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

from core.base_journal import Step
from core.clock import system_clock
from core.event_bus import STRATEGY_FILL, STRATEGY_ORDER, Event
from domain.client_order_id import OrderKey, encode
from domain.fill import Fill
from domain.order import ENTRY, FILLED, MARKET, OPEN, Order
from tasks.host.feeds import Feeds
from tasks.host.runner import Runner
from tasks.wiring import Parts
from tests.law_harness import BTCUSDT


class Bus:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Event] = []

    async def publish_all(self, events: Iterable[Event]) -> None:
        self.told += events


def order(cycle: int, **more: Any) -> Order:
    key = OrderKey(1, 7, 0, 0, cycle, ENTRY, 0)
    return Order(key, encode(key), "BTCUSDT", 1, MARKET, 0, 100, **more)


def step(*orders: Order, intents: tuple[Order, ...] = (), fills: tuple[Fill, ...] = ()) -> Step:
    return Step(7, 1, list(intents), [0] * len(intents), [], list(orders), list(fills), [])


async def test_an_order_that_changed_often_is_told_once_as_it_is_and_every_execution_is_told() -> None:
    bus = Bus()
    feeds = Feeds(cast(Parts, SimpleNamespace(bus=bus, clock=system_clock(), venues={}, market=None)))
    instance = SimpleNamespace(instrument=BTCUSDT)
    runner = cast(Runner, SimpleNamespace(engine=SimpleNamespace(instance=instance), want=SimpleNamespace(owner=5)))
    fills = [Fill("BTCUSDT", str(n), order(1).client_order_id, 1, 6_000_000, 50, 0, "USDT", False, n) for n in (1, 2)]
    feeds.note_step(runner, step(intents=(order(1), order(2))))
    feeds.note_step(runner, step(order(1, status=OPEN), fills=(fills[0],)))
    feeds.note_step(runner, step(order(1, status=FILLED, filled=100), fills=(fills[1],)))
    feeds.note_step(None, step(order(3)))
    await feeds.tell([])
    orders = [event for event in bus.told if event.topic == STRATEGY_ORDER]
    assert [(one.owner, one.payload["client_order_id"], one.payload["status"]) for one in orders] == [
        (5, order(1).client_order_id, "filled"), (5, order(2).client_order_id, "pending"),
    ]  # fmt: skip
    assert [one.payload["trade_id"] for one in bus.told if one.topic == STRATEGY_FILL] == ["1", "2"]
    await feeds.tell([])
    assert len(bus.told) == 4, "once"
