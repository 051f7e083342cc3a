"""Exact reading of numeric CSV text into integer arrays, whole columns at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.market.files import MarketFileError
from simulator.units import DECIMALS

Integers = NDArray[np.int64]
_COMMA, _NEWLINE, _DOT, _ZERO = 44, 10, 46, 48
_LONGEST = 24
_LARGEST = (1 << 63) - 1


class CsvTable:
    """A CSV file with a known header, no quotes, and only plain decimal numbers.

    Raises `MarketFileError` naming the line for a wrong header, a wrong number of columns, or (when a column is
    read) a field that is not a plain decimal number.
    """

    def __init__(self, path: Path, content: bytes, columns: tuple[str, ...]) -> None:
        self.path = path
        self._columns = columns
        content = content.replace(b"\r\n", b"\n")
        if not content.endswith(b"\n"):
            content += b"\n"
        header, _, body = content.partition(b"\n")
        self._check_header(header.decode("utf-8", "replace"))
        if not body:
            raise MarketFileError(path, 2, "there are no rows", "give a file with at least one row")
        self._bytes = np.frombuffer(body, np.uint8)
        self._starts, self._ends = self._fields()

    def _check_header(self, header: str) -> None:
        if header.strip("\ufeff") != ",".join(self._columns):
            raise MarketFileError(
                self.path, 1, f"the columns are '{header[:80]}'", f"they must be exactly '{','.join(self._columns)}'"
            )

    def _fields(self) -> tuple[Integers, Integers]:
        """First byte and end of every field, as arrays of (rows, columns)."""
        width = len(self._columns)
        ends = np.flatnonzero((self._bytes == _COMMA) | (self._bytes == _NEWLINE))
        is_end_of_line = self._bytes[ends] == _NEWLINE
        lines = np.flatnonzero(is_end_of_line)
        widths = np.diff(lines, prepend=-1)
        wrong = np.flatnonzero(widths != width)
        if len(wrong):
            row = int(wrong[0])
            raise MarketFileError(
                self.path,
                row + 2,
                f"there are {int(widths[row])} fields",
                f"a row has {width}: {','.join(self._columns)}",
            )
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
        return starts.reshape(-1, width), ends.reshape(-1, width)

    def __len__(self) -> int:
        return len(self._starts)

    def text(self, row: int, column: int) -> str:
        """The field as it stands in the file."""
        piece = self._bytes[self._starts[row, column] : self._ends[row, column]]
        return piece.tobytes().decode("utf-8", "replace")

    def quanta(self, column: int) -> Integers:
        """A column of decimals, in quanta of 1e-8."""
        return self._numbers(column, DECIMALS)

    def integers(self, column: int) -> Integers:
        """A column of whole numbers."""
        return self._numbers(column, 0)

    def _numbers(self, column: int, decimals: int) -> Integers:
        starts, ends = self._starts[:, column], self._ends[:, column]
        length = ends - starts
        longest = int(length.max())
        if longest > _LONGEST or not int(length.min()):
            self._refuse(column, int(np.flatnonzero((length > _LONGEST) | (length == 0))[0]), decimals)
        value = np.zeros(len(starts), np.int64)
        digits = np.zeros(len(starts), np.int64)
        dot = np.full(len(starts), -1, np.int64)
        good = np.ones(len(starts), np.bool_)
        for position in range(longest):
            inside = position < length
            character = self._bytes[np.where(inside, starts + position, 0)].astype(np.int64)
            is_digit = inside & (character >= _ZERO) & (character <= _ZERO + 9)
            is_dot = inside & (character == _DOT) & (dot < 0)
            good &= ~inside | is_digit | is_dot
            dot[is_dot] = position
            fraction = np.where(dot < 0, 0, position - dot)
            spare = is_digit & (fraction > decimals)
            good &= ~spare | (character == _ZERO)
            taken = is_digit & ~spare
            digits += taken & ((value > 0) | (character > _ZERO))
            value = np.where(taken, value * 10 + (character - _ZERO), value)
        fraction = np.where(dot < 0, 0, np.minimum(length - dot - 1, decimals))
        good &= (dot != 0) & (dot != length - 1) & (digits + decimals - fraction <= 18)
        if decimals == 0:
            good &= dot < 0
        if not good.all():
            self._refuse(column, int(np.flatnonzero(~good)[0]), decimals)
        scale: Integers = np.power(10, decimals - fraction)
        return value * scale

    def _refuse(self, column: int, row: int, decimals: int) -> None:
        kind = f"plain decimal number below 10^10 with at most {decimals} decimals" if decimals else "whole number"
        raise MarketFileError(
            self.path,
            row + 2,
            f"{self._columns[column]} is '{self.text(row, column)[:40]}'",
            f"write it as a {kind}, such as {'12.50' if decimals else '1746372780000'}",
        )
