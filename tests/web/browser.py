"""A page of a running installation as a person sees it: signed in, looked at, and free of barriers."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.embedded import Up, ares
from tests.web.tool import WEB

PATIENCE_MS = 180_000
#: What reaches beyond the right edge of a page that has to be scrolled sideways.
TOO_WIDE = """document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("main *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML.slice(0, 200))"""
#: Of what is no barrier it need not tell.
AXE = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations']})"
#: Until what changes its colour or place has done so; two seconds at most, for a page that is not drawn.
SETTLED = """() => Promise.race([new Promise((done) => setTimeout(done, 2000)),
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => Promise.all(
        document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 1e6)
            .map((one) => one.finished.catch(() => {})))).then(() => true)])"""
LOOKS = [("light", 1440, "en-US"), ("dark", 380, "zh-CN")]
#: Where pictures are kept, for whoever wants to look at them.
PICTURES = os.environ.get("ARES_PICTURES")


def signed_in(browser: Browser, running: Up, look: tuple[str, int, str]) -> Page:
    """A page that was opened by a link of its own."""
    scheme, width, language = look
    context: BrowserContext = browser.new_context(
        viewport={"width": width, "height": 900}, locale=language, reduced_motion="reduce",
        color_scheme="dark" if scheme == "dark" else "light",
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    said = ares(running.home, running.database, "login").stdout
    link = re.search(r"http\S+/login\?token=\S+", said)
    assert link, said
    page.goto(link.group())
    expect(page.get_by_role("link", name="BTCUSDT range grid")).to_be_visible()
    return page


def visit(page: Page, path: str) -> None:
    page.goto("/".join([*page.url.split("/")[:3], path]))


def examine(page: Page, name: str) -> None:
    """No barrier that axe knows, and nothing that has to be scrolled sideways."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))
    page.evaluate(SETTLED)
    page.evaluate((WEB / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate(AXE)["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == [], name
    assert page.evaluate(TOO_WIDE) == [], name
