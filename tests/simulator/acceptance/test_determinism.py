"""The same seed and the same requests, with the market stepped, give the same tape, byte for byte."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.simulator.acceptance.script import ACCOUNTS, SYMBOLS, Sender, scripted
from tests.simulator_process import simulator_process


async def _tape_of(folder: Path, seed: int, market: str) -> tuple[bytes, Counter[int], set[str]]:
    """The tape of a fresh process that was sent the script, the statuses, and the kinds of its lines."""
    folder.mkdir()
    tape = folder / "tape.jsonl"
    accounts = [option for account in ACCOUNTS for option in ("--account", account)]
    options = ["--speed", "0", "--market", market, "--symbols", ",".join(SYMBOLS), "--tape", str(tape), *accounts]
    statuses: Counter[int] = Counter()
    with simulator_process(folder, *options) as venue:
        prices = {item["symbol"]: float(item["last_price"]) for item in venue.get("symbols")}
        async with aiohttp.ClientSession() as session:
            sender = Sender(venue, session)
            for request in scripted(seed, prices):
                statuses[await sender.send(request)] += 1
        venue.post("settle")
        kinds = {line["kind"] for line in venue.tape()}
    return tape.read_bytes(), statuses, kinds


async def test_two_processes_write_the_same_tape(tmp_path: Path) -> None:
    first, statuses, kinds = await _tape_of(tmp_path / "first", 1, "generated:7")
    second, again, _ = await _tape_of(tmp_path / "second", 1, "generated:7")
    assert statuses == again
    assert statuses[200] > 50
    assert statuses[400] > 10
    assert {"request", "order", "trade", "posting", "algo"} <= kinds
    assert first == second


@pytest.mark.recorded
async def test_a_replayed_market_gives_the_same_tape_too(tmp_path: Path, recorded_data: Path) -> None:
    files = ",".join(str(recorded_data / f"klines/um/{symbol}-1m-2025.csv.gz") for symbol in SYMBOLS)
    first = await _tape_of(tmp_path / "first", 3, f"replay:{files}")
    assert first == await _tape_of(tmp_path / "second", 3, f"replay:{files}")
