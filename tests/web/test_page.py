from __future__ import annotations

import filecmp
import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import strategies
from core.base_strategy import STRATEGIES, StrategyKind
from core.risk_limits import Limits
from domain.copying.terms import REASONS
from domain.risk_manager import RULES
from scripts.openapi import description
from tests.web.tool import WEB, web

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: Of JavaScript, packed, before the first page shows.
FIRST_PAGE_BYTES = 250_000
STRATEGIES.scan(strategies)
KINDS: list[StrategyKind] = [STRATEGIES.get(name) for name in STRATEGIES]


def words(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((WEB / "src" / "i18n" / f"{language}.json").read_text())
    return found


def untold(reasons: Iterable[str]) -> list[str]:
    """The keys of those that the page knows in English alone."""
    told = words("zh-CN")["reasons"]
    keys = [re.sub(r"_$", "", re.sub(r"[^a-z]+", "_", reason.lower())[:40]) for reason in reasons]
    return [key for key in keys if key not in told]


def test_the_page_s_own_tests_pass() -> None:
    said = web("test")
    assert re.search(r"Tests\s+\d+ passed", said), said


def test_the_description_is_that_of_the_api() -> None:
    kept = json.loads((WEB / "openapi.json").read_text())
    assert kept == json.loads(json.dumps(description())), "the API has changed: run `scripts/web generate`"


def test_the_client_is_made_from_the_description(tmp_path: Path) -> None:
    web("client", ARES_CLIENT_OUTPUT=str(tmp_path / "generated"))
    kept = WEB / "src" / "api" / "generated"
    files = sorted(str(path.relative_to(kept)) for path in kept.rglob("*.ts"))
    made = sorted(str(path.relative_to(tmp_path / "generated")) for path in (tmp_path / "generated").rglob("*.ts"))
    assert made == files
    _, differing, missing = filecmp.cmpfiles(kept, tmp_path / "generated", files, shallow=False)
    assert (differing, missing) == ([], []), "run `scripts/web generate`"


def test_the_first_page_is_small() -> None:
    web("build")
    page = (WEB / "dist" / "index.html").read_text()
    first = re.findall(r'(?:src|href)="/(assets/[^"]+\.js)"', page)
    assert first
    packed = sum(len(gzip.compress((WEB / "dist" / name).read_bytes())) for name in first)
    assert packed < FIRST_PAGE_BYTES, packed


def test_the_lock_file_names_no_host() -> None:
    lock = (WEB / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_parameter_of_a_kind_is_told_in_chinese(kind: StrategyKind) -> None:
    told = words("zh-CN")["kinds"][kind.name]
    assert told["title"]
    assert told["summary"]
    assert set(told["fields"]) == set(kind.schema()["properties"])
    assert words("en")["kinds"][kind.name]["title"] == kind.title


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_reason_of_a_kind_is_told_in_chinese(kind: StrategyKind) -> None:
    assert untold(kind.reasons.values()) == []


def test_every_reason_of_copying_is_told_in_chinese() -> None:
    assert untold(REASONS.values()) == []


def test_every_limit_and_every_rule_that_holds_back_has_its_words() -> None:
    assert set(words("zh-CN")["kinds"]["limits"]["fields"]) == set(Limits.model_json_schema()["properties"])
    for language in ("en", "zh-CN"):
        assert {rule.__name__ for rule in RULES} - set(words(language)["heldBack"]) == set()
