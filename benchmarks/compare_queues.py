"""Single limit orders behind a queue, here and in hftbacktest, order by order.

`python -m benchmarks.compare_queues FOLDER` makes an environment with it in FOLDER, if it is not there, and ends with 1
if one order differs. The market is a walk by chance, and the recorded trades under ARES_DATA_DIR where there are any.

The convention: so much stands in front of every order, trades at its price use that up and then execute the order up
to their own quantity, a trade beyond the price executes all of it (`Queue(whole_beyond=True)`), nobody cancels, and
nothing takes time. That order's executions of one moment count as one. Without `whole_beyond` a trade beyond executes
no more than its quantity: the orders that no trade goes beyond have to be the same in any case.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from benchmarks.outside import HFTBACKTEST, environment
from domain.instrument import Instrument
from domain.order import BUY, SELL
from engine.backtest import Settings, run
from engine.backtest.history import prints_of
from engine.backtest.kernel.layout import FILL_FIELDS
from engine.backtest.queueing import Queue
from tests.placing import PLACING, Step, Told

BITCOIN = Instrument(
    symbol="BTCUSDT", base="BTC", quote="USDT", tick_size=Decimal("0.01"), lot_size=Decimal("0.00001"),
    max_price=Decimal(1_000_000), max_position=Decimal(1_000), max_quantity=Decimal(1_000),
)  # fmt: skip
RECORDED = "trades/spot_btcusdt_20240808-trades.csv.gz"
_NS = 1_000_000


class Case(NamedTuple):
    """Trades of (milliseconds, ticks, lots), and orders of (since, ticks, lots, until), one after the other."""

    name: str
    trades: Any
    orders: Any
    side: int
    ahead: int


def by_chance(seed: int, count: int) -> Any:
    """A walk of small steps, many of one price, in bursts."""
    dice, time_ms, ticks, rows = random.Random(seed), 1_704_067_200_000, 6_000_000, []
    for _ in range(count):
        time_ms += dice.choice((0, 0, 1, 7, 400, 3_000))
        ticks += dice.choice((0, 0, 0, 1, -1, 2, -2, 30, -30))
        rows.append((time_ms, ticks, dice.choice((1, 40, 900, 20_000))))
    return numpy.array(rows, numpy.int64)


def recorded() -> Any:
    """The recorded trades; None where there are none."""
    path = Path(os.environ.get("ARES_DATA_DIR", "")) / RECORDED
    if not path.is_file():
        return None
    with gzip.open(path, "rt") as file:
        rows = [(row["time"], BITCOIN.to_ticks(Decimal(row["price"])), row["qty"]) for row in csv.DictReader(file)]
    return numpy.array(
        [(int(time), ticks, int(Decimal(lots) / BITCOIN.lot_size)) for time, ticks, lots in rows], numpy.int64
    )


def orders_of(trades: Any, side: int, seed: int) -> Any:
    """Orders near the price, small and large, that stay for a while; none comes or goes with a trade."""
    dice, taken, rows = random.Random(seed), set(trades[:, 0].tolist()), []
    at_ms = int(trades[0, 0]) + 500
    while at_ms < int(trades[-1, 0]) - 6_000:
        while at_ms in taken:
            at_ms += 1
        until = at_ms + dice.choice((500, 2_000, 5_000))
        while until in taken:
            until += 1
        last = int(trades[numpy.searchsorted(trades[:, 0], at_ms) - 1, 1])
        rows.append((at_ms, last - side * dice.choice((1, 2, 10, 100, 500)), dice.choice((5, 1_000, 30_000)), until))
        at_ms = until + 1
    return numpy.array(rows, numpy.int64)


def cases() -> Iterator[Case]:
    """Every market from both sides, behind nobody, few and many."""
    real = recorded()
    markets = {"by chance": by_chance(1, 8_000), **({} if real is None else {"recorded": real})}
    for name, trades in markets.items():
        for place, (side, ahead) in enumerate((side, ahead) for side in (BUY, SELL) for ahead in (0, 700, 5_000)):
            told = f"{name}, {'bids' if side == BUY else 'offers'} behind {BITCOIN.from_lots(ahead)}"
            yield Case(told, trades, orders_of(trades, side, place), side, ahead)


def ours(case: Case, whole_beyond: bool) -> dict[tuple[int, int], int]:
    """Lots that were executed, by order and moment."""
    trades, steps = case.trades, []
    for since, ticks, lots, until in case.orders.tolist():
        steps += [Step(since, 0, case.side, ticks, lots), Step(until, 0, side=0)]
    queue = Queue(ahead=BITCOIN.from_lots(case.ahead), whole_beyond=whole_beyond)
    settings = Settings(
        quote=Decimal(10**8), base=Decimal(900), maker_fee=Decimal(0), fee_asset="quote", fill_model="queue",
        queue=queue, runtime="interpreted",
    )  # fmt: skip
    prints = prints_of(BITCOIN, *(trades[:, place].copy() for place in range(3)))
    result = run(PLACING, Told(steps=tuple(steps)), prints, settings)
    assert result.figures.refusals == result.figures.holds == 0
    places = [FILL_FIELDS.index(name) for name in ("time_ms", "lots")]
    return summed(case, result.fills[:, places].tolist())


def theirs(python: Path, told: Sequence[Case], folder: Path) -> list[dict[tuple[int, int], int]]:
    """The same of every case in hftbacktest."""
    files = []
    for number, case in enumerate(told):
        trades, orders = case.trades.copy(), case.orders.copy()
        trades[:, 0] *= _NS
        orders[:, (0, 3)] *= _NS
        files.append(folder / f"orders-{number}.npz")
        numpy.savez(
            files[-1], trades=trades, orders=orders, side=case.side, ahead=case.ahead,
            tick=float(BITCOIN.tick_size), lot=float(BITCOIN.lot_size),
        )  # fmt: skip
    script = Path(__file__).with_name("outside_hftbacktest.py")
    output = subprocess.run([python, script, *files], check=True, capture_output=True, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    return [
        summed(case, [(time_ns // _NS, lots) for _, time_ns, lots in rows])
        for case, rows in zip(told, found, strict=True)
    ]


def summed(case: Case, executions: list[Any]) -> dict[tuple[int, int], int]:
    """Executions of one order and moment as one."""
    found: dict[tuple[int, int], int] = {}
    for time_ms, lots in executions:
        number = int(numpy.searchsorted(case.orders[:, 0], time_ms, "right")) - 1
        found[number, time_ms] = found.get((number, time_ms), 0) + lots
    return found


def never_beyond(case: Case) -> set[int]:
    """Orders that no trade goes beyond while they rest."""
    found = set()
    for number, (since, ticks, _, until) in enumerate(case.orders.tolist()):
        begin, end = numpy.searchsorted(case.trades[:, 0], (since, until))
        if not (case.side * (case.trades[begin:end, 1] - ticks) < 0).any():
            found.add(number)
    return found


def main(folder: Path) -> int:
    """Compare; gives how many orders differ."""
    python, differing = environment(folder / "hftbacktest", HFTBACKTEST), 0
    told = list(cases())
    for case, others in zip(told, theirs(python, told, folder), strict=True):
        mine, strict = ours(case, True), ours(case, False)
        wrong = {key[0] for key, _ in mine.items() ^ others.items()}
        touched = never_beyond(case)
        apart = {key[0] for key, _ in strict.items() ^ others.items()}
        differing += len(wrong | (apart & touched))
        executed = {number for number, _ in others}
        print(
            f"{case.name}: {len(case.orders)} orders, {len(executed)} executed at {len(others)} moments, "
            f"{len(wrong)} differ; by quantities beyond too {len(apart)}, of {len(touched & executed)} never beyond "
            f"{len(apart & touched)}; {sum(others.values())} lots, {sum(mine.values())} and {sum(strict.values())} here"
        )
        for number in sorted(wrong)[:3]:
            print(f"  order {number}: {case.orders[number].tolist()}")
            print(f"    here  {[(at, lots) for (one, at), lots in mine.items() if one == number]}")
            print(f"    there {[(at, lots) for (one, at), lots in others.items() if one == number]}")
    return differing


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
