"""Histories from the simulated venue, which replays what is recorded or makes a market of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import program
from core.base_exchange import Bar
from core.clock import utc_from_ms
from domain.errors import Transient
from engine.backtest import download as downloads
from engine.backtest.download import NotDownloaded, Part, Wanted, download, history_of
from engine.backtest.history import BadHistory
from engine.backtest.store import Store
from tests.exchange_venue import BOTH, BTC, OPTIONS, opened
from tests.markets import trending
from tests.simulator_process import SimulatorProcess, simulator_process

ARES = program()

MINUTE = 60_000


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with simulator_process(tmp_path_factory.mktemp("download"), *OPTIONS) as running:
        running.post("advance", {"ms": 40 * 60 * MINUTE})
        yield running


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PACE_SECONDS", 0.0)
    monkeypatch.setattr(downloads, "PATIENCE_SECONDS", (0.0, 0.0))


def wanted(process: SimulatorProcess, name: str, hours: int = 36) -> Wanted:
    now_ms = int(process.post("settle")["market_ms"])
    begin_ms = now_ms - now_ms % MINUTE - hours * 60 * MINUTE
    return Wanted(name, BTC, "1m", begin_ms, begin_ms + (hours - 1) * 60 * MINUTE)


def told(_done: int, _total: int) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("name", BOTH)
async def test_every_bar_of_the_venue_comes_once_in_its_own_units(
    process: SimulatorProcess, tmp_path: Path, name: str
) -> None:
    want = wanted(process, name)
    async with opened(name, process) as exchange:
        instrument = exchange.instrument(BTC)
        part = Part(tmp_path / "part", want, instrument)
        await download(exchange, want, part, told)
        seen = await exchange.bars(BTC, "1m", want.since_ms, 35 * 60)
    history = history_of(part, want, instrument)
    assert len(history) == 35 * 60
    assert [bar.open_ms for bar in seen] == history.open_ms.tolist()
    assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in seen] == list(
        zip(*(column.tolist() for column in history.columns[1:]), strict=True)
    )
    assert history.instrument.tick_size == instrument.tick_size


async def test_a_download_that_was_broken_goes_on_and_ends_as_one_that_was_not(
    process: SimulatorProcess, tmp_path: Path
) -> None:
    want = wanted(process, "binance_spot")
    async with opened("binance_spot", process) as exchange:
        instrument = exchange.instrument(BTC)
        whole = Part(tmp_path / "whole", want, instrument)
        await download(exchange, want, whole, told)
        broken = tmp_path / "broken"
        for lines in (1, 700, 1_500):
            # As a death leaves it: some lines are whole and the last is not.
            broken.write_bytes(b"".join((tmp_path / "whole").read_bytes().splitlines(keepends=True)[:lines]) + b"[17")
            part = Part(broken, want, instrument)
            assert len(part.rows) == lines - 1
            await download(exchange, want, part, told)
            assert broken.read_bytes() == (tmp_path / "whole").read_bytes()
            assert part.rows == whole.rows


async def test_a_venue_that_stops_answering_loses_nothing_that_has_come(
    process: SimulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    want = wanted(process, "binance_spot")
    async with opened("binance_spot", process) as exchange:
        part = Part(tmp_path / "part", want, exchange.instrument(BTC))
        ask, asked = exchange.bars, 0

        async def sometimes(*words: object) -> object:
            nonlocal asked
            asked += 1
            if asked > 1:
                raise Transient("the line is dead.")
            return await ask(*words)  # type: ignore[arg-type]

        monkeypatch.setattr(exchange, "bars", sometimes)
        with pytest.raises(NotDownloaded, match="the line is dead"):
            await download(exchange, want, part, told)
    assert asked == 4
    assert len(Part(tmp_path / "part", want, exchange.instrument(BTC)).rows) == 1_000


async def test_the_beginning_of_another_download_is_not_gone_on_with(process: SimulatorProcess, tmp_path: Path) -> None:
    want = wanted(process, "binance_spot")
    async with opened("binance_spot", process) as exchange:
        Part(tmp_path / "part", want, exchange.instrument(BTC))
        other = Wanted("binance_spot", BTC, "5m", want.since_ms, want.until_ms)
        with pytest.raises(BadHistory, match="beginning of another download"):
            Part(tmp_path / "part", other, exchange.instrument(BTC))


def test_the_terminal_keeps_a_download_under_a_name_and_tells_what_is_wrong(
    process: SimulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARES_HOME", str(tmp_path))
    monkeypatch.setenv("ARES_VENUES", f'{{"binance_spot": {{"rest_url": "{process.rest}"}}}}')
    want = wanted(process, "binance_spot", hours=3)
    since, until = (f"{utc_from_ms(moment):%Y-%m-%dT%H:%M}" for moment in (want.since_ms, want.until_ms))
    done = CliRunner().invoke(ARES, ["data", "download", BTC, "1m", "--since", since, "--until", until])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "BTC/USDT, 120 bars of 1m, 0 gaps" in done.stdout
    assert len(Store(tmp_path / "histories").get("BTCUSDT-1m")) == 120
    assert not list((tmp_path / "histories").glob("*.download"))

    def refused(*words: str) -> str:
        return str(CliRunner().invoke(ARES, ["data", "download", *words]).exception)

    assert "no such interval" in refused(BTC, "7m", "--since", since)
    assert "not later" in refused(BTC, "1m", "--since", since, "--until", since)
    assert "no exchange is called 'binance'" in refused(BTC, "1m", "--since", since, "--venue", "binance")
    assert "BTCUSDT" in refused("BTCUSDTT", "1m", "--since", since)
    assert "0 closed 1m bars" in refused(BTC, "1m", "--since", "2031-01-01", "--until", "2031-01-02")


def test_bars_out_of_order_are_refused_and_not_kept(tmp_path: Path) -> None:
    class Wrong:
        """A venue whose second bar is older than the first."""

        async def bars(self, *_words: object) -> list[object]:

            return [Bar(BTC, "1m", at, 1, 1, 1, 1, 1) for at in (120_000, 60_000)]

    want = Wanted("binance_spot", BTC, "1m", 60_000, 600_000)
    part = Part(tmp_path / "part", want, trending(1).instrument)
    with pytest.raises(BadHistory, match="after one at"):
        asyncio.run(download(Wrong(), want, part, told))  # type: ignore[arg-type]
    assert not part.rows
