"""Notices what a driver in lockstep waits for: a customer was told of something, or a subscribed kline closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from simulator.events import BookMoved, Bus, Event, InstrumentChanged, KlineClosed, TradeHappened
from simulator.futures import types as futures
from simulator.spot import types as spot

_PUBLIC = (TradeHappened, BookMoved, InstrumentChanged, futures.Liquidation)
_NAMES: dict[type[object], str] = {
    spot.ExecutionReport: "executionReport",
    spot.AccountPosition: "outboundAccountPosition",
    spot.BalanceUpdate: "balanceUpdate",
    spot.ListStatus: "listStatus",
    futures.OrderUpdate: "ORDER_TRADE_UPDATE",
    futures.AccountUpdate: "ACCOUNT_UPDATE",
    futures.AlgoUpdate: "ALGO_UPDATE",
    futures.ConfigUpdate: "ACCOUNT_CONFIG_UPDATE",
    futures.MarginCall: "MARGIN_CALL",
}


class EventWatch:
    """Collects events while it is on a bus."""

    def __init__(self) -> None:
        self.seen: list[dict[str, object]] = []
        """What happened, in its order, by the names of the streams' events."""

    def has_seen(self) -> bool:
        """Whether anything happened yet."""
        return bool(self.seen)

    @contextmanager
    def on(self, bus: Bus) -> Iterator[None]:
        """Listen for as long as the block runs."""
        bus.join(self._on_event)
        try:
            yield
        finally:
            bus.leave(self._on_event)

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, _PUBLIC):
            self.seen.append(_view(event))


def _view(event: Event) -> dict[str, object]:
    if isinstance(event, KlineClosed):
        return {
            "event": "kline",
            "market": event.market,
            "symbol": event.symbol,
            "interval": event.interval,
            "open_ms": event.open_ms,
        }
    market = "spot" if isinstance(event, spot.SpotEvent) else "futures"
    view: dict[str, object] = {"event": _NAMES.get(type(event), type(event).__name__), "market": market}
    if isinstance(event, spot.ExecutionReport | futures.OrderUpdate):
        order = event.order
        return view | {
            "account": order.account_id,
            "symbol": order.symbol,
            "order_id": order.order_id,
            "client_id": order.client_order_id,
            "execution": event.execution,
            "status": order.status,
        }
    if isinstance(event, futures.AlgoUpdate):
        algo = event.algo
        return view | {
            "account": algo.account_id,
            "symbol": algo.symbol,
            "algo_id": algo.algo_id,
            "status": algo.status,
        }
    if isinstance(event, spot.ListStatus):
        return view | {"account": event.order_list.account_id, "symbol": event.order_list.symbol}
    return view | {"account": getattr(event, "account_id", None)}
