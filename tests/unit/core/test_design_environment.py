from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from core.config import BadConfig, load_config
from core.design_environment import design_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_said_is_nothing_set() -> None:
    assert design_settings({"PATH": "/bin", "MYSQL_USER": ""}) == {}


def test_the_database_of_the_design_is_used_whatever_its_password_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"MYSQL_HOST": "mysql", "MYSQL_USER": "ares", "MYSQL_PASSWORD": "p@ss:/?#%", "MYSQL_DATABASE": "d"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    url = make_url(load_config().database.url.get_secret_value())
    assert (url.host, url.port, url.username, url.password, url.database) == ("mysql", 3306, "ares", "p@ss:/?#%", "d")


def test_a_worker_elsewhere_finds_its_master() -> None:
    found = design_settings(
        {
            "MASTER_HOST": "master", "MASTER_MYSQL_PORT": "3307", "MASTER_REDIS_PORT": "6380",
            "MYSQL_USER": "u", "MYSQL_PORT": "1", "REDIS_PASSWORD": "r/x", "REDIS_PORT": "2",
        }
    )  # fmt: skip
    assert found["database"]["url"] == "mysql+pymysql://u:@master:3307/aresbot"
    assert found["redis"]["url"] == "redis://:r%2Fx@master:6380/0"


def test_ports_times_and_keys_of_the_design_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "API_PORT": "8123",
        "REDIS_SOCKET_TIMEOUT": "1.5",
        "REDIS_CONNECT_TIMEOUT": "0.5",
        "MYSQL_TZ": "Asia/Shanghai",
    }
    said |= {"ENCRYPTION_KEY": "k", "ENCRYPTION_KEYS_OLD": "a, b", "DRY_RUN_DB_PATH": "dry.sqlite3"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    config = load_config()
    assert (config.api.port, config.api.time_zone) == (8123, "Asia/Shanghai")
    assert (config.redis.timeout_seconds, config.redis.connect_timeout_seconds) == (1.5, 0.5)
    assert [key.get_secret_value() for key in config.security.old_encryption_keys] == ["a", "b"]
    assert config.security.encryption_key is not None
    assert config.database.dry_run_path == "dry.sqlite3"


def test_names_of_ours_stand_above_those_of_the_design(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "secret")
    monkeypatch.setenv("ARES_REDIS__URL", "redis://127.0.0.1:7000/0")
    monkeypatch.setenv("API_PORT", "70000")
    with pytest.raises(BadConfig, match=r"api\.port"):
        load_config()
    monkeypatch.setenv("ARES_API__PORT", "7001")
    config = load_config()
    assert (config.redis.url.get_secret_value(), config.api.port) == ("redis://127.0.0.1:7000/0", 7001)
