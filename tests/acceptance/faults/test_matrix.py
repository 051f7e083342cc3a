"""The table has an entry for every row of the catalogue, and what it names exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.acceptance.faults.matrix import MATRIX, ROWS, Elsewhere
from tests.acceptance.faults.platform_matrix import PLATFORM, PLATFORM_ROWS
from tests.negative.test_mechanisms import MECHANISMS

HERE = Path(__file__).parent
ENTRIES = MATRIX | PLATFORM


@cache
def _tests_of(path: Path) -> frozenset[str]:
    functions = (
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    )
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_row_of_the_catalogue_has_an_entry() -> None:
    rows = {
        f"{part}-{number:02}" for part, count in (ROWS | PLATFORM_ROWS).items() for number in range(1, count + 1)
    }  # fmt: skip
    assert set(ENTRIES) == rows
    assert not set(MATRIX) & set(PLATFORM)


@pytest.mark.parametrize("row", ENTRIES)
def test_what_an_entry_names_exists(row: str) -> None:
    entry = ENTRIES[row]
    assert entry.tests or isinstance(entry, Elsewhere)
    mechanisms = {mechanism.name.replace(" ", "_") for mechanism in MECHANISMS}
    for name in entry.tests:
        path, _, test = name.partition("::")
        test, _, mechanism = test.removesuffix("]").partition("[")
        assert test in _tests_of((HERE / path).resolve()), name
        assert not mechanism or mechanism in mechanisms, name


def test_every_test_of_a_fault_is_named_by_an_entry() -> None:
    named = {name for entry in ENTRIES.values() for name in entry.tests}
    here = {f"{path.name}::{test}" for path in HERE.glob("test_*.py") for test in _tests_of(path)}
    apart = {"test_matrix.py", "test_bad_input.py", "test_funding.py", "test_other_times.py"}
    assert {name for name in here if name.partition("::")[0] not in apart} <= named
