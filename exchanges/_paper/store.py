"""The book of a paper account in a file: one line per record, on the disk before it counts."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path


class FileStore:
    """Records in a file. What a crash cut off at its end was never acknowledged, and is dropped."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self) -> list[bytes]:
        """Every record kept so far, oldest first."""
        return await asyncio.to_thread(self._load)

    async def append(self, record: bytes) -> None:
        """Keep one record; it is on the disk when this returns."""
        await asyncio.to_thread(self._append, record)

    async def replace(self, records: list[bytes]) -> None:
        """Keep these instead of everything before, all or nothing."""
        await asyncio.to_thread(self._replace, records)

    def _load(self) -> list[bytes]:
        if not self._path.exists():
            return []
        content = self._path.read_bytes()
        whole, _, rest = content.rpartition(b"\n")
        if rest:
            with self._path.open("r+b") as file:
                file.truncate(len(content) - len(rest))
        return [line for line in whole.split(b"\n") if line]

    def _append(self, record: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(record + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _replace(self, records: list[bytes]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(b"".join(record + b"\n" for record in records))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class MemoryStore:
    """Records that live as long as the object: for tests, and for trials nobody wants to keep."""

    def __init__(self) -> None:
        self._records: list[bytes] = []

    async def load(self) -> list[bytes]:
        """Every record kept so far, oldest first."""
        return list(self._records)

    async def append(self, record: bytes) -> None:
        """Keep one record."""
        self._records.append(record)

    async def replace(self, records: list[bytes]) -> None:
        """Keep these instead of everything before."""
        self._records = list(records)
