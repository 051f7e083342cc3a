"""What a venue is started with, and the reading of each value from text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Literal

from simulator.units import NotADecimal, TooPrecise, parse_quanta

Gaps = Literal["refuse", "outage"]


class BadOption(ValueError):
    """A value of the command line that cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account to open at start: one HMAC key, and amounts held on spot and on USD-M alike."""

    key: str
    secret: str = field(repr=False)
    amounts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Speed:
    """How market time runs: `factor` times real time, 0 only when told to advance, None as fast as possible."""

    factor: Fraction | None = Fraction(1)

    @property
    def is_stepped(self) -> bool:
        """Whether market time moves only by the admin verb `advance`."""
        return self.factor == 0


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Everything a venue needs to start; the defaults make a demo."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free port."""
    admin_port: int = 0
    market: str = "generated:1"
    speed: Speed = Speed()
    start_ms: int | None = None
    symbols: tuple[str, ...] = ()
    tape: Path | None = None
    accounts: tuple[AccountSpec, ...] = ()
    gaps: Gaps = "refuse"
    prints_per_minute: int = 20
    lift_limits: bool = False
    funding: Path | None = None
    """CSV of funding rates (symbol,time,value); without it 0.01 % every 8 hours."""


def parse_account(text: str) -> AccountSpec:
    """`KEY:SECRET:ASSET=AMOUNT[,ASSET=AMOUNT...]`. An error never repeats the secret."""
    parts = text.split(":")
    if len(parts) != 3 or not parts[0] or not parts[1]:
        raise BadOption("--account wants KEY:SECRET:ASSET=AMOUNT[,ASSET=AMOUNT...], with three parts parted by colons")
    amounts = tuple(_parse_amount(item) for item in parts[2].split(",") if item)
    return AccountSpec(parts[0], parts[1], amounts)


def _parse_amount(item: str) -> tuple[str, int]:
    asset, equals, amount = item.partition("=")
    if not equals or not re.fullmatch(r"[A-Z0-9]{1,20}", asset):
        raise BadOption(f"--account: '{item}' is not ASSET=AMOUNT with an upper-case asset such as USDT=1000")
    try:
        return asset, parse_quanta(amount)
    except (NotADecimal, TooPrecise):
        raise BadOption(
            f"--account: the amount '{amount}' of {asset} is not a plain decimal with at most eight decimals"
        ) from None


def parse_speed(text: str) -> Speed:
    """`max`, or a factor from 0 (stepped) to 1,000,000."""
    if text == "max":
        return Speed(None)
    try:
        factor = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise BadOption(f"--speed: '{text}' is neither a number nor max") from None
    if not 0 <= factor <= 1_000_000:
        raise BadOption(f"--speed: {text} is outside 0 (stepped by the admin API) to 1000000; use max for no bound")
    return Speed(factor)


def parse_time(text: str) -> int:
    """Milliseconds since the epoch, from digits or an ISO 8601 time; a time without zone is UTC."""
    if re.fullmatch(r"\d{13}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadOption(
            f"--start: '{text}' is neither milliseconds since the epoch nor a time such as 2025-05-04T16:00:00Z"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def parse_market(text: str) -> str:
    """`replay:PATH[,PATH...]` with files that exist, or `generated:SEED`."""
    kind, _, rest = text.partition(":")
    if kind == "generated":
        if not re.fullmatch(r"\d{1,18}", rest):
            raise BadOption(f"--market: the seed '{rest}' of generated:SEED is not a whole number")
        return text
    if kind != "replay" or not rest:
        raise BadOption(f"--market: '{text}' is neither replay:PATH[,PATH...] nor generated:SEED")
    for item in rest.split(","):
        path = Path(item.partition("@")[0])
        if not path.is_file():
            raise BadOption(f"--market: there is no file {path}; give a path to a .csv, .csv.gz or raw-frame .gz file")
    return text
