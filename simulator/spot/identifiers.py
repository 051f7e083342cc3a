"""Client ids that the venue gives where the customer gave none: 22 characters, the same in every run."""

from __future__ import annotations

import binascii
import hashlib

_LENGTH = 22
_PLAIN = bytes.maketrans(b"+/", b"xY")


class ClientIds:
    """An endless series of distinct ids; `salt` keeps two series apart."""

    def __init__(self, salt: str) -> None:
        self._salt = salt.encode()[:16]
        self._count = 0

    def next(self) -> str:
        """The next id."""
        self._count += 1
        digest = hashlib.blake2b(self._count.to_bytes(8, "big"), digest_size=18, person=self._salt).digest()
        return binascii.b2a_base64(digest, newline=False)[:_LENGTH].translate(_PLAIN).decode()
