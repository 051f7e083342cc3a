"""A browser on a whole installation: what a person sees and does, on the real API, worker and simulated exchange."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.embedded import Up, ares
from tests.web.browser import LOOKS, examine, signed_in, visit

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]


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
