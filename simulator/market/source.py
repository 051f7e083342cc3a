"""A venue's whole market, opened from one word: which symbols there are, where time begins, and each one's market."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from simulator.catalogue import UnknownAsset, instrument_for
from simulator.instruments import Instrument, Market
from simulator.market.expansion import FEWEST_PRINTS, MOST_PRINTS, Grid
from simulator.market.feeds import HISTORY_MS, Feed, FrameFeed, GeneratedFeed, KlineFeed, TradeFeed, grid_for
from simulator.market.files import Gap, read_bytes
from simulator.market.frames import load_frames
from simulator.market.generator import World
from simulator.market.hashing import key_of
from simulator.market.ladder import Ladder
from simulator.market.loaders import kind_of, load_klines, load_trades, refuse_gaps, symbol_of
from simulator.market.symbol_market import SymbolMarket

Gaps = Literal["refuse", "outage"]
GENERATED_SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT")
"""What a generated market holds when no symbols are named."""
GENERATED_START_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z."""


class BadMarket(ValueError):
    """A market that cannot be opened as asked; the text says why and what to do."""


class MarketSource:
    """The series of a venue by symbol. Spot and futures both trade every symbol, with ids and klines of their own."""

    def __init__(
        self, feeds: dict[str, Feed], paths: dict[str, str], seed: int, start_ms: int | None, prints_per_minute: int
    ) -> None:
        self._feeds = feeds
        self._paths = paths
        self._seed = seed
        self._prints = prints_per_minute
        self.start_ms = min(feed.start_ms for feed in feeds.values()) if start_ms is None else start_ms
        self._check_start()

    def _check_start(self) -> None:
        ends = [feed.end_ms for feed in self._feeds.values()]
        if all(end is not None and end <= self.start_ms for end in ends):
            raise BadMarket("the start lies after the end of all data; choose an earlier --start")

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol, in the order given."""
        return tuple(self._feeds)

    @property
    def gaps(self) -> dict[str, tuple[Gap, ...]]:
        """The gaps of each symbol's data."""
        return {symbol: feed.gaps for symbol, feed in self._feeds.items()}

    def listings(self, market: Market) -> Iterator[tuple[Instrument, SymbolMarket]]:
        """Each symbol with its trading rules and a fresh market of its own, standing at `start_ms`."""
        for symbol, feed in self._feeds.items():
            yield self._listing(market, symbol, feed)

    def _listing(self, market: Market, symbol: str, feed: Feed) -> tuple[Instrument, SymbolMarket]:
        try:
            instrument = instrument_for(market, symbol, feed.first_price)
        except UnknownAsset as error:
            raise BadMarket(str(error)) from None
        grid = grid_for(self._paths[symbol], Grid(instrument.filters.tick, instrument.filters.lot), feed)
        key = key_of(self._seed, symbol)
        plan = feed.plan(key, grid, self._prints)

        def ladder(synthetic: Ladder) -> Ladder:
            return feed.ladder(grid, synthetic)

        outages = feed.gaps
        if feed.start_ms > self.start_ms and feed.end_ms is not None:
            outages = (Gap(self.start_ms, feed.start_ms), *outages)
        return _on_grid(instrument, grid), SymbolMarket(market, symbol, plan, key, self.start_ms, outages, ladder)


def _on_grid(instrument: Instrument, grid: Grid) -> Instrument:
    """The instrument with the tick and lot that its data needs."""
    filters = instrument.filters
    if (filters.tick, filters.lot) == (grid.tick, grid.lot):
        return instrument
    changed = instrument.with_filters(
        tick=grid.tick,
        lot=grid.lot,
        minimum_price=min(filters.minimum_price, grid.tick) if instrument.market == "spot" else filters.minimum_price,
        minimum_quantity=grid.lot,
    )
    return replace(
        changed,
        price_decimals=max(instrument.price_decimals, _decimals(grid.tick)),
        quantity_decimals=max(instrument.quantity_decimals, _decimals(grid.lot)),
    )


def _decimals(step: int) -> int:
    """How many decimals an amount on this step can have."""
    return max(8 - (len(str(step)) - len(str(step).rstrip("0"))), 0)


def open_market(
    spec: str,
    symbols: Sequence[str] = (),
    seed: int = 0,
    start_ms: int | None = None,
    prints_per_minute: int = 20,
    gaps: Gaps = "refuse",
) -> MarketSource:
    """Open `replay:PATH[@SYMBOL][,PATH...]` or `generated:SEED`.

    `symbols` chooses among the replayed ones, or names those to generate; `seed` decides what the data leaves open.
    Raises `MarketFileError` for data that cannot be used and `BadMarket` for everything else.
    """
    if not FEWEST_PRINTS <= prints_per_minute <= MOST_PRINTS:
        raise BadMarket(f"{prints_per_minute} prints a minute is outside {FEWEST_PRINTS} to {MOST_PRINTS}")
    kind, _, rest = spec.partition(":")
    if kind == "replay" and rest:
        feeds, paths = _replayed(rest, symbols, gaps)
        return MarketSource(feeds, paths, seed, start_ms, prints_per_minute)
    if kind == "generated" and rest.isdecimal():
        return _generated(int(rest), symbols, start_ms, prints_per_minute)
    raise BadMarket(f"'{spec}' is neither replay:PATH[@SYMBOL][,PATH...] nor generated:SEED")


def _generated(seed: int, symbols: Sequence[str], start_ms: int | None, prints_per_minute: int) -> MarketSource:
    world = World(seed)
    start = GENERATED_START_MS if start_ms is None else start_ms
    if start < HISTORY_MS:
        raise BadMarket("a generated market cannot start before 1970-01-31; choose a later --start")
    feeds: dict[str, Feed] = {}
    for symbol in symbols or GENERATED_SYMBOLS:
        try:
            feeds[symbol] = GeneratedFeed(world, symbol, start)
        except UnknownAsset as error:
            raise BadMarket(str(error)) from None
    return MarketSource(feeds, dict.fromkeys(feeds, f"generated:{seed}"), seed, start, prints_per_minute)


def _replayed(rest: str, symbols: Sequence[str], gaps: Gaps) -> tuple[dict[str, Feed], dict[str, str]]:
    paths: dict[str, str] = {}
    for item in rest.split(","):
        name, _, symbol = item.partition("@")
        symbol = symbol.upper() or symbol_of(Path(name))
        if symbol in paths:
            raise BadMarket(f"{symbol} is replayed from two files; name one of them differently with {name}@SYMBOL")
        paths[symbol] = name
    missing = [symbol for symbol in symbols if symbol not in paths]
    if missing:
        raise BadMarket(f"there is no data for {', '.join(missing)}; the files hold {', '.join(paths)}")
    chosen = {symbol: path for symbol, path in paths.items() if not symbols or symbol in symbols}
    return {symbol: open_feed(Path(path), gaps) for symbol, path in chosen.items()}, chosen


def open_feed(path: Path, gaps: Gaps = "refuse") -> Feed:
    """The feed of one file, whatever it holds; raises `MarketFileError`."""
    content = read_bytes(path)
    kind = kind_of(path, content)
    if kind == "trades":
        return TradeFeed(load_trades(path, content))
    if kind == "frames":
        return FrameFeed(load_frames(path, content))
    series = load_klines(path, content)
    if gaps == "refuse":
        refuse_gaps(series)
    return KlineFeed(series)
