"""Research in a browser: histories, backtests and searches, of one strategy and of several on one account."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.embedded import Up
from tests.web.browser import LOOKS, examine, signed_in, visit

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(600)]


def waves(folder: Path, name: str) -> Path:
    """Ten days of hours, rising and falling."""
    lines = []
    for place in range(240):
        opened, close = (round(100 + 8 * math.sin(at / 9), 2) for at in (place - 1, place))
        lines.append(
            f"{1672617600000 + 3_600_000 * place},{opened},{max(opened, close)},{min(opened, close)},{close},5.125"
        )
    file = folder / f"{name}.csv"
    file.write_text("\n".join(lines))
    return file


def bring_in(page: Page, file: Path) -> None:
    page.get_by_role("button", name="Bring in a file").click()
    form = page.get_by_role("dialog")
    form.get_by_label("File", exact=True).set_input_files(file)
    expect(form.get_by_label("Name")).to_have_value(file.stem)
    examine(page, f"light-1440-upload-{file.stem}")
    form.get_by_role("button", name="Send it").click()
    expect(form).to_be_hidden()


def kept(page: Page, name: str) -> Locator:
    return page.get_by_role("table", name="Histories").get_by_role("row").filter(has_text=name)


def bring_history(page: Page, running: Up) -> None:
    """A file as a person brings it; before it one that is wrong."""
    expect(page.get_by_role("table", name="Histories").get_by_text("Simulated").first).to_be_visible()
    file = waves(running.home, "waves")
    lines, wrong = file.read_text().split("\n"), running.home / "wrong.csv"
    wrong.write_text("\n".join([*lines[:9], lines[8], *lines[9:]]))
    for one in (wrong, file):
        bring_in(page, one)
    expect(page.get_by_text("Row 10 is double")).to_be_visible()
    expect(kept(page, "waves").get_by_text("Yours")).to_be_visible()
    examine(page, "light-1440-histories")
    page.get_by_role("button", name="Dismiss wrong").click()
    expect(page.get_by_text("Row 10 is double")).to_be_hidden()


def choose_history(page: Page, form: Locator, name: str = "waves") -> None:
    form.get_by_role("combobox", name="History").click(force=True)
    page.get_by_role("option", name=f"BTC/USDT · 1h · {name}").click()


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
    """Two grids on one account, the second with fees of its own, and that their parts add up."""
    page.get_by_role("button", name="New account backtest").click()
    form = page.get_by_role("dialog")
    for place in range(2):
        one = form.get_by_role("group").nth(place)
        choose_history(page, one)
        one.get_by_label("Lowest price").fill("90")
        one.get_by_label("Highest price").fill("110")
        one.get_by_label("Quantity per level").fill("1")
    interpret(page, form)
    second = form.get_by_role("group").nth(1)
    second.get_by_role("switch", name="Fees and fills of its own").press("Space")
    second.get_by_label("Maker fee").fill("120")
    form.get_by_role("button", name="Run it").click()
    expect(second.get_by_text("Outside its bounds.")).to_be_visible()
    second.get_by_label("Maker fee").fill("0.02")
    examine(page, "light-1440-account-form")
    form.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("the parts add up to the account")).to_be_visible()
    for place, fee in enumerate(("0.1", "0.02"), 1):
        asked = page.get_by_role("region", name=f"What was asked of strategy {place}")
        expect(asked.locator("div").filter(has=page.get_by_text("Maker fee")).last).to_contain_text(fee)
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
    expect(page.get_by_role("table", name="Backtests", exact=True).get_by_text("Done")).to_be_visible()
    expect(page.get_by_role("button", name="New backtest")).to_be_enabled()
    examine(page, "light-1440-research")
    page.context.close()

    page = signed_in(browser, running, LOOKS[1])
    visit(page, "research")
    one = "区间网格 · BTC/USDT"
    lists = (
        ("backtests", "回测", one),
        ("account-backtests", "账户回测", "同一账户的 2 个策略"),
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


def search_together(page: Page) -> None:
    """Two grids with what is tried of each; what is wrong is said at its field, by the page and by the node."""
    page.get_by_role("button", name="New account optimisation").click()
    form = page.get_by_role("dialog")
    first, second = form.get_by_role("group").nth(0), form.get_by_role("group").nth(1)
    search = form.get_by_role("button", name="Search")
    expect(form.get_by_text("Nothing is tried yet")).to_be_visible()
    expect(search).to_be_disabled()
    form.get_by_role("switch", name="Equal shares").press("Space")
    first.get_by_label("Name").fill("low")
    for one, share, highest in ((first, "3000,4000", "110"), (second, "4000", "106:112:3")):
        choose_history(page, one, "tides")
        one.get_by_label("Its share").fill(share)
        one.get_by_label("Highest price").fill(highest)
        one.get_by_label("Quantity per level").fill("1")
    first.get_by_label("Levels").fill("6,ten")
    second.get_by_label("Lowest price").fill("90")
    search.click()
    expect(first.get_by_text("Needed.")).to_be_visible()
    expect(first.get_by_text("A whole number.")).to_be_visible()
    first.get_by_label("Levels").fill("6,10")
    first.get_by_label("Lowest price").fill("90")
    interpret(page, form)
    second.get_by_role("switch", name="Fees and fills of its own").press("Space")
    second.get_by_label("Maker fee").fill("0.02")
    form.get_by_label("Capital of the account").fill("3500")
    search.click()
    expect(form.get_by_text("the instances own 4000 together, which is more")).to_be_visible()
    expect(form.get_by_label("Capital of the account")).to_be_focused()
    form.get_by_label("Capital of the account").fill("9000")
    form.get_by_label("Conditions").fill("low.fills >= 3")
    expect(form.get_by_text("12 parameter sets in all")).to_be_visible()
    examine(page, "light-1440-account-search-form")
    search.click()
    expect(page.get_by_role("table", name="Ranking").locator("tbody tr")).to_have_count(12)
    examine(page, "light-1440-account-search")


def net_of(page: Page, table: str, name: str) -> str:
    """What stands under Net in the line of that name."""
    found = page.get_by_role("table", name=table)
    names = found.locator("thead th").all_inner_texts()
    return found.locator("tbody tr").filter(has_text=name).first.locator("td").nth(names.index("Net")).inner_text()


def backtest_found(page: Page) -> None:
    """The backtest with the best set says of each strategy, and of the account, what the search has said."""
    shares = "What each strategy had of the best set"
    found = [net_of(page, shares, "low"), net_of(page, shares, "grid"), net_of(page, "Ranking", "1.")]
    page.get_by_role("button", name="Backtest these parameters", exact=True).click()
    form = page.get_by_role("dialog")
    first, second = form.get_by_role("group").nth(0), form.get_by_role("group").nth(1)
    expect(first.get_by_label("Its share")).to_have_value(re.compile("^[34]000$"))
    expect(first.get_by_label("Levels")).to_have_value(re.compile("^(6|10)$"))
    expect(second.get_by_label("Its share")).to_have_value("4000")
    expect(second.get_by_label("Maker fee")).to_have_value("0.02")
    expect(second.get_by_role("switch", name="Reinvest")).not_to_be_checked()
    form.get_by_role("button", name="Run it").click()
    expect(page.get_by_text("the parts add up to the account")).to_be_visible()
    parts = "Each strategy and the account"
    assert [
        net_of(page, parts, "1. Range"),
        net_of(page, parts, "2. Range"),
        net_of(page, parts, "The account"),
    ] == found
    page.get_by_role("button", name="Trade with these").click()
    form = page.get_by_role("dialog", name="New strategy 1 of 2")
    expect(form.get_by_label("Highest price")).to_have_value("110")
    form.get_by_role("button", name="Skip this one").click()
    form = page.get_by_role("dialog", name="New strategy 2 of 2")
    expect(form.get_by_label("Capital: Amount 1")).to_have_value("4000")
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_be_hidden()


def create_found(page: Page, running: Up) -> None:
    """One form after the other, each filled in; what a strategy owned in the search, it owns."""
    page.get_by_role("button", name="Use these parameters", exact=True).click()
    form = page.get_by_role("dialog")
    for place, (name, owned) in enumerate((("low", re.compile("^[34]000$")), ("grid", re.compile("^4000$"))), 1):
        expect(form.get_by_text(f"New strategy {place} of 2")).to_be_visible()
        expect(form.get_by_label("Name")).to_have_value(name)
        expect(form.get_by_label("Symbol")).to_have_value("BTCUSDT")
        expect(form.get_by_label("Lowest price")).to_have_value("90")
        expect(form.get_by_role("switch", name="Reinvest")).not_to_be_checked()
        expect(form.get_by_label("Capital: Asset 1")).to_have_value("USDT")
        expect(form.get_by_label("Capital: Amount 1")).to_have_value(owned)
        examine(page, f"light-1440-use-{place}")
        form.get_by_role("button", name="Create").click()
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(form).to_be_hidden()
    made = [one for one in running.strategies() if one["name"] in {"low", "grid"}]
    assert [(one["name"], one["desired_state"], list(one["limits"]["capital"])) for one in made] == [
        ("low", "stopped", ["USDT"]), ("grid", "stopped", ["USDT"])
    ]  # fmt: skip


def test_several_are_searched_on_one_account_and_what_was_found_is_tested_and_traded(
    running: Up, browser: Browser
) -> None:
    page = signed_in(browser, running, LOOKS[0])
    visit(page, "research")
    bring_in(page, waves(running.home, "tides"))
    expect(kept(page, "tides").get_by_text("Yours")).to_be_visible()
    search_together(page)
    found = page.url
    backtest_found(page)
    visit(page, found.split("/", 3)[3])
    page.get_by_role("button", name="Run again").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("Levels").first).to_have_value("6,10")
    expect(form.get_by_label("Its share").first).to_have_value("3000,4000")
    expect(form.get_by_label("Conditions")).to_have_value("low.fills >= 3")
    visit(page, found.split("/", 3)[3])
    create_found(page, running)
    page.context.close()

    page = signed_in(browser, running, LOOKS[1])
    visit(page, found.split("/", 3)[3])
    expect(page.get_by_role("heading", name="low 的任务内容")).to_be_visible()
    examine(page, "dark-380-account-search")
    page.get_by_role("button", name="用此参数回测", exact=True).click()
    form = page.get_by_role("dialog", name="新建账户回测")
    expect(form.get_by_label("挂单费率").first).to_have_value("0.02")
    examine(page, "dark-380-account-form")
    visit(page, "research")
    page.get_by_role("button", name="新建账户优化").click()
    form = page.get_by_role("dialog", name="新建账户优化")
    expect(form.get_by_text("尚无可尝试的取值")).to_be_visible()
    form.get_by_role("switch", name="单独设置费用与成交").first.press("Space")
    expect(form.get_by_label("吃单费率")).to_have_count(2)
    examine(page, "dark-380-account-search-form")
    page.context.close()
