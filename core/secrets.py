"""Encryption of credentials: AES-256-GCM under `ENCRYPTION_KEY`, each ciphertext bound to the one field it belongs to.

A `Sealer` encrypts and cannot read; an `Opener` reads. The API node makes only the former. Every ciphertext is made
under a key of its own, derived from the encryption key and fresh salt, so that no nonce is ever used twice under one
key, whatever forks. Which encryption key was used is told by its id, which is derived from it too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from domain.errors import Broken, Refused

#: Purpose of the key that proves to a worker that the kill switch is turned by its own platform.
KILL_SWITCH: Final = "ares kill switch"
#: Purpose of the key that signs what is handed to workers.
MESSAGES: Final = "ares messages"

_FORMAT: Final = b"\x01"
_SALT, _NONCE, _TAG = 16, 12, 16
_HEX_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
#: A key whose bytes show a pattern was typed, not drawn.
_FEWEST_DIFFERENT_BYTES: Final = 12


class BadEncryptionKey(Refused):
    """ENCRYPTION_KEY must be 64 hexadecimal digits drawn at random, such as `openssl rand -hex 32` gives."""


class UnknownKey(Refused):
    """This was encrypted under a key that is not configured; name it in ENCRYPTION_KEYS_OLD."""


class Tampered(Broken):
    """A stored secret does not belong where it stands, or was changed; enter the credentials again."""


class Place(NamedTuple):
    """The one field of one row that a ciphertext belongs to; it opens nowhere else."""

    table: str
    row: int
    column: str
    owner: int


class EncryptionKey:
    """A checked encryption key. Its text form shows the id only."""

    def __init__(self, text: SecretStr) -> None:
        plain = text.get_secret_value().strip()
        if not _HEX_KEY.fullmatch(plain):
            raise BadEncryptionKey
        self._bytes = bytes.fromhex(plain)
        if len(set(self._bytes)) < _FEWEST_DIFFERENT_BYTES or plain in plain[1:] + plain[:-1]:
            raise BadEncryptionKey(f"ENCRYPTION_KEY shows a pattern, as examples do. {BadEncryptionKey.__doc__}")
        self.id = self.derive("ares key id")[:8].hex()

    def derive(self, purpose: str, salt: bytes | None = None) -> bytes:
        """Another key of 32 bytes, for one purpose; the purposes do not give one another away."""
        return HKDF(SHA256(), 32, salt, purpose.encode()).derive(self._bytes)

    def token(self, purpose: str) -> str:
        """The same as text, for a header that only holders of the key can write."""
        return self.derive(purpose).hex()

    def __repr__(self) -> str:
        return f"EncryptionKey({self.id})"


class Sealer:
    """Encrypts under the newest key, and reads nothing."""

    def __init__(self, key: EncryptionKey) -> None:
        self._key = key

    @property
    def key_id(self) -> str:
        """Which key it encrypts under: kept beside the ciphertext."""
        return self._key.id

    def seal(self, plain: SecretStr, place: Place) -> bytes:
        """The ciphertext of a secret at its place."""
        salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
        bound = _bound_to(place, self.key_id)
        body = _cipher(self._key, salt).encrypt(nonce, plain.get_secret_value().encode(), bound)
        return _FORMAT + salt + nonce + body


class Opener:
    """Reads what was encrypted under any of its keys; belongs where orders are signed, and nowhere else."""

    def __init__(self, keys: Iterable[EncryptionKey]) -> None:
        self._keys = {key.id: key for key in keys}

    def open(self, sealed: bytes, key_id: str, place: Place) -> SecretStr:
        """The secret; `Tampered` when it stands elsewhere than where it was put or was changed in any byte."""
        key = self._keys.get(key_id)
        if key is None:
            raise UnknownKey(f"the key {key_id} is not configured; name it in ENCRYPTION_KEYS_OLD.")
        head = len(_FORMAT) + _SALT + _NONCE
        if sealed[:1] != _FORMAT or len(sealed) < head + _TAG:
            raise Tampered
        salt, nonce = sealed[1 : 1 + _SALT], sealed[1 + _SALT : head]
        try:
            plain = _cipher(key, salt).decrypt(nonce, sealed[head:], _bound_to(place, key_id))
        except InvalidTag as error:
            raise Tampered(f"{place.table} {place.row}: {Tampered.__doc__}") from error
        return SecretStr(plain.decode())


def _cipher(key: EncryptionKey, salt: bytes) -> AESGCM:
    return AESGCM(key.derive("ares credentials", salt))


def _bound_to(place: Place, key_id: str) -> bytes:
    # The lengths keep two places from ever reading the same.
    return b"".join(len(part).to_bytes(4, "big") + part for part in (str(one).encode() for one in (*place, key_id)))
