from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from domain.instrument import Instrument
from exchanges._binance import market_reads
from exchanges._binance.dialect import SPOT
from exchanges._binance.rest import BinanceRest

MINUTE = 60_000
BTC = Instrument("BTCUSDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(10**6), Decimal(9_000))


class MovingMarket:
    """A venue whose market goes on between two answers: minute 1 is traded in until the time is asked for."""

    dialect = SPOT

    def __init__(self, *, closes: bool) -> None:
        self._closes = closes
        self._is_later = False

    async def rows(self, _section: str, _path: str, params: Mapping[str, str], _weight: int) -> Sequence[Any]:
        last = "120.00" if self._is_later else "110.00"
        bars = [_row(0, "100.00"), _row(MINUTE, last)]
        return [row for row in bars if row[0] >= int(params["startTime"])][: int(params["limit"])]

    async def read(self, _section: str, _path: str, _params: Mapping[str, str], _weight: int) -> Any:
        self._is_later = True
        return {"closeTime": 2 * MINUTE + 5 if self._closes else 2 * MINUTE - 5}


def _row(open_ms: int, close: str) -> list[Any]:
    return [open_ms, "100.00", "130.00", "90.00", close, "1.00000", open_ms + MINUTE - 1]


async def test_a_bar_that_closes_while_it_is_read_is_told_as_it_closed() -> None:
    rest = cast("BinanceRest", MovingMarket(closes=True))
    found = await market_reads.bars(rest, BTC, "1m", 0, 100)
    assert [(bar.open_ms, bar.close) for bar in found] == [(0, 10_000), (MINUTE, 12_000)]


async def test_a_bar_that_is_still_open_is_not_told() -> None:
    rest = cast("BinanceRest", MovingMarket(closes=False))
    assert [bar.open_ms for bar in await market_reads.bars(rest, BTC, "1m", 0, 100)] == [0]
