from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cli.doctor import (
    examine,
    examine_clock,
    examine_home,
    examine_instance,
    examine_packages,
    examine_port,
    examine_python,
)
from cli.instance import Instance
from core.clock import SystemTime
from core.config import load_config


class OldClock(SystemTime):
    """A machine whose battery is empty."""

    def now_ms(self) -> int:
        return 0


def test_a_healthy_machine_has_nothing_to_do(tmp_path: Path) -> None:
    findings = list(examine(load_config(home=tmp_path), SystemTime()))
    assert [finding for finding in findings if not finding.is_well] == []
    assert len(findings) == 6


def test_an_old_python_is_told_what_to_install() -> None:
    assert "3.11" in examine_python((3, 10, 4)).next_step
    assert examine_python((3, 13, 0)).is_well


def test_a_missing_installation_asks_for_setup() -> None:
    assert examine_packages("no-such-distribution").next_step == "run `make setup`"


def test_a_clock_behind_the_code_is_found() -> None:
    finding = examine_clock(OldClock(), Path(__file__))
    assert "1970" in finding.found
    assert "time synchronisation" in finding.next_step


def test_a_home_that_cannot_be_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "ARES_HOME" in examine_home(tmp_path / "file" / "home").next_step


def test_a_taken_port_is_found_and_our_own_is_fine() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "another port" in examine_port(port, ours=False).next_step
        assert examine_port(port, ours=True).is_well


def test_a_free_port_is_well() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert examine_port(port, ours=False).is_well


@pytest.mark.parametrize("left", [b'{"pid":1,"rest":"r","stream":"s","admin":"a"}', b"half a fi"])
def test_files_left_by_a_run_that_was_cut_off_are_found_and_swept(tmp_path: Path, left: bytes) -> None:
    instance = Instance(tmp_path)
    instance.announce_path.write_bytes(left)
    assert examine_instance(instance).next_step == "run `ares down`"
    assert not instance.stop(SystemTime())
    assert examine_instance(instance).is_well


def test_the_lock_and_not_the_number_tells_that_it_runs(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    with instance.claim():
        instance.announce_path.write_text(f'{{"pid":{os.getpid()},"rest":"http://x","stream":"s","admin":"a"}}')
        assert examine_instance(instance).found == "running, http://x"
    assert not instance.is_running()
    assert instance.address() is None
