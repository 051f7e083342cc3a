"""A folder that keeps a search: every finished chunk is a file, so that a search that was killed goes on."""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from domain.errors import Refused
from engine.backtest.optimiser.search import Search
from engine.backtest.optimiser.trial import Trial, dumped, loaded


class AnotherSearch(Refused):
    """The folder holds another search: other parameters, data or code; give another folder."""


class Folder:
    """Finished chunks on disk. Each is written whole or not at all."""

    def __init__(self, path: Path, search: Search) -> None:
        self._path = path
        path.mkdir(parents=True, exist_ok=True)
        stamp = path / "search.json"
        if stamp.exists():
            if orjson.loads(stamp.read_bytes())["digest"] != search.digest:
                raise AnotherSearch(f"{path}: {AnotherSearch.__doc__}")
        else:
            _write(stamp, orjson.dumps({"digest": search.digest, **search.stamp()}, option=orjson.OPT_INDENT_2))

    def load(self) -> dict[str, list[Trial]]:
        """Every finished chunk by its name."""
        return {file.stem: loaded(file.read_bytes()) for file in sorted(self._path.glob("*.chunk"))}

    def keep(self, name: str, trials: list[Trial]) -> None:
        """Keep a finished chunk; it is on disk when this returns."""
        _write(self._path / f"{name}.chunk", dumped(trials))


def _write(path: Path, content: bytes) -> None:
    part = path.with_suffix(path.suffix + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
