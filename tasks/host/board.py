"""What everybody may look at in Redis: the rules of every symbol that is traded here, and its newest closed bars."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

import structlog
from redis.exceptions import RedisError

from core import redis_names
from core.background import give_way
from core.base_exchange import Bar
from domain.errors import AresError
from domain.instrument import Instrument
from domain.money import to_wire
from engine.market_data.venue import VenueMarket
from tasks.host.catalogues import Catalogues
from tasks.host.runner import Runner
from tasks.wiring import Parts

log = structlog.get_logger(__name__)

#: Bars of a symbol that are kept.
KEPT: Final = 500
#: Longer than the longest interval of a board; a symbol that nobody follows any more leaves it then.
SECONDS: Final = 8 * 86_400
#: What symbols there are is looked at so often.
LOOK_EVERY_NS: Final = 3_000_000_000
_RULES: Final = (
    "tick_size", "lot_size", "max_price", "max_position", "base_quantum", "quote_quantum", "min_quantity",
    "max_quantity", "min_notional",
)  # fmt: skip

Key = tuple[str, str, str]
Start = Callable[[Coroutine[Any, Any, None]], None]


class Board:
    """Follows the bars of what is traded, and writes them when one closes."""

    def __init__(self, parts: Parts, start: Start) -> None:
        self._parts = parts
        self._start = start
        self._bars: dict[Key, deque[Bar]] = {}
        self._changed: set[Key] = set()
        self._rules: dict[tuple[str, str], Instrument] = {}
        self._untold: set[tuple[str, str]] = set()
        self._looked_ns = 0
        self._catalogues = Catalogues(parts)

    async def tell(self, runners: Iterable[Runner]) -> None:
        """Take in what is new of these, write what has changed; what cannot be written now is written next time."""
        self._follow(runners)
        now_ns = self._parts.clock.machine.steady_ns()
        if now_ns - self._looked_ns > LOOK_EVERY_NS:
            self._looked_ns = now_ns
            await self._catalogues.tell()
        if not self._changed and not self._untold:
            return
        rules, bars = self._untold, self._changed
        self._untold, self._changed = set(), set()
        try:
            async with self._parts.redis.pipeline(transaction=False) as pipe:
                for venue, symbol in rules:
                    text = json.dumps(_rules(self._rules[venue, symbol]))
                    pipe.hset(redis_names.symbols(venue), symbol, text)
                for venue, symbol, interval in bars:
                    await give_way()  # the rows of a symbol take milliseconds
                    rows = [_row(bar, self._rules[venue, symbol]) for bar in self._bars[venue, symbol, interval]]
                    pipe.set(redis_names.bars(venue, symbol, interval), json.dumps(rows), ex=SECONDS)
                await pipe.execute()
        except (RedisError, OSError) as error:
            self._untold |= rules
            self._changed |= bars
            log.warning("board_not_written", reason=str(error))

    def _follow(self, runners: Iterable[Runner]) -> None:
        venues = {id(venue.manager): (name, venue) for name, venue in self._parts.venues.items()}
        for runner in runners:
            found = venues.get(id(runner.manager))
            if found is None or runner.spec is None or runner.engine is None:
                continue
            name, venue = found
            key = name, runner.spec.symbol, runner.spec.interval
            market = self._parts.market.venues.get(venue.exchange.name)
            if key in self._bars or market is None:
                continue
            self._rules[key[:2]] = runner.engine.instance.instrument
            self._untold.add(key[:2])
            self._bars[key] = deque(maxlen=KEPT)
            self._start(self._join(key, market))

    async def _join(self, key: Key, market: VenueMarket) -> None:
        kept = self._bars[key]

        def take(bar: Bar) -> None:
            kept.append(bar)
            self._changed.add(key)

        try:
            past = await market.join_bars(key[1], key[2], take, KEPT)
        except (AresError, OSError) as error:
            # The next look begins anew: without bars there is a chart less, and nothing else.
            del self._bars[key]
            log.warning("bars_not_followed", symbol=key[1], interval=key[2], reason=str(error))
            return
        kept.extend(past)
        if past:
            self._changed.add(key)


def _rules(instrument: Instrument) -> dict[str, str]:
    amounts = {name: to_wire(getattr(instrument, name)) for name in _RULES}
    return {"base": instrument.base, "quote": instrument.quote, **amounts}


def _row(bar: Bar, instrument: Instrument) -> list[Any]:
    prices = [to_wire(instrument.from_ticks(ticks)) for ticks in (bar.open, bar.high, bar.low, bar.close)]
    return [bar.open_ms, *prices, to_wire(instrument.from_lots(bar.volume))]
