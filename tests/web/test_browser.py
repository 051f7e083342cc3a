"""A browser on a whole installation: what a person sees and does, on the real API, worker and simulated exchange."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.embedded import Up, ares, up
from tests.services import program
from tests.web.tool import WEB, web

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]

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


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    program("chromium")
    web("build")
    with up(tmp_path_factory.mktemp("up")) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])


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


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
def test_every_page_is_without_barriers(running: Up, browser: Browser, look: tuple[str, int, str]) -> None:
    page = signed_in(browser, running, look)
    name = f"{look[0]}-{look[1]}"
    words = {"en-US": ("Live", "Edit", "New strategy"), "zh-CN": ("实时", "编辑", "新建策略")}[look[2]]
    expect(page.get_by_text(words[0], exact=True)).to_be_visible()
    examine(page, f"{name}-strategies")
    page.get_by_role("button", name=words[2]).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    examine(page, f"{name}-new")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="BTCUSDT range grid").click()
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("BTCUSDT range grid")
    examine(page, f"{name}-strategy")
    page.get_by_role("button", name=words[1], exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    examine(page, f"{name}-edit")
    page.keyboard.press("Escape")
    for path in ("accounts", "nodes", "audit", "people"):
        visit(page, path)
        expect(page.locator("main table, main .cards").first).to_be_visible()
        examine(page, f"{name}-{path}")
    page.context.close()


def test_a_new_bot_is_started_and_its_fills_arrive_by_themselves(running: Up, browser: Browser) -> None:
    page = signed_in(browser, running, LOOKS[0])
    price = Decimal(running.strategies()[0]["live"]["current_price"])
    page.get_by_role("button", name="New strategy").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name", exact=True).fill("From the page")
    form.get_by_label("Symbol").fill("btcusdt")
    form.get_by_label("Lowest price").fill(str(round(price * Decimal("0.96"), 2)))
    form.get_by_label("Highest price").fill(str(round(price * Decimal("1.04"), 2)))
    form.get_by_label("Total investment").fill("a lot")
    form.get_by_role("button", name="Create").click()
    expect(form.get_by_text("A decimal number, such as 0.5.")).to_be_visible()
    form.get_by_label("Total investment").fill("1000")
    form.get_by_text("Capital and limits").click()
    form.get_by_label("Capital: Asset 1").fill("USDT")
    form.get_by_label("Capital: Amount 1").fill("2000")
    form.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("From the page")
    expect(page.get_by_text("No fills yet.")).to_be_visible()
    page.get_by_role("button", name="Start From the page").click()
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(page.get_by_role("table", name="Fills").locator("tbody tr").first).to_be_visible()
    expect(page.get_by_role("region", name="Result")).to_contain_text("The sum equals the equity to the last unit")
    expect(page.get_by_role("table", name="Resting orders").locator("tbody tr").first).to_be_visible()
    page.context.close()


def test_a_bot_is_paused_resumed_stopped_and_started_as_it_was_told(running: Up, browser: Browser) -> None:
    page = signed_in(browser, running, LOOKS[0])
    page.get_by_role("link", name="ETHUSDT range grid").click()
    state = page.locator("header .tag")
    for verb, told, wanted in (
        ("Pause", "opens nothing new", "Paused"),
        ("Resume", "places its entries", "Running"),
        ("Stop", "keeps the position of", "Stopped"),
        ("Start", "compares with", "Running"),
    ):
        page.get_by_role("button", name=f"{verb} ETHUSDT range grid", exact=True).click()
        question = page.get_by_role("dialog")
        expect(question).to_contain_text(told)
        question.get_by_role("button", name=verb, exact=True).click()
        expect(state).to_have_text(wanted)
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_text("Strategy stopped").first).to_be_visible()
    page.context.close()


def enter_position(page: Page, symbol: str, size: str, price: str) -> None:
    page.get_by_role("button", name="Enter a position").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Symbol").fill(symbol)
    form.get_by_label("Position", exact=True).fill(size)
    form.get_by_label("Entry price").fill(price)
    form.get_by_role("button", name="Publish").click()
    expect(form).to_be_hidden()


def add_follower(page: Page) -> None:
    visit(page, "accounts")
    page.get_by_role("button", name="Add account").first.click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Follower")
    form.get_by_role("combobox", name="Exchange").click(force=True)  # its text lies over it
    page.get_by_role("option", name=re.compile("^paper")).click()
    form.get_by_role("button", name="Save").click()
    expect(page.get_by_role("table", name="Accounts")).to_contain_text("Follower")


def offer(page: Page) -> None:
    """A strategy is a master under its own name, and can be followed."""
    page.get_by_role("button", name="Offer a master").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("Name")).not_to_have_value("")  # the newest strategy's, once they are known
    form.get_by_role("combobox", name="Strategy").click(force=True)  # its text lies over it
    page.get_by_role("option", name=(name := "ETHUSDT range grid")).click()
    expect(form.get_by_label("Name")).to_have_value(name)
    examine(page, "light-1440-offer")
    form.get_by_role("button", name="Offer it").click()
    expect(page.get_by_role("button", name=f"Follow {name}")).to_be_visible()


def follow(page: Page, price: str) -> None:
    """What the master holds before is not copied, what it enters afterwards is."""
    visit(page, "copying")
    offer(page)
    form = page.get_by_role("dialog")
    enter_position(page, "ETHUSDT", "1", "3000")
    page.get_by_role("button", name="Follow Manual positions").click()
    form.get_by_role("combobox", name="Account").click(force=True)
    page.get_by_role("option", name=re.compile("^Follower")).click()
    form.get_by_label("Ratio *").fill("abc")
    form.get_by_label("Most for this master").fill("9000")
    form.get_by_role("button", name="Follow", exact=True).click()
    expect(form.get_by_text("A decimal number, such as 0.5.")).to_be_visible()
    examine(page, "copying-follow")
    form.get_by_label("Ratio *").fill("0.1")
    form.get_by_role("button", name="Follow", exact=True).click()
    following = page.get_by_role("table", name="Following")
    expect(following.get_by_text("Following", exact=True)).to_be_visible()
    enter_position(page, "BTCUSDT", "0.1", price)
    expect(copied(page, "BTCUSDT")).to_be_visible()
    cap_the_account(page)
    examine(page, "light-1440-copying")
    following.get_by_role("link", name="Follower ← Manual positions").click()


def cap_the_account(page: Page) -> None:
    """What an account may hold for all its masters: looked at, and changed."""
    row = page.get_by_role("table", name="All masters of an account").locator("tr").filter(has_text="Follower")
    form = page.get_by_role("dialog")
    row.get_by_role("button").click()
    form.get_by_label("Most at the price of now").fill("25000")
    form.get_by_role("button", name="Set these caps").click()
    expect(row).to_contain_text("25,000")


def copied(page: Page, symbol: str) -> Locator:
    log = page.get_by_role("table", name="Trade log")
    return log.locator("tr").filter(has_text=symbol).filter(has_text="Copied").first


def edit_terms(page: Page) -> None:
    drift = page.get_by_role("table", name="Master and follower").locator("tr").filter(has_text="BTCUSDT")
    form = page.get_by_role("dialog")
    expect(drift).to_contain_text("0.01")
    expect(page.get_by_role("table", name="Tracking-error ledger").locator("tbody tr").first).to_be_visible()
    page.get_by_role("button", name="Edit terms").click()
    form.get_by_label("Ratio *").fill("0.2")
    form.get_by_text("Price and time").click()
    form.get_by_label("Most an entry may slip").fill("0.05")
    examine(page, "copying-edit")
    form.get_by_role("button", name="Agree to these terms").click()
    expect(page.get_by_role("region", name="Terms")).to_contain_text("0.05")
    expect(drift).to_contain_text("0.02")


def resync_and_pause(page: Page) -> None:
    form = page.get_by_role("dialog")
    page.get_by_role("button", name="Resync").click()
    planned = form.get_by_role("table", name="What would be traded")
    expect(planned.locator("tr").filter(has_text="ETHUSDT")).to_contain_text("Buy 0.2")
    examine(page, "copying-resync")
    form.get_by_role("button", name="Resync").click()
    expect(copied(page, "ETHUSDT")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    form.get_by_role("button", name="Pause").click()
    expect(page.locator("header .tag").filter(has_text="Paused")).to_be_visible()
    examine(page, "light-1440-relationship")


def test_a_master_is_followed_and_its_terms_are_edited_paused_and_resynced(running: Up, browser: Browser) -> None:
    page = signed_in(browser, running, LOOKS[0])
    price = {one["symbol"]: one["live"]["current_price"] for one in running.strategies() if one["live"]}["BTCUSDT"]
    add_follower(page)
    follow(page, price)
    edit_terms(page)
    resync_and_pause(page)
    page.context.close()

    page = signed_in(browser, running, LOOKS[1])
    visit(page, "copying")
    page.get_by_role("link", name="Follower ← Manual positions").first.wait_for()
    expect(page.get_by_role("heading", level=1)).to_have_text("跟单")
    examine(page, "dark-380-copying")
    page.get_by_role("link", name="Follower ← Manual positions").first.click()
    expect(page.get_by_role("button", name="修改条件")).to_be_visible()
    expect(page.get_by_role("list", name="跟踪误差账本")).to_be_visible()
    examine(page, "dark-380-relationship")
    page.context.close()


def bring_history(page: Page, running: Up) -> None:
    """Ten days of hours, rising and falling, as a person brings them; before them a file that is wrong."""
    expect(page.get_by_role("table", name="Histories").get_by_text("Simulated").first).to_be_visible()
    lines = []
    for place in range(240):
        opened, close = (round(100 + 8 * math.sin(at / 9), 2) for at in (place - 1, place))
        lines.append(
            f"{1672617600000 + 3_600_000 * place},{opened},{max(opened, close)},{min(opened, close)},{close},5.125"
        )
    wrong, file = running.home / "wrong.csv", running.home / "waves.csv"
    wrong.write_text("\n".join([*lines[:9], lines[8], *lines[9:]]))
    file.write_text("\n".join(lines))
    for one in (wrong, file):
        page.get_by_role("button", name="Bring in a file").click()
        form = page.get_by_role("dialog")
        form.get_by_label("File", exact=True).set_input_files(one)
        expect(form.get_by_label("Name")).to_have_value(one.stem)
        examine(page, f"light-1440-upload-{one.stem}")
        form.get_by_role("button", name="Send it").click()
        expect(form).to_be_hidden()
    expect(page.get_by_text("Row 10 is double")).to_be_visible()
    expect(page.get_by_role("table", name="Histories").get_by_text("Yours")).to_be_visible()
    examine(page, "light-1440-histories")
    page.get_by_role("button", name="Dismiss wrong").click()
    expect(page.get_by_text("Row 10 is double")).to_be_hidden()


def choose_history(page: Page, form: Locator) -> None:
    form.get_by_role("combobox", name="History").click(force=True)
    page.get_by_role("option", name="BTC/USDT · 1h · waves").click()


def interpret(page: Page, form: Locator) -> None:
    """Without a compiler: so little is sooner done without one."""
    form.get_by_text("How orders are filled").click()
    form.get_by_role("combobox", name="Runtime").click(force=True)
    page.get_by_role("option", name="interpreted").click()


def backtest(page: Page) -> None:
    page.get_by_role("button", name="New backtest").click()
    form = page.get_by_role("dialog")
    choose_history(page, form)
    form.get_by_role("button", name="Run it").click()
    expect(form.get_by_text("Needed.").first).to_be_visible()
    form.get_by_label("Lowest price").fill("90")
    form.get_by_label("Highest price").fill("110")
    form.get_by_label("Quantity per level").fill("1")
    interpret(page, form)
    examine(page, "light-1440-backtest-form")
    form.get_by_role("button", name="Run it").click()
    expect(page.get_by_role("slider")).to_be_visible()
    expect(page.get_by_role("table", name="Fills").locator("tbody tr").first).to_be_visible()


def optimise(page: Page) -> None:
    page.get_by_role("button", name="New optimisation").click()
    form = page.get_by_role("dialog")
    choose_history(page, form)
    form.get_by_label("Lowest price").fill("90")
    form.get_by_label("Highest price").fill("106:112:3")
    form.get_by_label("Levels").fill("6:14:4")
    form.get_by_label("Quantity per level").fill("1")
    expect(form.get_by_text("9 parameter sets in all")).to_be_visible()
    interpret(page, form)
    examine(page, "light-1440-optimisation-form")
    form.get_by_role("button", name="Search").click()
    expect(page.get_by_role("table", name="Ranking").locator("tbody tr").first).to_be_visible()
    examine(page, "light-1440-optimisation")


def replay_together(page: Page) -> None:
    """Two grids on one account, and that their parts add up."""
    page.get_by_role("button", name="Several on one account").click()
    form = page.get_by_role("dialog")
    for place in range(2):
        one = form.get_by_role("group").nth(place)
        choose_history(page, one)
        one.get_by_label("Lowest price").fill("90")
        one.get_by_label("Highest price").fill("110")
        one.get_by_label("Quantity per level").fill("1")
    interpret(page, form)
    examine(page, "light-1440-account-form")
    form.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("the parts add up to the account")).to_be_visible()
    expect(page.get_by_role("table", name="Fills").locator("tbody tr").first).to_be_visible()
    page.get_by_role("slider").press("Home")
    examine(page, "light-1440-account")
    page.get_by_role("link", name="← Research").click()


def test_a_strategy_is_tested_on_the_past_optimised_and_what_was_found_is_traded(running: Up, browser: Browser) -> None:
    page = signed_in(browser, running, LOOKS[0])
    visit(page, "research")
    bring_history(page, running)
    backtest(page)
    page.get_by_role("slider").press("Home")
    examine(page, "light-1440-backtest")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Report").click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Range grid on BTCUSDT")
    opened.value.close()  # behind it the page would not be drawn, and keep the colours of a button that still waits
    page.get_by_role("link", name="← Research").click()
    replay_together(page)
    optimise(page)
    page.get_by_role("button", name="Use these parameters", exact=True).click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("Symbol")).to_have_value("BTCUSDT")
    expect(form.get_by_label("Lowest price")).to_have_value("90")
    page.keyboard.press("Escape")
    visit(page, "research")
    expect(page.get_by_role("table", name="Backtests").get_by_text("Done")).to_be_visible()
    expect(page.get_by_role("button", name="New backtest")).to_be_enabled()
    examine(page, "light-1440-research")
    page.context.close()

    page = signed_in(browser, running, LOOKS[1])
    visit(page, "research")
    one = "区间网格 · BTC/USDT"
    lists = (
        ("backtests", "回测", one),
        ("account-backtests", "同一账户多策略", "同一账户的 2 个策略"),
        ("optimisations", "参数优化", one),
    )
    for kind, path, title in lists:
        page.get_by_role("list", name=path, exact=True).get_by_role("link").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.get_by_role("region", name="任务内容").first).to_be_visible()
        examine(page, f"dark-380-{kind}")
        page.get_by_role("link", name="← 研究").click()
        expect(page.get_by_role("list", name=path, exact=True).get_by_role("link").first).to_be_visible()
    expect(page.get_by_role("button", name="新建回测")).to_be_enabled()
    examine(page, "dark-380-research")
    page.get_by_role("button", name="删除回测").first.click()
    page.get_by_role("dialog").get_by_role("button", name="删除").click()
    expect(page.get_by_text("还没有回测。")).to_be_visible()
    page.context.close()


def test_the_language_is_switched_and_kept(running: Up, browser: Browser) -> None:
    page = signed_in(browser, running, LOOKS[0])
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("简体中文").click()
    expect(page.get_by_role("heading", name="策略")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="策略")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.context.close()


def test_the_kill_switch_stops_everything_and_lets_it_go_on(running: Up, browser: Browser) -> None:
    page = signed_in(browser, running, LOOKS[0])
    page.get_by_role("button", name="Stop all trading").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop all trading").click()
    band = page.get_by_role("alert").filter(has_text="All trading is stopped.")
    expect(band).to_be_visible()
    band.get_by_role("button", name="Allow trading").click()
    page.get_by_role("dialog").get_by_role("button", name="Allow trading").click()
    expect(band).to_be_hidden()
    page.context.close()


def test_a_page_without_the_stream_asks_instead_says_so_and_finds_it_again(running: Up, browser: Browser) -> None:
    page = signed_in(browser, running, LOOKS[0])
    page.route("**/api/events", lambda route: route.abort())
    page.reload()
    expect(page.get_by_text("Polling", exact=True)).to_be_visible()
    with page.expect_response("**/api/strategies?*"):
        pass
    page.unroute("**/api/events")
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.context.close()


def test_without_a_session_the_page_says_how_to_sign_in(running: Up, browser: Browser) -> None:
    page = browser.new_page()
    said = ares(running.home, running.database, "login").stdout
    link = re.search(r"http\S+(?=/login)", said)
    assert link
    page.goto(link.group())
    expect(page.get_by_text("ares login")).to_be_visible()
    page.context.close()
