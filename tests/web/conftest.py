"""One installation and one browser for all walks through the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.embedded import Up, up
from tests.services import program
from tests.web.browser import PATIENCE_MS
from tests.web.tool import web


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    program("chromium")
    web("build")
    with up(tmp_path_factory.mktemp("up")) as made:
        yield made


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
