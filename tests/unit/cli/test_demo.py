from __future__ import annotations

from decimal import Decimal

import pytest

import strategies
from cli.demo import CAPITAL, Bot, Quote, bots
from core.base_strategy import STRATEGIES
from core.risk_limits import Limits
from domain.instrument import Instrument

QUOTES = [
    Quote("BTCUSDT", Decimal("80604.83"), Decimal("0.01"), Decimal("0.00001")),
    Quote("ETHUSDT", Decimal("2570.77"), Decimal("0.01"), Decimal("0.0001")),
]


def test_there_are_three_and_their_capital_is_within_the_funds() -> None:
    names = [bot.name for bot in bots(QUOTES)]
    assert names == ["BTCUSDT range grid", "ETHUSDT range grid", "BTCUSDT trailing grid"]


@pytest.mark.parametrize("bot", bots(QUOTES), ids=lambda bot: bot.name)
def test_a_strategy_of_the_demonstration_can_be_started_as_it_is(bot: Bot) -> None:
    STRATEGIES.scan(strategies)
    quote = next(one for one in QUOTES if one.symbol == bot.symbol)
    instrument = Instrument(
        bot.symbol, "BASE", "USDT", quote.tick, quote.lot, max_price=Decimal(10**6), max_position=Decimal(1000),
        min_notional=Decimal(5),
    )  # fmt: skip
    kind = STRATEGIES.get(bot.kind)
    plan = kind.prepare(kind.params(**bot.parameters), instrument, instrument.to_ticks(quote.price))
    assert plan.slots > 5
    assert dict(Limits(capital={"USDT": CAPITAL}).allotment(instrument)) == {"USDT": 10_000 * 10**8}
