"""A client that knows nothing but the venue's documentation: plain urllib and websockets, requests signed by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from websockets.asyncio.client import ClientConnection, connect

from tests.clients.inbox import Inbox, reading

Sign = Callable[[str], str]


def by_secret(secret: str) -> Sign:
    """HMAC SHA-256, as hexadecimal digits."""
    return lambda payload: hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def by_private_key(pem: str) -> Sign:
    """RSA PKCS#1 v1.5 with SHA-256, or Ed25519, as base64."""
    key = load_pem_private_key(pem.encode(), None)

    def sign(payload: str) -> str:
        if isinstance(key, rsa.RSAPrivateKey):
            made = key.sign(payload.encode(), padding.PKCS1v15(), SHA256())
        else:
            assert isinstance(key, ed25519.Ed25519PrivateKey)
            made = key.sign(payload.encode())
        return base64.b64encode(made).decode()

    return sign


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and body of a REST answer; a body that is not JSON is text."""

    status: int
    headers: dict[str, str]
    body: Any


def fetch(method: str, url: str, body: str | None = None, key: str | None = None) -> Answer:
    """One HTTP request as it stands."""
    headers = {"X-MBX-APIKEY": key} if key else {}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    request = Request(url, method=method, headers=headers, data=None if body is None else body.encode())  # noqa: S310
    try:
        with urlopen(request, timeout=60) as reply:  # noqa: S310
            return _answer(reply)
    except HTTPError as refusal:
        with refusal:
            return _answer(refusal)


def _answer(reply: Any) -> Answer:
    headers = {name.lower(): value for name, value in reply.headers.items()}
    content = reply.read()
    is_json = headers.get("content-type", "").startswith("application/json")
    return Answer(reply.status, headers, json.loads(content) if is_json else content.decode())


def signed(sign: Sign, query: dict[str, Any], body: dict[str, Any] | None = None) -> tuple[str, str]:
    """Query string and body; the signature covers both, one behind the other, and ends the query string."""
    body_text = urlencode(body or {})
    query_text = urlencode({**query, "timestamp": milliseconds()})
    signature = quote(sign(query_text + body_text), safe="")
    return f"{query_text}&signature={signature}", body_text


def ws_request(method: str, request_id: Any, key: str, sign: Sign, **params: Any) -> dict[str, Any]:
    """A signed request of the WebSocket API: parameters by name, not percent-encoded."""
    whole = {**params, "apiKey": key, "timestamp": milliseconds()}
    payload = "&".join(f"{name}={whole[name]}" for name in sorted(whole))
    return {"id": request_id, "method": method, "params": {**whole, "signature": sign(payload)}}


@dataclass(slots=True)
class Wire:
    """A connection and what came in on it."""

    socket: ClientConnection
    inbox: Inbox

    async def send(self, message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def ask(self, message: dict[str, Any]) -> Any:
        """Send a request and wait for what carries its id."""
        await self.send(message)
        return await self.inbox.first(lambda reply: "id" in reply and reply["id"] == message["id"])


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[Wire]:
    """A WebSocket that is read all the time."""
    async with connect(url, max_size=None, max_queue=None) as socket:

        async def receive() -> Any:
            return json.loads(await socket.recv())

        async with reading(receive) as inbox:
            yield Wire(socket, inbox)


@dataclass(slots=True)
class LocalBook:
    """A book kept from a snapshot and diffs, by the documented steps; `is_spot` chains by U, futures by pu."""

    is_spot: bool
    update_id: int
    bids: dict[Decimal, Decimal] = field(default_factory=dict)
    asks: dict[Decimal, Decimal] = field(default_factory=dict)
    applied: int = 0

    @classmethod
    def of(cls, snapshot: dict[str, Any], is_spot: bool) -> LocalBook:
        book = cls(is_spot, snapshot["lastUpdateId"])
        book._take(snapshot["bids"], snapshot["asks"])
        return book

    def apply(self, event: dict[str, Any]) -> None:
        """Take a diff; AssertionError when it does not follow the one before."""
        if event["u"] <= self.update_id if self.is_spot else event["u"] < self.update_id:
            return
        if self.applied == 0:
            assert event["U"] <= self.update_id + 1, "the stream begins behind the snapshot"
        elif self.is_spot:
            assert event["U"] == self.update_id + 1, "a diff is missing"
        else:
            assert event["pu"] == self.update_id, "a diff is missing"
        self._take(event["b"], event["a"])
        self.update_id = event["u"]
        self.applied += 1

    def _take(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for price, quantity in levels:
                if Decimal(quantity):
                    side[Decimal(price)] = Decimal(quantity)
                else:
                    side.pop(Decimal(price), None)

    def top(self, depth: int) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        return sorted(self.bids.items(), reverse=True)[:depth], sorted(self.asks.items())[:depth]
