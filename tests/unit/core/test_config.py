from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from core.config import BadConfig, Config, load_config
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_file_the_defaults_hold() -> None:
    config = load_config()
    assert config.home == Path(".ares")
    assert config.database.url.get_secret_value().startswith("sqlite:///")


def test_the_file_in_the_repository_says_the_defaults_and_every_key(empty_folder: Path) -> None:
    defaults = load_config()
    (empty_folder / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    assert load_config() == defaults
    written = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert set(written) == set(Config.model_fields)
    for name, keys in written.items():
        if isinstance(keys, dict):
            section = Config.model_fields[name].annotation
            assert set(keys) == set(getattr(section, "model_fields", {})), name


def test_the_environment_wins_over_the_file(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "config.yaml").write_text("simulator:\n  port: 1000\n  seed: 5\n")
    monkeypatch.setenv("ARES_SIMULATOR__PORT", "2000")
    config = load_config()
    assert (config.simulator.port, config.simulator.seed) == (2000, 5)


def test_what_the_environment_leaves_empty_is_not_set(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARES_HOME", "")
    monkeypatch.setenv("ARES_SIMULATOR__PORT", "")
    assert load_config() == Config()
    assert load_config().home == Path(".ares"), "keys would be written where the programs are started"


def test_another_file_can_be_named(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "other.yaml").write_text("log:\n  level: DEBUG\n")
    monkeypatch.setenv("ARES_CONFIG", "other.yaml")
    assert load_config().log.level == "DEBUG"
    monkeypatch.setenv("ARES_CONFIG", "missing.yaml")
    with pytest.raises(BadConfig, match=r"missing\.yaml"):
        load_config()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("simulator:\n  prot: 1\n", "simulator.prot"),
        ("simulater: {}\n", "simulater"),
        ("log:\n  level: LOUD\n", "log.level"),
    ],
)
def test_a_wrong_key_or_value_is_named(empty_folder: Path, text: str, place: str) -> None:
    (empty_folder / "config.yaml").write_text(text)
    with pytest.raises(BadConfig, match=place):
        load_config()


def test_a_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARES_DATABASE__URL", "mysql+pymysql://root:s3cret@127.0.0.1/ares")
    config = load_config()
    assert "s3cret" not in repr(config)
    assert "s3cret" not in config.model_dump_json()


def test_a_wrong_password_is_not_repeated_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARES_REDIS", '{"url": "redis://:s3cret@x", "timeout_seconds": -1}')
    with pytest.raises(BadConfig) as refused:
        load_config()
    assert "s3cret" not in str(refused.value)


def test_the_configuration_cannot_be_changed_while_running() -> None:
    with pytest.raises(ValidationError):
        load_config().log.level = "DEBUG"  # type: ignore[misc]
