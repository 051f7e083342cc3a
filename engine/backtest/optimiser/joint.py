"""What a parameter set of several instances earns on the account that they share.

Instances leave each other's money alone, as they do live, so an account's result is the sum of its instances', each
replayed with its own part of the set. A part that was replayed before, in another set, is not replayed again: of ten
values for one and ten for another instance a hundred sets come from twenty replays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy
from numpy.typing import NDArray

from domain.errors import Refused
from domain.money import add, divmod_exact, from_units, to_units, to_wire
from engine.backtest.history import History
from engine.backtest.optimiser.instance import Instance
from engine.backtest.optimiser.scores import (
    Grid,
    deepest_fall,
    grid_of,
    moments_of,
    period_equity,
    ratios,
    replayed,
    returns_of,
    said_of,
)
from engine.backtest.optimiser.trial import DONE, REFUSED, Trial
from engine.backtest.result import Figures, Result

#: Bytes of replays that are kept for other sets.
MOST_KEPT: Final = 128 * 2**20

Floats = NDArray[numpy.float64]
#: A part of the history, and an instance.
Place = tuple[int, int]


class Share(NamedTuple):
    """What one instance adds to an account. Amounts are whole units of the account's finest quote quantum."""

    quote: Decimal
    figures: Figures
    #: How many units a quantum of the instance's quote asset is.
    scale: int
    start: int
    first_ms: int
    last_ms: int
    #: The last price as a multiple of the first: what buying and holding would have made of the start.
    grown: float
    #: Worth at the start and at the end of each period, in units.
    periods: Floats
    #: Worth at each close of any instance, in the quote asset.
    curve: Floats
    #: Its own figures, named as those of the account with its name in front.
    told: Mapping[str, Any]
    said: str

    def of(self, name: str) -> int:
        """One of its figures, in units."""
        return int(getattr(self.figures, name)) * self.scale


class Replays:
    """Shares that were worked out, by part of the history, instance and parameters, as many as there is room for."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: dict[Place, dict[str, Share | Refused]] = {}
        #: Of each instance the last one, for which there is always room: neighbouring sets have it in common.
        self._last: dict[Place, tuple[str, Share | Refused]] = {}
        self._size = 0
        #: How many were worked out.
        self.made = 0

    def find(self, place: Place, key: str) -> Share | Refused | None:
        """What was kept."""
        last = self._last.get(place)
        return last[1] if last is not None and last[0] == key else self._kept.get(place, {}).get(key)

    def keep(self, place: Place, key: str, share: Share | Refused) -> None:
        """What comes first is kept: sets go through the values of an instance again and again, and throwing out
        what was not used for longest would throw out what is needed next. Another part of the history makes room.
        """
        self.made += 1
        self._last[place] = key, share
        if self._size + _size_of(share) > self._most:
            for other in [other for other in self._kept if other[0] != place[0]]:
                self._size -= sum(map(_size_of, self._kept.pop(other).values()))
                self._last.pop(other, None)
        if self._size + _size_of(share) <= self._most:
            self._size += _size_of(share)
            self._kept.setdefault(place, {})[key] = share


def _size_of(share: Share | Refused) -> int:
    return share.periods.nbytes + share.curve.nbytes if isinstance(share, Share) else 1_000


@dataclass(frozen=True)
class Joint:
    """An account on a part of its instances' histories."""

    instances: Sequence[Instance]
    capital: Decimal
    grid: Grid
    #: Every close of a bar of any instance, in milliseconds.
    closes: NDArray[numpy.int64]
    unit: Decimal
    replays: Replays
    #: Which part of the history it is, of those whose replays are kept.
    stage: int

    def trial(self, number: int, params: dict[str, str]) -> Trial:
        """Try one set; what an instance refuses is a refused trial that names it."""
        settings = [one.settings_in(params) for one in self.instances]
        if (owned := add(*(one.quote for one in settings))) > self.capital:
            told = f"the instances own {to_wire(owned)} together, and {to_wire(self.capital)} is all there is"
            return Trial(number, params, REFUSED, words=told)
        shares = list[Share]()
        for place, one in enumerate(self.instances):
            share = self._share(place, params)
            if isinstance(share, Refused):
                return Trial(number, params, REFUSED, words=f"{one.name}: {share}")
            shares.append(share)
        values, returns = self._account(shares)
        said = "; ".join(f"{one.name}: {share.said}" for one, share in zip(self.instances, shares, strict=True)
                         if share.said)  # fmt: skip
        return Trial(number, params, DONE, values, moments_of(returns, self.grid), said)

    def _share(self, place: int, params: Mapping[str, str]) -> Share | Refused:
        one = self.instances[place]
        own, settings = one.own(params), one.settings_in(params)
        key = repr((own, settings.quote))
        found = self.replays.find((self.stage, place), key)
        if found is None:
            try:
                found = self._replayed(one, replayed(one.kind, own, one.history, settings))
            except Refused as error:
                found = error
            self.replays.keep((self.stage, place), key, found)
        return found

    def _replayed(self, one: Instance, result: Result) -> Share:
        history, first = result.history, result.first_place
        scale = to_units(history.instrument.quote_quantum, self.unit)
        ends = history.open_ms + history.bar_ms
        last = numpy.searchsorted(ends, self.grid.until_ms, "right") - 1
        worth = numpy.append(float(result.amount(result.start_equity)), result.curve)
        start, end = float(result.amount(result.start_equity)), float(result.equity)
        figures = result.figures
        told = {
            "net": to_wire(result.net), "fees": to_wire(result.amount(figures.fees)),
            "return_percent": 100 * (end / start - 1) if start else None,
            "max_drawdown_percent": 100 * deepest_fall(result.curve[first - 1 :]),
            "fills": figures.fills, "sales": figures.wins + figures.losses,
        }  # fmt: skip
        return Share(
            quote=result.settings.quote,
            figures=figures,
            scale=scale,
            start=result.start_equity * scale,
            first_ms=int(history.open_ms[first - 1]),
            last_ms=int(history.open_ms[-1]),
            grown=float(history.close[-1]) / float(history.close[first - 1]),
            periods=period_equity(result, self.grid.until_ms, last) * scale,
            curve=worth[numpy.searchsorted(ends, self.closes, "right")],
            told={f"{one.name}.{name}": value for name, value in told.items()},
            said=said_of(result),
        )

    def _account(self, shares: Sequence[Share]) -> tuple[dict[str, Any], Floats]:
        """The account's figures, then each instance's; and its returns."""
        rest = self.capital - add(*(share.quote for share in shares))
        spare = divmod_exact(rest, self.unit)[0]
        periods, curve = numpy.full(len(self.grid.last) + 1, float(spare)), numpy.full(len(self.closes), float(rest))
        for share in shares:
            periods += share.periods
            curve += share.curve
        returns, highs = returns_of(periods), numpy.maximum.accumulate(curve)
        falls = numpy.where(highs > 0, (highs - curve) / numpy.where(highs > 0, highs, 1), 0)
        start = spare + sum(share.start for share in shares)
        end = spare + sum(share.of("equity") for share in shares)
        span_ms = max(share.last_ms for share in shares) - min(share.first_ms for share in shares)
        earned = 100 * (end / start - 1) if start else None
        held = spare + sum(share.start * share.grown for share in shares)
        values = {
            **self._amounts(shares, start),
            "equity": to_wire(add(rest, from_units(end - spare, self.unit))),
            "return_percent": earned,
            "excess_percent": None if earned is None else earned - 100 * (held / start - 1),
            **ratios(float(start), float(end), span_ms, returns, float(falls.max(initial=0.0)), self.grid),
            **self._counts(shares, start),
        }
        for share in shares:
            values |= share.told
        return values, returns

    def _amounts(self, shares: Sequence[Share], start: int) -> dict[str, str]:
        total = {name: sum(share.of(name) for share in shares) for name in ("equity", "fees", "realised", "unrealised")}
        net = total["equity"] - sum(share.start for share in shares)
        units = {
            "net": net, "gross": net + total["fees"], "fees": total["fees"], "realised": total["realised"],
            "unrealised": total["unrealised"],
        }  # fmt: skip
        if self.instances[0].settings.futures is not None:
            units |= {name: sum(share.of(name) for share in shares) for name in ("funding", "liquidation_fee")}
        return {name: to_wire(from_units(count, self.unit)) for name, count in units.items()}

    def _counts(self, shares: Sequence[Share], start: int) -> dict[str, Any]:
        """As of one instance; exposure is that of the capital: an instance's time in the market by its share."""
        count = {name: sum(int(getattr(share.figures, name)) for share in shares)
                 for name in ("fills", "wins", "losses", "refusals", "holds")}  # fmt: skip
        turnover, gained, lost = (sum(share.of(name) for share in shares) for name in ("turnover", "gained", "lost"))
        sales = count["wins"] + count["losses"]
        return {
            "exposure_percent": sum(_exposures(shares, start)) if start else None,
            "turnover": to_wire(from_units(turnover, self.unit)),
            "fills": count["fills"],
            "sales": sales,
            "win_rate_percent": 100 * count["wins"] / sales if sales else None,
            "profit_factor": gained / lost if lost else None,
            "expectancy": to_wire(from_units((gained - lost) // sales, self.unit)) if sales else None,
            "refused_orders": count["refusals"],
            "held_back": count["holds"],
        }


def _exposures(shares: Sequence[Share], start: int) -> Iterator[float]:
    for share in shares:
        span_ms = share.last_ms - share.first_ms
        yield 100 * share.figures.held_ms / span_ms * (share.start / start) if span_ms else 0.0


def joint_of(
    instances: Sequence[Instance], capital: Decimal, histories: Sequence[History], replays: Replays, stage: int = 0
) -> Joint:
    """An account whose instances are replayed on these histories, parts of their own."""
    placed = [one._replace(history=history) for one, history in zip(instances, histories, strict=True)]
    closes = numpy.unique(numpy.concatenate([history.open_ms + history.bar_ms for history in histories]))
    unit = min(history.instrument.quote_quantum for history in histories)
    return Joint(placed, capital, grid_of(*histories), closes, unit, replays, stage)
