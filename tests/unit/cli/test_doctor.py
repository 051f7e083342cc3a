from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import redis

from cli.doctor import (
    examine,
    examine_clock,
    examine_database,
    examine_encryption,
    examine_home,
    examine_installation,
    examine_nodes,
    examine_packages,
    examine_port,
    examine_python,
    examine_redis,
)
from cli.installation import Installation
from core.clock import SystemTime
from core.config import load_config
from core.redis_names import WORKERS_ACTIVE, worker
from db.database import open_database


class OldClock(SystemTime):
    """A machine whose battery is empty."""

    def now_ms(self) -> int:
        return 0


def test_a_healthy_machine_has_nothing_to_do(tmp_path: Path) -> None:
    findings = list(examine(load_config(home=tmp_path), SystemTime()))
    assert [finding for finding in findings if not finding.is_well] == []
    assert len(findings) == 10


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


@pytest.mark.parametrize("left", [b'{"pid":1,"began":1.5,"programs":{},"page":""}', b"half a fi"])
def test_files_left_by_a_run_that_was_cut_off_are_found_and_swept(tmp_path: Path, left: bytes) -> None:
    installation = Installation(tmp_path)
    installation.record_path.write_bytes(left)
    assert examine_installation(installation).next_step == ("run `ares down`" if installation.record() else "")
    assert not installation.stop(SystemTime())
    assert not installation.record_path.exists()
    assert examine_installation(installation).is_well


def test_the_lock_and_not_the_number_tells_that_it_runs(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.claim():
        installation.write({"api": os.getpid()}, "http://x")
        assert examine_installation(installation).found == "running, http://x"
    assert not installation.is_running()
    assert installation.record() is None


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    finding = examine_database("mysql+pymysql://ares:hidden-word@127.0.0.1:1/ares")
    assert "127.0.0.1:1" in finding.found
    assert "hidden-word" not in finding.found + finding.next_step
    assert "MYSQL_" in finding.next_step


def test_a_database_of_another_schema_asks_for_migration(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ares.sqlite3'}"
    assert "`ares up` makes it" in examine_database(url).found
    open_database(url).connect().close()
    assert examine_database(url).next_step == "run `ares migrate`"


def test_a_redis_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    config = load_config(home=tmp_path, redis={"url": "redis://:hidden-word@127.0.0.1:1/0"})
    finding = examine_redis(config)
    assert "127.0.0.1:1" in finding.found
    assert "hidden-word" not in finding.found + finding.next_step


@pytest.mark.services
def test_a_worker_that_takes_nothing_up_is_named_with_its_reason(tmp_path: Path, redis_url: str) -> None:
    config = load_config(home=tmp_path, redis={"url": redis_url})
    client = redis.Redis.from_url(redis_url)
    client.zadd(WORKERS_ACTIVE, {"old": 1, "new": 2})
    client.hset(worker("new"), mapping={"gate": ""})
    assert examine_nodes(config).is_well
    client.hset(worker("old"), mapping={"gate": "the fleet has law 2"})
    try:
        finding = examine_nodes(config)
        assert "old takes no strategies up: the fleet has law 2" in finding.found
        assert "newest build" in finding.next_step
    finally:
        client.delete(WORKERS_ACTIVE, worker("old"), worker("new"))
        client.close()


@pytest.mark.services
def test_a_redis_that_evicts_is_refused(tmp_path: Path, redis_url: str) -> None:
    config = load_config(home=tmp_path, redis={"url": redis_url})
    assert examine_redis(config).is_well
    client = redis.Redis.from_url(redis_url)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert "noeviction" in examine_redis(config).next_step
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        client.close()


def test_an_example_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    example = "0123456789abcdef" * 4
    finding = examine_encryption(load_config(home=tmp_path, security={"encryption_key": example}))
    assert "openssl rand -hex 32" in finding.next_step
    assert example not in finding.found
