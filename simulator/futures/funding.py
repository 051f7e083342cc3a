"""Funding: every eight hours longs pay shorts (or the reverse) a share of the position's worth at the mark price."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from simulator.futures.positions import PositionBook
from simulator.futures.reports import FundingInfo, FundingRate
from simulator.futures.settings import Settings
from simulator.futures.state import Core, Listing
from simulator.futures.types import Position
from simulator.futures.wallets import Wallets
from simulator.units import ONE, format_quanta

INTERVAL_MS = 8 * 3_600_000
DEFAULT_RATE = ONE // 10_000
"""0.01 %, the venue's interest rate part."""
CAP = ONE * 2 // 100


class FundingSchedule:
    """Rates by symbol and funding time; `default` where it says nothing."""

    def __init__(self, default: int = DEFAULT_RATE) -> None:
        self.default = default
        self._rates: dict[str, dict[int, int]] = {}

    def add(self, symbol: str, time_ms: int, rate: int) -> None:
        """Set a rate; recorded times carry some jitter and are rounded to the interval."""
        self._rates.setdefault(symbol, {})[(time_ms + INTERVAL_MS // 2) // INTERVAL_MS * INTERVAL_MS] = rate

    def rate(self, symbol: str, time_ms: int) -> int:
        """Rate in quanta of a fraction at a funding time."""
        return self._rates.get(symbol, {}).get(time_ms, self.default)

    def before(self, symbol: str, time_ms: int) -> list[tuple[int, int]]:
        """(time, rate) known up to a time, oldest first."""
        return sorted(item for item in self._rates.get(symbol, {}).items() if item[0] <= time_ms)


def parse_schedule(rows: Iterable[str]) -> FundingSchedule:
    """A schedule from the lines of a CSV `symbol,time,value` (value may be written 6.8e-05).

    Raises ValueError that names the line when one cannot be read.
    """
    schedule = FundingSchedule()
    for number, row in enumerate(csv.DictReader(rows), start=2):
        try:
            rate = Decimal(row["value"]).scaleb(8).to_integral_value(ROUND_HALF_EVEN)
            schedule.add(row["symbol"], int(row["time"]), int(rate))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(
                f"funding rates, line {number}: expected symbol,time,value such as BTCUSDT,1741276800000,0.0001"
            ) from error
    return schedule


def read_schedule(path: Path) -> FundingSchedule:
    """A schedule from a CSV file, packed with gzip when its name ends in .gz."""
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="ascii") as packed:
            return parse_schedule(packed)
    with path.open(encoding="ascii") as plain:
        return parse_schedule(plain)


class Funding:
    """Charges funding at its times and keeps its history."""

    def __init__(
        self, core: Core, wallets: Wallets, positions: PositionBook, settings: Settings, schedule: FundingSchedule
    ) -> None:
        self._core = core
        self._wallets = wallets
        self._positions = positions
        self._settings = settings
        self.schedule = schedule
        self._start = core.now()
        self._due = self.next_ms(core.now())
        self._history: list[FundingRate] = []

    def next_ms(self, now_ms: int) -> int:
        """The first funding time after `now_ms`."""
        return (now_ms // INTERVAL_MS + 1) * INTERVAL_MS

    def rate(self, symbol: str) -> int:
        """The rate that will be charged next."""
        return self.schedule.rate(symbol, self._due)

    def on_time(self, now_ms: int) -> None:
        """Charge every funding time up to now."""
        while self._due <= now_ms:
            for symbol, listing in self._core.listings.items():
                self._charge_symbol(symbol, listing)
            self._due += INTERVAL_MS

    def _charge_symbol(self, symbol: str, listing: Listing) -> None:
        rate = self.schedule.rate(symbol, self._due)
        self._history.append(FundingRate(symbol, self._due, rate, listing.mark))
        for position in self._positions.open_in(symbol):
            self._charge(position, listing, rate)

    def _charge(self, position: Position, listing: Listing, rate: int) -> None:
        account, symbol, asset = position.account_id, position.symbol, listing.instrument.quote
        fee = abs(position.quantity) * listing.mark // ONE * abs(rate) // ONE
        pays = (position.quantity > 0) == (rate > 0)
        amount = -fee if pays else fee
        isolated = self._settings.margin_type(account, symbol) == "ISOLATED"
        number = self._wallets.earn(account, symbol, "FUNDING_FEE", amount, asset, info="FUNDING_FEE")
        self._core.tape.append(
            "funding",
            account=account,
            symbol=symbol,
            position_side=position.position_side,
            quantity=format_quanta(position.quantity),
            mark=format_quanta(listing.mark),
            rate=format_quanta(rate),
            amount=format_quanta(amount),
            asset=asset,
            reference=str(number),
        )
        self._wallets.post(account, asset, amount, "market", "FUNDING_FEE", str(number), position if isolated else None)
        position.break_even_cost -= amount
        shown = [position] if isolated else []
        self._wallets.announce(account, "FUNDING_FEE", [asset], shown, symbol, change=amount)
        self._core.touched_accounts[account] = None

    def history(
        self,
        symbol: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[FundingRate]:
        """Rates charged, oldest first: the oldest from `start_ms`, else the newest; before the start as scheduled."""
        symbols = list(self._core.listings) if symbol is None else [symbol]
        found = [
            FundingRate(name, time_ms, rate, 0)
            for name in symbols
            for time_ms, rate in self.schedule.before(name, self._start)
        ]
        found += [record for record in self._history if symbol is None or record.symbol == symbol]
        found = [
            record
            for record in sorted(found, key=lambda record: record.time_ms)
            if (start_ms is None or record.time_ms >= start_ms) and (end_ms is None or record.time_ms <= end_ms)
        ]
        return found[:limit] if start_ms is not None else found[-limit:]

    def info(self) -> list[FundingInfo]:
        """Cap, floor and interval of every symbol."""
        return [FundingInfo(symbol, CAP, -CAP, INTERVAL_MS // 3_600_000) for symbol in self._core.listings]
