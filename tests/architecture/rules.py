"""The laws that a look at the source can hold; import-linter, ruff and mypy hold the others."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator

from tests.architecture.budgets import BUDGETS
from tests.architecture.tree import EVERYTHING, HOUSE, PROGRAM, Module, Rule, Tree, top

CLOCKS = {"core/clock.py", "simulator/clock.py"}
MODE_NAMES = {"is_live", "dry_run", "is_dry_run", "is_backtest", "is_paper", "live_mode", "paper_mode"}
MODE_PLACES = {"core/config.py", "tasks/wiring.py"}
#: Chances and scores are floats, as what indicators remember is; neither is ever paid.
FLOAT_PLACES = ("domain/indicators.py", "domain/learning/")
PLUGINS = ("strategies", "exchanges")
# Put together from halves, so that this file does not break its own rule.
FORBIDDEN_TEXT = tuple(
    left + right
    for left, right in (
        ("/work", "/"), ("tmp/", "boot"), (".lib", "rary/"), ("/root", "/"), ("/opt/", "wheels"),
        ("pypi", ".org"), ("python", "hosted.org"), ("npmjs", ".org"), ("registry.", "npm"), ("deb.", "debian.org"),
        ("proxy.golang", ".org"), ("crates", ".io/"), ("index", "-url ="),
    )
)  # fmt: skip


def no_float_money(tree: Tree) -> Iterator[str]:
    for module in tree.modules("domain", "strategies", "db"):
        if module.path.startswith(FLOAT_PLACES):
            continue
        for node in set(_floats(module.nodes)) - set(_floats(_indicator_nodes(module))):
            yield f"{module.path}:{node.lineno} uses a float"


def _floats(nodes: Iterable[ast.AST]) -> Iterator[ast.Constant | ast.Name]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node
        if isinstance(node, ast.Name) and node.id == "float":
            yield node


def _indicator_nodes(module: Module) -> Iterator[ast.AST]:
    """What belongs to indicators: the type of an argument called `memory`, and what is handed to `indicators`."""
    for node in module.nodes:
        if isinstance(node, ast.arg) and node.arg == "memory" and node.annotation:
            yield from ast.walk(node.annotation)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("indicators."):
            for argument in node.args:
                yield from ast.walk(argument)


def one_clock(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*PROGRAM):
        if module.path in CLOCKS:
            continue
        for line, name in module.imports:
            if top(name) == "time":
                yield f"{module.path}:{line} imports {name}"
        for node in module.nodes:
            if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
                owner = ast.unparse(node.value)
                if owner in {"datetime", "date", "datetime.datetime", "datetime.date"}:
                    yield f"{module.path}:{node.lineno} asks {owner}.{node.attr}"


#: Where transactions are ended: the unit of work, the journal's writer, and the schema's own steps.
_COMMITTERS = ("db/unit_of_work.py", "db/journal/", "db/migrate.py")


def one_commit(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*HOUSE):
        if module.path.startswith(_COMMITTERS):
            continue
        for node in module.nodes:
            # A commit with an argument hands a step to the journal; one without ends a transaction.
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "commit" and not node.args:
                yield f"{module.path}:{node.lineno} commits"


def no_mode_questions(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*HOUSE):
        if module.path in MODE_PLACES:
            continue
        for node in module.nodes:
            names = {getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "arg", None)}
            for name in sorted(MODE_NAMES & names):
                yield f"{module.path}:{getattr(node, 'lineno', 0)} asks {name}"


def late_annotations(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*EVERYTHING):
        has_code = len(module.syntax.body) > 1
        if has_code and not any(name == "__future__.annotations" for _, name in module.imports):
            yield f"{module.path}:1 lacks `from __future__ import annotations`"


def everything_annotated(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*EVERYTHING):
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                arguments += [extra for extra in (node.args.vararg, node.args.kwarg) if extra]
                bare = [a.arg for a in arguments if a.annotation is None and a.arg not in {"self", "cls"}]
                if bare or node.returns is None:
                    yield f"{module.path}:{node.lineno} {node.name} lacks annotations of {bare or 'its result'}"


def simulator_alone(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*EVERYTHING):
        for line, name in module.imports:
            if module.path.startswith("simulator/") and top(name) in HOUSE:
                yield f"{module.path}:{line} imports {name} of the house"
            if top(name) == "simulator" and not _may_import_simulator(module):
                yield f"{module.path}:{line} imports {name}; start it as a process"


def _may_import_simulator(module: Module) -> bool:
    return module.path.startswith(("simulator/", "tests/simulator/", "tests/clients/", "benchmarks/"))


def one_thing_per_plugin(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*PLUGINS):
        # What begins with an underscore is shared by plug-ins: a file, or a package with everything in it.
        if any(part.startswith("_") for part in module.path.split("/")):
            continue
        name = module.path.rpartition("/")[2].removesuffix(".py").removesuffix("_strategy")
        found = [str(node.args[0].value) for node in module.nodes if _registers(node)]  # type: ignore[attr-defined]
        if found != [name]:
            yield f"{module.path}:1 must register exactly {name!r} and registers {found}"


def _registers(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "register"
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
    )


def contracts_are_pure(tree: Tree) -> Iterator[str]:
    impure = {"asyncio", "os", "pathlib", "random", "socket", "subprocess", "threading", "time"}
    for module in tree.modules("core"):
        if not module.path.startswith("core/base_"):
            continue
        for line, name in module.imports:
            ours = top(name) == "domain" or name.startswith(("core.base_", "core.clock", "core.registry"))
            known = ours or top(name) in {*sys.stdlib_module_names, "pydantic"}
            if not known or top(name) in impure:
                yield f"{module.path}:{line} imports {name}"


def two_runtimes(tree: Tree) -> Iterator[str]:
    for module in tree.modules("engine"):
        in_backtest = module.path.startswith("engine/backtest")
        for line, name in module.imports:
            if top(name) == "engine" and name.startswith("engine.backtest") != in_backtest:
                yield f"{module.path}:{line} imports {name}"


def own_words_only(tree: Tree) -> Iterator[str]:
    for name in tree.files:
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            for word in FORBIDDEN_TEXT:
                if word in line:
                    yield f"{name}:{number} mentions {word}"


def laws_as_docstrings(tree: Tree) -> Iterator[str]:
    page = tree.text("docs/architecture.md") if "docs/architecture.md" in tree.files else ""
    for module in tree.modules(*PROGRAM, "tests", "benchmarks"):
        folder, _, file = module.path.rpartition("/")
        if file == "__init__.py" and "/" not in folder:
            law = (ast.get_docstring(module.syntax) or "").partition("\n")[0]
            if not law or f"| `{folder}/` | *{law}* |" not in page:
                yield f"{module.path}:1 says {law!r}, which is not its row in docs/architecture.md"


RULES = [
    Rule("no float money", "A float loses the last digits of an amount without a word.", no_float_money),
    Rule("one clock", "Time that is asked for in many places can be neither replayed nor tested.", one_clock),
    Rule("one commit", "What is kept together is decided in one place.", one_commit),
    Rule(
        "no mode questions",
        "Paper is a venue, backtest a runtime: wiring chooses, code does not ask.",
        no_mode_questions,
    ),
    Rule("late annotations", "One style of annotation on every supported Python.", late_annotations),
    Rule("everything annotated", "Types are the first documentation; the checker needs all.", everything_annotated),
    Rule("simulator alone", "An oracle that shares code with the house shares its mistakes.", simulator_alone),
    Rule("one thing per plug-in file", "Adding one thing is adding one file.", one_thing_per_plugin),
    Rule("contracts are pure", "A contract that needs plumbing cannot be implemented without it.", contracts_are_pure),
    Rule("two runtimes", "Backtest and live loop share the law, not each other.", two_runtimes),
    Rule("own words only", "The repository works anywhere: no machine's paths, no download addresses.", own_words_only),
    Rule("laws as docstrings", "A package says its law, in the words of the architecture.", laws_as_docstrings),
    *BUDGETS,
]
