"""Mechanisms at the venue's door: what an answer proves, and until when a request may arrive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.order import Order
from domain.outcome import Outcome, Rejected, Unknown
from exchanges._binance import outcomes
from exchanges._binance.exchange import BinanceExchange
from exchanges._ccxt import Answer
from tests.exchange_venue import machine_ms, opened, resting
from tests.fakes.fake_exchange import FakeExchange
from tests.fakes.fake_orders import Lost
from tests.fakes.virtual_time import in_virtual_time
from tests.negative.mechanism import (
    Mechanism,
    Stage,
    pass_time,
    process_on,
    replace,
    require,
    require_one_order_per_slot,
)
from tests.unit.engine.floor import open_floor


class OverloadedVenue(FakeExchange):
    """Carries orders out and answers 503; the adapter's own table says what that proves."""

    async def place(self, order: Order, committed_ms: int) -> Outcome:
        outcome = await super().place(order, committed_ms)
        if isinstance(outcome, Unknown):
            answer = Answer(503, {}, '{"code":-1008,"msg":"Server is overloaded"}')
            return outcomes.write_outcome(answer, outcomes.decode(answer), {})
        return outcome


def as_a_plain_client_reads_it(patch: pytest.MonkeyPatch) -> None:
    """A 5xx is an exception, and an exception is a failed order."""
    real = outcomes.write_outcome

    def failed(answer: Answer, body: Any, echo: Any) -> Outcome:
        return Rejected(f"HTTP {answer.status}") if answer.status >= 500 else real(answer, body, echo)

    replace(patch, outcomes, "write_outcome", failed)


@in_virtual_time
async def the_venue_takes_an_order_and_answers_503(_: Stage) -> None:
    floor = open_floor()
    floor.exchange.__class__ = OverloadedVenue
    floor.exchange.users.lose()
    floor.exchange.orders.next_places(Lost(kept=True), Lost(kept=True))
    async with process_on(floor):
        await pass_time(3)
        require_one_order_per_slot(floor)


def signed_when_sent(patch: pytest.MonkeyPatch) -> None:
    real = BinanceExchange.place

    async def place(self: BinanceExchange, order: Order, committed_ms: int) -> Outcome:
        return await real(self, order, machine_ms())

    replace(patch, BinanceExchange, "place", place)


def a_process_freezes_between_commit_and_send(stage: Stage) -> None:
    async def go() -> None:
        async with opened("binance_spot", stage.venue()) as exchange:
            order = await resting(exchange)
            await exchange.place(order, machine_ms() - 10_000)
            names = {found.client_order_id for found in await exchange.open_orders()}
            require(order.client_order_id not in names, "an order ten seconds old was taken")

    asyncio.run(go())


MECHANISMS = [
    Mechanism("a 5xx is unknown, not rejected", as_a_plain_client_reads_it, the_venue_takes_an_order_and_answers_503),
    Mechanism("the venue refuses what left too late", signed_when_sent, a_process_freezes_between_commit_and_send),
]
