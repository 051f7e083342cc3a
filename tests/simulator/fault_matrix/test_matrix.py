"""The matrix has a row for everything, and what it names exists."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from simulator.admin.context import ROUTES
from simulator.admin.server import VERBS
from simulator.faults.kinds import KINDS
from tests.simulator.fault_matrix.matrix import MATRIX, ROWS, Row

HERE = Path(__file__).parent
SEEN = [(number, row) for number, row in MATRIX.items() if isinstance(row, Row)]


@cache
def _tests_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_row_of_the_catalogue_is_there() -> None:
    wanted = {f"{part}-{number:02}" for part, count in ROWS.items() for number in range(1, count + 1)}
    assert set(MATRIX) == wanted


@pytest.mark.parametrize(("number", "row"), SEEN)
def test_every_row_is_seen_on_the_wire_by_tests_that_exist(number: str, row: Row) -> None:
    assert row.seen_by, number
    for name in row.seen_by:
        path, _, test = name.partition("::")
        assert test in _tests_of((HERE / path).resolve()), name


def test_every_fault_named_is_on_the_board_and_every_fault_is_named() -> None:
    named = {means for _, row in SEEN for means in row.means if not means.startswith("/")} - {"protocol"}
    assert named <= set(KINDS)
    assert set(KINDS) - named == {"proxy_page"}  # a page of something in between: ../wire/test_request_faults.py


def test_every_verb_named_is_declared_on_the_operators_port() -> None:
    named = {means for _, row in SEEN for means in row.means if means.startswith("/")}
    assert VERBS  # importing them declares the routes
    assert named <= {path.removeprefix("/admin") for _, path, _ in ROUTES}
