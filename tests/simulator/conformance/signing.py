"""Signatures for requests of any shape, over the bytes as they go out."""

from __future__ import annotations

import hmac
import time

from requests import PreparedRequest
from requests.auth import AuthBase

FORM = "application/x-www-form-urlencoded"


class Signed(AuthBase):
    """Adds key and signature, and the time of day wherever the request has a timestamp."""

    def __init__(self, key: str, secret: str) -> None:
        self._key = key
        self._secret = secret.encode()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        base, _, query = (request.url or "").partition("?")
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        assert isinstance(body, bytes)
        is_form = bool(body) and str(request.headers.get("Content-Type", "")).startswith(FORM)
        query = _fresh(query)
        if is_form:
            body = _fresh(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        signature = hmac.digest(self._secret, query.encode() + body, "sha256").hex()
        if is_form:
            body += f"&signature={signature}".encode()
        else:
            query = f"{query}&signature={signature}" if query else f"signature={signature}"
        request.url = f"{base}?{query}" if query else base
        if body:
            request.body = body
            request.headers["Content-Length"] = str(len(body))
        request.headers["X-MBX-APIKEY"] = self._key
        return request


def _fresh(text: str) -> str:
    """The parameters with the first timestamp set to now."""
    items = text.split("&")
    for place, item in enumerate(items):
        if item.startswith("timestamp="):
            items[place] = f"timestamp={time.time_ns() // 1_000_000}"
            break
    return "&".join(items)
