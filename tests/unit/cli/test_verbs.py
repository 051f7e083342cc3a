"""The command line knows the file of each of its verbs, and loads no other."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from cli import verbs
from cli.app import program
from tests.conftest import ROOT


def names_of(app: typer.Typer) -> set[str]:
    command = typer.main.get_command(app)
    return set(command.list_commands(typer.Context(command)))  # type: ignore[attr-defined]


def test_the_file_of_every_verb_is_known() -> None:
    assert names_of(program()) == set(verbs.HOMES)


@pytest.mark.parametrize("verb", sorted(verbs.HOMES))
def test_a_verb_is_in_its_file(verb: str) -> None:
    assert verb in names_of(program(verb))


def test_what_is_not_a_verb_is_refused_by_all_of_them() -> None:
    assert names_of(program("colour")) == set(verbs.HOMES)


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["strategy", "--help"], {"sqlalchemy", "alembic", "numba", "numpy", "ccxt", "redis"}),
        (["version"], {"sqlalchemy", "numpy", "httpx"}),
    ],
)
def test_a_verb_loads_nothing_of_the_others(words: list[str], heavy: set[str]) -> None:
    script = (
        "import atexit, sys\natexit.register(lambda: print('loaded', *sys.modules))\nfrom cli.entry import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not heavy & set(done.stdout.rpartition("loaded")[2].split())
