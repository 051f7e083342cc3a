"""Makes a runtime of a strategy: copies of the kernel's functions in which `decide` is the strategy's own.

Interpreted, the copies are plain functions. Compiled, the same function objects of the law go to the compiler: every
helper marked `@lawful`, every risk rule, the kernel, and the strategy's decision. Only this module knows the compiler.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final, NamedTuple

from core.base_strategy import Decide, PassBars
from domain import risk_manager
from domain.lawful import LAWFUL
from engine.backtest import intrinsics
from engine.backtest.kernel import account, alone, book, equity, lanes, loop, margin, market, queue, tape, venue, wishes

Run = Callable[..., None]


class Form(NamedTuple):
    """Which kernel: of spot or of futures, and where the market is bars or, one after the other, its trades."""

    is_margin: bool = False
    is_tape: bool = False


Wrap = Callable[[Any, str], Any]

_SPOT: Final = Form()
#: Modules of the kernel that are the same for every strategy, in the order in which they use one another.
_SHARED = (account, alone, lanes, equity, venue, wishes, market)
_ROOT = Path(__file__).parent.parent.parent
#: Kept on disk: what is called from outside, and the part that all strategies share.
_KEPT = ("advance", "consider", "replay")
#: Put into their callers. What is called from few places is made no longer by that, and handing it its arrays, seven
#: numbers each, costs more than most of these do.
_INLINED = (
    "run", "decide", "pass_bars", "measure_bars", "leave_bar", "is_undisturbed", "check", "show_quiet_bars",
    "bar_event", "price", "bar_at", "reached", "first_reached", "turns_below", "turns_above", "turn", "opens_at",
    "view_of", "limits_of", "few_limits_of", "risk_view_of", "few_of", "act_of", "keep", "vet", "vet_nearest_first",
    "take_down", "count_message", "settle", "go_on", "move", "is_calm", "leap", "rings_before", "begin_bar",
    "walk", "closes_unmet", "messages_of", "at_point", "end_bar", "pass_over", "take_in", "measure", "fill_resting",
    "execute", "count_result", "count_sale", "log_fill", "open_day", "lock", "tell", "tell_market", "arrive",
    "order_at", "rest", "withdraw", "end_order", "is_refused", "takes", "join", "wait", "cancel_now", "up_trigger",
    "down_trigger", "ring", "has_room", "has_work", "find_up", "find_down", "step_in", "step_out", "leave_point",
    "is_alive", "wished_ticks", "send_cancel",
    # On spot these are nothing.
    "expose", "refuses", "most", "closes", "book", "tidy", "fund", "sooner", "is_due", "above", "below", "ends",
    "is_over", "left_over", "reaches", "before_end",
    # Where the market is bars, this is too; the rest is of trades.
    "stand", "bid", "ask", "happen", "next_met", "meet", "wakes", "takes_of_trade", "know", "is_trade", "passes_by",
    "turn_to", "turn_before", "serve", "begin_of", "end_of", "kind_of", "is_met", "next_due", "arrives_at", "leave_row",
)  # fmt: skip


@cache
def interpreted(decide: Decide, pass_bars: PassBars | None = None, form: Form = _SPOT) -> Run:
    """The kernel around a strategy, as plain Python."""
    shadows = _shadows(_plain, form)
    wishes_names = vars(shadows[wishes.__name__])
    wishes_names["check"] = risk_manager.check
    return _run(decide, pass_bars, shadows, _plain, form)


@cache
def compiled(decide: Decide, pass_bars: PassBars | None = None, form: Form = _SPOT) -> Run:
    """The kernel around a strategy, compiled when it is first called for parameters of a new shape.

    What was compiled is kept on disk, under a name made of the sources it was made from.
    """
    passing = None if pass_bars is None else _jit()(pass_bars, "pass_bars")
    return _run(_jit()(decide, "decide"), passing, _compiled_shadows(form), _jit(), form, intrinsics.address())


def does_not_compile() -> type[Exception]:
    """What the compiler raises about a function that it cannot compile."""
    from numba.core.errors import NumbaError

    error: type[Exception] = NumbaError
    return error


def _plain(function: Any, name: str) -> Any:
    del name
    return function


@cache
def _compiled_shadows(form: Form) -> dict[str, ModuleType]:
    shadows = _shadows(_jit(), form)
    vars(shadows[wishes.__name__])["check"] = _rules(_jit())
    vars(shadows[lanes.__name__])["reached"] = intrinsics.reached()
    vars(shadows[lanes.__name__])["fetch"] = intrinsics.fetch()
    return shadows


def _shadows(wrap: Wrap, form: Form) -> dict[str, ModuleType]:
    """Copies of the shared modules whose functions are wrapped and call one another."""
    shadows: dict[str, ModuleType] = {}
    if form.is_tape:
        shadows[book.__name__] = _copy(book, shadows, wrap, _title(book, form))
    for module in _SHARED:
        source = queue if form.is_tape and module is alone else module
        shadows[module.__name__] = _copy(source, shadows, wrap, _title(source, form))
    if form.is_tape:
        shadows[queue.__name__] = shadows[alone.__name__]
        shadows[tape.__name__] = _copy(tape, shadows, wrap, _title(tape, form))
        vars(shadows[market.__name__])["advance"] = vars(shadows[tape.__name__])["advance"]
    if form.is_margin:
        # It calls the venue, and the venue calls it: so it is put in when both are there.
        account_of_futures = _copy(margin, shadows, lambda function, _: wrap(function, ""), margin.__name__)
        for shadow in shadows.values():
            vars(shadow)["account"] = account_of_futures
    return shadows


def _title(module: ModuleType, form: Form) -> str:
    """A part of where the compiled form is kept."""
    return f"{module.__name__}{'.margin' * form.is_margin}{'.tape' * form.is_tape}"


def _run(
    decide: Any, pass_bars: Any, shadows: dict[str, ModuleType], wrap: Wrap, form: Form, address: Any = None
) -> Run:
    """A copy of the loop that calls this decision."""
    names = vars(_copy(loop, shadows, wrap, f"{_title(loop, form)}.{_owner(decide)}"))
    names["decide"] = decide
    if pass_bars is not None:
        names["pass_bars"] = pass_bars
    if address is not None:
        names["address"] = address
    replay: Run = names["replay"]
    return replay


def _owner(decide: Any) -> str:
    return f"{decide.__module__}.{decide.__name__}".replace(".", "_")


def _copy(module: ModuleType, shadows: dict[str, ModuleType], wrap: Wrap, title: str) -> ModuleType:
    copy = ModuleType(module.__name__)
    names = vars(copy)
    for name, value in vars(module).items():
        names[name] = shadows.get(value.__name__, value) if isinstance(value, ModuleType) else value
    for name, value in vars(module).items():
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            function = FunctionType(value.__code__, names, name, value.__defaults__, value.__closure__)
            function.__qualname__ = f"{title}.{name}"
            function.__module__ = module.__name__
            names[name] = wrap(function, name)
    return copy


@cache
def _jit() -> Any:
    """The compiler, with the law made known to it."""
    import numba
    from numba.extending import register_jitable

    from engine.backtest import wide

    config: Any = numba.config
    config.CACHE_DIR = str(_cache_folder(numba.__version__))
    wide.register()
    # The kernel makes no arrays, so it need not count who holds them: that would cost more than all it does. And it is
    # entered by `replay` alone: a way in from Python for each function would take half the time of compiling.
    inside = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    for function in LAWFUL:
        register_jitable(**inside)(function)
    njit: Any = numba.njit
    entered = {**inside, "no_cpython_wrapper": False}
    return lambda function, name: njit(
        function, cache=name in _KEPT, nogil=True, forceinline=name in _INLINED,
        **(entered if name == "replay" else inside),
    )  # fmt: skip


def _rules(jit: Any) -> Any:
    """The risk rules one after the other, four at a time: the compiler cannot walk through a table of functions."""
    rules = list(risk_manager.RULES)
    places = range(0, len(rules), 4)
    rules += [jit(_never, "")] * (-len(rules) % 4)
    check = jit(_approved, "check")
    for place in reversed(places):
        check = jit(_four(tuple(rules[place : place + 4]), place, check), "check")
    return check


def _approved(limits: Any, view: Any, intent: Any) -> int:
    return 0


def _never(limits: Any, view: Any, intent: Any) -> bool:
    return False


def _four(rules: tuple[Any, ...], place: int, others: Any) -> Any:
    first, second, third, fourth = rules

    def check(limits: Any, view: Any, intent: Any) -> int:
        if first(limits, view, intent):
            return place + 1
        if second(limits, view, intent):
            return place + 2
        if third(limits, view, intent):
            return place + 3
        if fourth(limits, view, intent):
            return place + 4
        return others(limits, view, intent)  # type: ignore[no-any-return]

    return check


def _cache_folder(version: str) -> Path:
    """A folder for what these sources compile to: other sources have another."""
    digest = hashlib.sha256(version.encode())
    files = [Path(__file__).with_name(name) for name in ("compiler.py", "intrinsics.py", "wide.py")]
    for folder in ("domain", "strategies", "engine/backtest/kernel"):
        files.extend(sorted((_ROOT / folder).rglob("*.py")))
    for file in files:
        digest.update(file.read_bytes())
    return Path.home() / ".cache" / "ares" / "kernels" / digest.hexdigest()[:16]
