"""A secret with a mark on it, used in every way there is: afterwards the mark is nowhere but in the ciphertext."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from pydantic import SecretStr

from core.secrets import EncryptionKey, Opener, Sealer, Tampered
from db.queries import accounts
from db.rotation import place_of, rotate_credentials
from db.unit_of_work import committed, reading
from tests.api_node import ENCRYPTION_KEY, ApiNode, make_config
from tests.unit.core.test_secrets import OTHER_KEY

pytestmark = pytest.mark.services

MARKS = {
    "api_key": "CANARYkeyQ7xW2mZ9pL4vT8nB3",
    "api_secret": "CANARYsecretH5jD1sF6gK0yR",
    "passphrase": "CANARY phrase+/=& U4wE9c",
}
KEY = EncryptionKey(SecretStr(ENCRYPTION_KEY))


def traces(secret: str) -> Iterator[bytes]:
    """Every way a secret may show: as it is, encoded, and its beginning and end."""
    plain = secret.encode()
    yield plain
    yield quote(secret).encode()
    yield quote(secret, safe="").encode()
    yield plain.hex().encode()
    yield base64.b64encode(plain).rstrip(b"=")[:-1]
    yield base64.urlsafe_b64encode(plain).rstrip(b"=")[:-1]
    # Inside of other base64 text the letters depend on where it begins.
    yield from (base64.b64encode(b"x" * shift + plain)[4:-4] for shift in (1, 2))
    yield plain[:8]
    yield plain[-8:]


def search(where: str, content: bytes) -> list[str]:
    return [f"{name} in {where}" for name, secret in MARKS.items() for trace in traces(secret) if trace in content]


def test_the_search_finds_what_it_looks_for() -> None:
    for name, secret in MARKS.items():
        for text in (secret, quote(secret), secret.encode().hex(), base64.b64encode(b"ab" + secret.encode()).decode()):
            assert any(found.startswith(name) for found in search("here", f"before {text} after".encode()))


def test_a_marked_secret_is_nowhere_but_in_the_ciphertext(
    node: ApiNode, redis_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers: list[Any] = []

    def send(method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = node.call(method, path, **({"json": body} if body is not None else {}), **options)
        answers.append(answer)
        return answer

    # Added, also in ways that fail: in wrong fields, of wrong shapes, broken JSON, twice, to nobody's account.
    real = {"name": "real", "exchange": "okx_spot", **MARKS}
    account = send("POST", "/api/accounts", real).json()["id"]
    send("POST", "/api/accounts", real)
    send("POST", "/api/accounts", {**real, "name": "x" * 200})
    send("POST", "/api/accounts", {**real, "exchange": "nowhere"})
    send("POST", "/api/accounts", {**real, "exchange": "paper"})
    send("POST", "/api/accounts", {"name": "half", "exchange": "binance_spot", "api_key": MARKS["api_key"]})
    send("POST", "/api/accounts", {**real, "api_secret": [MARKS["api_secret"]]})
    send("POST", "/api/accounts", {**real, "api_secret": MARKS["api_secret"] + "\x00"})
    send("POST", "/api/accounts", {**real, "secret": MARKS["api_secret"]})
    send("PUT", "/api/accounts/999999", {name: MARKS[name] for name in ("api_key", "api_secret")})
    broken = f'{{"api_secret": "{MARKS["api_secret"]}"'
    send("POST", "/api/accounts", content=broken, headers={"Content-Type": "application/json"})
    send("POST", "/api/accounts", content=broken + "}", headers={"Content-Type": "text/plain"})
    # Used: opened where orders are signed, and moved elsewhere in the database.
    opened = stored(node, account, Opener([KEY]))
    assert opened == MARKS
    tampered(node, account)
    # Rotated, replaced, looked at, removed.
    assert rotate_credentials(node.engine, Opener([KEY, OTHER_KEY]), Sealer(OTHER_KEY), datetime.now(UTC)) == 1
    assert stored(node, account, Opener([OTHER_KEY])) == MARKS
    ciphertexts = search("database", database_bytes(tmp_path))
    assert send("PUT", f"/api/accounts/{account}", MARKS).status_code == 200
    for path in ("/api/accounts", f"/api/accounts/{account}", "/api/audit", "/openapi.json", "/metrics"):
        send("GET", path)
    live = database_bytes(tmp_path)
    assert send("DELETE", f"/api/accounts/{account}").status_code == 204
    with reading(node.engine) as unit:
        rows = [tuple(row) for row in unit.connection.exec_driver_sql("SELECT api_key, api_secret FROM accounts")]
    assert rows == [(None, None)]
    with redis.Redis.from_url(redis_url) as client:
        everything = b"".join(key + (client.dump(key) or b"") for key in client.keys("*"))
        assert b"account.check" in everything
    logs = capfd.readouterr()
    config = make_config("sqlite://", "redis://", tmp_path)
    found = ciphertexts + search("database", live) + search("database", database_bytes(tmp_path))
    found += search("redis", everything) + search("logs", (logs.out + logs.err).encode())
    found += search("settings", repr(config).encode())
    for answer in answers:
        found += search(f"{answer.request.method} {answer.request.url}", answer.content + str(answer.headers).encode())
    assert found == []
    assert ENCRYPTION_KEY not in repr(config) + logs.out + logs.err


def stored(node: ApiNode, number: int, opener: Opener) -> dict[str, str]:
    with reading(node.engine) as unit:
        row = accounts.get(unit, number, node.people["olga"])
        assert row.key_id is not None
        return {
            name: opener.open(getattr(row, name), row.key_id, place_of(row, name)).get_secret_value() for name in MARKS
        }


def tampered(node: ApiNode, number: int) -> None:
    """Ciphertext that somebody moved by SQL says nothing, and its error does not either."""
    with reading(node.engine) as unit:
        row = accounts.get(unit, number, node.people["olga"])
        assert row.key_id is not None
        assert row.api_key is not None
        with pytest.raises(Tampered) as error:
            Opener([KEY]).open(row.api_key, row.key_id, place_of(row, "api_secret"))
        print(repr(error.value), error.value, error.value.__cause__)


def database_bytes(folder: Path) -> bytes:
    """Everything the database has on disk, and everything it says."""
    dump = sqlite3.connect(folder / "ares.sqlite3")
    try:
        text = "\n".join(dump.iterdump()).encode()
    finally:
        dump.close()
    return text + b"".join(path.read_bytes() for path in sorted(folder.glob("ares.sqlite3*")))


def test_only_the_end_of_a_key_is_shown_and_a_blank_keeps_it(node: ApiNode) -> None:
    body = {"name": "real", "exchange": "binance_spot", "api_key": "abcdefghijklmnop1234", "api_secret": "s" * 20}
    account = node.post("/api/accounts", body).json()
    assert (account["has_key"], account["key_hint"], account["rights"]) == (True, "1234", "unknown")
    kept = node.call("PUT", f"/api/accounts/{account['id']}", json={"name": "renamed"}).json()
    assert (kept["key_hint"], kept["name"]) == ("1234", "renamed")
    with committed(node.engine) as unit:
        accounts.set_rights(unit, account["id"], "verified", datetime.now(UTC))
    new = {"api_key": "short123", "api_secret": "t" * 20}
    replaced = node.call("PUT", f"/api/accounts/{account['id']}", json=new).json()
    assert (replaced["key_hint"], replaced["rights"]) == (None, "unknown")
