"""What is traded in a lockstep run: the recorded market, the account, and the strategies on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import strategies
from core.base_strategy import STRATEGIES
from domain.risk_manager import RiskLimits
from engine.engine_manager import InstanceSpec

QUANTUM = Decimal("0.00000001")
#: Limits that count machine time are wide: in lockstep a second of trading takes a millisecond.
LIMITS = RiskLimits(max_price_age_ms=10**9, max_messages=0, max_rejections=50, collar_ppm=0)


@dataclass(frozen=True, slots=True)
class Bot:
    """One strategy instance."""

    number: int
    kind: str
    symbol: str
    params: Mapping[str, Any]
    #: Asset -> amount it owns from the start.
    capital: Mapping[str, str]
    interval: str = "1m"

    def spec(self) -> InstanceSpec:
        """As the engine manager wants it."""
        STRATEGIES.scan(strategies)
        kind = STRATEGIES.get(self.kind)
        capital = tuple((asset, int(Decimal(amount) / QUANTUM)) for asset, amount in self.capital.items())
        params = kind.params(**self.params)
        return InstanceSpec(self.number, 0, self.symbol, self.interval, kind, params, LIMITS, capital)


@dataclass(frozen=True, slots=True)
class Scene:
    """A run: which series are replayed from when, for how long, in which steps."""

    venue: str
    series: tuple[Path, ...]
    start: str
    minutes: int
    bots: tuple[Bot, ...]
    funds: str = "USDT=1000000,BTC=10,ETH=100,SOL=1000,BNB=100,XRP=100000,ADA=100000"
    #: The longest step; one ends sooner when anything happens to an order of the account.
    step_ms: int = 60_000
    prints_per_minute: int = 4
    #: Whether prints that reach no order and no price that an engine waits for may go untold.
    passes_over: bool = False
    options: tuple[str, ...] = field(default=())

    def simulator_options(self, key: str, secret: str) -> list[str]:
        """The command line of the venue."""
        market = "replay:" + ",".join(f"{path}@{path.name.partition('-')[0]}" for path in self.series)
        return [
            "--market", market, "--start", self.start, "--speed", "0", "--lift-limits",
            "--prints-per-minute", str(self.prints_per_minute), "--account", f"{key}:{secret}:{self.funds}",
            *self.options,
        ]  # fmt: skip


def series(folder: Path, *names: str) -> tuple[Path, ...]:
    """Recorded bars by symbol and interval, for instance `BTCUSDT-1m-2025`."""
    return tuple(folder / "klines" / "um" / f"{name}.csv.gz" for name in names)
