"""Running a strategy over history: the kernel's arrays are laid out, it runs, its figures become a result."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy

from core.base_strategy import OUT_PAIRS, Plan, StrategyKind
from core.clock import utc_from_ms
from domain import fills, slots
from domain.errors import Broken, Refused
from domain.instrument import Instrument
from domain.money import divmod_exact
from domain.sentences import say
from engine.backtest import cautions, compiler
from engine.backtest.futures import Futures
from engine.backtest.history import History, Prints
from engine.backtest.kernel import layout as lay
from engine.backtest.percent import to_ppm
from engine.backtest.result import Figures, Result, Stamp
from engine.backtest.settings import Settings
from engine.backtest.taped import add_queue, depth_in, is_walked, listed_of, tape_of

#: Compiled integers wrap silently; products of the law stay below this or the strategy is interpreted.
LARGEST: int = 2**61
#: Rows of a first log: of numbers that lie there only once they are written, and of a list that is filled.
_FIRST_ROWS, _FIRST_LISTED_ROWS = 65_536, 8_192
_FILL_MODELS = {"touch": fills.TOUCH, "through": fills.THROUGH, "queue": fills.QUEUE}
_LONG_AGO = -(10**15)


class NotEnoughHistory(Refused):
    """The strategy needs more bars before its first decision than there are."""


class Stuck(Broken):
    """The strategy cannot be replayed to the end."""


@dataclass
class Machine:
    """The arrays of one run."""

    law: Any
    state: Any
    memory: Any
    out: Any
    cells: Any
    log: Any
    gauge: Any


def run(
    kind: StrategyKind, params: Any, history: History, settings: Settings | None = None, plan: Plan | None = None
) -> Result:
    """Replay a strategy over history; gives its result.

    `params` are the strategy's own (an instance of `kind.params`). A `plan` that was prepared already may be given
    instead of preparing one at the price of the start. `Refused` names what does not fit; what does not compile, or
    could overflow 64 bits, is interpreted, and the result says so.
    """
    settings = settings or Settings()
    plan = plan or prepare(kind, params, history)
    if plan.wants_bars and isinstance(history, Prints):
        raise Refused(
            say(
                "kind_needs_bars",
                "{name} decides on closed bars; give the length of bars made of the trades (--interval).",
                name=kind.name,
            )
        )
    is_compiled, warnings = _choose(kind, history, settings)
    if depth_in(history) is not None and settings.fill_model != "queue":
        warnings.append(cautions.book_passed_over(settings.fill_model))
    columns = _columns(history, settings)
    machine, is_compiled = _run(kind, plan, history, columns, settings, is_compiled, warnings, keeps=True)
    figures = figures_of(machine, history)
    if figures.liquidated_ms:
        warnings.append(cautions.liquidated(utc_from_ms(figures.liquidated_ms)))
    return Result(
        kind=kind,
        history=history,
        settings=settings,
        figures=figures,
        moves=_rows(machine.log, machine.cells[lay.FILLS], 0, lay.FILL_WIDTH),
        orders=_rows(
            machine.log, machine.cells[lay.ORDERS], machine.cells[lay.FILL_ROOM] * lay.FILL_WIDTH, lay.ORDER_WIDTH
        ),
        warnings=(*history.warnings, *warnings),
        stamp=Stamp(
            kind.name, params.model_dump_json() if hasattr(params, "model_dump_json") else repr(params), code_version(),
            "compiled" if is_compiled else "interpreted",
        ),
        first_place=first_place(plan),
    )  # fmt: skip


def sweep(
    kind: StrategyKind, plans: Sequence[Plan], history: History, settings: Settings | None = None, threads: int = 2
) -> list[Figures]:
    """Replay many prepared plans of one strategy and give only their figures, in their order.

    Memory does not grow with their number: curves and fills are not kept. Threads share the work.
    """
    settings = settings or Settings()
    is_compiled, _ = _choose(kind, history, settings)
    columns = _columns(history, settings)

    def one(plan: Plan) -> Figures:
        machine, _ = _run(kind, plan, history, columns, settings, is_compiled, [], keeps=False)
        return figures_of(machine, history)

    if not plans:
        return []
    first = one(plans[0])  # compiles, where that has not been done
    with ThreadPoolExecutor(threads) as pool:
        return [first, *pool.map(one, plans[1:])]


def prepare(kind: StrategyKind, params: Any, history: History) -> Plan:
    """The strategy's plan at the price of the start. A plan that needs a warm-up starts after it."""
    plan = kind.prepare(params, history.instrument, int(history.close[0]))
    place = first_place(plan)
    if place >= len(history):
        raise NotEnoughHistory(
            say(
                "not_enough_bars",
                "{bars} bars, and {name} needs {needed} before its first decision; give a longer history "
                "or shorter periods.",
                bars=len(history),
                name=kind.name,
                needed=plan.warm_up_bars,
                field="history",
            )
        )
    return kind.prepare(params, history.instrument, int(history.close[place - 1])) if place > 1 else plan


def first_place(plan: Plan) -> int:
    """The first bar that is traded: the ones before it tell the price, and warm the indicators up."""
    return max(plan.warm_up_bars, 1)


def _run(
    kind: StrategyKind, plan: Plan, history: History, columns: tuple[Any, ...], settings: Settings, is_compiled: bool,
    warnings: list[str], keeps: bool,
) -> tuple[Machine, bool]:  # fmt: skip
    form = compiler.Form(settings.futures is not None, is_walked(history, settings))
    if is_compiled:
        machine = _machine(plan, history, settings, True, keeps, columns[-1])
        try:
            kernel = compiler.compiled(kind.decide, kind.pass_bars, form)
            return _replay(kernel, machine, columns, keeps), True
        except compiler.does_not_compile() as error:
            if settings.runtime == "compiled":
                raise
            warnings.append(cautions.interpreted(kind.name, error))
    machine = _machine(plan, history, settings, False, keeps, columns[-1])
    *bars, tape = columns
    listed = (*(column.tolist() for column in bars), listed_of(tape) if tape else tape)
    return _replay(compiler.interpreted(kind.decide, kind.pass_bars, form), machine, listed, keeps), False


def _columns(history: History, settings: Settings) -> tuple[Any, ...]:
    """Bars, what is known of blocks of them, and the trades within where they are walked."""
    tape = tape_of(history, settings) if is_walked(history, settings) else ()
    return history.open_ms, history.bars, history.closes, history.volume, history.marks, tape


def _replay(kernel: compiler.Run, machine: Machine, columns: Iterable[Any], keeps: bool) -> Machine:
    """Run to the end, with a longer log whenever it is full."""
    times, *others = columns
    end, cells = len(times), machine.cells
    while True:
        before = (cells[lay.PLACE], cells[lay.STAGE])
        kernel(
            machine.law, machine.state, machine.memory, machine.out, cells, machine.log, machine.gauge, times, *others,
            end,
        )  # fmt: skip
        if cells[lay.TROUBLE] != lay.FINE:
            what = lay.TROUBLE_TEXTS[int(cells[lay.TROUBLE])]
            raise Stuck(
                say(
                    "replay_stuck",
                    "bar {bar}: {what}; look at its levels and quantities.",
                    bar=int(cells[lay.PLACE]),
                    what=what,
                )
            )
        if cells[lay.PLACE] >= end:
            return machine
        if keeps:
            _lengthen(machine)
        elif before == (cells[lay.PLACE], cells[lay.STAGE]):
            raise Stuck(say("replay_stands_still", "bar {bar}: the replay does not go on.", bar=int(cells[lay.PLACE])))


def _lengthen(machine: Machine) -> None:
    """Twice the room in the log."""
    cells = machine.cells
    fill_room, order_room = int(cells[lay.FILL_ROOM]), int(cells[lay.ORDER_ROOM])
    old, split = machine.log, fill_room * lay.FILL_WIDTH
    cells[lay.FILL_ROOM], cells[lay.ORDER_ROOM] = 2 * fill_room, 2 * order_room
    if isinstance(old, list):
        machine.log = old[:split] + [0] * split + old[split:] + [0] * (order_room * lay.ORDER_WIDTH)
        return
    machine.log = numpy.empty(2 * len(old), numpy.int64)
    machine.log[:split] = old[:split]
    machine.log[2 * split : 2 * split + len(old) - split] = old[split:]


def _choose(kind: StrategyKind, history: History, settings: Settings) -> tuple[bool, list[str]]:
    """Whether to compile, and why not."""
    if settings.runtime == "interpreted":
        return False, []
    instrument, highest = history.instrument, 2 * history.highest
    worth = instrument.max_lots * highest * instrument.tick_lot
    money = divmod_exact(settings.quote, instrument.quote_quantum)[0] * settings.most_leverage
    if max(4 * worth, 2 * money, 10**6 * highest, instrument.max_lots * instrument.base_per_lot * 2) < LARGEST:
        return True, []
    why = cautions.too_wide(instrument.symbol, kind.name)
    if settings.runtime == "compiled":
        raise Refused(why)
    return False, [why]


def _machine(plan: Plan, history: History, settings: Settings, is_compiled: bool, keeps: bool, tape: Any) -> Machine:
    """The arrays at the start: int64 when compiled, lists when interpreted. `tape` is the last of the columns."""
    cells = _cells(plan, history, settings)
    if settings.futures is not None:
        _add_futures(cells, settings.futures, history)
    if is_walked(history, settings):
        add_queue(cells, settings, plan.slots, tape, history.instrument)
    cells[lay.QUEUE_AT], room = len(cells), cells[lay.QUEUE_ROWS] * lay.EVENT_WIDTH
    rows = _FIRST_ROWS if is_compiled else _FIRST_LISTED_ROWS
    fill_room = rows if keeps else 0
    order_room = rows if keeps and settings.log_orders else 0
    cells[lay.FILL_ROOM], cells[lay.ORDER_ROOM] = fill_room, order_room
    cells[lay.LAST] = int(history.close[first_place(plan) - 1])
    log = fill_room * lay.FILL_WIDTH + order_room * lay.ORDER_WIDTH
    gauge = [0.0] * lay.GAUGE
    gauge[lay.UNIT] = history.instrument.tick_lot / history.instrument.base_per_lot
    state, memory, out = slots.size_of(plan.slots), max(plan.memory, 1), 2 * OUT_PAIRS
    if not is_compiled:
        return Machine(plan.params, [0] * state, [0.0] * memory, [0] * out, cells + [0] * room, [0] * log, gauge)
    numbers = numpy.zeros(len(cells) + room, numpy.int64)
    numbers[: len(cells)] = array("q", cells)
    law = type(plan.params)(*(_column(value) for value in plan.params))
    return Machine(
        law, numpy.zeros(state, numpy.int64), numpy.zeros(memory), numpy.zeros(out, numpy.int64),
        numbers, numpy.empty(log, numpy.int64), numpy.array(gauge),
    )  # fmt: skip


def _column(value: Any) -> Any:
    return numpy.array(value, numpy.int64) if isinstance(value, tuple) else value


def _cells(plan: Plan, history: History, settings: Settings) -> list[int]:
    """The kernel's scalars, the venue, the limits, and room for the orders and lists; that for events comes last."""
    count, ring = plan.slots, settings.limits.max_messages
    ups = lay.ORDERS_AT + count * lay.ORDER
    cells = [0] * (ups + 9 * count + ring)
    cells[: lay.ORDERS_AT] = _scalars(plan, history, settings)
    places = {
        lay.SLOTS: count, lay.UPS_AT: ups, lay.DOWNS_AT: ups + count, lay.SENDS_AT: ups + 2 * count,
        lay.CANCELS_AT: ups + 3 * count, lay.JOINING_AT: ups + 4 * count, lay.WAITING_AT: ups + 5 * count,
        lay.UP_LINE: ups + 7 * count, lay.DOWN_LINE: ups + 8 * count,
        lay.RING_START: ups + 9 * count, lay.RING_SIZE: ring, lay.QUEUE_ROWS: 4 * count + 64,
    }  # fmt: skip
    for place, value in places.items():
        cells[place] = value
    cells[lay.ORDERS_AT + lay.STATUS : ups : lay.ORDER] = [lay.NO_ORDER] * count
    cells[ups : ups + count] = [lay.FAR] * count
    cells[ups + 9 * count : ups + 9 * count + ring] = [_LONG_AGO] * ring
    return cells


def _scalars(plan: Plan, history: History, settings: Settings) -> list[int]:
    """What stands before the orders."""
    cells, instrument = [0] * lay.ORDERS_AT, history.instrument
    values = {
        lay.QUOTE: divmod_exact(settings.quote, instrument.quote_quantum)[0],
        lay.BASE: divmod_exact(settings.base, instrument.base_quantum)[0],
        lay.UP: lay.FAR, lay.UP_SLOT: -1, lay.DOWN_SLOT: -1, lay.IS_NEW: 1,
        lay.PLACE: first_place(plan),
        lay.TICK_LOT: instrument.tick_lot,
        lay.BASE_PER_LOT: instrument.base_per_lot,
        lay.MIN_NOTIONAL: divmod_exact(instrument.min_notional, instrument.quote_quantum)[0],
        lay.MIN_LOTS: max(_lots(instrument, instrument.min_quantity), 1),
        lay.MAX_LOTS: _lots(instrument, instrument.max_quantity) or instrument.max_lots,
        lay.MAKER_PPM: to_ppm("maker_fee", settings.maker_fee),
        lay.TAKER_PPM: to_ppm("taker_fee", settings.taker_fee),
        lay.FEE_ASSET: lay.FEE_IN_QUOTE if settings.fee_asset == "quote" else lay.FEE_OF_RECEIVED,
        lay.FILL_MODEL: _FILL_MODELS[settings.fill_model],
        lay.BAR_MODEL: lay.NEXT_BAR if settings.bar_model == "next_bar" else lay.PATH,
        lay.FOUR_WIDTH: lay.FOUR * history.width, lay.COLUMN: lay.FOUR if history.width > 1 else 0,
        lay.BLOCKS_AT: history.blocks_at, lay.BAR_MS: history.bar_ms, lay.THIRD_MS: history.bar_ms // 3,
        lay.IS_EVEN: int(history.is_even), lay.FIRST_MS: int(history.open_ms[0]),
        lay.LATENCY_MS: settings.latency_ms, lay.SLIPPAGE: settings.slippage_ticks,
        lay.WANTS_BARS: int(plan.wants_bars), lay.IS_LIMITED: int(not settings.limits.are_few),
    }  # fmt: skip
    for place, value in values.items():
        cells[place] = value
    cells[lay.LIMITS : lay.LIMITS + len(settings.limits)] = settings.limits
    return cells


def _add_futures(cells: list[int], futures: Futures, history: History) -> None:
    """The terms of a futures venue: scalars, and behind everything else the tiers and the fundings."""
    instrument, end_ms = history.instrument, int(history.open_ms[-1]) + history.bar_ms
    tiers = futures.tier_cells(instrument)
    fundings = futures.funding_cells(instrument, int(history.open_ms[0]), end_ms)
    values = {
        lay.IS_MARGIN: 1, lay.LEVERAGE: futures.leverage, lay.TOP_TICKS: 2 * history.highest + 1,
        lay.LIQUIDATION_PPM: to_ppm("liquidation_fee_percent", futures.liquidation_fee_percent),
        lay.LARGEST_NOTIONAL: futures.largest_notional(instrument), lay.LIQUIDATED_ABOVE: lay.FAR,
        lay.TIERS_AT: len(cells), lay.TIERS: len(tiers) // lay.TIER_WIDTH,
        lay.FUNDINGS_AT: len(cells) + len(tiers), lay.FUNDINGS_KNOWN: len(fundings) // lay.FUNDING_WIDTH,
    }  # fmt: skip
    for place, value in values.items():
        cells[place] = value
    cells += tiers + fundings


def _lots(instrument: Instrument, quantity: Decimal) -> int:
    return divmod_exact(quantity, instrument.lot_size)[0]


def figures_of(machine: Machine, history: History) -> Figures:
    """The scalars of a run that has ended."""
    cells, instrument = machine.cells, history.instrument
    get = [int(value) for value in cells[: lay.TICK_LOT]]
    ticks, per_lot = int(history.close[-1]), instrument.base_per_lot
    held_ms = get[lay.HELD_MS]
    if get[lay.POSITION] != 0:
        held_ms += int(history.open_ms[-1]) + history.bar_ms - get[lay.HELD_SINCE]
    return Figures(
        quote=get[lay.QUOTE],
        base=get[lay.BASE],
        position=get[lay.POSITION],
        cost=get[lay.COST],
        realised=get[lay.REALISED],
        fees=get[lay.FEES],
        fee_quote=get[lay.FEE_QUOTE],
        fee_base=get[lay.FEE_BASE],
        unrealised=get[lay.POSITION] * ticks * instrument.tick_lot // per_lot - get[lay.COST],
        equity=get[lay.QUOTE] + get[lay.BASE] * ticks * instrument.tick_lot // per_lot,
        max_fall=float(machine.gauge[lay.FALL]),
        fills=get[lay.FILLS] - get[lay.FUNDINGS],
        maker_fills=get[lay.MAKER_FILLS],
        turnover=get[lay.TURNOVER],
        wins=get[lay.WINS],
        losses=get[lay.LOSSES],
        gained=get[lay.GAINED],
        lost=get[lay.LOST],
        held_ms=held_ms,
        refusals=get[lay.REFUSALS],
        holds=get[lay.HOLDS],
        funding=get[lay.FUNDING],
        fundings=get[lay.FUNDINGS],
        liquidated_ms=get[lay.LIQUIDATED_MS],
        liquidation_fee=get[lay.LIQUIDATION_FEE],
        margin=get[lay.MARGIN],
        liquidation_ticks=get[lay.LIQUIDATED_BELOW] or get[lay.LIQUIDATED_ABOVE] % lay.FAR,
    )


def _rows(log: Any, count: int, begin: int, width: int) -> Any:
    """Rows of the log as a table of integers."""
    end = int(begin) + int(count) * width
    rows = log[int(begin) : end]
    # Interpreted integers may be too large for 64 bits.
    is_small = not isinstance(rows, list) or max(map(abs, rows), default=0) < LARGEST
    return numpy.asarray(rows, numpy.int64 if is_small else object).reshape(-1, width)


@cache
def code_version() -> str:
    """A digest of the law, the strategies and this package: the same digest is the same behaviour."""
    root, digest = Path(__file__).parent.parent.parent, hashlib.sha256()
    for folder in ("domain", "strategies", "engine/backtest"):
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
