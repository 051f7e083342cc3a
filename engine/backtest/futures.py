"""What a backtest assumes of a futures venue: leverage, tiers of maintenance margin, the liquidation fee, funding."""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import Refused
from domain.instrument import Instrument
from domain.money import divmod_exact
from domain.sentences import say
from engine.backtest.kernel import layout as lay
from engine.backtest.percent import to_ppm, to_rate

HOUR_MS: Final = 3_600_000
MOST_LEVERAGE: Final = 125


class Tier(NamedTuple):
    """Positions worth up to so much in the quote asset keep this maintenance margin; the last tier has no end."""

    up_to: Decimal
    maintenance_percent: Decimal
    #: The highest leverage with which as much may be opened.
    leverage: int = MOST_LEVERAGE


class FundingRate(NamedTuple):
    """One funding: when, which share of its worth a position pays, and the mark price; no mark is the last price."""

    time_ms: int
    rate: Decimal
    mark: Decimal | None = None


@dataclass(frozen=True)
class Futures:
    """A futures account in a backtest: isolated margin on one symbol, fees in the quote asset.

    Fundings come from `funding_rates`; without them `funding_percent` is paid every `funding_hours`, counted from
    midnight. Without `tiers` every position keeps `maintenance_percent`.
    """

    leverage: int = 1
    maintenance_percent: Decimal = Decimal("0.4")
    tiers: tuple[Tier, ...] = ()
    #: Of what a liquidation closes, as far as the margin left can pay it.
    liquidation_fee_percent: Decimal = Decimal("1.25")
    funding_percent: Decimal = Decimal("0.01")
    funding_hours: int = 8
    funding_rates: tuple[FundingRate, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.leverage <= MOST_LEVERAGE:
            raise Refused(
                say(
                    "leverage_out_of_range",
                    "{leverage} is not from 1 to {most}.",
                    leverage=self.leverage,
                    most=MOST_LEVERAGE,
                    field="leverage",
                )
            )
        if not 1 <= self.funding_hours <= 24 or 24 % self.funding_hours:
            raise Refused(
                say(
                    "funding_hours_divide_a_day",
                    "{funding_hours} does not divide a day; take 1, 2, 4, 8 or so.",
                    funding_hours=self.funding_hours,
                    field="funding_hours",
                )
            )
        if abs(self.funding_percent) > 100:
            raise Refused(
                say(
                    "funding_above_position",
                    "{funding_percent} % is more than the position.",
                    funding_percent=self.funding_percent,
                    field="funding_percent",
                )
            )
        to_rate("funding_percent", self.funding_percent)
        if not 0 <= to_ppm("liquidation_fee_percent", self.liquidation_fee_percent) < 1_000_000:
            raise Refused(
                say(
                    "liquidation_fee_out_of_range",
                    "{liquidation_fee_percent} % is not from 0 to below 100.",
                    liquidation_fee_percent=self.liquidation_fee_percent,
                    field="liquidation_fee_percent",
                )
            )
        self._check_tiers()
        times = [one.time_ms for one in self.funding_rates]
        if any(after <= before for before, after in pairwise(times)):
            raise Refused(
                say(
                    "rates_not_in_order",
                    "each must be later than the one before; sort them and drop what is double.",
                    field="funding_rates",
                )
            )
        if any(abs(one.rate) > 1 for one in self.funding_rates):
            raise Refused(
                say(
                    "rate_out_of_range",
                    "a rate is a share of the position's worth, from -1 to 1.",
                    field="funding_rates",
                )
            )

    def _check_tiers(self) -> None:
        for percent in (self.maintenance_percent, *(tier.maintenance_percent for tier in self.tiers)):
            if not 0 <= to_ppm("maintenance_percent", percent) < 1_000_000:
                raise Refused(
                    say(
                        "maintenance_out_of_range",
                        "{percent} % is not from 0 to below 100.",
                        percent=percent,
                        field="maintenance_percent",
                    )
                )
        first = self.tiers[0].maintenance_percent if self.tiers else self.maintenance_percent
        if first * self.leverage >= 100:
            raise Refused(
                say(
                    "opens_below_margin",
                    "{leverage} opens with less margin than the {first} % that must be kept.",
                    leverage=self.leverage,
                    first=first,
                    field="leverage",
                )
            )
        for before, after in pairwise(self.tiers):
            if after.up_to <= before.up_to or after.maintenance_percent < before.maintenance_percent:
                raise Refused(
                    say(
                        "margin_tiers_not_rising",
                        "each must reach further than the one before, and keep no less margin.",
                        field="tiers",
                    )
                )
        if self.tiers and self.leverage > self.tiers[0].leverage:
            raise Refused(
                say(
                    "above_first_tier",
                    "{leverage} is more than the {most} of the first tier.",
                    leverage=self.leverage,
                    most=self.tiers[0].leverage,
                    field="leverage",
                )
            )

    def __str__(self) -> str:
        told = f"leverage {self.leverage}, maintenance {self.maintenance_percent} %"
        if self.tiers:
            told = f"leverage {self.leverage}, {len(self.tiers)} tiers {_digest(self.tiers)}"
        funding = f"{self.funding_percent} % every {self.funding_hours} h"
        if self.funding_rates:
            funding = f"{len(self.funding_rates)} rates {_digest(self.funding_rates)}"
        return f"{told}, liquidation fee {self.liquidation_fee_percent} %, funding {funding}"

    def tier_cells(self, instrument: Instrument) -> list[int]:
        """Tiers as the kernel reads them: where each ends, its rate, and what it takes off for those below it."""
        cells: list[int] = []
        floor = before = off = 0
        for up_to, percent, _ in self.tiers or (Tier(Decimal(0), self.maintenance_percent),):
            rate = to_ppm("tiers", percent)
            off += floor * (rate - before) // 1_000_000
            floor, before = divmod_exact(up_to, instrument.quote_quantum)[0], rate
            cells += [floor, rate, off]
        return cells

    def largest_notional(self, instrument: Instrument) -> int:
        """Quote quanta that may be opened with this leverage."""
        if not self.tiers:
            return lay.FAR
        most = max(tier.up_to for tier in self.tiers if tier.leverage >= self.leverage)
        return divmod_exact(most, instrument.quote_quantum)[0]

    def funding_cells(self, instrument: Instrument, begin_ms: int, end_ms: int) -> list[int]:
        """Fundings from after `begin_ms` to `end_ms` as the kernel reads them: when, the rate, and a lot's worth."""
        if not self.funding_rates:
            step, rate = self.funding_hours * HOUR_MS, to_rate("funding_percent", self.funding_percent)
            times = range((begin_ms // step + 1) * step, end_ms + 1, step) if rate else ()
            return [cell for time_ms in times for cell in (time_ms, rate, 0)]
        cells: list[int] = []
        for time_ms, share, mark in self.funding_rates:
            if begin_ms < time_ms <= end_ms:
                worth = 0 if mark is None else _nearest(mark * instrument.lot_size / instrument.quote_quantum)
                cells += [time_ms, _nearest(share * lay.RATE_PARTS), worth]
        return cells


def read_funding(path: Path, symbol: str, marks: Path | None = None) -> tuple[FundingRate, ...]:
    """Rates of a symbol, oldest first, from a CSV with the columns symbol, time, value (also .gz).

    `marks` is another such file, of mark prices. Times jitter by some milliseconds on the wire and are taken to the
    nearest minute.
    """
    found = dict(_values(path, symbol))
    prices = dict(_values(marks, symbol)) if marks is not None else {}
    if not found:
        raise Refused(
            say(
                "no_rate_of_symbol",
                "{path}: it holds no rate of {symbol}; the first column names the symbol.",
                path=path,
                symbol=symbol,
            )
        )
    return tuple(FundingRate(time_ms, rate, prices.get(time_ms)) for time_ms, rate in sorted(found.items()))


def _values(path: Path, symbol: str) -> list[tuple[int, Decimal]]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Refused(say("unreadable_file", "{path}: it cannot be read: {error}.", path=path, error=error)) from error
    found = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            if row["symbol"] == symbol:
                found.append(((int(row["time"]) + 30_000) // 60_000 * 60_000, Decimal(row["value"])))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise Refused(
                say(
                    "bad_funding_line",
                    "{path}: line {number} is not symbol,time,value as in BTCUSDT,1741276800000,0.0001.",
                    path=path,
                    number=number,
                )
            ) from error
    return found


def _nearest(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_EVEN))


def _digest(rows: Sequence[object]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:12]
