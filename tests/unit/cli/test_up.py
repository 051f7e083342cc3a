"""`up`, `status` and `down` as a person uses them, with a small exchange in place of the real one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.instance import Instance
from core.config import load_config
from tests.conftest import ROOT
from tests.services import wait_until

# Stands where `python -m simulator` finds it first: the working directory.
SMALL_EXCHANGE = """
import json, os, pathlib, signal, sys
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if os.environ.get("EXCHANGE_FAILS"):
    sys.exit("cannot start: the disk is full")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
where = {"pid": os.getpid(), "rest": "http://127.0.0.1:1", "stream": "ws://127.0.0.1:1", "admin": "http://127.0.0.1:2"}
pathlib.Path(arguments["--announce"]).write_text(json.dumps(where))
print("listening with", *sys.argv[1:], flush=True)
signal.pause()
"""
ARES = [sys.executable, "-c", "import sys; from cli.entry import main; sys.argv[0] = 'ares'; main()"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "simulator").mkdir()
    (tmp_path / "simulator" / "__main__.py").write_text(SMALL_EXCHANGE)
    (tmp_path / "simulator" / "__init__.py").touch()
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


def ares(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ARES, *words], cwd=folder, env=environment(**more), capture_output=True, text=True, check=False, timeout=30
    )


@pytest.fixture
def started(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`ares up` in the foreground of another terminal, once its exchange listens."""
    process = subprocess.Popen(
        [*ARES, "up"], cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wait_until(lambda: process.poll() is not None or Instance(folder / ".ares").address() is not None, "start")
    yield process
    if process.poll() is None:
        process.terminate()
    process.communicate()


def test_the_exchange_is_started_as_the_configuration_says(folder: Path) -> None:
    config = load_config(home=folder, simulator={"seed": 7, "speed": 60, "symbols": ("BTCUSDT", "BNBUSDT")})
    from cli.app import simulator_command

    line = " ".join(simulator_command(config, Instance(folder), 8090))
    assert "-m simulator --port 8090 --market generated:7 --speed 60 --symbols BTCUSDT,BNBUSDT --announce" in line


def test_up_prefixes_the_log_and_says_where_to_point_a_client(started: subprocess.Popen[str], folder: Path) -> None:
    assert ares(folder, "down").stdout == "Stopped.\n"
    said, _ = started.communicate(timeout=30)
    assert "simulator | listening with --port 0 --market generated:1" in said
    assert "REST    http://127.0.0.1:1\n" in said
    assert said.endswith("Stopped.\n")
    assert started.returncode == 0


def test_a_second_up_says_that_it_is_already_running(started: subprocess.Popen[str], folder: Path) -> None:
    second = ares(folder, "up")
    assert second.returncode == 0
    assert second.stdout.startswith("Already running.")
    assert "http://127.0.0.1:1" in second.stdout
    assert started.poll() is None


def test_status_tells_a_running_exchange_from_none(started: subprocess.Popen[str], folder: Path) -> None:
    running = ares(folder, "status")
    assert (running.returncode, running.stdout.startswith("Running, process")) == (0, True)
    ares(folder, "down")
    stopped = ares(folder, "status")
    assert (stopped.returncode, stopped.stdout) == (1, "Not running; `ares up` starts it.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_exchange_and_leaves_nothing(
    started: subprocess.Popen[str], folder: Path, number: signal.Signals
) -> None:
    child = Instance(folder / ".ares").address()
    assert child is not None
    started.send_signal(number)
    said, _ = started.communicate(timeout=30)
    assert (started.returncode, said.endswith("Stopped.\n")) == (0, True)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
    assert ares(folder, "down").stdout == "Nothing was running.\n"


def test_down_ends_an_exchange_whose_up_was_killed(started: subprocess.Popen[str], folder: Path) -> None:
    started.kill()
    started.wait()
    assert ares(folder, "status").returncode == 0
    assert ares(folder, "down").stdout == "Stopped.\n"
    assert ares(folder, "status").returncode == 1


def test_an_exchange_that_cannot_start_passes_on_its_words_and_status(folder: Path) -> None:
    failed = ares(folder, "up", EXCHANGE_FAILS="1")
    assert failed.returncode == 1
    assert "simulator | cannot start: the disk is full" in failed.stdout
    assert ares(folder, "status").returncode == 1


def test_the_simulator_verb_passes_every_argument_through(folder: Path) -> None:
    (folder / "simulator" / "__main__.py").write_text("import sys; print(sys.argv[1:]); sys.exit(3)")
    passed = ares(folder, "simulator", "--help", "--port", "0", "x")
    assert (passed.returncode, passed.stdout) == (3, "['--help', '--port', '0', 'x']\n")


def test_a_wrong_configuration_is_one_sentence_and_no_trace(folder: Path) -> None:
    (folder / "config.yaml").write_text("simulator:\n  speed: fast\n")
    failed = ares(folder, "status")
    assert failed.returncode == 1
    assert failed.stderr.startswith("ares: simulator.speed:")
    assert "Traceback" not in failed.stderr


def test_version_names_ares_and_python(folder: Path) -> None:
    assert ares(folder, "version").stdout.startswith("ares 0.1.0, Python 3.")


def test_doctor_prints_every_finding(folder: Path) -> None:
    found = ares(folder, "doctor", COLUMNS="200")
    assert found.returncode == 0, found.stdout
    assert all(word in found.stdout for word in ("python", "packages", "clock", "simulator", "port"))
