"""Who sends a request, may they, and is it fresh: keys, signatures, time windows.

Signatures cover the bytes exactly as received (percent-encoded) over REST, and the parameters sorted by name and not
percent-encoded over the WebSocket API. No secret, signature or payload ever enters an error text.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from simulator import errors
from simulator.accounts import ApiKey, KeyKind
from simulator.errors import VenueError
from simulator.wire.params import INTEGER, Params

if TYPE_CHECKING:
    from simulator.venue import Venue
    from simulator.wire.endpoint import Endpoint
    from simulator.wire.public_keys import PublicKey

DEFAULT_WINDOW_US = 5_000_000
LONGEST_WINDOW_US = 60_000_000
AHEAD_US = 1_000_000
_KEY_FORMAT = re.compile(r"[!-~]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,20}", re.ASCII)
_WINDOW = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))?", re.ASCII)
_WINDOW_RANGE = r"^[0-9]{1,5}(\.[0-9]{1,3})?$"
_MICROSECONDS_FROM = 10**14
"""Timestamps from here on are microseconds (as milliseconds they would lie after the year 5000)."""
_HMAC_LENGTH = 64


def bad_key_format() -> VenueError:
    """-2014: no key, or not one."""
    return VenueError(-2014, "API-key format invalid.", 401)


def rejected_key() -> VenueError:
    """-2015: unknown or revoked key, wrong address, missing permission."""
    return VenueError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def bad_signature() -> VenueError:
    """-1022."""
    return VenueError(-1022, "Signature for this request is not valid.")


def find_key(venue: Venue, endpoint: Endpoint, key_text: str | None, ip: str) -> ApiKey:
    """The key of a request, with its address and permission checked."""
    if not key_text or not _KEY_FORMAT.fullmatch(key_text):
        raise bad_key_format()
    key = venue.accounts.key(key_text)
    if key is None:
        raise rejected_key()
    check_key(endpoint, key, ip)
    return key


def check_key(endpoint: Endpoint, key: ApiKey, ip: str) -> None:
    """Refuse with -2015 what this key may not do, or not from here."""
    if key.revoked or (key.ip_addresses and ip not in key.ip_addresses):
        raise rejected_key()
    if endpoint.security == "USER_DATA" and "READING" not in key.permissions:
        raise rejected_key()
    if endpoint.security == "TRADE" and ("SPOT" if endpoint.market == "spot" else "FUTURES") not in key.permissions:
        raise rejected_key()


def check_time(params: Params, now_us: int) -> None:
    """Refuse a timestamp more than a second ahead, or older than recvWindow; milliseconds and microseconds alike."""
    text = params.text("timestamp")
    if not _TIMESTAMP.fullmatch(text):
        raise errors.illegal_characters("timestamp", INTEGER)
    window = _receive_window(params)
    sent = int(text)
    if sent < _MICROSECONDS_FROM:
        sent *= 1000
    if sent >= now_us + AHEAD_US:
        raise VenueError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    # Whole milliseconds, as a client that signs in milliseconds expects of its own rounding.
    if now_us // 1000 * 1000 - sent > window:
        raise VenueError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _receive_window(params: Params) -> int:
    text = params.optional_text("recvWindow")
    if text is None:
        return DEFAULT_WINDOW_US
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise errors.illegal_characters("recvWindow", _WINDOW_RANGE)
    window = int(match[1]) * 1000 + int((match[2] or "0").ljust(3, "0"))
    if window > LONGEST_WINDOW_US:
        raise VenueError(-1131, "recvWindow must be less than 60000.")
    return window


def check_signature(key: ApiKey, payload: bytes, params: Params) -> None:
    """Refuse with -1022 a signature that this key did not make over this payload."""
    if not is_signed_by(key, payload, params.text("signature")):
        raise bad_signature()


def is_signed_by(key: ApiKey, payload: bytes, signature: str) -> bool:
    """Whether the signature is the key's own: hex of either case for HMAC, base64 for Ed25519 and RSA."""
    if key.kind == "HMAC":
        return _is_hmac(key.secret, payload, signature)
    from simulator.wire.public_keys import is_verified

    try:
        raw = base64.b64decode(signature, validate=True)
        return is_verified(load_public_key(key.kind, key.secret), raw, payload)
    except (binascii.Error, ValueError):
        return False


def _is_hmac(secret: str, payload: bytes, signature: str) -> bool:
    if len(signature) != _HMAC_LENGTH or not signature.isascii():
        return False
    expected = hmac.digest(secret.encode(), payload, "sha256").hex()
    return hmac.compare_digest(expected, signature.lower())


@lru_cache(maxsize=1024)
def load_public_key(kind: KeyKind, pem: str) -> PublicKey:
    """The public key of a PEM text; ValueError when it is not one of this kind."""
    from simulator.wire.public_keys import load

    return load(kind, pem)


def rest_payload(query: str, body: str) -> bytes:
    """What a REST signature covers: query string and body as received, one behind the other, without `signature`."""
    return (_unsigned(query) + _unsigned(body)).encode("utf-8", "surrogateescape")


def _unsigned(raw: str) -> str:
    head, mark, tail = raw.rpartition("&signature=")
    if mark and "&" not in tail:
        return head
    if "signature=" not in raw:
        return raw
    return "&".join(item for item in raw.split("&") if not item.startswith("signature="))


def ws_payload(params: Mapping[str, str]) -> bytes:
    """What a WebSocket API signature covers: all parameters but `signature`, by name, not percent-encoded."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature").encode()
