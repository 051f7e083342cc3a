"""Client ids that the venue gives where the customer gave none: 22 characters, the same in every run."""

from __future__ import annotations

import binascii
import random

_LENGTH = 22
_PLAIN = bytes.maketrans(b"+/", b"xY")


class ClientIds:
    """An endless series of ids that do not repeat in practice (128 bits); `seed` keeps two series apart."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def next(self) -> str:
        """The next id."""
        text = binascii.b2a_base64(self._random.randbytes(17), newline=False)
        return text[:_LENGTH].translate(_PLAIN).decode()
