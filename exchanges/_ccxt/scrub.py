"""Texts of errors that may be shown: no address, signature, key or secret in them."""

from __future__ import annotations

import re

from core.base_exchange import Credentials
from core.logs import MASK, redact

_ADDRESS = re.compile(r"\b(?:https?|wss?)://\S+")
_SIGNATURE = re.compile(r"\b[0-9a-fA-F]{32,}\b")
_LONGEST = 300


def scrub(text: str, credentials: Credentials | None) -> str:
    """The text with everything secret masked, on one line, 300 characters at most."""
    if credentials is not None:
        for secret in (credentials.key, credentials.secret, credentials.passphrase):
            if secret is not None and (value := secret.get_secret_value()):
                text = text.replace(value, MASK)
    text = _SIGNATURE.sub(MASK, _ADDRESS.sub("(address)", text))
    shown: str = redact(" ".join(text.split()))
    return shown[:_LONGEST]
