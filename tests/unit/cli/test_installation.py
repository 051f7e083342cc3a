"""Whether an installation runs, and how it is ended, with real processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.installation import AlreadyRunning, Installation, _to_ask
from core.clock import SystemTime
from tests.conftest import ROOT

STAYS = "import signal; print('up', flush=True); signal.pause()"
#: A stand-in for `ares up`: it holds the lock, starts one program that inherits it, and writes both down.
UP = """
import signal, subprocess, sys
from pathlib import Path
from cli.installation import Installation
installation = Installation(Path(sys.argv[1]))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with installation.claim() as lock:
    program = subprocess.Popen([sys.executable, "-c", sys.argv[2]], pass_fds=(lock,), stdout=subprocess.PIPE)
    try:
        program.stdout.readline()
        installation.write({"program": program.pid}, "http://127.0.0.1:1")
        print("up", flush=True)
        signal.pause()
    finally:
        exec(sys.argv[3])
"""
ENDS_ITS_PROGRAM = "program.terminate(); program.wait()"


@contextmanager
def up(home: Path, at_end: str = ENDS_ITS_PROGRAM) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", UP, str(home), STAYS, at_end]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def test_a_second_one_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with up(tmp_path), pytest.raises(AlreadyRunning), Installation(tmp_path).claim():
        pass


def test_what_runs_is_written_down_and_gone_when_it_has_ended(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with up(tmp_path) as process:
        record = installation.record()
        assert record is not None
        assert (record.pid, record.page, list(record.programs)) == (process.pid, "http://127.0.0.1:1", ["program"])
        assert installation.is_running()
        assert installation.stop(SystemTime())
    assert not installation.is_running()
    assert installation.record() is None
    assert not installation.stop(SystemTime())


def test_programs_that_outlive_a_killed_up_are_ended_by_their_own_numbers(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with up(tmp_path) as process:
        process.kill()  # its parent, this test, has not asked for its end yet
        assert installation.is_running()
        assert installation.stop(SystemTime())
    assert not installation.is_running()


def test_programs_that_an_up_left_behind_with_its_record_gone_are_ended_too(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with up(tmp_path, at_end="") as process:
        assert installation.stop(SystemTime())
        assert process.wait() == 0
    assert not installation.is_running()


def test_a_number_that_belongs_to_another_process_by_now_is_left_alone(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with up(tmp_path) as process, subprocess.Popen([sys.executable, "-c", STAYS], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        text = installation.record_path.read_text()
        record = installation.record()
        assert record is not None
        ((pid, began),) = record.programs.values()
        installation.record_path.write_text(text.replace(f"[{pid},{began}]", f"[{other.pid},{began}]"))
        process.kill()
        process.wait()
        assert _to_ask(installation.record()) == set()
        assert other.poll() is None
        other.kill()
        installation.record_path.write_text(text)
        assert installation.stop(SystemTime())
