"""Orders in recorded depth, here and in hftbacktest, order by order and moment by moment.

`ARES_DATA_DIR=... python -m benchmarks.compare_depth FOLDER` makes an environment with it in FOLDER, if it is not
there, and ends with 1 if one order differs where none may. The markets are the recorded ones of spot and USD-M; the
orders are single ones, near the price, at it and beyond it, and those of a small grid.

The conventions that both keep: what the book shows at an order's price when it arrives stands in front of it; trades
there use that up and then execute the order up to their own quantity; less shown than traded is cancelled, behind the
order as far as it can be, or in equal parts; a trade beyond the price, or the other side of the book coming to it,
executes all of it (`Queue(whole_beyond=True)`); what crosses takes level by level, and leaves the book as it was.
What happens in one millisecond happens before what is due in it. Two differ, and are told apart:

- *rest*: what the levels up to the limit do not hold of an order that crosses rests here at its limit, as at the venue;
  there it is executed at once, at its limit. Orders whose executions differ in that alone are counted as such.
- *parts*: in equal parts there means fractions of lots, here whole ones, rounded so that more stay in front. Orders
  whose executions are the same but for `MOST_PARTS` lots at each moment are counted as such.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy

import strategies
from benchmarks.outside import HFTBACKTEST, environment
from core.base_strategy import STRATEGIES
from domain.order import BUY, LIMIT, SELL
from engine.backtest import Prints, Result, Settings, run
from engine.backtest.frames import read_depth
from engine.backtest.kernel.layout import FILL_FIELDS, ORDER_FIELDS
from engine.backtest.queueing import Queue
from tests.placing import PLACING, Step, Told

RECORDED: Final = {
    "spot": ("ws-raw/spot_btcusdt_20240808.gz", "BTC", Decimal("0.02")),
    "usdm": ("ws-raw/usdm_ethusdt_20240808.gz", "ETH", Decimal("0.4")),
}
#: Lots that rounding may move from one moment to another; a lot is a thousandth of a small order.
MOST_PARTS: Final = 3
_NS: Final = 1_000_000
#: Orders arrive in the middle of a millisecond: after what happens in it.
_HALF: Final = _NS // 2
_MODELS: Final = {"behind": 0, "shared": 1}
#: Of an order's execution at a moment: lots, and the tick of the last of them.
Executions = dict[tuple[int, int], tuple[int, int]]


class Case(NamedTuple):
    """Orders of (milliseconds, number, side, ticks, lots; 0 lots cancel), and what became of them here."""

    name: str
    prints: Prints
    actions: Any
    late_ms: int
    cancellations: str
    mine: Executions


def settings_of(late_ms: int, cancellations: Any, quote: int = 10**9, base: int = 10**5) -> Settings:
    return Settings(
        quote=Decimal(quote), base=Decimal(base), maker_fee=Decimal(0), taker_fee=Decimal(0), fee_asset="quote",
        fill_model="queue", queue=Queue(whole_beyond=True, cancellations=cancellations), latency_ms=late_ms,
        log_orders=True, runtime="interpreted",
    )  # fmt: skip


def single(prints: Prints, side: int, seed: int, small: int) -> Any:
    """Orders near the price, at it and beyond it, small and large, one after the other; each stays for a while."""
    dice, rows, number = random.Random(seed), [], 0
    at_ms = int(prints.open_ms[0]) + 1_000
    while at_ms < int(prints.open_ms[-1]) - 6_000:
        last = int(prints.close[numpy.searchsorted(prints.open_ms, at_ms, "right") - 1])
        ticks = last - side * dice.choice((-200, -20, -1, 0, 1, 1, 2, 5, 10, 50, 200))
        lots = small * dice.choice((1, 5, 50, 2_000))
        stays = dice.choice((500, 2_000, 5_000))
        rows += [(at_ms, number, side, ticks, lots), (at_ms + stays, number, side, ticks, 0)]
        number += 1
        at_ms += stays + dice.choice((50, 51, 60))
    return numpy.array(rows, numpy.int64)


def of_singles(prints: Prints, actions: Any, settings: Settings) -> Executions:
    """What the single orders execute here."""
    steps = tuple(
        Step(at_ms, 0, side if lots else 0, ticks if lots else 0, lots, LIMIT)
        for at_ms, _, side, ticks, lots in actions.tolist()
    )
    result = run(PLACING, Told(steps=steps), prints, settings)
    assert result.figures.refusals == result.figures.holds == 0
    sent = actions[actions[:, 4] > 0]
    late = settings.latency_ms
    return _summed(result, lambda time_ms, _: int(sent[numpy.searchsorted(sent[:, 0] + late, time_ms, "right") - 1, 1]))


def of_grid(prints: Prints, quantity: Decimal, settings: Settings) -> tuple[Any, Executions]:
    """The orders of a small grid, and what they execute here."""
    STRATEGIES.scan(strategies)
    kind, instrument = STRATEGIES.get("grid"), prints.instrument
    low, high = int(prints.close.min()), int(prints.close.max())
    build: Any = kind.params
    params = build(
        lower_price=instrument.from_ticks(low), upper_price=instrument.from_ticks(high), levels=12,
        spacing="arithmetic", quantity_per_level=quantity, split_at_start=False,
    )  # fmt: skip
    result = run(kind, params, prints, settings)
    numbers: dict[tuple[int, ...], int] = {}
    rows = []
    for row in result.orders.tolist():
        order = dict(zip(ORDER_FIELDS, row, strict=True))
        key = tuple(order[name] for name in ("slot", "cycle", "leg", "attempt"))
        number = numbers.setdefault(key, len(numbers))
        rows.append((order["time_ms"], number, order["side"], order["ticks"], 0 if order["cancel"] else order["lots"]))
    return numpy.array(rows, numpy.int64), _summed(result, lambda _, key: numbers[key])


def _summed(result: Result, number_of: Any) -> Executions:
    found: Executions = {}
    for row in result.fills.tolist():
        fill = dict(zip(FILL_FIELDS, row, strict=True))
        key = (
            number_of(fill["time_ms"], tuple(fill[name] for name in ("slot", "cycle", "leg", "attempt"))),
            fill["time_ms"],
        )
        found[key] = found.get(key, (0, 0))[0] + fill["lots"], fill["ticks"]
    return found


def events_of(prints: Prints) -> Any:
    """Trades and changes as they came; of the changes of a state, what goes first."""
    depth = prints.depth
    assert depth is not None
    book = depth.book
    order = numpy.lexsort((book.lots > 0, book.states))
    changes = numpy.stack(
        [book.times[book.states], numpy.zeros_like(book.states), book.sides, book.ticks, book.lots], axis=1
    )[order]
    trades = numpy.stack(
        [prints.open_ms, numpy.ones_like(depth.states), depth.takers, prints.close, prints.volume], axis=1
    )
    places = numpy.concatenate([2 * book.states[order], 2 * depth.states + 1])
    events = numpy.concatenate([changes, trades])[numpy.argsort(places, kind="stable")]
    events[:, 0] *= _NS
    return events


def cases(folder: Path) -> Iterator[Case]:
    """Both markets from both sides, at once and late, by both models; and a grid in each."""
    for market, (file, base, quantity) in RECORDED.items():
        prints = read_depth(folder / file, base + "USDT", base, "USDT")
        small = int(quantity / prints.instrument.lot_size) // 20
        for place, (side, late_ms, who) in enumerate(
            (side, late_ms, who) for who in _MODELS for late_ms in (0, 7) for side in (BUY, SELL)
        ):
            actions = single(prints, side, place, small)
            name = f"{market}, {'bids' if side == BUY else 'offers'}, {late_ms} ms late, {who}"
            mine = of_singles(prints, actions, settings_of(late_ms, who))
            yield Case(name, prints, actions, late_ms, who, mine)
        for who in _MODELS:
            actions, mine = of_grid(prints, quantity, settings_of(3, who))
            yield Case(f"{market}, grid, 3 ms late, {who}", prints, actions, 3, who, mine)


def theirs(python: Path, told: Sequence[Case], folder: Path) -> list[Executions]:
    """The same of every case in hftbacktest."""
    files = []
    for number, case in enumerate(told):
        actions = case.actions.copy()
        actions[:, 0] = actions[:, 0] * _NS + _HALF
        files.append(folder / f"depth-{number}.npz")
        numpy.savez(
            files[-1], events=events_of(case.prints), actions=actions, late=case.late_ms * _NS,
            model=_MODELS[case.cancellations], tick=float(case.prints.instrument.tick_size),
            lot=float(case.prints.instrument.lot_size),
        )  # fmt: skip
    script = Path(__file__).with_name("outside_depth.py")
    output = subprocess.run([python, script, *files], check=True, capture_output=True, text=True).stdout
    return [_as_mine(rows) for rows in json.loads(output.splitlines()[-1])]


def _as_mine(rows: list[list[int]]) -> Executions:
    found: Executions = {}
    for number, time_ns, lots, ticks in rows:
        key = number, time_ns // _NS
        found[key] = found.get(key, (0, 0))[0] + lots, ticks
    return found


class Verdict(NamedTuple):
    """How many orders differ by each convention, and for no reason that is known."""

    rest: set[int]
    parts: set[int]
    unknown: set[int]


def compared(case: Case, others: Executions) -> Verdict:
    """The orders of a case that differ."""
    apart = {number for number, _ in {key for key, _ in case.mine.items() ^ others.items()}}
    limits = {int(row[1]): (int(row[3]), int(row[4])) for row in case.actions.tolist() if row[4]}
    rest, parts, unknown = set(), set(), set()
    for number in apart:
        here = {at: value for (one, at), value in case.mine.items() if one == number}
        there = {at: value for (one, at), value in others.items() if one == number}
        if _is_rest(here, there, limits[number]):
            rest.add(number)
        elif case.cancellations == "shared" and _is_parts(here, there):
            parts.add(number)
        else:
            unknown.add(number)
    return Verdict(rest, parts, unknown)


def _is_rest(here: dict[int, tuple[int, int]], there: dict[int, tuple[int, int]], order: tuple[int, int]) -> bool:
    """Whether there everything was executed at once, at the limit what the levels lacked."""
    ticks, lots = order
    moment = min(there, default=0)
    return there == {moment: (lots, ticks)} and moment == min(here, default=0) and 0 < here[moment][0] < lots


def _is_parts(here: dict[int, tuple[int, int]], there: dict[int, tuple[int, int]]) -> bool:
    moments = here.keys() | there.keys()
    return all(abs(here.get(at, (0, 0))[0] - there.get(at, (0, 0))[0]) <= MOST_PARTS for at in moments)


def main(folder: Path) -> int:
    """Compare; gives how many orders differ for no known reason."""
    python, differing = environment(folder / "hftbacktest", HFTBACKTEST), 0
    told = list(cases(Path(os.environ["ARES_DATA_DIR"])))
    for case, others in zip(told, theirs(python, told, folder), strict=True):
        verdict = compared(case, others)
        differing += len(verdict.unknown)
        sent, executed = len({int(row[1]) for row in case.actions}), {number for number, _ in others}
        print(
            f"{case.name}: {sent} orders, {len(executed)} executed at {len(others)} moments, {len(verdict.unknown)} "
            f"differ; by their rest {len(verdict.rest)}, by parts of lots {len(verdict.parts)}; "
            f"{sum(lots for lots, _ in others.values())} lots there, {sum(lots for lots, _ in case.mine.values())} here"
        )
        for number in sorted(verdict.unknown)[:3]:
            print(f"  order {number}: {case.actions[case.actions[:, 1] == number].tolist()}")
            print(f"    here  {[(at, value) for (one, at), value in case.mine.items() if one == number]}")
            print(f"    there {[(at, value) for (one, at), value in others.items() if one == number]}")
    return differing


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
