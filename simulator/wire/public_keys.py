"""Ed25519 and RSA keys. Imported when the first such key is used: the library behind it is slow to load."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from simulator.accounts import KeyKind

PublicKey = Ed25519PublicKey | RSAPublicKey


def load(kind: KeyKind, pem: str) -> PublicKey:
    """The public key of a PEM text; ValueError when it is not one of this kind."""
    try:
        key = load_pem_public_key(pem.encode())
    except Exception as error:
        raise ValueError(f"this is not the PEM text of a public {kind} key") from error
    if not isinstance(key, Ed25519PublicKey if kind == "ED25519" else RSAPublicKey):
        raise ValueError(f"this PEM text holds another kind of key than {kind}")
    return key


def is_verified(public: PublicKey, signature: bytes, payload: bytes) -> bool:
    """Whether the signature was made over the payload by the private half (RSA: PKCS #1 v1.5 over SHA-256)."""
    try:
        if isinstance(public, RSAPublicKey):
            public.verify(signature, payload, PKCS1v15(), hashes.SHA256())
        else:
            public.verify(signature, payload)
    except InvalidSignature:
        return False
    return True
