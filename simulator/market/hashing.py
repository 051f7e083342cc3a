"""Chance without a sequence: well-mixed numbers computed from where they are needed, so that order never matters."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def key_of(*parts: object) -> int:
    """A 64-bit key of some words and numbers, the same on every machine."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def mix(value: int) -> int:
    """64 mixed bits of a number (SplitMix64)."""
    z = (value + _STEP) & _MASK
    z = ((z ^ (z >> 30)) * _FIRST) & _MASK
    z = ((z ^ (z >> 27)) * _SECOND) & _MASK
    return z ^ (z >> 31)


def mix_array(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`mix` of every element."""
    z = values + np.uint64(_STEP)
    z ^= z >> np.uint64(30)
    z *= np.uint64(_FIRST)
    z ^= z >> np.uint64(27)
    z *= np.uint64(_SECOND)
    z ^= z >> np.uint64(31)
    return z


def mix_range(key: int, numbers: NDArray[np.int64], salt: int = 0) -> NDArray[np.uint64]:
    """Mixed bits for (key, salt, number), element by element."""
    return mix_array(numbers.astype(np.uint64) * np.uint64(_STEP) + np.uint64(mix(key ^ mix(salt))))


def mix_line(key: int, numbers: NDArray[np.int64], length: int) -> NDArray[np.uint64]:
    """Mixed bits of each number and the `length - 1` after it, one line per number: `mix_range` in a rectangle."""
    base = numbers.astype(np.uint64) * np.uint64(_STEP) + np.uint64(mix(key ^ mix(0)))
    return mix_array(base[:, None] + np.arange(length, dtype=np.uint64) * np.uint64(_STEP))


def mix_one(key: int, number: int, salt: int = 0) -> int:
    """The same as one element of `mix_range`."""
    return mix((number * _STEP + mix(key ^ mix(salt))) & _MASK)
