"""The price of one symbol: which updates are believed, and how old the last one is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from core.base_exchange import PriceUpdate
from engine.market_data.levels import LevelIndex
from engine.market_data.settings import MarketSettings

ACCEPTED: Final = "accepted"
#: The same update again: nothing new, so the price is as old as before.
REPEATED: Final = "repeated"
#: Older than what is known.
LATE: Final = "late"
#: The bid is above the ask.
CROSSED: Final = "crossed"
#: Not a price that the instrument can have.
IMPOSSIBLE: Final = "impossible"
#: Too far from the price before, and told only once.
JUMPED: Final = "jumped"

#: Verdicts on updates that no strategy may see because they make no sense.
NONSENSE: Final = (CROSSED, IMPOSSIBLE, JUMPED)

#: `listener(update, seen_ms)`: every believed price, and the machine time in ms at which it was true.
Listener = Callable[[PriceUpdate, int], None]


class SymbolPrices:
    """One symbol, shared by everyone who watches it."""

    __slots__ = (
        "_bounds", "_settings", "_suspect", "asked_ns", "index", "is_asked", "is_needed", "is_on_rest", "last",
        "listeners", "max_ticks", "seen_ns", "symbol", "users",
    )  # fmt: skip

    def __init__(self, symbol: str, max_ticks: int, settings: MarketSettings, now_ns: int) -> None:
        self.symbol = symbol
        self.max_ticks = max_ticks
        self.index = LevelIndex()
        self.listeners: dict[Listener, int] = {}
        self.last: PriceUpdate | None = None
        #: Steady time at which the last price was known to be true; of the beginning while there is none.
        self.seen_ns = now_ns
        self.users = 0
        #: Whether it is being asked for by REST now, and whether it lives on REST.
        self.is_asked = False
        self.is_on_rest = False
        #: Steady time of the last question by REST.
        self.asked_ns = 0
        #: Whether somebody waits for a fresh price.
        self.is_needed = False
        self._settings = settings
        self._bounds: Counter[int] = Counter()
        self._suspect: PriceUpdate | None = None

    def join(self, max_age_ms: int) -> None:
        """Someone more wants prices no older than this; 0 leaves it to the settings."""
        self.users += 1
        self._bounds[max_age_ms or self._settings.max_age_ms] += 1

    def leave(self, max_age_ms: int) -> None:
        """Whoever joined with this bound wants no more prices."""
        self.users -= 1
        bound = max_age_ms or self._settings.max_age_ms
        self._bounds[bound] -= 1
        if not self._bounds[bound]:
            del self._bounds[bound]

    @property
    def max_age_ms(self) -> int:
        """The strictest bound of everyone here."""
        return min(self._bounds, default=self._settings.max_age_ms)

    def age_ms(self, now_ns: int) -> int:
        """How long ago the price was last known to be true."""
        return (now_ns - self.seen_ns) // 1_000_000

    def judge(self, update: PriceUpdate) -> str:
        """What to make of an update from the stream."""
        last = self.last
        if update == last:
            return REPEATED
        if not 0 < update.last <= self.max_ticks or update.time_ms <= 0 or update.bid < 0 or update.ask < 0:
            return IMPOSSIBLE
        if update.bid > update.ask > 0:
            return CROSSED
        if last is None:
            return ACCEPTED
        if update.time_ms < last.time_ms:
            return self._judge_old(update, last)
        return self._judge_jump(update, last)

    def judge_answer(self, update: PriceUpdate) -> str:
        """What to make of an answer by REST: a second source, so a jump is believed. `REPEATED`: nothing changed."""
        last = self.last
        if last is not None and update.last == last.last and update.time_ms <= last.time_ms:
            return REPEATED
        verdict = self.judge(update)
        return ACCEPTED if verdict == JUMPED else verdict

    def is_behind(self, update: PriceUpdate, bound_ppm: int) -> bool:
        """Whether an answer by REST is no older than the last price, and further from it than the bound."""
        last = self.last
        if last is None or update.time_ms < last.time_ms:
            return False
        return abs(update.last - last.last) * 1_000_000 > bound_ppm * last.last

    def believed(self, update: PriceUpdate) -> PriceUpdate:
        """An accepted update as it is kept: time never goes back."""
        last = self.last
        return update if last is None or update.time_ms >= last.time_ms else update._replace(time_ms=last.time_ms)

    def _judge_old(self, update: PriceUpdate, last: PriceUpdate) -> str:
        """Spot tells the best of the book without a time, so such an update carries the time of the last trade."""
        if update.last != last.last:
            return LATE
        return REPEATED if update._replace(time_ms=last.time_ms) == last else ACCEPTED

    def _judge_jump(self, update: PriceUpdate, last: PriceUpdate) -> str:
        bound = self._settings.max_jump_ppm
        if abs(update.last - last.last) * 1_000_000 <= bound * last.last:
            self._suspect = None
            return ACCEPTED
        suspect, self._suspect = self._suspect, update
        if suspect is None or suspect == update or abs(update.last - suspect.last) * 1_000_000 > bound * suspect.last:
            return JUMPED
        self._suspect = None
        return ACCEPTED
