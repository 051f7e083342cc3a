from __future__ import annotations

import filecmp
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

import strategies
from core.base_strategy import STRATEGIES, StrategyKind
from core.risk_limits import Limits
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


def test_every_limit_has_its_words() -> None:
    assert set(words("zh-CN")["kinds"]["limits"]["fields"]) == set(Limits.model_json_schema()["properties"])
