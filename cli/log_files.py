"""What the programs of an installation have said, one file each, kept small."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

#: A file that has grown past this is put aside, in place of the one put aside before.
MAX_BYTES: Final = 5_000_000


class LogFiles:
    """Writes lines into `NAME.log` under a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, TextIO] = {}

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        for file in self._files.values():
            file.close()

    def write(self, name: str, line: str) -> None:
        """Add a line; a full disk loses it, and trading goes on."""
        try:
            file = self._files.get(name) or self._open(name)
            file.write(line + "\n")
            if file.tell() > MAX_BYTES:
                self._put_aside(name)
        except OSError:
            self._files.pop(name, None)

    def _open(self, name: str) -> TextIO:
        file = self._files[name] = (self._folder / f"{name}.log").open("a", buffering=1, encoding="utf-8")
        return file

    def _put_aside(self, name: str) -> None:
        self._files.pop(name).close()
        path = self._folder / f"{name}.log"
        path.replace(path.with_suffix(".log.1"))


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file; none when there is no file."""
    if not path.is_file():
        return []
    return path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
