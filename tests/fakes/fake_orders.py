"""The orders of the fake exchange: what rests, what traded, and outcomes that the test has scripted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from core.base_exchange import Balance, BalanceChange, OpenOrder
from domain.fill import Fill
from domain.instrument import Instrument
from domain.order import BUY, CANCELLED, FILLED, MARKET, OPEN, Order, OrderReport, is_terminal
from domain.outcome import Accepted, Outcome, Rejected, Unknown
from tests.fakes.fake_users import FakeUsers


@dataclass(frozen=True, slots=True)
class Lost:
    """The answer to a request is lost: `kept` says whether the venue carried it out all the same."""

    kept: bool
    cause: str = "the fake venue's answer was lost"


#: What a scripted request ends in. None carries it out.
Script = Rejected | Lost | None


class FakeOrders:
    """One account's orders. Carries everything out unless scripted otherwise; tells of it on the private stream."""

    def __init__(self, users: FakeUsers, instruments: dict[str, Instrument], now_ms: Callable[[], int]) -> None:
        self._users = users
        self._instruments = instruments
        self._now_ms = now_ms
        self._next_places: deque[Script] = deque()
        self._next_cancels: deque[Script] = deque()
        self._gate = asyncio.Event()
        self._gate.set()
        self._late: dict[str, Order] = {}
        #: Every placement that arrived, with its commit time; every cancel.
        self.placed: list[tuple[Order, int]] = []
        self.cancelled: list[str] = []
        #: Client order id -> the order as the venue holds it; its trades; foreign orders that rest.
        self.known: dict[str, Order] = {}
        self.trades: list[Fill] = []
        self.foreign: list[OpenOrder] = []
        self.balances: dict[str, Balance] = {}
        #: The price that market orders trade at, per symbol; without one they stay open.
        self.market_ticks: dict[str, int] = {}
        #: Fee in parts per million of what is received.
        self.fee_ppm = 0
        #: Whether the answer to a cancel tells how the order has ended, as some venues' do.
        self.answers_tell_ends = False
        #: Further queries that deny an order which exists.
        self.denials = 0

    def next_places(self, *scripts: Script) -> None:
        """What the next placements end in, one each."""
        self._next_places.extend(scripts)

    def next_cancels(self, *scripts: Script) -> None:
        """What the next cancels end in, one each."""
        self._next_cancels.extend(scripts)

    def hold_answers(self, is_holding: bool = True) -> None:
        """Requests arrive and are carried out, but their answers wait until this is called with False."""
        if is_holding:
            self._gate.clear()
        else:
            self._gate.set()

    def arrive_late(self, client_order_id: str) -> None:
        """An order whose request was taken for lost is accepted now."""
        self._accept(self._late.pop(client_order_id))

    def fill(self, client_order_id: str, lots: int = 0, ticks: int = 0, *, is_maker: bool = True) -> Fill:
        """The order trades: all that is left unless `lots` says less, at its own price unless `ticks` is given."""
        order = self.known[client_order_id]
        amount = lots or order.lots - order.filled
        filled = order.filled + amount
        status = FILLED if filled == order.lots else order.status
        self.known[client_order_id] = order._replace(filled=filled, status=status, updated_ms=self._now_ms())
        fill = self._fill_of(order, amount, ticks or order.ticks, is_maker)
        self.trades.append(fill)
        self._settle(order, fill)
        self._users.happen(fill)
        self._tell(client_order_id)
        return fill

    def expire(self, client_order_id: str, status: int = CANCELLED) -> None:
        """The venue ends the order by itself."""
        self.known[client_order_id] = self.known[client_order_id]._replace(status=status, updated_ms=self._now_ms())
        self._tell(client_order_id)

    def reach(self, symbol: str, ticks: int) -> list[Fill]:
        """The market trades at `ticks`: every resting order that it reaches is filled at its own price."""
        self.market_ticks[symbol] = ticks
        resting = [order for order in self.known.values() if order.symbol == symbol and not is_terminal(order)]
        reached = [
            order.client_order_id for order in resting if order.ticks and (order.ticks - ticks) * order.side >= 0
        ]
        return [self.fill(name) for name in reached]

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        """`BaseExchange.place`."""
        await asyncio.sleep(0)
        self.placed.append((order, committed_ms))
        script = self._next_places.popleft() if self._next_places else None
        outcome = self._place(order, script)
        await self._gate.wait()
        return outcome

    async def cancel(self, order: Order) -> Outcome:
        """`BaseExchange.cancel`."""
        await asyncio.sleep(0)
        self.cancelled.append(order.client_order_id)
        script = self._next_cancels.popleft() if self._next_cancels else None
        outcome = self._cancel(order.client_order_id, script)
        await self._gate.wait()
        return outcome

    def report(self, client_order_id: str) -> OrderReport | None:
        """What the venue says of the order."""
        order = self.known.get(client_order_id)
        if order is None:
            return None
        return OrderReport(client_order_id, order.venue_order_id, order.status, order.filled, order.updated_ms)

    def resting(self, symbol: str | None) -> list[OpenOrder]:
        """`BaseExchange.open_orders`."""
        ours = [
            OpenOrder(name, order.venue_order_id, order.symbol, order.side, order.ticks, order.lots, order.filled,
                      order.updated_ms)
            for name, order in self.known.items() if not is_terminal(order)
        ]  # fmt: skip
        return [found for found in [*ours, *self.foreign] if symbol in (None, found.symbol)]

    def fills_since(self, symbol: str, after_trade_id: str, since_ms: int) -> list[Fill]:
        """`BaseExchange.fills_since`."""
        mine = [fill for fill in self.trades if fill.symbol == symbol]
        if after_trade_id:
            return [fill for fill in mine if int(fill.trade_id) > int(after_trade_id)]
        return [fill for fill in mine if fill.time_ms >= since_ms]

    def _place(self, order: Order, script: Script) -> Outcome:
        if isinstance(script, Rejected):
            return script
        if isinstance(script, Lost) and not script.kept:
            self._late[order.client_order_id] = order
            return Unknown(script.cause)
        if order.client_order_id in self.known:
            return Rejected("duplicate client order id")
        accepted = self._accept(order)
        return Unknown(script.cause) if isinstance(script, Lost) else Accepted(accepted.venue_order_id)

    def _accept(self, order: Order) -> Order:
        name = order.client_order_id
        number = str(1000 + len(self.known))
        accepted = order._replace(status=OPEN, venue_order_id=number, updated_ms=self._now_ms())
        self.known[name] = accepted
        self._tell(name)
        if order.type == MARKET and order.symbol in self.market_ticks:
            self.fill(name, ticks=self.market_ticks[order.symbol], is_maker=False)
        return accepted

    def _cancel(self, name: str, script: Script) -> Outcome:
        if isinstance(script, Rejected):
            return script
        if isinstance(script, Lost) and not script.kept:
            return Unknown(script.cause)
        order = self.known.get(name)
        if order is None or is_terminal(order):
            return Rejected("unknown order")
        self.expire(name)
        end = self.report(name) if self.answers_tell_ends else None
        return Unknown(script.cause) if isinstance(script, Lost) else Accepted(order.venue_order_id, end)

    def _tell(self, client_order_id: str) -> None:
        report = self.report(client_order_id)
        if report is not None:
            self._users.happen(report)

    def _fill_of(self, order: Order, lots: int, ticks: int, is_maker: bool) -> Fill:
        instrument = self._instruments[order.symbol]
        is_buying = order.side == BUY
        received = lots * (instrument.base_per_lot if is_buying else ticks * instrument.tick_lot)
        return Fill(
            symbol=order.symbol,
            trade_id=str(1 + len(self.trades)),
            client_order_id=order.client_order_id,
            side=order.side,
            ticks=ticks,
            lots=lots,
            fee=received * self.fee_ppm // 1_000_000,
            fee_asset=instrument.base if is_buying else instrument.quote,
            is_maker=is_maker,
            time_ms=self._now_ms(),
        )

    def _settle(self, order: Order, fill: Fill) -> None:
        """Move the free balances; nothing is shown as locked."""
        instrument = self._instruments[order.symbol]
        changes = {
            instrument.base: fill.side * fill.lots * instrument.base_per_lot,
            instrument.quote: -fill.side * fill.lots * fill.ticks * instrument.tick_lot,
        }
        changes[fill.fee_asset] -= fill.fee
        for asset, change in changes.items():
            held = self.balances.get(asset, Balance(0, 0))
            self.balances[asset] = Balance(held.free + change, held.locked)
            self._users.happen(BalanceChange(asset, self.balances[asset], fill.time_ms))
