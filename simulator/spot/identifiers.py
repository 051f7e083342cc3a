"""Client ids that the venue gives where the customer gave none: 22 characters, the same in every run."""

from __future__ import annotations

import base64
import hashlib

_LENGTH = 22


class ClientIds:
    """An endless series of distinct ids; `salt` keeps two series apart."""

    def __init__(self, salt: str) -> None:
        self._salt = salt.encode()[:16]
        self._count = 0

    def next(self) -> str:
        """The next id."""
        self._count += 1
        digest = hashlib.blake2b(self._count.to_bytes(8, "big"), digest_size=18, person=self._salt).digest()
        return base64.b64encode(digest, altchars=b"xY")[:_LENGTH].decode()
