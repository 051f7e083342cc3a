from __future__ import annotations

import numpy as np
import pytest

from simulator.market import BadMarket, MarketSource, SymbolMarket, open_market
from simulator.market.generator import BLOCK_MINUTES, World, character_of
from simulator.market.intervals import DAY, MINUTE
from simulator.market.minutes import MinuteTable
from simulator.units import ONE
from tests.simulator.market.worlds import play


def market(source: MarketSource, symbol: str = "BTCUSDT") -> SymbolMarket:
    return next(made for instrument, made in source.listings("spot") if instrument.symbol == symbol)


def month(seed: int, symbol: str = "BTCUSDT", days: int = 60) -> MinuteTable:
    made = market(open_market(f"generated:{seed}", symbols=("BTCUSDT", symbol)), symbol)
    return made._course.table(made._plan.first_minute, made._plan.first_minute + days * 1440)


def test_the_same_seed_gives_the_same_market_and_another_seed_another() -> None:
    one, same, other = (market(open_market(f"generated:{seed}")) for seed in (7, 7, 8))
    until = one._now + 3 * MINUTE
    trades = play(one, until)
    assert trades
    assert trades == play(same, until)
    assert trades != play(other, until)


def test_a_symbol_is_the_same_whichever_others_are_generated() -> None:
    alone, among = (open_market("generated:7", symbols=names) for names in (("ETHUSDT",), ("BTCUSDT", "ETHUSDT")))
    until = alone.start_ms + 3 * MINUTE
    assert play(market(alone, "ETHUSDT"), until) == play(market(among, "ETHUSDT"), until)


def test_a_month_of_history_lies_before_the_start() -> None:
    source = open_market("generated:1", start_ms=1_748_000_040_000)
    made = market(source)
    assert source.start_ms == 1_748_000_040_000
    history = made.bars("1d", None, None, 1000)
    assert history[0].open_ms <= source.start_ms - 30 * DAY
    assert len(made.bars("1m", None, source.start_ms - 1, 1000)) == 1000


def test_it_never_ends() -> None:
    source = open_market("generated:1", symbols=("BTCUSDT",))
    made = market(source)
    made.skip_to(source.start_ms + 400 * DAY)
    assert not made.has_ended
    assert (made.next_print_ms() or 0) > source.start_ms + 400 * DAY
    assert 5_000 * ONE < made.last_price < 1_000_000 * ONE


def test_volatility_clusters_tails_are_fat_and_returns_have_no_memory() -> None:
    returns = np.diff(np.log(month(3).close))
    size = np.abs(returns)
    assert np.corrcoef(size[1:], size[:-1])[0, 1] > 0.15
    assert np.corrcoef(size[60:], size[:-60])[0, 1] > 0.08
    assert (((returns - returns.mean()) ** 4).mean() / returns.var() ** 2) > 4.5
    assert abs(np.corrcoef(returns[1:], returns[:-1])[0, 1]) < 0.05
    assert 0.2 < returns.std() * np.sqrt(525_600) < 1.2


def test_symbols_move_together_and_volume_has_a_days_rhythm() -> None:
    one, other = (np.diff(np.log(month(3, symbol).close)) for symbol in ("BTCUSDT", "ETHUSDT"))
    assert np.corrcoef(one, other)[0, 1] > 0.25
    table = month(3)
    volume = (table.sums[0].astype(float) * 2**32 + table.sums[1]).reshape(-1, 24, 60).mean(axis=(0, 2))
    assert volume[14] > 1.4 * volume[2]


def test_prices_stand_on_both_markets_ticks() -> None:
    source = open_market("generated:5")
    for kind in ("spot", "futures"):
        for instrument, made in source.listings(kind):
            for p in made.due(source.start_ms + 2 * MINUTE):
                assert p.price % instrument.filters.tick == 0
                assert p.quantity % instrument.filters.lot == 0


def test_blocks_join_without_a_step() -> None:
    table = month(4, days=20)
    edges = [BLOCK_MINUTES, 2 * BLOCK_MINUTES]
    assert [int(table.open[edge]) for edge in edges] == [int(table.close[edge - 1]) for edge in edges]


def test_shared_shocks_do_not_depend_on_who_asks_first() -> None:
    one, other = World(3), World(3)
    other.block(2)
    assert np.array_equal(one.block(1)[0], other.block(1)[0])


def test_unknown_assets_get_a_plausible_character_and_unknown_quotes_are_refused() -> None:
    assert character_of("PEPE", "USDT").price > 0
    assert character_of("ETH", "BTC").price == pytest.approx(3_400 / 95_000)
    with pytest.raises(BadMarket, match="ends in no known quote asset"):
        open_market("generated:1", symbols=("NOTHING",))


@pytest.mark.parametrize("spec", ["generated:", "generated:x", "generated:-1", "replay:", "nothing", ""])
def test_an_unknown_market_is_refused(spec: str) -> None:
    with pytest.raises(BadMarket, match="is neither replay"):
        open_market(spec)
