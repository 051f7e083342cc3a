"""How large things may grow. A module that outgrows its budget becomes a package of the same name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.tree import EVERYTHING, PROGRAM, Rule, Tree

FILE_LINES, TEST_FILE_LINES = 400, 500
FUNCTION_LINES = 60
PUBLIC_METHODS = 20
INHERITANCE = 2


def short_files(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*EVERYTHING):
        limit = TEST_FILE_LINES if module.path.startswith("tests/") else FILE_LINES
        lines = module.text.count("\n")
        if lines > limit:
            yield f"{module.path}:1 has {lines} lines, more than {limit}"


def short_functions(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*EVERYTHING):
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield f"{module.path}:{node.lineno} {node.name} has {lines} lines, more than {FUNCTION_LINES}"


def small_classes(tree: Tree) -> Iterator[str]:
    for module in tree.modules(*PROGRAM):
        for node in module.nodes:
            if isinstance(node, ast.ClassDef):
                methods = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
                public = len({method.name for method in methods if not method.name.startswith("_")})
                if public > PUBLIC_METHODS:
                    yield f"{module.path}:{node.lineno} {node.name} has {public} public methods"


def flat_inheritance(tree: Tree) -> Iterator[str]:
    parents: dict[str, set[str]] = {}
    places: dict[str, str] = {}
    for module in tree.modules(*PROGRAM):
        for node in module.nodes:
            if isinstance(node, ast.ClassDef):
                bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
                # Two classes of one name in different files count as one here: the check errs on the strict side.
                parents.setdefault(node.name, set()).update(bases - {node.name})
                places[node.name] = f"{module.path}:{node.lineno}"
    for name, place in places.items():
        depth = _depth(name, parents, frozenset())
        if depth > INHERITANCE:
            yield f"{place} {name} is {depth} steps below its root"


def _depth(name: str, parents: dict[str, set[str]], seen: frozenset[str]) -> int:
    known = [base for base in parents.get(name, ()) if base in parents and base not in seen]
    return max((1 + _depth(base, parents, seen | {name}) for base in known), default=0)


BUDGETS = [
    Rule("short files", "A file is read in one sitting.", short_files),
    Rule("short functions", "A function fits on one screen.", short_functions),
    Rule("small classes", "A class with many methods is several things.", small_classes),
    Rule("flat inheritance", "Behaviour three classes up is behaviour nobody finds.", flat_inheritance),
]
