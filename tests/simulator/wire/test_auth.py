from __future__ import annotations

import base64
import hmac
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulator.accounts import ApiKey, KeyKind
from simulator.errors import VenueError
from simulator.wire.auth import check_time, is_signed_by, load_public_key, rest_payload, ws_payload
from simulator.wire.params import Params

NOW_US = 1_700_000_000_000_000
NOW_MS = NOW_US // 1000
PAYLOAD = b"symbol=BTCUSDT&timestamp=1"
AHEAD = "Timestamp for this request was 1000ms ahead of the server's time."
OUTSIDE = "Timestamp for this request is outside of the recvWindow."

PublicKey = ed25519.Ed25519PublicKey | rsa.RSAPublicKey


def pem(key: PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def ed25519_pair() -> tuple[str, Callable[[bytes], bytes]]:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return pem(private.public_key()), private.sign


def rsa_pair() -> tuple[str, Callable[[bytes], bytes]]:
    private = rsa.generate_private_key(65537, 2048)
    return pem(private.public_key()), lambda data: private.sign(data, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("kind", ["ED25519", "RSA"])
def test_public_key_signatures_are_verified(kind: KeyKind) -> None:
    public, sign = ed25519_pair() if kind == "ED25519" else rsa_pair()
    key = ApiKey("k", public, 1, kind)
    signature = base64.b64encode(sign(PAYLOAD)).decode()
    assert is_signed_by(key, PAYLOAD, signature)
    assert not is_signed_by(key, PAYLOAD + b"0", signature)
    assert not is_signed_by(key, PAYLOAD, signature.swapcase())
    assert not is_signed_by(key, PAYLOAD, "not base64!")
    assert not is_signed_by(key, PAYLOAD, "")


def test_hmac_hex_may_be_in_either_case() -> None:
    key = ApiKey("k", "secret", 1)
    signature = hmac.digest(b"secret", PAYLOAD, "sha256").hex()
    assert is_signed_by(key, PAYLOAD, signature)
    assert is_signed_by(key, PAYLOAD, signature.upper())
    assert not is_signed_by(key, PAYLOAD, signature[:-1] + ("0" if signature[-1] != "0" else "1"))
    for wrong in ("", "ü" * 64, "g" * 64, signature + " ", signature[:-1]):
        assert not is_signed_by(key, PAYLOAD, wrong)


def test_a_key_of_another_kind_is_no_public_key() -> None:
    with pytest.raises(ValueError, match="another kind"):
        load_public_key("RSA", ed25519_pair()[0])
    with pytest.raises(ValueError, match="not the PEM text"):
        load_public_key("RSA", "nonsense")


@pytest.mark.parametrize(
    ("query", "body", "payload"),
    [
        ("a=1&b=%2B&signature=xyz", "", b"a=1&b=%2B"),
        ("a=1", "b=2&signature=x", b"a=1b=2"),
        ("signature=x&a=1", "", b"a=1"),
        ("a=1&signature=x&b=2", "c=3", b"a=1&b=2c=3"),
        ("signature=x", "", b""),
    ],
)
def test_the_payload_is_query_and_body_as_received_without_the_signature(query: str, body: str, payload: bytes) -> None:
    assert rest_payload(query, body) == payload


def test_the_websocket_payload_is_sorted_and_not_encoded() -> None:
    assert (
        ws_payload({"symbol": "币", "apiKey": "k", "signature": "s", "a": "1 2"}) == "a=1 2&apiKey=k&symbol=币".encode()
    )


def checked(**values: object) -> tuple[int, str]:
    try:
        check_time(Params({name: str(value) for name, value in values.items()}), NOW_US)
    except VenueError as error:
        return error.code, error.message
    return 0, "accepted"


@pytest.mark.parametrize(
    ("timestamp", "window", "expected"),
    [
        (NOW_MS, None, (0, "accepted")),
        (NOW_US, None, (0, "accepted")),
        (NOW_MS + 999, None, (0, "accepted")),
        (NOW_MS + 1000, None, (-1021, AHEAD)),
        (NOW_US + 1_000_000, None, (-1021, AHEAD)),
        (NOW_MS - 5000, None, (0, "accepted")),
        (NOW_MS - 5001, None, (-1021, OUTSIDE)),
        (NOW_MS - 60000, "60000", (0, "accepted")),
        (NOW_MS - 60001, "60000", (-1021, OUTSIDE)),
        (NOW_US - 1500, "1.500", (0, "accepted")),
        (NOW_US - 2501, "1.5", (-1021, OUTSIDE)),
        (NOW_MS, "60000.001", (-1131, "recvWindow must be less than 60000.")),
        (0, None, (-1021, OUTSIDE)),
    ],
)
def test_the_time_window_is_the_venues(timestamp: int, window: str | None, expected: tuple[int, str]) -> None:
    given = {"timestamp": timestamp} | ({} if window is None else {"recvWindow": window})
    assert checked(**given) == expected


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "1e3", "9" * 21])
def test_a_timestamp_of_other_characters_is_illegal(text: str) -> None:
    assert checked(timestamp=text)[0] == -1100


@pytest.mark.parametrize("text", ["x", "-1", "1.2345", "1."])
def test_a_window_of_other_characters_is_illegal(text: str) -> None:
    assert checked(timestamp=NOW_MS, recvWindow=text)[0] == -1100


def test_a_missing_timestamp_is_named() -> None:
    assert checked() == (-1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.")
