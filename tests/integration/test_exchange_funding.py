"""Funding as the adapter reads it at the simulated venue: what was paid, and the position it was paid for."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.base_exchange import FundingCharged, StreamGap, TellsFunding
from core.base_funding import TellsFundingRates
from domain.order import BUY, MARKET, SELL
from domain.outcome import Accepted
from tests.exchange_venue import BTC, OPTIONS, listening, machine_ms, opened, order_for
from tests.simulator_process import simulator_process

EIGHT_HOURS_MS = 8 * 3_600_000


@pytest.mark.parametrize("side", [BUY, SELL])
async def test_funding_is_told_by_the_stream_and_listed_with_the_position_it_was_for(tmp_path: Path, side: int) -> None:
    with simulator_process(tmp_path, *OPTIONS) as venue:
        async with opened("binance_futures", venue) as exchange, listening(exchange) as heard:
            assert isinstance(exchange, TellsFunding)
            await heard.wait_for(lambda event: isinstance(event, StreamGap))
            order = order_for(exchange, 0, type=MARKET, side=side, lots=37)
            assert isinstance(await exchange.place(order, machine_ms()), Accepted)
            venue.post("advance", {"ms": EIGHT_HOURS_MS})
            told = await heard.wait_for(lambda event: isinstance(event, FundingCharged))
            assert isinstance(told, FundingCharged)
            [paid] = await exchange.funding_since([BTC], 0)
            [line] = venue.tape("funding")
            assert (paid.symbol, paid.transaction_id, paid.position_lots) == (BTC, line["reference"], side * 37)
            assert paid.time_ms == told.time_ms
            assert (paid.amount < 0) == (side == BUY)
            assert await exchange.funding_since(["ETHUSDT"], 0) == []
            assert await exchange.funding_since([BTC], paid.time_ms + 1) == []
            assert isinstance(exchange, TellsFundingRates)
            [charged] = await exchange.funding_rates(BTC, paid.time_ms - EIGHT_HOURS_MS)
            assert (charged.symbol, charged.rate) == (BTC, Decimal("0.0001"))
            whole = exchange.instrument(BTC)
            for_all = charged.per_unit(whole.tick_size, 0) * whole.tick_lot * side * 37
            assert abs(for_all + paid.amount) < 1, "what the account was charged follows from the rate"
            assert await exchange.funding_rates(BTC, charged.time_ms + 1) == []


async def test_spot_pays_no_funding(tmp_path: Path) -> None:
    with simulator_process(tmp_path, *OPTIONS) as venue:
        async with opened("binance_spot", venue) as exchange:
            assert isinstance(exchange, TellsFunding)
            assert await exchange.funding_since([BTC], 0) == []
            assert isinstance(exchange, TellsFundingRates)
            assert await exchange.funding_rates(BTC, 0) == []
