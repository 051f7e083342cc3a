"""The table has an entry for every row of the catalogue, and what it names exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.acceptance.faults.matrix import MATRIX, ROWS, Elsewhere

HERE = Path(__file__).parent


@cache
def _tests_of(path: Path) -> frozenset[str]:
    functions = (
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    )
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_row_of_the_catalogue_has_an_entry() -> None:
    assert set(MATRIX) == {f"{part}-{number:02}" for part, count in ROWS.items() for number in range(1, count + 1)}


@pytest.mark.parametrize("row", MATRIX)
def test_what_an_entry_names_exists(row: str) -> None:
    entry = MATRIX[row]
    assert entry.tests or isinstance(entry, Elsewhere)
    for name in entry.tests:
        path, _, test = name.partition("::")
        assert test in _tests_of((HERE / path).resolve()), name


def test_every_test_of_a_fault_is_named_by_an_entry() -> None:
    named = {name for entry in MATRIX.values() for name in entry.tests}
    here = {f"{path.name}::{test}" for path in HERE.glob("test_*.py") for test in _tests_of(path)}
    apart = {"test_matrix.py", "test_bad_input.py", "test_funding.py"}
    assert {name for name in here if name.partition("::")[0] not in apart} <= named
