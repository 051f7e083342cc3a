"""Wrong command lines and wrong files: the value is named, the status says so, and nothing is left behind."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulator_process import ROOT

HEADER = "open_time,open,high,low,close,volume"
GOOD = "1746372780000,100,101,99,100.5,10"


def _started(folder: Path, *options: str) -> tuple[int, str]:
    """Exit status and error text of a venue that should not start."""
    command = [sys.executable, "-m", "simulator", "--port", "0", "--announce", str(folder / "announced.json")]
    ran = subprocess.run(
        [*command, "--tape", str(folder / "tape.jsonl"), *options],
        cwd=ROOT, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert ran.stdout == ""
    return ran.returncode, ran.stderr


WRONG = [
    (("--port", "x"), "--port", "'x'"),
    (("--port", "65536"), "--port", "65536"),
    (("--admin-port", "-1"), "--admin-port", "-1"),
    (("--host", "0.0.0.0"), "--host", "0.0.0.0"),
    (("--market", "generated:x"), "--market", "'x'"),
    (("--market", "replay:"), "--market", "replay:"),
    (("--market", "replay:/nowhere/BTCUSDT.csv"), "--market", "/nowhere/BTCUSDT.csv"),
    (("--market", "weather:1"), "--market", "weather:1"),
    (("--speed", "fast"), "--speed", "'fast'"),
    (("--speed", "-1"), "--speed", "-1"),
    (("--start", "yesterday"), "--start", "'yesterday'"),
    (("--symbols", "btcusdt"), "--symbols", "'btcusdt'"),
    (("--account", "key-only"), "--account", "KEY:SECRET"),
    (("--account", "k:s:USDT=many"), "--account", "'many'"),
    (("--account", "k:s:", "--account", "k:t:"), "--account", "same key"),
    (("--funding", "/nowhere/funding.csv"), "--funding", "/nowhere/funding.csv"),
    (("--tape", "/nowhere/tape.jsonl"), "--tape", "/nowhere"),
    (("--gaps", "ignore"), "--gaps", "'ignore'"),
    (("--prints-per-minute", "3"), "--prints-per-minute", "'3'"),
    (("--unheard-of", "1"), "--unheard-of", "--unheard-of"),
]


@pytest.mark.parametrize(("options", "option", "value"), WRONG)
def test_a_wrong_option_is_named_with_its_value(
    tmp_path: Path, options: tuple[str, ...], option: str, value: str
) -> None:
    status, text = _started(tmp_path, *options)
    assert status == 2
    assert option in text
    assert value in text
    assert "Traceback" not in text
    assert list(tmp_path.iterdir()) == []


BAD_FILES = [
    ("time,open,high,low,close,volume", GOOD, 1, "column"),
    (HEADER, f"{GOOD}\n1746372720000,100,101,99,100.5,10", 3, "older"),
    (HEADER, f"{GOOD}\n{GOOD}", 3, "repeats"),
    (HEADER, GOOD.replace("101", "1e2"), 2, "1e2"),
    (HEADER, GOOD.replace("101", "98"), 2, "high is below"),
    (HEADER, f"{GOOD}\n1746372840000,1,2,0,1,1", 3, "zero"),
    (HEADER, "1746372780000,100,101,99,100.5", 2, ""),
    (HEADER, f"{GOOD}\n1746372840000,100,101,99,100,1\n1746373020000,100,101,99,100,1", None, "--gaps outage"),
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("header", "rows", "line", "word"), BAD_FILES)
def test_a_bad_file_is_refused_with_its_line(
    tmp_path: Path, header: str, rows: str, line: int | None, word: str, packed: bool
) -> None:
    data, work = tmp_path / "data", tmp_path / "work"
    data.mkdir()
    work.mkdir()
    content = f"{header}\n{rows}\n".encode()
    path = data / ("BTCUSDT-1m.csv.gz" if packed else "BTCUSDT-1m.csv")
    path.write_bytes(gzip.compress(content) if packed else content)
    status, text = _started(work, "--market", f"replay:{path}")
    assert status == 1
    assert str(path) in text
    assert line is None or f"line {line}" in text
    assert word in text
    assert "Traceback" not in text
    assert list(work.iterdir()) == []


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, text = _started(tmp_path, "--port", str(port))
    assert status == 1
    assert str(port) in text
    assert "Traceback" not in text
    assert not (tmp_path / "announced.json").exists()
