from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from core.registry import BadRegistration, NotRegistered, Registry

COUNT = iter(range(1000))


@pytest.fixture
def package(tmp_path: Path) -> Iterator[ModuleType]:
    """An empty package with a registry called THINGS, importable while the test runs."""
    name = f"plugins_{next(COUNT)}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("from core.registry import Registry\nTHINGS = Registry('thing')\n")
    sys.path.insert(0, str(tmp_path))
    yield importlib.import_module(name)
    sys.path.remove(str(tmp_path))
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def add_file(package: ModuleType, name: str, text: str) -> None:
    (Path(package.__path__[0]) / f"{name}.py").write_text(f"from {package.__name__} import THINGS\n{text}\n")


def test_a_new_file_is_a_new_thing(package: ModuleType) -> None:
    add_file(package, "okx", "@THINGS.register('okx')\nclass Okx: ...")
    add_file(package, "_shared", "raise RuntimeError('not a plug-in')")
    things: Registry[type] = package.THINGS
    things.scan(package)
    assert list(things) == ["okx"]
    assert things.get("okx").__name__ == "Okx"
    things.scan(package)
    assert len(things) == 1


@pytest.mark.parametrize(
    "text",
    [
        "pass",
        "THINGS.register('bybit')(object())",
        "THINGS.register('okx')(1)\nTHINGS.register('more')(2)",
    ],
)
def test_a_file_that_does_not_register_exactly_itself_is_refused(package: ModuleType, text: str) -> None:
    add_file(package, "okx", text)
    with pytest.raises(BadRegistration, match="okx"):
        package.THINGS.scan(package)


def test_two_things_of_one_name_are_refused() -> None:
    things: Registry[int] = Registry("thing")
    things.register("a")(1)
    with pytest.raises(BadRegistration, match="rename one of them"):
        things.register("a")(2)


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    things: Registry[int] = Registry("exchange")
    with pytest.raises(NotRegistered, match="known: none"):
        things.get("okx_spot")
    things.register("okx_spot")(1)
    with pytest.raises(NotRegistered, match="did you mean 'okx_spot'"):
        things.get("okx_spott")
