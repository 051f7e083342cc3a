"""Whatever the API and the workers can say to people has a stable code and a text in both languages.

The codes are read from the source and from the registries, so that what is added without a text is found.
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import string
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest
from pydantic_core._pydantic_core import list_all_errors

import strategies
from api import errors
from api.copy_views import words_of as reason_of
from core.base_strategy import STRATEGIES
from domain.copying import follow, terms
from domain.errors import AresError, default_message
from domain.risk_manager import RULES
from domain.sentences import Sentence
from engine import gate
from engine.parking import NOT_PLACED
from tests.web.tool import WEB

ROOT = WEB.parent
PACKAGES = ("api", "core", "db", "domain", "engine", "exchanges", "strategies", "tasks")
#: Errors that are raised here are read by whoever starts a process or types a command, or hold the words of others: a
#: venue, a database, a connection. On the page they have the text of their class, and these words behind it.
SAID_ELSEWHERE = (
    "api/services.py", "core/clock.py", "core/config.py", "core/redis_client.py", "core/secrets.py",
    "db/archive.py", "db/columns.py", "db/database.py", "db/health.py", "db/journal/drivers.py",
    "db/journal/journal.py", "db/migrate.py", "db/queries/audit.py", "db/queries/platform.py",
    "db/unit_of_work.py", "core/base_journal.py", "domain/client_order_id.py", "domain/executions.py",
    "domain/instance.py", "domain/ledger.py", "domain/outcome.py", "engine/backtest/brackets.py",
    "engine/backtest/depth.py", "engine/backtest/download.py", "engine/backtest/frames.py",
    "engine/backtest/optimiser/folder.py", "engine/backtest/report.py", "exchanges/",
)  # fmt: skip
#: What pydantic can object to in shapes that no request here has.
OTHER_SHAPES = (
    "arguments", "counter", "deque", "ellipsis", "fraction", "frozen_dict", "named_tuple", "ordered_dict",
    "bytes_invalid", "call", "callable", "complex", "dataclass", "date_future", "date_past", "default",
    "frozen_field", "frozen_instance", "generator", "get_attribute", "is_", "missing_argument", "missing_keyword",
    "missing_positional", "multiple_argument", "mypy", "needs_python", "time_delta", "time_type", "time_parsing",
    "unexpected", "url", "uuid", "set_item", "tuple_size",
)  # fmt: skip
STRATEGIES.scan(strategies)


class Said(NamedTuple):
    """One use of `say`."""

    place: str
    code: str
    template: str
    values: frozenset[str]


@cache
def tellings(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WEB / "src" / "i18n" / f"{language}.json").read_text())
    return found


@cache
def sources() -> dict[str, ast.Module]:
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {name: ast.parse((ROOT / name).read_text()) for name in listed.split() if name.endswith(".py")}


@cache
def said() -> list[Said]:
    found = []
    for name, syntax in sources().items():
        for node in ast.walk(syntax):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                code, template = (ast.literal_eval(one) for one in node.args)
                given = frozenset(str(one.arg) for one in node.keywords) - {"field"}
                found.append(Said(f"{name}:{node.lineno}", code, template, given))
    return found


@cache
def kinds_of_error() -> dict[str, type[AresError]]:
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            if not module.name.startswith("db.migrations.env"):
                importlib.import_module(module.name)
    return {kind.__name__: kind for kind in _below(AresError) if kind.__module__.partition(".")[0] in PACKAGES}


def _below(kind: type[AresError]) -> Iterator[type[AresError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def refusals_of_the_schema() -> dict[str, set[str]]:
    """By code what pydantic can say of a request here, and the names of what it puts in."""
    return {
        errors.INPUT + one["type"]: set(one.get("example_context") or ())
        for one in list_all_errors()
        if not one["type"].startswith(OTHER_SHAPES)
    }


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_each_code_names_one_sentence_and_puts_in_what_it_names() -> None:
    templates: dict[str, set[str]] = {}
    for one in said():
        templates.setdefault(one.code, set()).add(one.template)
        assert names_in(one.template) == one.values, one
    assert len(templates) > 250
    assert {code: found for code, found in templates.items() if len(found) > 1} == {}
    assert {kind.code for kind in kinds_of_error().values()} & templates.keys() == set()


def test_every_sentence_has_a_chinese_text_with_the_same_values() -> None:
    told = tellings("zh-CN")["told"]
    wanted = {one.code: one.values for one in said()} | refusals_of_the_schema()
    assert sorted(wanted.keys() - {code for code, text in told.items() if text}) == []
    assert {code: told[code] for code, values in wanted.items() if names_in(told[code]) - values} == {}
    by_hand = {one.code: one.values for one in said()}
    assert {code: told[code] for code, values in by_hand.items() if names_in(told[code]) != values} == {}


def test_every_kind_of_error_has_a_text_in_both_languages() -> None:
    told, found = tellings("zh-CN")["told"], kinds_of_error()
    assert len(found) > 80
    assert [name for name, kind in found.items() if not default_message(kind)] == []
    assert sorted({kind.code for kind in found.values()} - told.keys()) == []


def test_no_text_is_of_a_code_that_nobody_sends() -> None:
    sent = (
        {one.code for one in said()}
        | {kind.code for kind in kinds_of_error().values()}
        | refusals_of_the_schema().keys()
    )
    assert sorted(tellings("zh-CN")["told"].keys() - sent) == []


def test_every_reason_of_a_strategy_and_of_copying_is_a_sentence() -> None:
    reasons = [words for name in STRATEGIES for words in STRATEGIES.get(name).reasons.values()]
    reasons += [*follow.REASONS.values(), *terms.REASONS.values()]
    reasons += [reason_of(name) for name in (*terms.REASON_NAMES, "nothing_to_do")]
    assert len(reasons) > 100
    assert [words for words in reasons if not isinstance(words, Sentence)] == []


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_whatever_holds_an_order_back_is_said_in_words(language: str) -> None:
    codes = {rule.__name__ for rule in RULES} | gate.WORDS.keys() | {NOT_PLACED.replace(" ", "_")}
    assert sorted(codes - tellings(language)["heldBack"].keys()) == []


def unsaid(name: str, syntax: ast.Module) -> Iterator[str]:
    """Errors and objections to fields that are raised with a plain text."""
    kinds = {*kinds_of_error(), "FieldError", "Finding"}
    for node in ast.walk(syntax):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        is_job = called == "ValueError" and name.startswith("core/base_jobs")
        if called not in kinds and not is_job:
            continue
        text = (
            node.args[1 if called in {"FieldError", "Finding"} else 0]
            if node.args[called in {"FieldError", "Finding"} :]
            else None
        )
        plain = isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and isinstance(text.value, str))
        if plain:
            yield f"{name}:{node.lineno} {called}"


def test_what_people_on_the_page_may_read_has_a_code() -> None:
    assert [
        one for name, syntax in sources().items() if not name.startswith(SAID_ELSEWHERE) for one in unsaid(name, syntax)
    ] == []


def test_a_plain_text_is_found() -> None:
    planted = 'raise Refused("no")\nraise BadFields([FieldError("a", f"no {a}")])\nraise Refused(say("a", "b"))'
    assert list(unsaid("api/planted.py", ast.parse(planted))) == [
        "api/planted.py:1 Refused",
        "api/planted.py:2 FieldError",
    ]
