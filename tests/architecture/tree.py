"""A source tree as the rules see it: parsed once, addressed by paths from its root."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HOUSE = ("api", "cli", "core", "db", "domain", "engine", "exchanges", "strategies", "tasks")
PROGRAM = (*HOUSE, "simulator")
EVERYTHING = (*PROGRAM, "tests", "benchmarks", "scripts")
SKIPPED = {".venv", ".git", ".ares", "__pycache__", "node_modules"}


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: str
    text: str

    @cached_property
    def syntax(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.syntax))

    @property
    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full dotted name of everything imported."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


class Tree:
    """The files under `root`: what git knows of, or simply what is there where git knows nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._modules: dict[str, Module] = {}

    @cached_property
    def files(self) -> list[str]:
        if (self.root / ".git").exists():
            command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True).stdout
            return sorted(name for name in set(listed.splitlines()) if (self.root / name).is_file())
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if not SKIPPED & set(path.parts))

    def modules(self, *folders: str) -> Iterator[Module]:
        """Python files below any of `folders`."""
        for name in self.files:
            if name.endswith(".py") and name.partition("/")[0] in folders:
                if name not in self._modules:
                    self._modules[name] = Module(name, (self.root / name).read_text())
                yield self._modules[name]

    def text(self, name: str) -> str:
        return (self.root / name).read_text(errors="replace")


@dataclass(frozen=True)
class Rule:
    """A law of the house: `check` gives one line for every place that breaks it."""

    name: str
    why: str
    check: Callable[[Tree], Iterator[str]]


def top(dotted: str) -> str:
    return dotted.partition(".")[0]
