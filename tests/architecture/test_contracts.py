from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
NAMES = {contract["id"]: contract["name"] for contract in SETTINGS["contracts"]}

# Contract, file, and what is written into it.
PLANTED = [
    ("rows", "domain/order.py", "import core.clock"),
    ("rows", "core/events.py", "import db.database"),
    ("rows", "engine/loop.py", "import db.database"),
    ("rows", "strategies/grid.py", "import exchanges.okx"),
    ("rows", "tasks/wiring.py", "import api.app"),
    ("the-http-node-never-trades", "api/app.py", "import engine.loop"),
    ("the-http-node-never-trades", "api/app.py", "import tasks.wiring"),
    ("the-law-is-pure", "domain/order.py", "import random"),
    ("the-law-is-pure", "domain/order.py", "from time import time"),
    ("the-law-is-pure", "strategies/grid.py", "import asyncio"),
    ("the-law-is-pure", "strategies/grid.py", "import os"),
    ("one-door-to-ccxt", "exchanges/okx.py", "import ccxt"),
    ("one-door-to-ccxt", "engine/loop.py", "import ccxt.pro"),
    ("strangers", "strategies/grid.py", "import strategies.dca"),
    ("strangers", "exchanges/okx.py", "import exchanges.bybit"),
    ("all-sql-lives-in-db", "engine/loop.py", "import sqlite3"),
    ("all-sql-lives-in-db", "api/app.py", "from sqlalchemy import select"),
    ("the-oracle-is-alone", "simulator/venue.py", "import domain.order"),
    ("nobody-imports-the-oracle", "cli/app.py", "import simulator.venue"),
]
KEPT = [
    ("one-door-to-ccxt", "exchanges/_ccxt.py", "import ccxt"),
    ("strangers", "exchanges/okx.py", "import exchanges._ccxt"),
    ("rows", "tasks/wiring.py", "import engine.loop, exchanges.okx, strategies.grid, db.database, core.clock"),
]
FILES = {file for _, file, _ in (*PLANTED, *KEPT)} | {
    "core/clock.py", "db/database.py", "exchanges/bybit.py", "strategies/dca.py"
}  # fmt: skip


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).parent / "lint-imports"),
        "--no-logo",
        "--no-cache",
        "--config",
        "pyproject.toml",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The packages of the house, empty, under the contracts of the house."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for package in SETTINGS["root_packages"]:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for file in FILES:
        (tmp_path / file).touch()
    return tmp_path


def test_the_house_keeps_every_contract() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_a_planted_import_breaks_its_contract(skeleton: Path, contract: str, file: str, line: str) -> None:
    (skeleton / file).write_text(line + "\n")
    done = lint(skeleton)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{NAMES[contract]} BROKEN" in done.stdout


@pytest.mark.parametrize(("contract", "file", "line"), KEPT)
def test_an_allowed_import_breaks_nothing(skeleton: Path, contract: str, file: str, line: str) -> None:
    (skeleton / file).write_text(line + "\n")
    done = lint(skeleton)
    assert f"{NAMES[contract]} KEPT" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_contract_has_a_planted_import() -> None:
    assert {contract for contract, _, _ in PLANTED} == set(NAMES)
