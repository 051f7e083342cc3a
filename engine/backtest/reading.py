"""Files from outside as lines of text: packed or not, never unpacked as a whole, however large they would become."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import orjson

from domain.sentences import say
from engine.backtest.history import BadHistory

#: Characters of a line; a row of bars or trades has some hundred.
LONGEST_LINE: Final = 100_000
TEXTS: Final = (".csv", ".csv.gz", ".gz", ".zip")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What goes wrong with a file while it is read, as `BadHistory`."""
    import polars
    import pyarrow

    try:
        yield
    except (
        OSError, EOFError, UnicodeDecodeError, zlib.error, zipfile.BadZipFile, NotImplementedError,
        orjson.JSONDecodeError, pyarrow.ArrowException, polars.exceptions.PolarsError,
    ) as error:  # fmt: skip
        raise BadHistory(
            say("unreadable_file", "{path}: it cannot be read: {error}.", path=path, error=error)
        ) from error


def texts(path: Path, longest: int = LONGEST_LINE) -> Iterator[Iterator[str]]:
    """The lines of every text in a file: one, or those of an archive in the order of their names."""
    name = path.name.lower()
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                with archive.open(member) as packed:
                    yield _lines(path, io.TextIOWrapper(packed, "utf-8"), longest)
    elif name.endswith(".gz"):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            yield _lines(path, file, longest)
    else:
        with path.open(encoding="utf-8") as file:
            yield _lines(path, file, longest)


def _lines(path: Path, file: TextIO | io.TextIOWrapper, longest: int) -> Iterator[str]:
    while line := file.readline(longest):
        if len(line) == longest:
            raise BadHistory(
                say(
                    "line_too_long",
                    "{path}: a line is longer than {longest} characters; it is no file of the market's past.",
                    path=path,
                    longest=longest,
                )
            )
        yield line
