from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.verbs.init import MADE, AlreadyThere, NoExample, init
from core.secrets import EncryptionKey
from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / ".env.example", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def variables(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_every_secret_is_drawn_anew_and_the_rest_stays_as_in_the_example(folder: Path) -> None:
    init(folder / ".env")
    init(folder / "other")
    example, made, other = (variables(folder / name) for name in (".env.example", ".env", "other"))
    assert example.keys() == made.keys()
    for name, value in made.items():
        if name in MADE:
            assert len({value, other[name], example[name]}) == 3, name
        else:
            assert value == example[name]
    EncryptionKey(SecretStr(made["ENCRYPTION_KEY"]))
    assert (folder / ".env").stat().st_mode & 0o077 == 0


def test_secrets_that_are_there_are_never_overwritten(folder: Path) -> None:
    init(folder / ".env")
    before = (folder / ".env").read_bytes()
    with pytest.raises(AlreadyThere):
        init(folder / ".env")
    assert (folder / ".env").read_bytes() == before


def test_another_folder_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoExample):
        init(Path(".env"))
