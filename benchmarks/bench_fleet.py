"""One worker process with many live grids: memory, processor, time to own, time to be safe, and what the venue saw.

    python -m benchmarks.bench_fleet --grids 10000 --accounts 112
    python -m benchmarks.bench_fleet --grids 10000 --accounts 112 --restart
    python -m benchmarks.bench_fleet --grids 10000 --accounts 112 --paper
    python -m benchmarks.bench_fleet --grids 100 --accounts 10 --limits

Starts everything by itself: Redis, an SQLite database (or MariaDB with `--database`), the simulator (its limits lifted
unless `--limits` is given), and one Celery worker. Every grid has 20 levels. Prices come once a second and symbol.
With `--paper` the accounts are paper accounts, whose orders never leave the worker. With `--restart` the worker is
killed once all orders rest, and everything after that is measured of another that takes up what it has left.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.request import urlopen

import psutil

from benchmarks.yardstick import words as speed_of_the_machine
from core.redis_names import DOORBELL, strategy_lock
from db.models import Command, StrategyInstance
from db.unit_of_work import committed, reading
from tests.acceptance.tape import OURS
from tests.platform.world import World, now, until, world
from tests.simulator_process import ROOT

#: Symbol -> its tick. A venue lets 200 orders of an account rest on a symbol: ten grids of twenty levels.
TICKS = {
    "BTCUSDT": "0.01", "ETHUSDT": "0.01", "BNBUSDT": "0.01", "SOLUSDT": "0.01", "XRPUSDT": "0.0001",
    "ADAUSDT": "0.0001", "LTCUSDT": "0.01", "LINKUSDT": "0.01", "DOGEUSDT": "0.00001",
}  # fmt: skip
SYMBOLS = tuple(TICKS)
#: Between looks at a worker at rest: a look at thousands of strategies takes its time too.
LOOK_SECONDS = 10


def main() -> None:
    wanted = arguments()
    with ExitStack() as stack:
        folder = wanted.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet")))
        folder.mkdir(parents=True, exist_ok=True)
        made, numbers = stack.enter_context(prepared(folder, wanted))
        print(f"{wanted.grids} grids of {wanted.levels} levels on {wanted.accounts} {kind_of(wanted)}")
        began = time.monotonic()
        process = launch(made, numbers, wanted.patience)
        settle(made, process, wanted)
        print(f"processor until then, {time.monotonic() - began:.0f} s after launch: {spent(made, process)}")
        if wanted.restart:
            show_cost(made, process, wanted.seconds)
            process.kill()
            made.workers["fleet"].process.wait()
            print("the worker is killed and another started:")
            process = launch(made, numbers, wanted.patience)
            print(f"processor until then: {spent(made, process)}; {megabytes(process)}")
        show_cost(made, process, wanted.seconds)
        show_stops(made, numbers[:: max(len(numbers) // wanted.stops, 1)][: wanted.stops])
        show_inspect(made)
        if not wanted.paper:  # last, for reading hundreds of thousands of lines holds the venue up for seconds
            show_tape(made, wanted.grids * wanted.levels)
    print(speed_of_the_machine())


def launch(made: World, numbers: list[int], patience: float) -> psutil.Process:
    """Start a worker and wait until it may order for every strategy."""
    began = time.monotonic()
    made.start_worker("fleet")
    process = psutil.Process(made.workers["fleet"].process.pid)
    print(f"worker up (a member): {time.monotonic() - began:.1f} s")
    owned = until(lambda: leased(made, numbers) == len(numbers), "every lease", patience)
    print(f"owned: {len(numbers)} leases {time.monotonic() - began:.1f} s after launch ({owned:.1f} s as a member)")
    wait_until_safe(made, len(numbers), patience)
    print(f"safe to order: {time.monotonic() - began:.1f} s after launch")
    return process


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=9_000)
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--levels", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60, help="of measuring, once everything rests")
    parser.add_argument("--stops", type=int, default=300)
    parser.add_argument("--patience", type=float, default=600.0)
    parser.add_argument("--paper", action="store_true", help="paper accounts")
    parser.add_argument("--restart", action="store_true", help="kill the worker once all orders rest, start another")
    parser.add_argument("--limits", action="store_true", help="the simulated venue's limits as they are")
    parser.add_argument("--keep", type=Path, help="a folder for the logs and the database; a temporary one otherwise")
    parser.add_argument("--database", default="", help="SQLAlchemy address of an empty schema; SQLite otherwise")
    return parser.parse_args()


@contextmanager
def prepared(folder: Path, wanted: argparse.Namespace) -> Iterator[tuple[World, list[int]]]:
    """The world with its rows, before any worker."""
    keys = [(f"key-{n}-of-fleet", f"secret-{n}-of-fleet") for n in range(wanted.accounts)]
    options = ["--market", "generated:7", "--symbols", ",".join(SYMBOLS), "--speed", "1"]
    options += [] if wanted.limits else ["--lift-limits"]
    for key, secret in keys:
        options += ["--account", f"{key}:{secret}:USDT=1000000000,BTC=1000,ETH=10000"]
    database = wanted.database or f"sqlite:///{folder / 'fleet.sqlite3'}"
    settings = {"ARES_WORKER__MOST_STRATEGIES": "1000000"}
    with world(folder, database, *options, **settings) as made:
        prices = {each["symbol"]: Decimal(each["last_price"]) for each in made.venue.get("symbols")}
        paper = {"USDT": "1000000000"}
        accounts = [made.add_account(balances=paper) if wanted.paper else made.add_account(*key) for key in keys]
        rows = [
            row_of(made, accounts[n % len(accounts)], len(accounts), n, prices, wanted) for n in range(wanted.grids)
        ]
        with committed(made.database) as unit:
            unit.session.add_all(rows)
            unit.session.flush()
            numbers = [row.id or 0 for row in rows]
        yield made, numbers


def kind_of(wanted: argparse.Namespace) -> str:
    if wanted.paper:
        return "paper accounts"
    return f"accounts at the simulated venue, its limits {'as they are' if wanted.limits else 'lifted'}"


def row_of(
    made: World, account: int, accounts: int, n: int, prices: dict[str, Decimal], wanted: argparse.Namespace
) -> StrategyInstance:
    symbol = SYMBOLS[n // accounts % len(SYMBOLS)]
    tick = Decimal(TICKS[symbol])
    # Below the market: every level rests, and a price update wakes nobody.
    top = prices[symbol] * Decimal("0.97")
    parameters = {
        "lower_price": str((top * Decimal("0.7")).quantize(tick)), "upper_price": str(top.quantize(tick)),
        "levels": wanted.levels,
        "total_investment": "2000",
    }  # fmt: skip
    return StrategyInstance(
        owner_id=made.user, account_id=account, name=f"grid {n}", strategy_type="grid", symbol=symbol,
        kline_interval="1m", parameters=json.dumps(parameters), limits=json.dumps({"capital": {"USDT": "3000"}}),
        desired_state="running", paper=wanted.paper, created_at=now(), updated_at=now(),
    )  # fmt: skip


def leased(made: World, numbers: list[int]) -> int:
    """How many leases the present worker holds; those of a killed one last for a while."""
    found: list[str | None] = made.redis.mget([strategy_lock(number) for number in numbers])  # type: ignore[assignment]
    mine = made.workers["fleet"].name + "|"
    return sum(value is not None and value.startswith(mine) for value in found)


def gauge(made: World, name: str) -> float:
    port = made.redis.hget(f"worker:{made.workers['fleet'].name}", "http_port")
    if port is None:
        return -1.0
    try:
        with urlopen(f"http://127.0.0.1:{port!s}/metrics", timeout=60) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.rpartition(" ")[2])
    except OSError as error:
        worker = made.workers["fleet"]
        time.sleep(1)
        if worker.process.poll() is not None:
            raise RuntimeError(f"the worker ended: {worker.log[-3000:]}") from error
    return 0.0


def wait_until_safe(made: World, strategies: int, patience: float) -> None:
    """Asks seldom: the answer takes the worker's time."""
    began = time.monotonic()
    while gauge(made, 'ares_strategies{state="running"}') < strategies:
        if time.monotonic() - began > patience:
            raise RuntimeError(f"not all safe after {patience:.0f} s: {made.workers['fleet'].log[-3000:]}")
        time.sleep(2)


def settle(made: World, process: psutil.Process, wanted: argparse.Namespace) -> None:
    """Until every level has its order and none is sent any more.

    Within the limits nothing is sent for long, until the venue's next window begins: that is no rest.
    """
    began, last, levels = time.monotonic(), -1.0, wanted.grids * wanted.levels
    while time.monotonic() - began < wanted.patience:
        sent, held = gauge(made, "ares_order_requests"), gauge(made, "ares_held_back")
        if sent == last and sent >= levels and not held:
            break
        last = sent
        time.sleep(5)
    else:
        print("NOT at rest: ", end="")
    print(f"orders sent: {last:.0f}, at rest {time.monotonic() - began:.0f} s later; {megabytes(process)}")


def show_cost(made: World, process: psutil.Process, seconds: int) -> None:
    lags: list[float] = []
    before = process.cpu_times()
    for _ in range(max(seconds // LOOK_SECONDS, 1)):
        time.sleep(LOOK_SECONDS)
        lags.append(gauge(made, "ares_loop_lag_ms"))
    after, seconds = process.cpu_times(), len(lags) * LOOK_SECONDS
    used = after.user + after.system - before.user - before.system
    print(f"at rest: {megabytes(process)}, {100 * used / seconds:.0f} % of a core, ", end="")
    print(f"loop lag p50 {statistics.median(lags):.1f} ms, max {max(lags):.1f} ms")


def spent(made: World, process: psutil.Process) -> str:
    """Processor seconds of everything that has a part in it."""
    parts = {
        "worker": process.pid, "venue": made.venue.pid, "redis": made.redis.info("server")["process_id"],
    }  # fmt: skip
    times = {name: psutil.Process(pid).cpu_times() for name, pid in parts.items()}
    return ", ".join(f"{name} {one.user + one.system:.1f} s" for name, one in times.items())


def show_tape(made: World, levels: int) -> None:
    """What the venue took, by its own record: every order once, and nothing refused for coming too often."""
    orders = [line for line in made.venue.tape("order") if line["client"].startswith(OURS)]
    taken = Counter(line["client"] for line in orders if line["execution"] == "NEW")
    twice = sum(count > 1 for count in taken.values())
    print(f"at the venue: {len(taken)} orders of {levels} levels, {twice} of them more than once; ", end="")
    print(f"{len(orders) - sum(taken.values())} other reports; ", end="")
    refused = Counter((line["status"], line["code"]) for line in made.venue.tape("request") if line["status"] >= 400)
    print(f"answers that refuse, by status and code: {dict(refused) or 'none'}; ", end="")
    log = made.workers["fleet"].log
    told = {word: log.count(word) for word in ("order_outcome_unknown", "sweep_failed", "alarm  ")}
    print("in the worker's log: " + ", ".join(f"{count} {word}" for word, count in told.items()))


def megabytes(process: psutil.Process) -> str:
    resident = float(process.memory_info().rss)
    return f"{resident / 1e6:.0f} MB ({resident / 2**20:.0f} MiB)"


def show_stops(made: World, numbers: list[int]) -> None:
    """From the ring to the last of its orders cancelled at the venue."""
    took = []
    for number in numbers:
        command = made.command(number, "stop", ring=False, seconds=120)
        began = time.monotonic()
        made.redis.publish(DOORBELL, str(number))
        until(lambda command=command: is_settled(made, command), "the stop", 60)  # type: ignore[misc]
        took.append((time.monotonic() - began) * 1000)
    took.sort()
    last = took[-(-len(took) * 99 // 100) - 1]
    words = f"p50 {statistics.median(took):.0f} ms, p99 {last:.0f} ms, max {took[-1]:.0f} ms of {len(took)}"
    print(f"stop, ring to done: {words}")


def is_settled(made: World, command: int) -> bool:
    """Whether a command has its outcome. Only read: a look that may write would hold up the worker's own commits."""
    with reading(made.database) as unit:
        row = unit.session.get(Command, command)
        return row is not None and row.outcome is not None


def show_inspect(made: World) -> None:
    script = (
        "import time\nfrom celery_app import app\napp.control.inspect(timeout=10).ping()\nbegan = time.monotonic()\n"
        "found = app.control.inspect(timeout=10, limit=1).active()\n"
        "print(sum(map(len, (found or {}).values())), round(time.monotonic() - began, 3))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=made.environment(), capture_output=True, text=True, check=True)
    rows, seconds = done.stdout.split()
    print(f"inspect active: {rows} rows in {seconds} s")


if __name__ == "__main__":
    main()
