"""What can be wrong with a market data file, and the gaps in it."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


class MarketFileError(ValueError):
    """A market file that cannot be replayed. The text names file and line, what is wrong, and what to do."""

    def __init__(self, path: Path | str, line: int | None, problem: str, advice: str) -> None:
        where = f"{path}, line {line}" if line else f"{path}"
        super().__init__(f"{where}: {problem}; {advice}")
        self.path = str(path)
        self.line = line
        """Counted from 1, the header included; None when the whole file is meant."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time without rows: from the first missing moment to the next row, the end not included."""

    from_ms: int
    to_ms: int

    def __str__(self) -> str:
        minutes = (self.to_ms - self.from_ms) // 60_000
        return f"{moment(self.from_ms)} to {moment(self.to_ms)} ({minutes} minutes)"


def moment(time_ms: int) -> str:
    """ISO text of a time, for messages."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_bytes(path: Path) -> bytes:
    """Content of a file, unpacked when it is gzip; raises `MarketFileError` when it cannot be read."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise MarketFileError(
            path, None, f"cannot be read ({error.strerror})", "give a path to a readable file"
        ) from None
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error):
        raise MarketFileError(path, None, "is not a whole gzip file", "fetch the file again") from None
