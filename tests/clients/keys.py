"""Key pairs, as customers make them on their own machines and register the public half."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.simulator_process import SimulatorProcess


def register(venue: SimulatorProcess, owner: str, kind: str, name: str) -> str:
    """A new key pair for the account of the key `owner`; gives the private half as PEM."""
    private = ed25519.Ed25519PrivateKey.generate() if kind == "ED25519" else rsa.generate_private_key(65537, 2048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    accounts = venue.get("accounts")
    account = next(item for item in accounts if any(key["key"] == owner for key in item["keys"]))
    venue.post(f"accounts/{account['account_id']}/keys", {"kind": kind, "key": name, "public_key": public})
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
