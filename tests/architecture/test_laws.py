from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.rules import FORBIDDEN_TEXT, RULES
from tests.architecture.tree import Rule, Tree
from tests.conftest import ROOT

BY_NAME = {rule.name: rule for rule in RULES}
FUTURE = "from __future__ import annotations\n"
LONG = "def long() -> None:\n" + "    print()\n" * 60
TWO = "@V.register('okx')\nclass A: ...\n@V.register('b')\nclass B: ...\n"
PORT = "from typing import Protocol\nfrom domain.order import Order\n"
KERNEL = "from domain.fills import touch\nfrom engine.backtest.fees import fee\n"
DECIDE = "def decide(memory: list[float], price: int) -> None:\n    indicators.update(memory, float(price))\n"
MANY = "class Many:\n" + "".join(f"    def m{i}(self) -> None: ...\n" for i in range(21))
DEEP = "class A: ...\nclass B(A): ...\nclass C(B): ...\nclass D(C): ...\n"


@dataclass(frozen=True)
class Case:
    """A file planted into an otherwise empty tree."""

    rule: str
    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.path}"


BROKEN = [
    Case("no float money", "domain/fees.py", "FEE = 0.001\n"),
    Case("no float money", "db/models.py", "class Fill:\n    price: float\n"),
    Case("no float money", "strategies/grid.py", "def step(x: int) -> int:\n    return int(float(x))\n"),
    Case("no float money", "strategies/grid.py", "def decide(price: float) -> None: ...\n"),
    Case("one clock", "engine/loop.py", "import time\n"),
    Case("one clock", "simulator/venue.py", "from time import monotonic\n"),
    Case("one clock", "api/routes.py", "from datetime import datetime, UTC\nNOW = datetime.now(UTC)\n"),
    Case("one clock", "db/models.py", "import datetime\nNOW = datetime.datetime.utcnow()\n"),
    Case("one commit", "db/queries.py", "def save(session: Session) -> None:\n    session.commit()\n"),
    Case("one commit", "api/deps.py", "def save(unit: Unit) -> None:\n    unit.work.commit()\n"),
    Case("no mode questions", "engine/gateway.py", "def send(config: Config) -> bool:\n    return config.dry_run\n"),
    Case("no mode questions", "exchanges/paper.py", "def send(is_live: bool) -> None: ...\n"),
    Case("late annotations", "core/x.py", "import json\nprint(json)\n"),
    Case("everything annotated", "core/x.py", "def double(x): return x * 2\n"),
    Case("everything annotated", "tests/test_x.py", "def test_something():\n    assert True\n"),
    Case("everything annotated", "simulator/x.py", "def f(*args, **kw) -> None: ...\n"),
    Case("simulator alone", "simulator/x.py", "from domain.money import exact\n"),
    Case("simulator alone", "simulator/x.py", "def f() -> None:\n    import core.clock\n"),
    Case("simulator alone", "cli/x.py", "from simulator.server import running\n"),
    Case("simulator alone", "tests/unit/test_x.py", "import simulator\n"),
    Case("one thing per plug-in file", "strategies/dca_strategy.py", "def decide() -> None: ...\n"),
    Case("one thing per plug-in file", "exchanges/okx.py", "@VENUES.register('bybit')\nclass Okx: ...\n"),
    Case("one thing per plug-in file", "exchanges/okx.py", TWO),
    Case("contracts are pure", "core/base_exchange.py", "from redis import Redis\n"),
    Case("contracts are pure", "core/base_exchange.py", "import os\n"),
    Case("contracts are pure", "core/base_journal.py", "from core.redis_client import connect\n"),
    Case("two runtimes", "engine/backtest/kernel.py", "from engine.trading_engine import step\n"),
    Case("two runtimes", "engine/trading_engine.py", "import engine.backtest.kernel\n"),
    *(Case("own words only", "docs/x.md", f"see {word}x\n") for word in FORBIDDEN_TEXT),
    Case("laws as docstrings", "core/__init__.py", '"""Something else."""\n'),
    Case("laws as docstrings", "core/__init__.py", ""),
    Case("short files", "core/x.py", "#\n" * 401),
    Case("short files", "tests/unit/test_x.py", "#\n" * 501),
    Case("short functions", "tests/unit/test_x.py", LONG),
    Case("small classes", "engine/x.py", MANY),
    Case("flat inheritance", "engine/x.py", DEEP),
]  # fmt: skip

ALLOWED = [
    Case("no float money", "strategies/rsi_strategy.py", DECIDE),
    Case("no float money", "domain/indicators.py", "ALPHA = 0.5\n"),
    Case("no float money", "engine/pace.py", "SECONDS = 0.5\n"),
    Case("one clock", "core/clock.py", "import time\n"),
    Case("one clock", "simulator/clock.py", "import time\n"),
    Case("one commit", "db/unit_of_work.py", "def keep(t: T) -> None:\n    t.commit()\n"),
    Case("no mode questions", "core/config.py", "dry_run: bool = True\n"),
    Case("late annotations", "core/x.py", FUTURE + "import json\n"),
    Case("simulator alone", "tests/simulator/test_x.py", "import simulator\n"),
    Case("one thing per plug-in file", "exchanges/_ccxt.py", "import ccxt\n"),
    Case("one thing per plug-in file", "exchanges/_shared/wire.py", "def send() -> None: ...\n"),
    Case("one thing per plug-in file", "exchanges/okx.py", "@VENUES.register('okx')\nclass Okx: ...\n"),
    Case("one thing per plug-in file", "strategies/dca_strategy.py", "STRATEGIES.register('dca')(DECIDE)\n"),
    Case("contracts are pure", "core/base_exchange.py", PORT),
    Case("two runtimes", "engine/backtest/kernel.py", KERNEL),
    Case("short functions", "core/x.py", LONG.replace("    print()\n", "", 1)),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_house_keeps_the_law(rule: Rule) -> None:
    found = list(rule.check(Tree(ROOT)))
    assert not found, f"{rule.name}: {rule.why}\n" + "\n".join(found)


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_a_planted_violation_is_found(case: Case, tmp_path: Path) -> None:
    assert _check(case, tmp_path), f"nothing was found in {case.path}"


@pytest.mark.parametrize("case", ALLOWED, ids=str)
def test_what_the_law_allows_is_not_reported(case: Case, tmp_path: Path) -> None:
    assert _check(case, tmp_path) == []


def test_every_law_has_a_planted_violation() -> None:
    assert {case.rule for case in BROKEN} == set(BY_NAME)


def test_every_law_says_why() -> None:
    assert all(rule.why.endswith(".") for rule in RULES)


def _check(case: Case, folder: Path) -> list[str]:
    path = folder / case.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(case.text)
    return list(BY_NAME[case.rule].check(Tree(folder)))
