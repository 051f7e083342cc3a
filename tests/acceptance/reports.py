"""Every recorded symbol tested by a grid and by a cross, each with its report, opened in a browser and pictured.

    python -m tests.acceptance.reports FOLDER [--like BTCUSDT-1m]

Reads the histories of ARES_DATA_DIR; leaves in the folder a page and a picture of each, wide and as on a phone. Says
what is wrong with a page: text outside its picture, anything to be scrolled sideways, a figure that was not formed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Page, sync_playwright

import strategies
from core.base_strategy import STRATEGIES
from engine.backtest import History, Settings, files, report, run
from engine.backtest.metrics import metrics
from tests.services import program

SIZES: Final = ((1280, "light"), (380, "dark"))
LEVELS: Final = 20
#: Texts of drawings that stick out of them, and how far the page is wider than the window.
_LOOK: Final = """() => {
  const texts = [...document.querySelectorAll('svg text')].filter((text) => {
    const [own, all] = [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect()];
    return own.left < all.left - 1 || own.right > all.right + 1 || own.bottom > all.bottom + 1 || own.top < all.top - 1;
  });
  return {texts: texts.map((text) => text.textContent), wider: document.documentElement.scrollWidth - innerWidth};
}"""


class Shown(NamedTuple):
    """One report in a browser."""

    name: str
    figures: dict[str, Any]
    complaints: list[str]


def histories(folder: Path, like: str = "") -> Iterator[tuple[str, History]]:
    """Every recorded series of bars whose name holds `like`, with its name."""
    for path in sorted((folder / "klines").glob("*/*.csv.gz")):
        name = path.name.removesuffix(".csv.gz")
        if like in name:
            table, symbol = files.read(path), name.partition("-")[0]
            yield name, files.history_of(table, files.instrument_of(table, symbol, symbol[:-4], symbol[-4:]))


def wishes(history: History) -> dict[str, dict[str, Any]]:
    """Parameters that trade: a grid over the middle nine tenths of the closes, one average crossing another."""
    instrument = history.instrument
    closes = sorted(history.close.tolist())
    low, high = (instrument.from_ticks(closes[int(len(closes) * share)]) for share in (0.05, 0.95))
    size = (Decimal(2_000) / high / instrument.lot_size).to_integral_value(ROUND_FLOOR) * instrument.lot_size
    return {
        "grid": {"lower_price": low, "upper_price": high, "levels": LEVELS, "total_investment": Decimal(8_000)},
        "ma_cross": {"fast": 30, "slow": 120, "size": size},
    }


def looked_at(page: Page, name: str, html: Path, figures: dict[str, Any]) -> Shown:
    """Open a report at every size, leave a picture of each, and say what is wrong with it."""
    complaints = []
    for width, scheme in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(html.as_uri())
        found = page.evaluate(_LOOK)
        page.screenshot(path=str(html.with_name(f"{html.stem}-{width}.png")), full_page=width > 400)
        complaints += [f"{width}: '{text}' sticks out" for text in found["texts"]]
        complaints += [f"{width}: {found['wider']} pixels too wide"] if found["wider"] > 0 else []
    complaints += [
        f"{one} was not formed" for one in ("return_percent", "max_drawdown_percent") if figures[one] is None
    ]
    return Shown(name, figures, complaints)


def examined(series: Iterator[tuple[str, History]], folder: Path, runtime: str = "auto") -> Iterator[Shown]:
    """Test, write and look at each."""
    STRATEGIES.scan(strategies)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: troubles.append(said.text) if said.type in {"error", "warning"} else None)
        for name, history in series:
            for kind, params in wishes(history).items():
                settings = Settings(maker_fee=Decimal("0.02"), taker_fee=Decimal("0.05"), fee_asset="quote",
                                    runtime=runtime)  # type: ignore[arg-type]  # fmt: skip
                result = run(STRATEGIES.get(kind), STRATEGIES.get(kind).params(**params), history, settings)
                html = folder / f"{name}-{kind}.html"
                html.write_text(report.to_html(result))
                shown = looked_at(page, f"{name} {kind}", html, metrics(result))
                yield shown._replace(complaints=[*shown.complaints, *troubles])
                troubles.clear()
        browser.close()


def main() -> int:
    """As the command line asks; 1 when something is wrong with a report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--like", default="")
    asked = parser.parse_args()
    wrong = 0
    for shown in examined(histories(Path(os.environ["ARES_DATA_DIR"]), asked.like), asked.folder):
        told = {name: shown.figures[name] for name in ("net", "return_percent", "max_drawdown_percent", "fills")}
        print(shown.name, told, *shown.complaints, sep="\n  " if shown.complaints else " ", flush=True)
        wrong += bool(shown.complaints)
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
