"""The append-only record of everything the venue did, in the venue's own sequence: the oracle of every test.

A line is one JSON object with `n` (sequence from 1), `t` (market time in ms), `kind` and the kind's own fields.
It holds no protocol time, signature or secret, so that the same seed and requests give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson

from simulator.clock import MarketClock


class Tape:
    """Lines in memory, and in a file when a path is given (flushed at every line)."""

    def __init__(self, clock: MarketClock, path: Path | None = None) -> None:
        self._clock = clock
        self._lines: list[bytes] = []
        self._file: BinaryIO | None = path.open("wb", buffering=0) if path else None

    def append(self, kind: str, /, **fields: object) -> int:
        """Write one line; gives its sequence number. Amounts go in as decimal strings."""
        sequence = len(self._lines) + 1
        return self._keep(orjson.dumps({"n": sequence, "t": self._clock.now_ms(), "kind": kind, **fields}) + b"\n")

    def append_members(self, kind: str, members: str) -> int:
        """The same for fields that are JSON members already (`"asset":"BTC","delta":"1.0"`): three times as fast.

        The caller vouches that no text among them needs escaping.
        """
        return self._keep(
            f'{{"n":{len(self._lines) + 1},"t":{self._clock.now_ms()},"kind":"{kind}",{members}}}\n'.encode()
        )

    def _keep(self, line: bytes) -> int:
        self._lines.append(line)
        if self._file is not None:
            self._file.write(line)
        return len(self._lines)

    def lines(self, after: int = 0) -> Iterator[bytes]:
        """Raw lines with a sequence above `after`, oldest first, up to the last when it is begun."""
        for place in range(after, len(self._lines)):  # not a slice: whoever takes a few of many would copy all of them
            yield self._lines[place]

    def records(self, after: int = 0, kind: str | None = None) -> Iterator[dict[str, object]]:
        """The same as objects, of one kind if asked."""
        for line in self.lines(after):
            record = orjson.loads(line)
            if kind is None or record["kind"] == kind:
                yield record

    def __len__(self) -> int:
        return len(self._lines)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None
